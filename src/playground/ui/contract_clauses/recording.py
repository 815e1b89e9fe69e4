"""Flagged contracts as a file to hand on: the texts, and what each flagger marked in them.

It is played without a model. What is opened is checked before anything of it is shown: its size, the type of each
field, and that every flag is on a clause of its contract. It is text to the last letter, never markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from playground.flagging.report import ReportRow, report_rows
from playground.machine import describe_machine, utc_now
from playground.typed_json import Count, Seconds
from playground.types import Clause, FlaggedContract
from playground.ui.contract_clauses.state import ContractEntry, Judged, catalogue
from playground.ui.shared.recordings import opened, recorded

VERSION = 1
KIND = "contracts"
_MOST_STEPS = 100
_MOST_FLAGS = 5_000


@dataclass(frozen=True, slots=True)
class RecordedContract:
    """A contract's clauses in order; together they are its text."""

    name: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """What one flagger marked in the contract of that number, as the page's settings had it; evidence is left out."""

    contract: Count
    flagger: str
    model: str
    judge_s: Seconds
    gives_probabilities: bool
    rows: tuple[ReportRow, ...]


@dataclass(frozen=True, slots=True)
class ContractRecording:
    """Steps in the order in which they were judged. ``recorded_at`` is ISO 8601 in UTC."""

    kind: str
    version: int
    recorded_at: str
    machine: str
    contracts: tuple[RecordedContract, ...]
    steps: tuple[RecordedStep, ...]


def recording_of(results: Sequence[tuple[ContractEntry, Judged, FlaggedContract]]) -> bytes:
    """Return judged contracts as a file: each with a flagger's result, its flags, and the reader's decisions.

    Raises:
        ValueError: it is longer than what is opened again.
    """
    contracts: list[RecordedContract] = []
    steps: list[RecordedStep] = []
    for entry, judged, found in results:
        contract = RecordedContract(entry.name, found.clauses)
        if contract not in contracts:
            contracts.append(contract)
        steps.append(
            RecordedStep(
                contract=contracts.index(contract),
                flagger=judged.choice.title,
                model=judged.scored.model_id,
                judge_s=float(judged.scored.timings.get("judge_s", 0.0)),
                gives_probabilities=judged.choice.gives_probabilities,
                rows=tuple(
                    ReportRow(row.clause, row.label, row.score, verdict=row.verdict, rule=row.rule)
                    for row in report_rows(found, catalogue(), entry.corrections)
                ),
            )
        )
    machine = describe_machine().label
    return recorded(ContractRecording(KIND, VERSION, utc_now(), machine, tuple(contracts), tuple(steps[:_MOST_STEPS])))


def read_recording(data: bytes) -> ContractRecording:
    """Return what a file holds.

    Raises:
        DocumentError: it is no recording, or something in it cannot be; the message is a sentence for the user.
    """
    return opened(ContractRecording, data, _check, "recording of contracts")


def _check(recording: ContractRecording) -> None:
    if recording.kind != KIND or recording.version != VERSION:
        raise ValueError(f"it is of version {recording.version}, this app plays version {VERSION}")
    datetime.fromisoformat(recording.recorded_at)
    if not 1 <= len(recording.steps) <= _MOST_STEPS:
        raise ValueError(f"it has {len(recording.steps)} steps, a recording has 1 to {_MOST_STEPS}")
    for contract in recording.contracts:
        if any(count > 1 for count in Counter(clause.id for clause in contract.clauses).values()):
            raise ValueError("two clauses have one name")
    for step in recording.steps:
        if step.contract >= len(recording.contracts):
            raise ValueError("a step is about no contract")
        known = {clause.id: clause for clause in recording.contracts[step.contract].clauses}
        if len(step.rows) > _MOST_FLAGS or any(known.get(row.clause.id) != row.clause for row in step.rows):
            raise ValueError("a flag is on no clause of its contract")
        if any(row.score is not None and not 0 <= row.score <= 1 for row in step.rows):
            raise ValueError("a score is no share")
