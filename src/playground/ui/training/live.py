"""A training under way: its curves, its speed, what is left of it, and Stop."""

from __future__ import annotations

import time

import streamlit as st

from playground.adapters import Task
from playground.training.charts import loss_figure, score_figure
from playground.training.clauses.bases import BUNDLED_BASES
from playground.training.progress import TrainingProgress
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.words import NOTHING, clock
from playground.ui.training.desk import TrainingRun
from playground.ui.training.state import Key, session
from playground.ui.training.task import task_of

_REDRAWN_EVERY_S = 1.0
"""Stands where there is no figure yet."""

_STAGES: dict[Task, dict[str, str]] = {
    "clauses": {
        "preparing": "Preparing: loading the base, reading the clauses through it once",
        "training": "Training",
        "validating": "Training",
        "saving": "Measuring on contracts that it has not seen, then saving",
    },
    "reader": {
        "preparing": "Preparing: inventing policies and questions, loading the base",
        "training": "Training",
        "validating": "Training",
        "saving": "Saving, then putting ten questions to the bot, without and with the adapter",
    },
}


def draw_live(run: TrainingRun) -> None:
    """Draw a training under way; it is redrawn every second until it is over."""
    if run.owner != session().id:
        st.info(
            "This training was started in another browser window, which alone can stop it. One training runs on a "
            "machine at a time.",
            icon=":material/info:",
        )
    with st.container(key=Key.LIVE):
        _live(run)


@st.fragment(run_every=_REDRAWN_EVERY_S)
def _live(run: TrainingRun) -> None:
    if run.is_over:
        st.rerun()
    if run.owner == session().id:
        run.owner_seen_at = time.monotonic()
    history = list(run.progress)
    latest = history[-1] if history else TrainingProgress("preparing", 0, 0.0)
    stopping, task = run.stop.is_set(), task_of(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        title = ""
        if stopping and latest.stage != "saving":
            # A stop before the first validation may still come too early to keep anything.
            title = "Stopping" if latest.best_score is None else "Stopping: the best weights so far are kept"
        st.progress(latest.fraction, f"{title or _STAGES[task][latest.stage]}, {100 * latest.fraction:.0f} %")
        can_stop = run.may_stop(session().id) and not stopping and latest.stage != "saving"
        with st.popover("Stop", icon=":material/stop:", disabled=not can_stop):
            st.markdown("Stop this training? The best weights so far are kept; at the very start there are none.")
            st.button("Yes, stop it", key=Key.STOP, type="primary", on_click=run.stop.set, disabled=not can_stop)
    _draw_figures(run, latest)
    left, right = st.columns(2, gap="medium")
    chart = {"displayModeBar": False}
    left.plotly_chart(loss_figure(history), config=chart, key="training_loss_curve")
    right.plotly_chart(score_figure(history, run.plan.base), config=chart, key="training_score_curve")
    head = "" if task == "reader" else " and a linear head"
    base = escape_markdown(BUNDLED_BASES.get(run.plan.base, run.plan.base))
    st.caption(
        f"Adapter {escape_markdown(run.plan.name)}. Only the LoRA branches{head} learn; the weights of "
        f"{base} stay as they are. You can leave this page: the training goes on."
    )


def trained_words(run: TrainingRun, latest: TrainingProgress) -> str:
    """Return how long has been trained, of the limit where there is one; loading and saving are no part of it."""
    if latest.stage == "preparing":
        return NOTHING
    limit = run.plan.settings.max_minutes
    return clock(latest.elapsed_s) + (f" of {clock(60 * limit)}" if limit else "")


def _draw_figures(run: TrainingRun, latest: TrainingProgress) -> None:
    best = NOTHING if latest.best_score is None else f"{latest.best_score:.3f}"
    speed = NOTHING if not latest.examples_per_s else f"{latest.examples_per_s:.0f}"
    figures = (
        ("Best validation score", best),
        ("Examples per second", speed),
        ("Questions read" if task_of(run) == "reader" else "Clauses read", f"{latest.examples:,}"),
        ("Trained", trained_words(run, latest)),
        ("Left", NOTHING if latest.remaining_s is None else f"about {clock(latest.remaining_s)}"),
    )
    with st.container(horizontal=True, gap="large", key="training_figures"):
        for label, value in figures:
            st.metric(label, value, width="content")
