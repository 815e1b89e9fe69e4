"""A training under way: its curves, its speed, what is left of it, and Stop."""

from __future__ import annotations

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
            "This training was started in another browser window. One training runs on a machine at a time.",
            icon=":material/info:",
        )
    with st.container(key=Key.LIVE):
        _live(run)


@st.fragment(run_every=_REDRAWN_EVERY_S)
def _live(run: TrainingRun) -> None:
    if run.is_over:
        st.rerun()
    history = list(run.progress)
    latest = history[-1] if history else TrainingProgress("preparing", 0, 0.0)
    stopping, task = run.stop.is_set(), task_of(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        title = ""
        if stopping and latest.stage != "saving":
            # A stop before the first validation may still come too early to keep anything.
            title = "Stopping" if latest.best_score is None else "Stopping: the best weights so far are kept"
        st.progress(latest.fraction, f"{title or _STAGES[task][latest.stage]}, {100 * latest.fraction:.0f} %")
        st.button(
            "Stop",
            key=Key.STOP,
            icon=":material/stop:",
            on_click=run.stop.set,
            disabled=stopping or latest.stage == "saving",
            help="Ends the training and keeps the best weights so far. At the very start there are none to keep.",
        )
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


def _draw_figures(run: TrainingRun, latest: TrainingProgress) -> None:
    best = NOTHING if latest.best_score is None else f"{latest.best_score:.3f}"
    speed = NOTHING if not latest.examples_per_s else f"{latest.examples_per_s:.0f}"
    figures = (
        ("Best validation score", best),
        ("Examples per second", speed),
        ("Questions read" if task_of(run) == "reader" else "Clauses read", f"{latest.examples:,}"),
        ("Elapsed", clock(run.elapsed_s)),
        ("Left", NOTHING if latest.remaining_s is None else f"about {clock(latest.remaining_s)}"),
    )
    with st.container(horizontal=True, gap="large", key="training_figures"):
        for label, value in figures:
            st.metric(label, value, width="content")
