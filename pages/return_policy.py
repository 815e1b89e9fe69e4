"""Scenario A: a return-policy bot built with a system prompt and RAG, its policy swapped before the audience."""

import streamlit as st

from playground.ui import state
from playground.ui.answer_view import draw_metrics
from playground.ui.bot import Slots, advance
from playground.ui.both_view import draw_techniques, draw_versions
from playground.ui.chat_view import draw_chat
from playground.ui.conversation import metrics_of
from playground.ui.evidence_view import draw_passages, draw_what_the_model_saw
from playground.ui.layout import begin_page
from playground.ui.policy_view import draw_policy
from playground.ui.settings_panel import draw_modes, draw_settings

begin_page(
    "Return-policy bot",
    "Scenario A. Prompt engineering changes what the model reads, so a new policy counts from the next question on.",
)

modes, settings = st.columns([5, 1], vertical_alignment="top")
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
