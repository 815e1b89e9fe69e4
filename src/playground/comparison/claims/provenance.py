"""Where a recorded measurement is from, and the reading of the evidence files that lie beside the recorded runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from playground.atomic import replace_file
from playground.comparison.figures import TechniqueFigures
from playground.errors import EvaluationError
from playground.machine import days_of

MAX_EVIDENCE_BYTES = 32 << 20
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Provenance:
    """What stands beside every recorded number: ``n`` examples, when (ISO 8601), where, from which source, how."""

    measured_at: str
    machine: str
    commit: str
    n: int
    model_id: str
    command: str

    @property
    def stamp(self) -> str:
        """One line for a caption."""
        return (
            f"Recorded on {self.measured_at[:10]}, n = {self.n:,}, {self.model_id}, {self.machine}, commit "
            f"{self.commit}"
        )


def elsewhere_words(provenance: Provenance, figures: Iterable[TechniqueFigures]) -> str:
    """Return a sentence where evidence is not from a machine and day of the figures that stand beside it, else ""."""
    others = list(figures)
    machines = list(dict.fromkeys(one.machine for one in others))
    another = [] if provenance.machine in machines else ["machine"]
    another += [] if provenance.measured_at[:10] in {one.started_at[:10] for one in others} else ["day"]
    if not others or not another:
        return ""
    days = days_of(one.started_at for one in others)
    careful = ": its times do not compare with theirs" if "machine" in another else ""
    return f"Measured on another {' and '.join(another)} than the techniques ({days}, {'; '.join(machines)}){careful}."


def read_evidence(path: Path, kind: str) -> dict[str, object] | None:
    """Return the JSON object of an evidence file; None where there is no file.

    Raises:
        EvaluationError: it cannot be read, or is no evidence of this kind.
    """
    try:
        if path.stat().st_size > MAX_EVIDENCE_BYTES:
            raise EvaluationError(f"{path} has more than {MAX_EVIDENCE_BYTES >> 20} MB, so it is no evidence file.")
        row = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}). Restore it or measure again.") from error
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{path} is damaged. Restore it or measure again.") from error
    if not isinstance(row, dict) or row.get("kind") != kind:
        raise EvaluationError(f"{path} does not hold a recorded {kind.replace('_', ' ')}. Restore it or measure again.")
    return row


def write_evidence(path: Path, kind: str, provenance: Provenance, content: Mapping[str, object]) -> None:
    """Write an evidence file whole or not at all.

    Raises:
        EvaluationError: the file cannot be written.
    """
    text = json.dumps({"kind": kind, **asdict(provenance), **content}, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode() + b"\n")
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written ({error.strerror}). Choose another file.") from error


def provenance_of(row: Mapping[str, object], path: Path) -> Provenance:
    """Return where an evidence file is from.

    Raises:
        EvaluationError: it does not say so.
    """
    texts = {name: row.get(name) for name in ("measured_at", "machine", "commit", "model_id", "command")}
    n = row.get("n")
    if not all(isinstance(text, str) and text.strip() for text in texts.values()) or not _is_count(n):
        raise EvaluationError(f"{path} does not say when, where and on how much it was measured. Measure again.")
    return Provenance(**{name: str(text)[:_LONGEST_TEXT] for name, text in texts.items()}, n=int(str(n)))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
