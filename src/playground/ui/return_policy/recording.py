"""A demo as a file to hand on: the questions, the answers as they came, the policies that they stand on.

It is played without a model. What is opened is checked before anything of it is shown: its size, the type of each
field, and that every mark lies inside its text. It is text to the last letter, never markup.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from playground.machine import describe_machine, utc_now
from playground.types import Answer, Document
from playground.ui.return_policy.conversation import ChatTurn
from playground.ui.shared.recordings import opened, recorded

VERSION = 1
MIME = "application/json"
MOST_TURNS = 200
_MOST_BLOCKS = 20_000
_MOST_MARKS = 100
LONGEST_S = 6.0
"""An answer that took longer is played in this time: an audience waits for nothing twice."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Turns in order; ``policies`` by the version that a turn's stamp names. ``recorded_at`` is ISO 8601 in UTC."""

    version: int
    recorded_at: str
    machine: str
    turns: tuple[ChatTurn, ...]
    policies: dict[str, Document]

    def policy_of(self, turn: ChatTurn) -> Document | None:
        """Return the policy that a turn was answered on; None where it was no longer there when this was recorded."""
        return self.policies.get(str(turn.stamp.version))


def recording_of(turns: Sequence[ChatTurn], policies: dict[int, Document]) -> bytes:
    """Return a conversation as a file. ``policies`` are the documents by version; those not asked about are left out.

    Raises:
        ValueError: it is longer than what is opened again.
    """
    asked = {turn.stamp.version for turn in turns}
    kept = {str(number): document for number, document in policies.items() if number in asked}
    return recorded(Recording(VERSION, utc_now(), describe_machine().label, tuple(turns)[-MOST_TURNS:], kept))


def read_recording(data: bytes) -> Recording:
    """Return what a file holds.

    Raises:
        DocumentError: it is no recording, or something in it cannot be; the message is a sentence for the user.
    """
    return opened(Recording, data, _check, "recording")


def playing_time_s(answer: Answer) -> tuple[float, float]:
    """Return the seconds until an answer's first word is shown, and until its last, as recorded but never long."""
    first, last = answer.completion.first_token_s or 0.0, answer.completion.duration_s
    first, last = (seconds if math.isfinite(seconds) and seconds > 0 else 0.0 for seconds in (first, last))
    shrink = min(1.0, LONGEST_S / last) if last else 1.0
    return min(first, last) * shrink, last * shrink


def _check(recording: Recording) -> None:
    if recording.version != VERSION:
        raise ValueError(f"it is of version {recording.version}, this app plays version {VERSION}")
    datetime.fromisoformat(recording.recorded_at)
    if not recording.turns or len(recording.turns) > MOST_TURNS:
        raise ValueError(f"it has {len(recording.turns)} questions, a recording has 1 to {MOST_TURNS}")
    for document in recording.policies.values():
        _check_document(document)
    for turn in recording.turns:
        datetime.fromisoformat(turn.asked_at)
        policy = recording.policy_of(turn)
        if turn.answer is not None and policy is not None:
            _check_answer(turn.answer, policy)


def _check_document(document: Document) -> None:
    position = 0
    if len(document.blocks) > _MOST_BLOCKS:
        raise ValueError("a policy has too many blocks")
    for block in document.blocks:
        if not position <= block.start <= block.end <= len(document.text) or not 0 <= block.level <= 9:
            raise ValueError("a policy's blocks are not in order")
        position = block.end


def _check_answer(answer: Answer, policy: Document) -> None:
    if len(answer.citations) > _MOST_MARKS or len(answer.passages) > _MOST_MARKS:
        raise ValueError("an answer has too many marks")
    spans = [(one.start, one.end) for one in answer.citations if one.document_id == policy.id]
    spans += [(one.chunk.start, one.chunk.end) for one in answer.passages if one.chunk.document_id == policy.id]
    if any(not 0 <= start <= end <= len(policy.text) for start, end in spans):
        raise ValueError("a mark lies outside its policy")
