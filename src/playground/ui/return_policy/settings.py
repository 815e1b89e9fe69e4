"""How the bot answers: the mode for the audience, and behind a button the retrieval and the system prompt."""

from __future__ import annotations

import streamlit as st

from playground.answering.answer import MOST_TURNS
from playground.retrieval.index import RetrievalSettings
from playground.ui.return_policy import state
from playground.ui.return_policy.state import Key
from playground.ui.shared.presenting import presenting
from scenarios.return_policy.caution import DEFAULT_LEVEL, LEVELS, as_sentence, level_named, measured_rates
from scenarios.return_policy.scenario import MODES, READER_MODE, READER_TOP_K, system_prompt

_FUSIONS = {"hybrid": "both, fused", "dense": "meaning (MiniLM)", "lexical": "words (BM25)"}


def draw_modes() -> None:
    """Draw the selector of the prompt engineering technique, with what the chosen one does."""
    _follow_address()
    st.segmented_control(
        "Prompt engineering technique",
        [description.mode for description in MODES],
        format_func=state.mode_title,
        required=True,
        key=Key.MODE,
        label_visibility="collapsed",
        wrap=True,
        on_change=_remember_in_address,
        persist_state="session",
    )
    st.caption(next(d.explanation for d in MODES if d.mode == state.mode()))
    if state.mode() != READER_MODE:
        return
    if problem := state.reader_problem():
        st.info(problem, icon=":material/info:")
    elif not presenting().on:
        _draw_caution()


def _draw_caution() -> None:
    """Draw the control between declining too much and answering too much, with what its setting did when measured."""
    control, measured = st.columns((2, 3), gap="medium", vertical_alignment="center")
    name = control.select_slider(
        "From cautious to helpful",
        [level.name for level in LEVELS],
        DEFAULT_LEVEL.name,
        key=Key.CAUTION,
        help='Cautious says "I don\'t know." when in doubt, helpful answers even then.',
        persist_state="session",
    )
    rates = measured_rates(state.reader_identity(), level_named(name))
    measured.caption(as_sentence(rates) if rates else "What this setting does was not measured for the reader in use.")


def _follow_address() -> None:
    """Choose the mode that a link names (``?mode=rag_few_shot``), once for each link."""
    if Key.MODE not in st.session_state:  # finding out reads the adapters on disk
        st.session_state[Key.MODE] = state.default_mode()
    data, named = state.session(), st.query_params.get("mode", "")
    if named != data.linked_mode:
        data.linked_mode = named
        if named in [description.mode for description in MODES]:
            st.session_state[Key.MODE] = named


def _remember_in_address() -> None:
    state.session().linked_mode = state.mode()
    st.query_params["mode"] = state.mode()


def draw_settings() -> None:
    """Draw the button that opens retrieval, answer length and system prompt."""
    defaults = RetrievalSettings()
    with st.popover("Settings", icon=":material/tune:", key="settings"):
        st.slider(
            "Passages in the prompt (top k)",
            1,
            8,
            defaults.top_k,
            key=Key.TOP_K,
            persist_state="session",
            help=f"RAG + LoRA gets at most {READER_TOP_K}: it reads better so.",
        )
        st.selectbox(
            "Passages are found by",
            list(_FUSIONS),
            format_func=lambda name: _FUSIONS[name],
            key=Key.FUSION,
            persist_state="session",
        )
        if st.session_state.get(Key.FUSION) == "hybrid":
            st.slider(
                "Share of meaning against words",
                0.0,
                1.0,
                defaults.dense_weight,
                0.05,
                key=Key.DENSE_WEIGHT,
                persist_state="session",
            )
        st.slider("Earlier questions in the prompt", 0, MOST_TURNS, 2, key=Key.HISTORY_TURNS, persist_state="session")
        st.slider(
            "Longest answer in tokens",
            32,
            512,
            state.DEFAULT_MAX_TOKENS,
            32,
            key=Key.MAX_TOKENS,
            persist_state="session",
        )
        st.session_state.setdefault(Key.SYSTEM_PROMPT, system_prompt())
        st.text_area(
            "System prompt",
            key=Key.SYSTEM_PROMPT,
            height=120,
            max_chars=8_000,
            persist_state="session",
        )
        st.button("Reset the system prompt", key=Key.RESET_SYSTEM_PROMPT, on_click=_reset_system_prompt)


def _reset_system_prompt() -> None:
    st.session_state[Key.SYSTEM_PROMPT] = system_prompt()
