"""The ways into the contract page: samples that ship with the app, files, pasted text; and which contract is shown."""

from __future__ import annotations

import streamlit as st

from playground.documents import CONTRACT_LIMITS
from playground.documents.limits import MIB
from playground.models.catalog import MINILM, MPNET
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.advance import open_sample, sample_names
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice, FlaggerChoices
from playground.ui.contract_clauses.judging import go_on
from playground.ui.contract_clauses.replay import draw_recordings
from playground.ui.contract_clauses.state import Key, session
from playground.ui.shared.layout import link_to_training
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.shared.session import session as shared_session

_SAMPLES = {
    "services-agreement.pdf": "IT services, 12 pages, UK",
    "software-licence.docx": "software licence, US, archaic",
    "lease.docx": "shop lease, tracked changes",
    "nda.txt": "non-disclosure, Canada",
    "distribution-agreement.pdf": "distribution, 6 pages, Singapore",
    "scan-only.pdf": "a scan: read by OCR",
}


def draw_first_screen() -> None:
    """Draw the invitation: a sample is one click away."""
    with st.container(border=True):
        st.header("Open a contract", anchor=False)
        st.caption(
            "Its text is here at once, its risky clauses are marked as they are found. Nothing leaves this machine. "
            "Try a sample:"
        )
        _draw_samples()
        st.markdown("**Or bring your own**")
        upload, paste = st.columns(2, gap="medium")
        with upload:
            _draw_upload()
        with paste:
            _draw_paste()
        with st.expander("Play a recording", icon=":material/movie:"):
            draw_recordings()


def draw_bar(choices: FlaggerChoices) -> FlaggerChoice:
    """Draw the row above the contract: open another, which one is shown, who judges. Returns who judges."""
    data = session()
    if state.selected() is None:  # the first screen has the ways in
        return _draw_flagger(choices)
    source, shown, flagger = st.columns([2, 4, 4], vertical_alignment="bottom", gap="small")
    with source, st.popover("Open", icon=":material/upload_file:", key=f"{Key.OPEN}_{data.next_id}", width="stretch"):
        samples, upload, paste, recorded = st.tabs(["Samples", "Upload", "Paste", "Recording"])
        with samples:
            _draw_samples()
        with upload:
            _draw_upload()
        with paste:
            _draw_paste()
        with recorded:
            draw_recordings()
    with shown:
        _draw_shown()
    with flagger:
        return _draw_flagger(choices)


def _draw_samples() -> None:
    columns = st.columns(2, gap="small")
    for number, name in enumerate(sample_names()):
        with columns[number % 2]:
            st.button(
                f"**{escape_markdown(name)}**  \n{_SAMPLES.get(name, '')}",
                key=state.sample_key(number),
                icon=":material/description:",
                on_click=open_sample,
                args=(name,),
                width="stretch",
            )


def _draw_upload() -> None:
    # No filter by suffix: a wrong file gets our sentence, which says what to do.
    st.container(key=Key.UPLOAD).file_uploader(
        "PDF, DOCX, Markdown, plain text, or a scan (PDF, PNG, JPEG, TIFF), one or several",
        accept_multiple_files=True,
        max_upload_size=CONTRACT_LIMITS.max_bytes // MIB,
        key=f"{Key.UPLOAD}_{session().uploads}",
        on_change=_take_uploads,
    )


# The callbacks read what was typed from the session: a click that also ends typing runs them before the script.


def _take_uploads() -> None:
    data = session()
    files = st.session_state.get(f"{Key.UPLOAD}_{data.uploads}") or []
    data.uploads += 1
    for file in files:
        if not state.add_entry(file.name, "upload", data=file.getvalue()):
            break


def _draw_paste() -> None:
    st.text_input("Title", key=Key.PASTE_TITLE, placeholder="Pasted contract", max_chars=200)
    st.text_area(
        "Text", key=Key.PASTE, height=120, placeholder="Paste a contract or a few clauses", label_visibility="collapsed"
    )
    st.button("Flag this text", key=Key.USE_PASTE, type="primary", on_click=_take_paste)


def _take_paste() -> None:
    text = str(st.session_state.get(Key.PASTE) or "")
    title = str(st.session_state.get(Key.PASTE_TITLE) or "").strip() or "Pasted contract"
    if not text.strip():
        session().notice = Notice("error", "There is no text to flag. Paste a contract first.")
        return
    state.add_entry(title, "paste", text=text)


def _draw_shown() -> None:
    data = session()
    entries = [entry for entry in data.entries if entry.document is not None]
    names = {entry.id: entry.name for entry in entries}
    if data.selected in names:
        st.session_state[Key.SHOWN] = data.selected
    st.selectbox(
        "Contract shown",
        list(names),
        format_func=lambda number: names.get(number, ""),
        key=Key.SHOWN,
        placeholder="none yet",
        on_change=lambda: state.choose(int(st.session_state[Key.SHOWN])),
        disabled=not names,
    )


def _draw_flagger(choices: FlaggerChoices) -> FlaggerChoice:
    by_key = {option.key: option for option in choices.options}
    _follow_active(choices, by_key)
    key = st.selectbox(
        "Judged by",
        list(by_key),
        format_func=lambda key: by_key[key].option if key in by_key else str(key),
        key=Key.FLAGGER,
        persist_state="session",
        help="Results of each are kept: switching back costs nothing. "
        f"{MPNET.title} reads more carefully, {MINILM.title} several times as fast.",
    )
    return by_key.get(str(key), choices.default)


def _follow_active(choices: FlaggerChoices, by_key: dict[str, FlaggerChoice]) -> None:
    """Choose at first what everybody here flags with, and later what this session asked for on another page.

    What another session makes the flagger for everybody is announced, and changes nothing here by itself.
    """
    data, wanted = session(), shared_session().flagger
    if wanted in by_key and data.followed != wanted:
        st.session_state[Key.FLAGGER] = data.followed = wanted
    elif st.session_state.get(Key.FLAGGER) not in by_key:
        st.session_state[Key.FLAGGER] = choices.default.key


def draw_adapter_notes(choices: FlaggerChoices) -> None:
    """Say what is wrong with stored adapters, and how to get one where there is none."""
    for note in choices.notes[:3]:
        st.warning(escape_markdown(note), icon=":material/warning:")
    if not choices.has_adapter:
        st.info(
            "No trained adapter is here yet: contracts are judged by keywords, or by the untrained base. Training one "
            "on this project's annotated clauses takes minutes: **Train an adapter**, in the menu.",
            icon=":material/model_training:",
        )
        link_to_training("Train an adapter")


def draw_last_notice() -> None:
    """Draw what happened last, with a way on where something is left to do."""
    data = session()
    with st.container(key=Key.NOTICE):
        draw_notice(data.notice)
        if any(entry.stopped or (entry.failed and not entry.unreadable) for entry in data.entries):
            st.button("Go on", key=Key.GO_ON, icon=":material/play_circle:", on_click=go_on)
