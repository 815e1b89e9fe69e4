"""Which of the two adapters a visit of the training page is about."""

from __future__ import annotations

import streamlit as st

from playground.adapters import Task
from playground.ui.training.desk import TrainingRun
from playground.ui.training.state import Key
from scenarios.registry import all_scenarios
from scenarios.return_policy.reader.training import ReaderPlan


def draw_task() -> Task:
    """Draw the choice and return it."""
    trainings = (one for scenario in all_scenarios() for one in scenario.trainings)
    titles = {one.task: one.title for one in sorted(trainings, key=lambda one: one.title)}
    chosen = st.segmented_control(
        "What to train",
        list(titles),
        format_func=lambda task: titles[task],
        required=True,
        default=next(iter(titles)),
        key=Key.TASK,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen


def task_of(run: TrainingRun) -> Task:
    """Return what a training is for."""
    return "reader" if isinstance(run.plan, ReaderPlan) else "clauses"
