"""A training that was interrupted is offered first: with what it has, it goes on where its last checkpoint stands."""

from __future__ import annotations

import contextlib

import streamlit as st

from playground.adapters import AdapterStore
from playground.errors import PlaygroundError
from playground.training.clauses.plan import TrainingPlan
from playground.training.clauses.unfinished import NotedPlan, UnfinishedTraining, throw_away, unfinished_trainings
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.notices import Notice
from playground.ui.shared.words import clock
from playground.ui.training import resources
from playground.ui.training.desk import DESK
from playground.ui.training.setup import planned
from playground.ui.training.state import Data, Key, annotations_of, session

_MOST_OFFERED = 3


def draw_unfinished(store: AdapterStore) -> None:
    """Draw what can be gone on with, the latest first."""
    for number, one in enumerate(unfinished_trainings(store)[:_MOST_OFFERED]):
        data = _data_of(one.plan)
        with st.container(border=True):
            st.markdown(f"**An interrupted training can go on.** {escape_markdown(what_it_has(one))}")
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    "Go on",
                    key=f"{Key.GO_ON}_{number}",
                    type="primary",
                    icon=":material/play_circle:",
                    disabled=data is None,
                    on_click=_go_on,
                    args=(one.plan, data, store),
                )
                st.button(
                    "Throw it away", key=f"{Key.THROW_AWAY}_{number}", on_click=_throw_away, args=(one.plan.name, store)
                )
            if data is None:
                st.caption(
                    escape_markdown(f"Load {one.plan.data_name} below again, the same file, and it goes on from there.")
                )


def what_it_has(one: UnfinishedTraining) -> str:
    """Return in a sentence how far an interrupted training had come."""
    score = "" if one.best_score is None else f", best validation score {one.best_score:.2f}"
    return (
        f"{one.plan.name}, on {one.plan.data_name}: {one.step:,} steps in {clock(one.trained_s)}{score}; begun "
        f"{one.plan.began_at[:16].replace('T', ' ')} UTC."
    )


def _data_of(plan: NotedPlan) -> Data | None:
    loaded: list[Data] = list(session().loaded.values())
    with contextlib.suppress(PlaygroundError):  # said beside the choice of data
        loaded.append(resources.written_clauses())
    return next((data for data in loaded if annotations_of(data).sha256 == plan.data_sha256), None)


def _go_on(noted: NotedPlan, data: Data, store: AdapterStore) -> None:
    plan: TrainingPlan = planned(
        noted.name, data, noted.labels, noted.base, examples=noted.examples, settings=noted.settings
    )
    try:
        DESK.start(plan, store, session().id)
    except PlaygroundError as error:
        session().start_notice = Notice("error", str(error))


def _throw_away(name: str, store: AdapterStore) -> None:
    try:
        throw_away(name, store)
    except PlaygroundError as error:
        session().start_notice = Notice("error", str(error))
