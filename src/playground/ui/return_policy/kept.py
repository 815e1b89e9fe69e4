"""What is kept of the bot's page: the conversation, and the versions of the policy. See ``shared.keeping``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamlit.delta_generator import DeltaGenerator

from playground.answering.policy_versions import PolicyShelf, PolicyVersion
from playground.retrieval.index import build_index
from playground.typed_json import json_of, typed_json
from playground.types import Document, Embedder
from playground.ui.return_policy.conversation import ChatTurn
from playground.ui.return_policy.state import KeptVersion, session
from playground.ui.shared import jobs
from playground.ui.shared.keeping import Part, PieceReader, PieceWriter
from playground.ui.shared.kept_files import NotKeptError
from playground.ui.shared.notices import Notice


@dataclass(frozen=True, slots=True)
class _VersionRecord:
    number: int
    document: str
    created_at: str
    indexed_s: float
    note: str


@dataclass(frozen=True, slots=True)
class _Index:
    """``turns`` and ``_VersionRecord.document`` are names of pieces."""

    turns: tuple[str, ...]
    versions: tuple[_VersionRecord, ...]
    active_number: int | None
    next_turn: int
    selected_turn: int | None
    linked_policy: str


def _state() -> tuple[object, ...] | None:
    data = session()
    if data.kept_versions or data.restoring:
        return None
    versions = data.shelf.versions
    numbers = tuple(version.number for version in versions)
    if not data.turns and data.next_turn == 1 and len(versions) < 2 and all(v.note == "sample" for v in versions):
        return None  # what every session begins with
    return data.turns, numbers, data.shelf.active_number, data.next_turn, data.selected_turn, data.linked_policy


def _write(pieces: PieceWriter) -> tuple[bytes, tuple[str, ...]]:
    data = session()
    versions = [
        _VersionRecord(v.number, pieces.json(v.document), v.created_at, v.indexed_s, v.note)
        for v in data.shelf.versions
    ]
    turns, room = [], True
    for turn in reversed(data.turns):  # where there is no room for all, the newest are kept
        try:
            turns.append(pieces.json(turn))
        except NotKeptError:
            if not turns:
                raise
            room = False
            break
    index = _Index(
        tuple(reversed(turns)),
        tuple(versions),
        data.shelf.active_number,
        data.next_turn,
        data.selected_turn,
        data.linked_policy,
    )
    if not room:
        pieces.keeping.problem = f"Only the newest {len(turns)} questions are kept: there is no room for more."
    return json_of(index), (*turns, *(version.document for version in versions))


def _put_back(data_kept: bytes, pieces: PieceReader) -> None:
    index = typed_json(_Index, data_kept)
    turns = tuple(pieces.json(ChatTurn, name) for name in index.turns)
    versions = tuple(
        KeptVersion(v.number, pieces.json(Document, v.document), v.created_at, v.indexed_s, v.note)
        for v in index.versions
    )
    numbers = [version.number for version in versions]
    if numbers != sorted(set(numbers)) or (index.active_number not in numbers and index.active_number is not None):
        raise NotKeptError("its versions are not in order")
    data = session()
    data.turns, data.next_turn, data.selected_turn = turns, index.next_turn, index.selected_turn
    data.kept_versions, data.kept_active, data.linked_policy = versions, index.active_number, index.linked_policy


BOT = Part("bot", _state, _write, _put_back)


def start_restoring(versions: Sequence[KeptVersion], active: int | None, embedder: Embedder) -> jobs.Job[PolicyShelf]:
    """Index the kept versions again in the background: vectors are not kept, texts are."""

    def work(report: jobs.Report) -> PolicyShelf:
        shelf = PolicyShelf()
        for done, kept in enumerate(versions):
            report((done, len(versions)))
            index = build_index(kept.document, embedder, on_progress=lambda _done, _total: report(""))
            version = PolicyVersion(kept.number, kept.document, index, kept.created_at, kept.indexed_s, kept.note)
            shelf = PolicyShelf((*shelf.versions, version), active)
        return shelf

    return jobs.start(work)


def restore_activity(place: DeltaGenerator) -> jobs.Activity | None:
    """Return the indexing of what was kept, as the page follows it."""
    job = session().restoring
    if job is None:
        return None

    def draw(job: jobs.Job[PolicyShelf]) -> None:
        done, total = job.last_event() or (0, 1)
        place.progress(done / total, f"Putting back what was kept: version {done + 1} of {total}")

    return jobs.Activity(job, draw, _finish_restoring)


def _finish_restoring(job: jobs.Job[PolicyShelf]) -> None:
    data = session()
    data.restoring = None
    if job.result is not None:
        data.shelf = job.result
        data.notice = Notice("info", "This conversation and its policy were kept and are back.")
    else:
        data.notice = Notice("error", f"The kept policy could not be put back. {job.error or ''}".strip())
