"""The article's limits and trends: each claim with a small experiment, recorded and measured here and now."""

import streamlit as st

from playground.ui.limits.experiment import choose_experiment, draw_claim, draw_found, draw_style
from playground.ui.limits.live import advance, draw_live
from playground.ui.shared.layout import begin_page

begin_page("Limits and trends", "What the article says of prompting and of fine-tuning, claim by claim, measured.")
draw_style()
experiment = choose_experiment()
draw_claim(experiment)
work = st.empty()
draw_live(experiment)
st.divider()
draw_found(experiment)
advance(work)
