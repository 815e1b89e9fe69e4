"""What the contract page does between two clicks: open what is asked for, judge what is due, find evidence.

``advance`` is the last line of the page. Everything above it draws what is already known, so a slow step never holds up
the picture.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.paths import CONTRACTS
from playground.types import SimilarClause
from playground.ui.contract_clauses import resources as contract_resources
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.annotated_index import Pair
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.contract_clauses.judging import follow_judging, settle_judging, wait_for
from playground.ui.contract_clauses.state import Searching, session
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import fetch_activity

QUICK_SEARCH_S = 0.2
"""How long the page waits for evidence; mostly it is found by then, and the page is drawn once less."""
_POLL_SEARCH_S = 0.7


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
    """Take the next step; what is under way is looked at again by a fragment, or until some of it ends."""
    follow_judging(slots.status, choice)
    fetching = fetch_activity(slots.status) if session().judging is None else None
    if jobs.follow([activity for activity in (fetching, slots.prompting) if activity]):
        st.rerun()
    settle_judging()


def search_evidence(choice: FlaggerChoice) -> None:
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
