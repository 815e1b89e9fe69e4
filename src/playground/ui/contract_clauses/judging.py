"""Judging contracts in the background: the text is shown as soon as it is read, marks as they are found.

A file that cannot be read or judged never stops the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.documents import CONTRACT_LIMITS, load_document, load_pasted
from playground.errors import DocumentError
from playground.flagging.flags import PartlyJudged, clauses_to_judge, score_contract
from playground.types import Document
from playground.ui.contract_clauses import resources as contract_resources
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.contract_clauses.state import (
    DOCX_START,
    ContractEntry,
    Judged,
    Judging,
    JudgingProgress,
    Key,
    Unreadable,
    catalogue,
    session,
)
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer, start_fetch
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import session as shared_session
from playground.ui.shared.words import clock

Loaded = TypeVar("Loaded")

QUICK_S = 0.2
"""How long the page waits for the end of a judging: a short contract is judged by then."""
_POLL_S = 0.5
_WAIT_S = 0.1


def due(choice: FlaggerChoice) -> tuple[ContractEntry, FlaggerChoice] | None:
    """Return what is to be judged next: what is to be shown, then the one shown, then the others in their order."""
    data = session()
    order = sorted(data.entries, key=lambda entry: (not entry.show_when_judged, entry.id != data.selected, entry.id))
    for entry in order:
        if entry.unreadable or entry.stopped:
            continue
        for wanted in (choice, *entry.wanted.values()):
            if wanted.key not in entry.results and wanted.key not in entry.failed:
                return entry, wanted
    return None


def follow_judging(slot: DeltaGenerator, choice: FlaggerChoice) -> None:
    """Begin to judge what is due, or to fetch the flagger's base first, and show in ``slot`` how far it is."""
    data = session()
    _give_way(choice)
    if data.judging is None:
        next_one = due(choice)
        if next_one is None:
            return
        if next_one[1].needs_encoder and (missing := resources.missing_encoders(next_one[1].base)):
            if shared_session().fetching is None:
                if shared_session().fetch_stopped is not None:
                    draw_fetch_offer(slot, missing)
                else:
                    start_fetch(missing)
            return
        data.judging = start_judging(*next_one)
    with slot.container():
        _poll_judging()


def _give_way(choice: FlaggerChoice) -> None:
    """End the judging of a contract in the background where the one on the screen waits for its own; it begins anew."""
    data = session()
    judging, next_one = data.judging, due(choice)
    if judging is None or next_one is None or judging.entry.id == data.selected:
        return
    if next_one[0].id == data.selected:
        judging.job.cancel.set()
        judging.entry.partly, data.judging = None, None


def settle_judging() -> None:
    """Wait a moment for the end of the judging; draw the page anew where something new is to be seen."""
    judging = session().judging
    if judging is not None and (_take(judging) or (judging.job.done.wait(QUICK_S) and _take(judging))):
        st.rerun()


# A fragment, so that the page can be used meanwhile and only this line is drawn again.
@st.fragment(run_every=_POLL_S)
def _poll_judging() -> None:
    judging = session().judging
    if judging is None:
        return
    if _take(judging):
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(judging.progress.share, 1.0), progress_line(judging, time.monotonic()))
        st.button("Stop", key=Key.STOP, icon=":material/stop_circle:", on_click=judging.job.cancel.set)


def progress_line(judging: Judging, now: float) -> str:
    """Return what is done at the moment and, once it can be told, how long it still takes; ``now`` is monotonic."""
    left_s = judging.progress.left_s(now)
    left = "" if left_s is None else f" · about {clock(left_s)} left"
    who = f"{escape_markdown(judging.entry.name)} · {escape_markdown(judging.choice.title)}"
    return f"{judging.progress.stage}: {who}{left}"


def _take(judging: Judging) -> bool:
    """Take over what the thread has brought so far; tell whether the page is to be drawn anew."""
    judging.job.watched_at = time.monotonic()
    if judging.job.done.is_set():
        _take_text(judging)
        _finish_judging(judging)
        return True
    return _take_text(judging)


def _take_text(judging: Judging) -> bool:
    entry, progress = judging.entry, judging.progress
    entry.partly = progress.partly
    if entry.document is not None or progress.document is None:
        return False
    entry.clauses, entry.document = progress.clauses, progress.document
    if entry.show_when_judged or session().selected is None:
        _show(entry)
        return True
    return False


def start_judging(entry: ContractEntry, choice: FlaggerChoice) -> Judging:
    """Read a contract, where that has not been done, and judge its clauses in the background."""
    document, data, text, name = entry.document, entry.data, entry.text, entry.name
    is_sample, progress = entry.source == "sample", JudgingProgress()
    entry.partly = None
    loading = contract_resources.clause_model(choice)

    def work(report: jobs.Report) -> Judged | Unreadable:
        def tell(stage: str, share: float = 0.0) -> None:
            progress.stage, progress.share = stage, share
            report("")

        def on_part(partly: PartlyJudged) -> None:
            progress.partly = partly

        try:
            tell("Reading")
            started = time.perf_counter()
            read = document or _read(data, text, name, tell)
            clauses = clauses_to_judge(read)
            read_s = 0.0 if document else time.perf_counter() - started
            progress.clauses, progress.document = clauses, read
            if is_sample and (stored := contract_resources.stored_sample(choice, read, clauses)):
                return Judged(stored.scored, choice, read_s, stored.judged_at, is_stored=True)
            tell("Loading the flagger")
            model = wait_for(loading, report)
            progress.began_at = time.monotonic()
            tell("Judging")
            scored = score_contract(read, model, catalogue(), lambda share: tell("Judging", share), on_part)
        except DocumentError as error:
            return Unreadable(str(error))
        return Judged(scored, choice, read_s, datetime.now(UTC).isoformat(timespec="seconds"))

    return Judging(entry, choice, jobs.start(work), progress)


def _read(data: bytes | None, text: str, name: str, tell: Callable[[str, float], None]) -> Document:
    def on_page(done: int, pages: int) -> None:
        # Told a few times a second, so that Stop is heard.
        tell(f"Reading by OCR, page {min(done + 1, pages)} of {pages}" if pages else "Reading", done / max(pages, 1))

    if data is not None:
        return load_document(data, name, limits=CONTRACT_LIMITS, on_page=on_page)
    return load_pasted(text, name, limits=CONTRACT_LIMITS)


def wait_for(loading: Future[Loaded], report: jobs.Report) -> Loaded:
    """Wait for something that is being loaded; a job that is cancelled stops waiting.

    Raises:
        ModelError, AdapterError: as loading did.
    """
    while True:
        try:
            return loading.result(timeout=_WAIT_S)
        except TimeoutError:
            if loading.done():  # the loading itself ran into a time-out
                raise
            report("")


def _finish_judging(judging: Judging) -> None:
    data, entry, choice, job = session(), judging.entry, judging.choice, judging.job
    if data.judging is judging:  # another one may have begun meanwhile
        data.judging = None
    if isinstance(job.result, Judged):
        _keep(entry, choice, job.result)
    elif isinstance(job.result, Unreadable):
        entry.unreadable, entry.data, entry.show_when_judged = job.result.reason, None, False
        data.notice = Notice("error", f"{entry.name}: {entry.unreadable}")
    elif job.error:
        entry.failed[choice.key] = job.error
        entry.show_when_judged = False
        contract_resources.forget_clause_model(choice)
        data.notice = Notice("error", f"{entry.name} was not judged. {job.error}")
    else:
        for other in data.entries:
            other.stopped = other is entry or choice.key not in other.results
        data.notice = Notice("info", f"Stopped at {entry.name}. What was judged before stays.")


def _keep(entry: ContractEntry, choice: FlaggerChoice, judged: Judged) -> None:
    is_new = not entry.results
    entry.document, entry.results[choice.key] = judged.scored.document, judged
    entry.clauses, entry.partly = judged.scored.clauses, None
    if choice.key not in entry.wanted or is_new:
        entry.last_key = choice.key
    if entry.data is not None and not entry.data.startswith(DOCX_START) and not entry.is_pdf:
        entry.data = None  # a Word file is written to later, and a PDF is shown
    if entry.show_when_judged or session().selected is None:
        _show(entry)


def _show(entry: ContractEntry) -> None:
    for other in session().entries:
        other.show_when_judged = False
    if session().selected != entry.id:
        state.show(entry.id)


def go_on() -> None:
    """Judge what was stopped or failed."""
    data = session()
    data.notice, data.search_failed = None, ""
    for entry in data.entries:
        entry.stopped = False
        entry.failed.clear()
