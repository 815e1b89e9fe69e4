"""A larger bundled model: fetched while a smaller one answers, then offered in the sidebar of every session."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import streamlit as st

from playground.models.bundled import FetchProgress, ensure_bundle, has_files
from playground.models.catalog import LANGUAGE_MODELS
from playground.models.sources import check_memory, wanted_size
from playground.ui.shared import jobs, resources
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.session import Key, session

_REDRAWN_EVERY_S = 1.0


@dataclass(slots=True)
class LargerModelFetch:
    """The one fetch of a larger model that this app has at a time; all its sessions see it.

    ``size`` is of the model that is or was last fetched, "" before the first.
    """

    size: str = ""
    job: jobs.Job[bool] | None = None
    began_by_itself: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_under_way(self) -> bool:
        """Whether a model is being fetched."""
        return self.job is not None and not self.job.done.is_set()

    def begin(self, size: str) -> None:
        """Fetch the model of ``size`` in the background, unless one is being fetched."""
        bundle = LANGUAGE_MODELS[size]

        def work(report: jobs.Report) -> bool:
            check_memory(bundle)  # before a gigabyte is fetched that cannot be used
            ensure_bundle(bundle, report)
            return True

        with self._lock:
            if not self.is_under_way:
                # Nobody has to look on: it ends with the app, or when somebody stops it.
                self.size, self.job = size, jobs.start(work, needs_watching=False)

    def begin_wanted(self) -> None:
        """Fetch what ``PLAYGROUND_MODEL`` names, once in the life of the app, where it is not here."""
        with self._lock:
            begins, self.began_by_itself = not self.began_by_itself, True
        if begins and (size := wanted_size()) and not has_files(LANGUAGE_MODELS[size]):
            self.begin(size)


@st.cache_resource(show_spinner=False)
def larger_model_fetch() -> LargerModelFetch:
    """Return what all sessions of this app share."""
    return LargerModelFetch()


def draw_larger_model() -> None:
    """Draw the fetch under way, the offer to answer with what arrived, or the offer to fetch a larger model."""
    fetch = larger_model_fetch()
    fetch.begin_wanted()
    if fetch.is_under_way:
        st.fragment(_draw_fetch, run_every=_REDRAWN_EVERY_S)(fetch)
        return
    if fetch.job is not None and fetch.job.error:
        st.error(escape_markdown(fetch.job.error), icon=":material/error:")
    chosen = session().model_choice.bundle
    arrived = LANGUAGE_MODELS.get(fetch.size)
    if arrived and chosen is not arrived and has_files(arrived):
        st.success(f"{escape_markdown(arrived.title)} is here.", icon=":material/check_circle:")
        st.button("Answer with it", key=Key.USE_LARGER_MODEL, on_click=_answer_with, args=(fetch.size,))
        return
    missing = next((size for size, bundle in LANGUAGE_MODELS.items() if not has_files(bundle)), None)
    if missing is not None and chosen is not LANGUAGE_MODELS[missing]:  # else the page itself offers it
        label = f"{'Go on fetching' if missing == fetch.size else 'Get'} {missing.capitalize()} ({megabytes(missing)})"
        st.button(label, key=Key.FETCH_LARGER_MODEL, on_click=fetch.begin, args=(missing,), icon=":material/download:")


def megabytes(size: str) -> str:
    """Return how large the weights of that size are, for people."""
    return f"{LANGUAGE_MODELS[size].main_file.size_bytes / 1e6:,.0f} MB"


def _answer_with(size: str) -> None:
    st.session_state[Key.MODEL_SIZE] = size


def _draw_fetch(fetch: LargerModelFetch) -> None:
    job = fetch.job
    if job is None or job.done.is_set():
        resources.forget_presence()
        st.rerun()
    progress: FetchProgress | None = job.last_event()
    fraction = progress.fraction if progress else 0.0
    stage = "putting it together" if progress and progress.stage == "verifying" else f"of {megabytes(fetch.size)}"
    st.progress(fraction, f"Fetching {fetch.size.capitalize()}, {fraction:.0%} {stage}")
    st.button("Stop", key=Key.STOP_LARGER_MODEL, on_click=job.cancel.set, help="What has arrived is kept for a day.")
