"""Which of the two adapters a visit of the training page is about."""

from __future__ import annotations

import streamlit as st

from playground.adapters import Task
from playground.ui.training.desk import TrainingRun
from playground.ui.training.state import Key
from scenarios.return_policy.reader.training import ReaderPlan

_TITLES: dict[Task, str] = {
    "clauses": "Clause flagger (Scenario B)",
    "reader": "Policy reader (Scenario A)",
}


def draw_task() -> Task:
    """Draw the choice and return it."""
    chosen = st.segmented_control(
        "What to train",
        list(_TITLES),
        format_func=lambda task: _TITLES[task],
        required=True,
        default="clauses",
        key=Key.TASK,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen


def task_of(run: TrainingRun) -> Task:
    """Return what a training is for."""
    return "reader" if isinstance(run.plan, ReaderPlan) else "clauses"
