"""What every page has in common: browser title, style, menu, model chooser, header."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from playground.paths import ROOT
from playground.ui.shared.model_panel import draw_model_panel

_STYLE = Path(__file__).with_name("style.css")
# A file of our own: Streamlit fetches its named icons for the browser tab from the network.
_ICON = Path(__file__).with_name("icon.svg")
BOT = "pages/return_policy.py"
TRAINING = "pages/training.py"
COMPARISON = "pages/comparison.py"
_PAGES = (
    ("app.py", "Home", ":material/home:"),
    (BOT, "Return-policy bot", ":material/forum:"),
    ("pages/contract_clauses.py", "Contract flagger", ":material/gavel:"),
    (TRAINING, "Train an adapter", ":material/model_training:"),
    (COMPARISON, "Comparison", ":material/query_stats:"),
)


def begin_page(title: str, subtitle: str) -> None:
    """Set the page up. Every page calls this first, with its own title."""
    st.set_page_config(page_title=f"{title} · Scenario playground", page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    with st.sidebar:
        st.html('<div class="brand">Scenario playground</div>')
        for path, label, icon in _PAGES:
            if (ROOT / path).is_file():
                st.page_link(path, label=label, icon=icon)
        st.divider()
        draw_model_panel()
    st.title(title, anchor=False)
    st.caption(subtitle)


def link_to_training(label: str) -> None:
    """Draw a link to the page that trains adapters, where there is one."""
    if has_training():
        st.page_link(TRAINING, label=label, icon=":material/arrow_forward:")


def has_training() -> bool:
    """Tell whether the page that trains adapters is there."""
    return (ROOT / TRAINING).is_file()
