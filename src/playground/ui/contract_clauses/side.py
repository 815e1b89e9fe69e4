"""Whose side the reader is on, and the playbook that says what that side accepts."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.errors import AnnotationError
from playground.flagging.playbook import MOST_BYTES, read_playbook
from playground.flagging.report import Correction, missing_wanted
from playground.text.label_titles import label_title
from playground.types import FlaggedContract
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.state import Key, catalogue, session
from playground.ui.shared.markup import escape_html, escape_markdown


def draw_side(flagged: FlaggedContract, corrections: Sequence[Correction]) -> None:
    """Draw the choice of a side and its playbook, and what the side wants and the contract lacks."""
    playbook = state.playbook()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Whose side are you on?",
            ("", *playbook.sides),
            format_func=lambda side: f"the {side}" if side else "nobody's: as for any reader",
            key=Key.SIDE,
            persist_state="session",
        )
        with st.popover("Playbook", icon=":material/menu_book:", key=Key.PLAYBOOK_OPEN):
            _draw_playbook()
    if not state.side():
        return
    wanted = missing_wanted(flagged, state.labels_of_side(), corrections)
    names = ", ".join(f"<b>{escape_html(label_title(label.name))}</b>" for label in wanted)
    lacks = f" Wanted by the {escape_html(state.side())}, not found: {names}." if names else ""
    st.html(
        '<div class="missing-labels">What the playbook calls unwelcome comes first. It goes by the kind of clause, not '
        f"by its words: see whom a clause binds.{lacks}</div>"
    )


def _draw_playbook() -> None:
    playbook = state.playbook()
    st.markdown(f"**{escape_markdown(playbook.name)}**")
    st.caption("What each side accepts. Download it, edit it in a text editor, and bring it back or hand it on.")
    is_json = playbook.source.lstrip().startswith("{")
    st.download_button(
        "Download the playbook",
        playbook.source.encode(),
        "playbook.json" if is_json else "playbook.toml",
        "application/json" if is_json else "application/toml",
        key="contract_playbook_download",
        icon=":material/download:",
        on_click="ignore",
    )
    st.container(key=Key.PLAYBOOK_FILE).file_uploader(
        f"Use a playbook of your own (TOML or JSON, up to {MOST_BYTES >> 10} KB)",
        max_upload_size=1,
        key=f"{Key.PLAYBOOK_FILE}_{session().playbook_uploads}",
        on_change=_take_playbook,
    )
    if session().playbook_error:
        st.error(escape_markdown(session().playbook_error), icon=":material/error:")
    if session().playbook is not None:
        st.button("Back to the default playbook", key="contract_playbook_default", on_click=_use_default)


def _take_playbook() -> None:
    data = session()
    file = st.session_state.get(f"{Key.PLAYBOOK_FILE}_{data.playbook_uploads}")
    data.playbook_uploads += 1
    if file is None:
        return
    try:
        data.playbook, data.playbook_error = read_playbook(file.getvalue(), catalogue(), file.name), ""
    except AnnotationError as error:
        data.playbook_error = str(error)
    _forget_lost_side()


def _use_default() -> None:
    session().playbook, session().playbook_error = None, ""
    _forget_lost_side()


def _forget_lost_side() -> None:
    if st.session_state.get(Key.SIDE) not in ("", *state.playbook().sides):
        st.session_state[Key.SIDE] = ""
