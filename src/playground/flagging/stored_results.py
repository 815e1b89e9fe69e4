"""What an adapter said of the sample contracts, stored so that they open at once. A result is used only where it would
come out again: the same adapter, by the hash of its files, and the same clauses, by their hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from playground.flagging.flags import ScoredContract, rules_of, unjudged
from playground.types import Clause, Document

_MOST_BYTES = 8 << 20
_MOST_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result with the day it is from, in UTC, and the machine that judged."""

    scored: ScoredContract
    judged_at: str
    machine: str


def stored_rows(scored: ScoredContract, judged_at: str, machine: str) -> dict[str, object]:
    """Return a result as JSON: probabilities as float32, compressed."""
    cells = np.ascontiguousarray(scored.probabilities, dtype="<f4")
    return {
        "clauses_sha256": clauses_sha256(scored.clauses),
        "labels": list(scored.labels),
        "thresholds": [float(value) for value in scored.thresholds],
        "probabilities": base64.b64encode(zlib.compress(cells.tobytes(), 9)).decode(),
        "model_id": scored.model_id,
        "adapter": scored.adapter,
        "timings": {name: round(float(seconds), 3) for name, seconds in scored.timings.items()},
        "judged_at": judged_at,
        "machine": machine,
    }


def stored_result(path: Path, identity: str, document: Document, clauses: tuple[Clause, ...]) -> StoredResult | None:
    """Return what the adapter called ``identity`` said of these clauses; None where nothing that still holds is stored.

    A file that is missing or damaged stores nothing: the contract is judged then.
    """
    try:
        found = json.loads(path.read_bytes()[:_MOST_BYTES])
        row = found["adapters"][identity][clauses_sha256(clauses)]
        return _result(row, document, clauses)
    except (OSError, ValueError, KeyError, TypeError, binascii.Error, zlib.error):
        return None


def _result(row: Mapping[str, Any], document: Document, clauses: tuple[Clause, ...]) -> StoredResult:
    labels = tuple(str(label) for label in row["labels"])
    shape = (len(clauses), len(labels))
    if shape[0] * shape[1] > _MOST_CELLS:
        raise ValueError("more than any contract has")
    data = zlib.decompressobj().decompress(base64.b64decode(row["probabilities"]), 4 * _MOST_CELLS)
    probabilities = np.frombuffer(data, dtype="<f4").reshape(shape)
    thresholds = np.array([float(value) for value in row["thresholds"]])
    if thresholds.shape != (len(labels),) or not (np.isfinite(probabilities).all() and np.isfinite(thresholds).all()):
        raise ValueError("not what was stored")
    plain = unjudged(document, clauses)
    scored = ScoredContract(
        document=document,
        clauses=clauses,
        labels=labels,
        probabilities=probabilities,
        thresholds=thresholds,
        model_id=str(row["model_id"]),
        adapter=str(row["adapter"]),
        timings={name: float(seconds) for name, seconds in row["timings"].items()},
        notes=plain.notes,
        rules=rules_of(clauses, labels),
    )
    return StoredResult(scored, str(row["judged_at"]), str(row["machine"]))


def clauses_sha256(clauses: Sequence[Clause]) -> str:
    """Return a hash of all that a flagger is given of a contract: texts, headings and kinds, in their order."""
    rows = [(clause.text, clause.heading_path, clause.kind) for clause in clauses]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
