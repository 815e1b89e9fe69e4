"""What the contract page does between two clicks: judge what is due, find evidence, ask the chat model; one step a run.

``advance`` is the last line of the page. Everything above it draws what is already known, so a slow step never holds up
the picture. A file that cannot be read or judged never stops the others.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.documents import CONTRACT_LIMITS, load_document, load_pasted
from playground.errors import DocumentError
from playground.flagging.flags import score_contract
from playground.paths import CONTRACTS
from playground.types import Document, SimilarClause
from playground.ui.contract_clauses import resources as contract_resources
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.annotated_index import Pair
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.contract_clauses.state import (
    DOCX_START,
    ContractEntry,
    Judged,
    Judging,
    Key,
    Searching,
    Unreadable,
    catalogue,
    session,
)
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer, fetch_activity, start_fetch
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import session as shared_session

Loaded = TypeVar("Loaded")

QUICK_SEARCH_S = 0.2
"""How long the page waits for evidence; mostly it is found by then, and the page is drawn once less."""
_POLL_SEARCH_S = 0.7
_WAIT_S = 0.1


@dataclass(frozen=True, slots=True)
class Slots:
    """Places on the page where work in progress is drawn; ``prompting`` brings its own."""

    status: DeltaGenerator
    prompting: jobs.Activity | None


def sample_names() -> tuple[str, ...]:
    """Return the file names of the sample contracts, those that can be read first."""
    names = sorted(path.name for path in CONTRACTS.iterdir() if path.suffix in (".pdf", ".docx", ".txt"))
    return tuple(sorted(names, key=lambda name: name.startswith("scan")))


def open_sample(name: str) -> None:
    """Take a sample contract in. The name may come from the page's address: it is compared, never opened."""
    if name in sample_names():
        state.add_entry(name, "sample", data=(CONTRACTS / name).read_bytes())


def follow_address() -> None:
    """Open the sample that a link names (``?contract=FILE``), once for each link."""
    data, named = session(), st.query_params.get("contract", "")
    if named and named != data.linked:
        data.linked = named
        open_sample(named)


def advance(slots: Slots, choice: FlaggerChoice) -> None:
    """Take the next step, show the work under way until some of it ends, then draw the page anew."""
    activities = [activity for activity in (_judging_activity(slots, choice), slots.prompting) if activity]
    if jobs.follow(activities):
        st.rerun()
    _search_evidence(choice)


# --- judging --------------------------------------------------------------------------------------------------------


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


def _judging_activity(slots: Slots, choice: FlaggerChoice) -> jobs.Activity | None:
    data = session()
    if data.judging is None:
        next_one = due(choice)
        if next_one is None:
            return fetch_activity(slots.status)
        if next_one[1].needs_encoder and (missing := resources.missing_encoders(next_one[1].base)):
            if shared_session().fetching is None:
                if shared_session().fetch_stopped is not None:
                    draw_fetch_offer(slots.status, missing)
                    return None
                start_fetch(missing)
            return fetch_activity(slots.status)
        data.judging = start_judging(*next_one)
    judging = data.judging
    with slots.status.container(horizontal=True, vertical_alignment="center"):
        place = st.empty()
        st.button("Stop", key=Key.STOP, icon=":material/stop_circle:", on_click=judging.job.cancel.set)
    return jobs.Activity(judging.job, lambda job: _draw_judging(place, judging, job), _finish_judging)


def start_judging(entry: ContractEntry, choice: FlaggerChoice) -> Judging:
    """Read a contract, where that has not been done, and judge its clauses in the background."""
    document, data, text, name = entry.document, entry.data, entry.text, entry.name
    loading = contract_resources.clause_model(choice)

    def work(report: jobs.Report) -> Judged | Unreadable:
        try:
            report(("Reading", 0.0))
            started = time.perf_counter()
            read = document or _read(data, text, name, report)
            read_s = 0.0 if document else time.perf_counter() - started
            report(("Loading the flagger", 0.0))
            model = wait_for(loading, report)
            scored = score_contract(read, model, catalogue(), lambda share: report(("Judging", share)))
        except DocumentError as error:
            return Unreadable(str(error))
        return Judged(scored, choice, read_s, datetime.now(UTC).isoformat(timespec="seconds"))

    return Judging(entry, choice, jobs.start(work))


def _read(data: bytes | None, text: str, name: str, report: jobs.Report) -> Document:
    def on_page(done: int, pages: int) -> None:
        # Told a few times a second, so that Stop is heard.
        report(
            (f"Reading by OCR, page {min(done + 1, pages)} of {pages}" if pages else "Reading", done / max(pages, 1))
        )

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


def _draw_judging(place: DeltaGenerator, judging: Judging, job: jobs.Job[Judged | Unreadable]) -> None:
    stage, share = job.last_event() or ("Waiting", 0.0)
    with place.container():
        st.progress(
            min(share, 1.0), f"{stage}: {escape_markdown(judging.entry.name)} · {escape_markdown(judging.choice.title)}"
        )


def _finish_judging(job: jobs.Job[Judged | Unreadable]) -> None:
    data = session()
    judging = data.judging
    if judging is None or judging.job is not job:  # another one has begun: its contract and flagger are not this job's
        return
    data.judging = None
    entry, choice = judging.entry, judging.choice
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
    data = session()
    is_new = not entry.results
    entry.document, entry.results[choice.key] = judged.scored.document, judged
    if choice.key not in entry.wanted or is_new:
        entry.last_key = choice.key
    if entry.data is not None and not entry.data.startswith(DOCX_START) and not entry.is_pdf:
        entry.data = None  # a Word file is written to later, and a PDF is shown
    if entry.show_when_judged or data.selected is None:
        for other in data.entries:
            other.show_when_judged = False
        state.show(entry.id)


def go_on() -> None:
    """Judge what was stopped or failed."""
    data = session()
    data.notice, data.search_failed = None, ""
    for entry in data.entries:
        entry.stopped = False
        entry.failed.clear()


# --- evidence -------------------------------------------------------------------------------------------------------


def _search_evidence(choice: FlaggerChoice) -> None:
    """Find similar annotated clauses for the flags that are shown, beside the page: the flags are there already."""
    data, entry = session(), state.selected()
    judged = entry.result(choice) if entry else None
    if data.searching is None and entry and judged and not data.search_failed and not resources.missing_encoders():
        flags = state.flagged(entry, judged)
        texts = {clause.id: clause.text for clause in flags.clauses}
        pairs = [(texts[flag.clause_id], flag.label) for flag in flags.flags]
        unknown = [pair for pair in dict.fromkeys(pairs) if pair not in entry.evidence]
        if unknown:
            loading = contract_resources.annotated_index()

            def work(report: jobs.Report) -> dict[Pair, tuple[SimilarClause, ...]]:
                return wait_for(loading, report).similar(unknown, lambda _share: report(""))

            data.searching = Searching(entry, jobs.start(work))
    if data.searching:
        _poll_search()


# A fragment, so that the script comes to its end meanwhile: until then the browser keeps the stale parts of the page.
@st.fragment(run_every=_POLL_SEARCH_S)
def _poll_search() -> None:
    searching = session().searching
    if searching is None:
        return
    searching.job.watched_at = time.monotonic()
    if searching.job.done.wait(QUICK_SEARCH_S):
        _finish_searching(searching.job)
        st.rerun()


def _finish_searching(job: jobs.Job[dict[Pair, tuple[SimilarClause, ...]]]) -> None:
    data = session()
    searching, data.searching = data.searching, None
    if searching is None:
        return
    if job.result is not None:
        searching.entry.evidence.update(job.result)
    elif job.error:
        data.search_failed = job.error
        contract_resources.forget_annotated_index()
