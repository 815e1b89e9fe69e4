"""What is kept of the contract page: the contracts, what flaggers found in them, and the reader's decisions.

See ``shared.keeping``. Scores are kept, as judging a long contract takes minutes; evidence is found again.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from playground import paths
from playground.flagging.flags import ScoredContract, rules_of
from playground.flagging.report import Correction
from playground.typed_json import json_of, typed_json
from playground.types import Clause, Document
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.flagger_choice import KEYWORDS, ZERO_SHOT, FlaggerChoice, flagger_choices
from playground.ui.contract_clauses.state import ContractEntry, Judged, Source, session
from playground.ui.shared import resources
from playground.ui.shared.keeping import Part, PieceReader, PieceWriter
from playground.ui.shared.kept_files import NotKeptError


@dataclass(frozen=True, slots=True)
class _Result:
    """A ``Judged`` without its document and clauses; ``scores`` is base64 of float32, little endian."""

    key: str
    labels: tuple[str, ...]
    scores: str
    thresholds: tuple[float, ...]
    model_id: str
    adapter: str | None
    timings: dict[str, float]
    notes: tuple[str, ...]
    read_s: float
    judged_at: str
    is_stored: bool = False


@dataclass(frozen=True, slots=True)
class _Text:
    document: Document
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """``file``, ``text`` and ``results`` are names of pieces, "" where there is none; pasted text is a file too."""

    id: int
    name: str
    source: Source
    file: str
    pasted: str
    text: str
    results: tuple[str, ...]
    unreadable: str
    last_key: str
    stopped: bool
    decisions: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    entries: tuple[_Entry, ...]
    next_id: int
    selected: int | None


def _state() -> tuple[object, ...] | None:
    data = session()
    if not data.entries and data.next_id == 1:
        return None
    entries = tuple(
        (
            *(entry.id, entry.unreadable, entry.last_key, entry.stopped),
            tuple((key, id(judged)) for key, judged in entry.results.items()),
            tuple(entry.verdicts.items()),
        )
        for entry in data.entries
    )
    return data.selected, data.next_id, entries


def _write(pieces: PieceWriter) -> tuple[bytes, tuple[str, ...]]:
    data = session()
    entries = tuple(_entry_record(entry, pieces) for entry in data.entries)
    names = [name for entry in entries for name in (entry.file, entry.pasted, entry.text, *entry.results) if name]
    return json_of(_Index(entries, data.next_id, data.selected)), tuple(names)


def _entry_record(entry: ContractEntry, pieces: PieceWriter) -> _Entry:
    text, results = "", []
    clauses: tuple[Clause, ...] | None = None
    for key, judged in entry.results.items():
        scored = judged.scored
        if clauses is None:
            clauses = scored.clauses
            text = pieces.json(scored, "text", partial(_Text, scored.document, scored.clauses))
        if scored.clauses == clauses:  # another flagger of the same text
            results.append(pieces.json(judged, key, partial(_result_record, key, judged)))
    return _Entry(
        id=entry.id,
        name=entry.name,
        source=entry.source,
        file=pieces.file(entry.data) if entry.data is not None and entry.source != "sample" else "",
        pasted=pieces.file(entry.text.encode("utf-8", "replace")) if entry.text else "",
        text=text,
        results=tuple(results),
        unreadable=entry.unreadable,
        last_key=entry.last_key,
        stopped=entry.stopped,
        decisions=entry.corrections,
    )


def _result_record(key: str, judged: Judged) -> _Result:
    scored = judged.scored
    return _Result(
        key=key,
        labels=tuple(scored.labels),
        scores=base64.b64encode(np.ascontiguousarray(scored.probabilities, dtype="<f4").tobytes()).decode(),
        thresholds=tuple(float(limit) for limit in scored.thresholds),
        model_id=scored.model_id,
        adapter=scored.adapter,
        timings={name: float(seconds) for name, seconds in scored.timings.items()},
        notes=tuple(scored.notes),
        read_s=judged.read_s,
        judged_at=judged.judged_at,
        is_stored=judged.is_stored,
    )


def _put_back(data_kept: bytes, pieces: PieceReader) -> None:
    index = typed_json(_Index, data_kept)
    if len(index.entries) > state.MOST_CONTRACTS:
        raise NotKeptError("it has more contracts than a session takes")
    choices = {choice.key: choice for choice in (*flagger_choices(resources.adapter_store()).options, KEYWORDS)}
    choices.setdefault(ZERO_SHOT.key, ZERO_SHOT)
    entries = [_entry(record, pieces, choices) for record in index.entries]
    data = session()
    data.entries = [entry for entry in entries if entry is not None]
    data.next_id = max([index.next_id, *(entry.id + 1 for entry in data.entries)])
    shown = next((entry for entry in data.entries if entry.id == index.selected), None)
    if shown is not None:
        shown.show_when_judged = not shown.results
        data.selected = shown.id if shown.results else None


def _entry(record: _Entry, pieces: PieceReader, choices: dict[str, FlaggerChoice]) -> ContractEntry | None:
    """Return a contract as it was; None for a sample that does not ship any more."""
    data: bytes | None = None
    if record.source == "sample":
        known = {path.name: path for path in paths.CONTRACTS.iterdir()}  # compared, never opened by what was kept
        if record.name not in known:
            return None
        data = known[record.name].read_bytes()
    elif record.file:
        data = pieces.file(record.file)
    entry = ContractEntry(
        id=record.id,
        name=record.name,
        source=record.source,
        data=data,
        text=pieces.file(record.pasted).decode() if record.pasted else "",
        unreadable=record.unreadable,
        stopped=record.stopped,
        show_when_judged=False,
    )
    entry.verdicts = {(one.clause_id, one.label): one.verdict for one in record.decisions}
    if record.text:
        text = pieces.json(_Text, record.text)
        entry.document, entry.clauses = text.document, text.clauses
        for name in record.results:
            result = pieces.json(_Result, name)
            scored = _scored(text, result)
            # An adapter that was removed or trained again takes its results along.
            if (choice := choices.get(result.key)) is not None:
                entry.results[result.key] = Judged(scored, choice, result.read_s, result.judged_at, result.is_stored)
    entry.last_key = record.last_key if record.last_key in entry.results else next(iter(entry.results), "")
    return entry


def _scored(text: _Text, result: _Result) -> ScoredContract:
    try:
        scores = np.frombuffer(base64.b64decode(result.scores, validate=True), dtype="<f4")
        scores = scores.reshape(len(text.clauses), len(result.labels)).astype(np.float32)
    except ValueError as error:
        raise NotKeptError("its scores do not fit its clauses") from error
    finite = bool(np.isfinite(scores).all()) and all(map(math.isfinite, result.thresholds))
    if len(result.thresholds) != len(result.labels) or not finite:
        raise NotKeptError("its scores do not fit its labels")
    return ScoredContract(
        document=text.document,
        clauses=text.clauses,
        labels=result.labels,
        probabilities=scores,
        thresholds=np.array(result.thresholds),
        model_id=result.model_id,
        adapter=result.adapter,
        timings=result.timings,
        notes=result.notes,
        rules=rules_of(text.clauses, result.labels),
    )


CONTRACTS = Part("contracts", _state, _write, _put_back)
