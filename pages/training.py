"""Both scenarios: train the clause flagger or the policy reader before the audience, and see what changed."""

import streamlit as st

from playground.ui.shared.layout import begin_page
from playground.ui.shared.resources import adapter_store
from playground.ui.training.data import draw_contents, draw_data
from playground.ui.training.desk import DESK
from playground.ui.training.live import draw_live
from playground.ui.training.reader import draw_reader_over, draw_reader_setup
from playground.ui.training.report import draw_over
from playground.ui.training.setup import draw_base, draw_labels, draw_settings, draw_start
from playground.ui.training.store import draw_store
from playground.ui.training.task import draw_task, task_of
from playground.ui.training.unfinished import draw_unfinished

begin_page(
    "Train an adapter",
    "Fine-tuning changes the weights: a small LoRA layer learns from examples, here and now.",
)

store = adapter_store()
run = DESK.latest()
task = task_of(run) if run else draw_task()
if run and not run.is_over:
    draw_live(run)
elif run and task == "reader":
    draw_reader_over(run, store)
elif run:
    draw_over(run, store)
elif task == "reader":
    draw_reader_setup(store)
else:
    draw_unfinished(store)
    setup, contents = st.columns([11, 9], gap="large")
    with setup:
        data = draw_data()
        base = draw_base()
        if data:
            labels = draw_labels(data)
            draw_start(draw_settings(data, base, labels, store), store)
    with contents:
        if data:
            draw_contents(data, labels)

st.divider()
draw_store(store, task)
