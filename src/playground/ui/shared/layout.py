"""What every page has in common: browser title, style, menu, model chooser, header."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import streamlit as st

from playground.comparison.scenario import Scenario
from playground.ui.shared.announcements import draw_announcements
from playground.ui.shared.keeping import draw_keeping
from playground.ui.shared.model_panel import draw_model_panel
from playground.ui.shared.presenting import (
    draw_presenter_bar,
    draw_presenter_button,
    follow_address,
    presenting,
)
from playground.ui.shared.sign_in import require_sign_in
from scenarios.registry import all_scenarios

_STYLE = Path(__file__).with_name("style.css")
# A picture of our own: Streamlit fetches its named icons for the browser tab from the network.
_ICON = "data:image/svg+xml;base64," + b64encode(Path(__file__).with_name("icon.svg").read_bytes()).decode()
TRAINING = "pages/training.py"
COMPARISON = "pages/comparison.py"
BULK = "pages/bulk.py"
LIMITS = "pages/limits.py"
_NO_PAGE_ICON = ":material/science:"


def begin_page(title: str, subtitle: str) -> None:
    """Set the page up. Every page calls this first, with its own title."""
    st.set_page_config(page_title=f"{title} · Scenario playground", page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    require_sign_in()
    follow_address()
    with st.sidebar:
        st.html('<div class="brand">Scenario playground</div>')
        st.page_link("app.py", label="Home", icon=":material/home:")
        for scenario in all_scenarios():
            _link_to_scenario(scenario)
        st.page_link(BULK, label="Many contracts", icon=":material/folder_copy:")
        st.page_link(TRAINING, label="Train an adapter", icon=":material/model_training:")
        st.page_link(COMPARISON, label="Comparison", icon=":material/query_stats:")
        st.page_link(LIMITS, label="Limits and trends", icon=":material/biotech:")
        st.divider()
        draw_model_panel()
        draw_presenter_button()
        draw_keeping()
    draw_presenter_bar()
    st.title(title, anchor=False)
    if not presenting().on:
        st.caption(subtitle)
    draw_announcements()


def _link_to_scenario(scenario: Scenario) -> None:
    """Draw the menu's entry of a scenario; one without a page of its own is opened on the comparison page."""
    if scenario.page is not None:
        st.page_link(scenario.page.path, label=scenario.page.title, icon=scenario.page.icon)
    else:
        address = {"scenario": scenario.choice}
        st.page_link(COMPARISON, label=scenario.title, icon=_NO_PAGE_ICON, query_params=address)


def link_to_training(label: str) -> None:
    """Draw a link to the page that trains adapters."""
    st.page_link(TRAINING, label=label, icon=":material/arrow_forward:")
