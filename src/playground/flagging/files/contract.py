"""One contract's file -> a flagged contract, and the files that are written about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from playground.atomic import replace_file
from playground.documents import CONTRACT_LIMITS, load_document
from playground.errors import DocumentError
from playground.files import read_file
from playground.flagging.flags import Evidence, flag_contract, score_contract
from playground.flagging.model import ClauseModel, OnShare
from playground.flagging.report import flag_report_csv, flag_report_html, flag_report_json, side_of
from playground.flagging.rules import rules_fingerprint
from playground.types import Document, FlaggedContract, Label, SimilarClause

RESULT_SUFFIX, REPORT_SUFFIX, TABLE_SUFFIX = ".json", ".html", ".csv"

_MOST_RESULT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class FlagSettings:
    """What decides the flags beside contract and adapter. ``shown`` names labels; None: all liabilities.

    ``shift`` moves the thresholds by so many log-odds: below 0 misses less, above 0 flags only what is surer.
    """

    shift: float = 0.0
    shown: tuple[str, ...] | None = None
    evidence: bool = True


@dataclass(frozen=True, slots=True)
class FlagJob:
    """How contracts are flagged. Goes to other processes, so that both ``load`` functions can be pickled.

    ``load_model(threads)`` and, with the first flag, ``load_evidence()`` are called once in each process. ``adapter``
    is the identity of the adapter, ``catalogue`` every label by name.
    """

    load_model: Callable[[int], ClauseModel]
    load_evidence: Callable[[], Evidence] | None
    catalogue: Mapping[str, Label]
    settings: FlagSettings
    adapter: str | None

    @property
    def evidence(self) -> Evidence | None:
        """What finds similar clauses, None where none are wanted."""
        wanted = self.settings.evidence and self.load_evidence is not None
        return loaded_when_wanted(self.load_evidence) if wanted and self.load_evidence else None

    @property
    def fingerprint(self) -> str:
        """Hash of what decides a result beside the contract."""
        catalogue = [
            [label.name, label.risk, label.why, label.check, label.liability, label.expected]
            # Without a side as ever, so that results of before are not made again.
            + ([astuple(label.stance)] if label.stance else [])
            for label in self.catalogue.values()
        ]
        shown = None if self.settings.shown is None else sorted(self.settings.shown)
        evidence = self.settings.evidence and self.load_evidence is not None
        parts = [self.adapter, self.settings.shift, shown, evidence, catalogue, rules_fingerprint()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def loaded_when_wanted(load: Callable[[], Evidence]) -> Evidence:
    """Return evidence that is loaded with the first flag: most of a short run would be waiting for it."""
    loaded: list[Evidence] = []

    def find(pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[SimilarClause, ...]]:
        if not loaded:
            loaded.append(load())
        return loaded[0](pairs)

    return find


def read_contract(path: Path) -> tuple[bytes, Document]:
    """Read a contract's file and its text.

    Raises:
        DocumentError: it is missing, too large or cannot be used.
    """
    try:
        if not path.is_file():
            raise DocumentError(f"There is no file {path}. Check its name.")
        if path.stat().st_size > CONTRACT_LIMITS.max_bytes:
            raise DocumentError(f"{path.name} has more than {CONTRACT_LIMITS.max_bytes >> 20} MB. Split it.")
        data = read_file(path, CONTRACT_LIMITS.max_bytes)
    except OSError as error:
        raise DocumentError(f"{path.name} cannot be read ({error.strerror}). Check its permissions.") from error
    return data, load_document(data, path.name, limits=CONTRACT_LIMITS)


def flag_one(
    document: Document,
    model: ClauseModel,
    evidence: Evidence | None,
    job: FlagJob,
    on_share: OnShare | None = None,
) -> FlaggedContract:
    """Judge and flag one contract; errors as for ``flagging.score_contract``."""
    scored = score_contract(document, model, job.catalogue, on_share)
    settings = job.settings
    return flag_contract(scored, job.catalogue, shift=settings.shift, shown=settings.shown, evidence=evidence)


def report_html(result: FlaggedContract, job: FlagJob) -> str:
    """Return the HTML report, with the settings that the flags depend on."""
    settings = job.settings
    labels = "liabilities" if settings.shown is None else f"{len(settings.shown)} chosen"
    thresholds = f"moved by {settings.shift:+g} log-odds" if settings.shift else "as measured"
    provenance = {"Thresholds": thresholds, "Labels": labels}
    if side := side_of(job.catalogue):
        provenance["Side"] = side
    return flag_report_html(result, job.catalogue, provenance=provenance)


def write_result(data: bytes, result: FlaggedContract, job: FlagJob, out: Path, name: str) -> None:
    """Write NAME.html, NAME.csv and then NAME.json, each whole or not at all; the last says what they came from.

    Raises:
        OSError: the folder cannot be written.
    """
    found = flag_report_json(result, job.catalogue)
    found["came_from"] = {"file_sha256": hashlib.sha256(data).hexdigest(), "fingerprint": job.fingerprint}
    replace_file(out / f"{name}{REPORT_SUFFIX}", report_html(result, job).encode("utf-8", "replace"))
    replace_file(out / f"{name}{TABLE_SUFFIX}", flag_report_csv(result, job.catalogue))
    text = json.dumps(found, ensure_ascii=False, allow_nan=False)
    replace_file(out / f"{name}{RESULT_SUFFIX}", text.encode("utf-8", "replace"))


def read_result(out: Path, name: str) -> dict[str, object] | None:
    """Return what ``write_result`` wrote about a file; None where it is missing, incomplete or not of ours."""
    path = out / f"{name}{RESULT_SUFFIX}"
    try:
        whole = all((out / f"{name}{suffix}").is_file() for suffix in (REPORT_SUFFIX, TABLE_SUFFIX))
        if not whole or path.stat().st_size > _MOST_RESULT_BYTES:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    complete = isinstance(found, dict) and isinstance(found.get("came_from"), dict)
    return found if complete and isinstance(found.get("clauses"), list) else None


def is_done(path: Path, job: FlagJob, out: Path) -> bool:
    """Tell whether ``out`` holds the result of this very file, adapter and settings."""
    found = read_result(out, path.name)
    if found is None:
        return False
    try:
        if path.stat().st_size > CONTRACT_LIMITS.max_bytes:
            return False
        digest = hashlib.sha256(read_file(path)).hexdigest()
    except OSError:
        return False
    return found["came_from"] == {"file_sha256": digest, "fingerprint": job.fingerprint}
