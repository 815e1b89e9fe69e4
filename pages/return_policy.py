"""Scenario A: a return-policy bot built with a system prompt and RAG, its policy swapped before the audience."""

import streamlit as st

from playground.ui.return_policy import state
from playground.ui.return_policy.advance import Slots, advance
from playground.ui.return_policy.answer import draw_metrics
from playground.ui.return_policy.chat import draw_chat
from playground.ui.return_policy.conversation import metrics_of
from playground.ui.return_policy.every_technique import draw_every_technique
from playground.ui.return_policy.evidence import draw_passages, draw_what_the_model_saw
from playground.ui.return_policy.kept import BOT
from playground.ui.return_policy.policy import draw_policy
from playground.ui.return_policy.presented import perform_steps
from playground.ui.return_policy.replay import draw_replay
from playground.ui.return_policy.settings import draw_modes, draw_settings
from playground.ui.return_policy.side_by_side import draw_techniques, draw_versions
from playground.ui.shared.keeping import keep_up
from playground.ui.shared.layout import begin_page
from playground.ui.shared.presenting import folded

keep_up(BOT)
begin_page(
    "Return-policy bot",
    "Scenario A. Prompt engineering changes what the model reads, so a new policy counts from the next question on.",
)

if draw_replay():
    st.stop()
perform_steps()
draw_every_technique()
modes, settings = st.columns([4, 1], vertical_alignment="top")
with modes:
    draw_modes()
with settings.container(horizontal=True, horizontal_alignment="right"):
    draw_settings()
status = st.empty()

turn = state.selected_turn()
chat, policy = st.columns([11, 9], gap="medium")
with policy:
    swap = draw_policy(turn)
with chat:
    answer = draw_chat(turn)

with folded("Figures, prompt and comparisons"):
    draw_metrics(metrics_of(turn))
    prompt, passages, techniques, versions = st.tabs(
        ["What the model saw", "Passages found", "Prompting against LoRA", "Compare versions"], key="evidence"
    )
with prompt:
    draw_what_the_model_saw(turn)
with passages:
    draw_passages(turn)
with techniques:
    technique_places = draw_techniques()
with versions:
    version_places = draw_versions()

advance(Slots(status, swap, answer, technique_places, version_places))
