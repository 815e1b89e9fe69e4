"""The policy beside the chat: its text with the evidence marked, the ways to replace it, its versions."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.answering.policy_versions import PolicyVersion
from playground.documents import POLICY_LIMITS
from playground.documents.diff import PlacedChange, placed_changes
from playground.documents.page_view import PageMark
from playground.paths import POLICIES
from playground.types import Citation, Document, Passage
from playground.ui.return_policy import state
from playground.ui.return_policy.advance import request_sample
from playground.ui.return_policy.conversation import ChatTurn
from playground.ui.return_policy.highlight import document_html
from playground.ui.return_policy.resources import sample_document
from playground.ui.return_policy.state import Key, PolicyRequest, session
from playground.ui.shared.markup import escape_html, human_bytes, spoken
from playground.ui.shared.notices import draw_notice
from playground.ui.shared.page_view import PagedDocument, chooses_page, draw_page, is_on_page, mark_on
from playground.ui.shared.reading_report import draw_reading_report
from scenarios.return_policy.scenario import DEFAULT_POLICY, sample_policies

HEIGHT = 420
"""Of the scrolling parts of chat and policy, in pixels: with header and figures they fill a laptop's screen."""

SECOND_VERSION = "northtrail-outdoor-v2.md"
"""The natural next step of the demo: the shop that is loaded first, with six facts changed."""

_MOST_EDITED = 200_000
_CITED = "#f7d98a"
_MOSTLY = 0.7
"""Of the words of a cited sentence that a changed one must have to be the same sentence."""

# Scrolls the box to the first citation, else to the first passage. Nothing of the document is in it, only the number
# that makes it run again.
_SCROLL = """<script>/* {token} */
requestAnimationFrame(() => {{
  const inBox = (what) => document.querySelector(".st-key-policy_view " + what);
  const mark = inBox("mark.citation") || inBox(".policy-focus") || inBox("ins, del") || inBox(".retrieved");
  const box = mark && mark.closest(".st-key-policy_view");
  if (!box) return;
  const distance = mark.getBoundingClientRect().top - box.getBoundingClientRect().top;
  box.scrollTo({{top: box.scrollTop + distance - 72}});
}});
</script>"""

_LEGEND = (
    '<div class="legend"><span class="swatch cited"></span>cited by the answer'
    '<span class="swatch given"></span>given to the model</div>'
)


_LEGEND_OF_CHANGES = (
    '<div class="legend"><span class="policy"><del>old</del></span> and '
    '<span class="policy"><ins>new</ins></span> since the version before</div>'
)


def draw_policy(turn: ChatTurn | None) -> DeltaGenerator:
    """Draw the panel; the evidence of ``turn`` is marked. Returns the place for a swap's progress."""
    with st.container(key=Key.SWAP_SUMMARY):
        slot = st.empty()
        _draw_notice(slot)
    if session().turn_to_policy:
        session().turn_to_policy = False
        st.session_state[Key.POLICY_TABS] = state.POLICY_TAB
    policy, replace, versions = st.tabs(
        [state.POLICY_TAB, "Replace", "Versions"], key=Key.POLICY_TABS, on_change=_keep_tab
    )
    with policy:
        _draw_document(turn)
    with replace, st.container(height=HEIGHT, border=False):
        _draw_replace()
    with versions, st.container(height=HEIGHT, border=False):
        _draw_versions()
    return slot


def _keep_tab() -> None:
    """Make the tabs keep their state, so that a swap can turn them back to the policy."""


def _draw_notice(slot: DeltaGenerator) -> None:
    data = session()
    notice, version = data.notice, data.shelf.active
    if notice is None:
        text = "Swap the policy while the audience watches: no weights change." if version else "Reading the policy…"
        slot.caption(text)
        return
    with slot:
        draw_notice(notice)


def _draw_document(turn: ChatTurn | None) -> None:
    version = session().shelf.active
    if version is None:
        with st.container(height=HEIGHT, border=True, key=Key.POLICY_VIEW):
            _draw_before_the_first()
        return
    shown = _version_of(turn) or version
    if shown.number != version.number:
        st.caption(f"Evidence of an answer on version {shown.number}; version {version.number} answers now.")
    answer = turn.answer if turn else None
    citations, passages = (answer.citations, answer.passages) if answer else ((), ())
    _draw_shown(shown, turn, citations, passages)
    draw_reading_report(shown.document, Key.POLICY_READING_REPORT)


def _draw_shown(
    shown: PolicyVersion, turn: ChatTurn | None, citations: Sequence[Citation], passages: Sequence[Passage]
) -> None:
    file = session().pdfs.get(shown.sha256)
    if file and shown.document.page_starts and chooses_page("Show the policy as", Key.POLICY_SHOWN_AS):
        _draw_page(shown.document, file, citations, turn)
        return
    changes = _changes(shown)
    with st.container(height=HEIGHT, border=True, key=Key.POLICY_VIEW):
        focus = _where_it_was_cited(shown.document, changes, citations)
        st.html(document_html(shown.document, citations, passages, changes, focus=focus))
    st.html(_LEGEND_OF_CHANGES if changes else _LEGEND)
    if turn or changes:
        token = f"{turn.id if turn else 0}-{shown.number}-{len(changes)}"
        st.html(_SCROLL.format(token=token), unsafe_allow_javascript=True)


def _draw_page(document: Document, file: bytes, citations: Sequence[Citation], turn: ChatTurn | None) -> None:
    """Draw the page of the first cited sentence, all that is cited on a page marked at its place."""
    cited = [citation for citation in citations if citation.document_id == document.id]
    opened_at = (document.page_at(cited[0].start) if cited else None) or 1

    def marks_on(page: int) -> tuple[PageMark, ...]:
        here = (one for one in cited if is_on_page(document, one.start, one.end, page))
        return tuple(mark_on(document, one.start, one.end, page, _CITED) for one in here)

    # A key for each answer: the view opens at what the new one cites.
    key = f"{Key.POLICY_PAGE}_{turn.id if turn else 0}"
    paged = PagedDocument(document, file, key, Key.POLICY_VIEW, HEIGHT, POLICY_LIMITS)
    draw_page(paged, opened_at, marks_on, "what the answer cites", "cited sentence")


def _changes(shown: PolicyVersion) -> tuple[PlacedChange, ...]:
    """Return what the last swap changed in the policy that is shown, as long as that is news."""
    data = session()
    if data.changed_from is None or shown.number != data.shelf.active_number:
        return ()
    before = next((version for version in data.shelf.versions if version.number == data.changed_from), None)
    return placed_changes(before.document, shown.document) if before else ()


def _where_it_was_cited(
    document: Document, changes: Sequence[PlacedChange], citations: Sequence[Citation]
) -> int | None:
    """Return where a change stands in what the last answer cited of the version before; None where it does in none."""
    cited = [set(c.text.lower().split()) for c in citations if c.document_id != document.id]
    for change in changes:
        block = next((b for b in document.blocks if b.start <= change.start <= b.end), None)
        words = set(document.text[block.start : block.end].lower().split()) if block else set()
        if any(len(words & one) > _MOSTLY * len(one) for one in cited):
            return change.start
    return None


def _draw_before_the_first() -> None:
    """Show the shop that is about to be loaded, while the models are; say so when there is none."""
    if session().notice:
        st.caption("No policy is loaded. Choose one under Replace.")
        return
    # The name in the address is only compared, never opened.
    named = st.query_params.get("policy")
    path = next((path for path in sample_policies() if path.name == named), POLICIES / DEFAULT_POLICY)
    st.html(document_html(sample_document(path)))


def _version_of(turn: ChatTurn | None) -> PolicyVersion | None:
    """Return the version that ``turn`` was answered on, if it was picked on purpose and is still on the shelf."""
    shelf = session().shelf
    if turn is None or session().selected_turn != turn.id:
        return None
    return next((v for v in shelf.versions if v.number == turn.stamp.version), None)


# --- replace --------------------------------------------------------------------------------------------------------


def _draw_replace() -> None:
    way = st.segmented_control(
        "How",
        ["Sample", "Upload", "Paste", "Edit"],
        default="Sample",
        required=True,
        key="replace_way",
        label_visibility="collapsed",
    )
    {"Sample": _draw_samples, "Upload": _draw_upload, "Paste": _draw_paste, "Edit": _draw_edit}[way]()


def _draw_samples() -> None:
    names = [path.name for path in sample_policies()]
    st.selectbox(
        "Invented shops that ship with the app", names, index=names.index(SECOND_VERSION), key=Key.POLICY_SAMPLE
    )
    st.button("Load this policy", key=Key.POLICY_LOAD_SAMPLE, type="primary", on_click=_take_sample)


# The callbacks read what was typed from the session: a click that also ends typing runs them before the script.


def _take_sample() -> None:
    state.load_policy(request_sample(str(st.session_state[Key.POLICY_SAMPLE])))


def _draw_upload() -> None:
    # No filter by suffix: a wrong file gets our sentence, which says what to do.
    st.container(key=Key.POLICY_UPLOAD).file_uploader(
        "PDF, DOCX, Markdown, HTML, plain text, or a scan (PDF, PNG, JPEG, TIFF)",
        max_upload_size=POLICY_LIMITS.max_bytes // 2**20,
        key=f"{Key.POLICY_UPLOAD}_{session().uploads}",
        on_change=_take_upload,
    )


def _take_upload() -> None:
    data = session()
    file = st.session_state.get(f"{Key.POLICY_UPLOAD}_{data.uploads}")
    if file is not None:
        data.uploads += 1
        state.load_policy(PolicyRequest(name=file.name, note="upload", data=file.getvalue()))


def _draw_paste() -> None:
    st.text_input("Title", key=Key.POLICY_PASTE_TITLE, placeholder="first heading of the text", max_chars=200)
    st.text_area("Text", key=Key.POLICY_PASTE, height=190, placeholder="Paste a policy here")
    st.button("Use this text", key=Key.POLICY_USE_PASTE, type="primary", on_click=_take_paste)


def _take_paste() -> None:
    title, text = str(st.session_state[Key.POLICY_PASTE_TITLE]), str(st.session_state[Key.POLICY_PASTE])
    state.load_policy(PolicyRequest(name=title, note="pasted", text=text))


def _draw_edit() -> None:
    active = session().shelf.active
    if active is None:
        st.caption("There is no policy to edit yet.")
        return
    document = active.document
    if len(document.text) > _MOST_EDITED:
        st.info(
            f"The policy has {len(document.text):,} characters, too many to edit here. Edit the file and upload it."
        )
        return
    key = f"edit_{active.number}"
    st.text_area("Text of the policy", document.text, height=270, key=key)
    st.button(
        "Save as a new version", key=Key.POLICY_SAVE_EDIT, type="primary", on_click=_take_edit, args=(document, key)
    )


def _take_edit(document: Document, key: str) -> None:
    is_markdown = document.source.lower().endswith((".md", ".markdown"))
    text = str(st.session_state[key])
    state.load_policy(PolicyRequest(name=document.title, note="edited", text=text, markdown=is_markdown or None))


# --- versions -------------------------------------------------------------------------------------------------------


def _draw_versions() -> None:
    shelf = session().shelf
    with st.container(key=Key.VERSION_LIST, gap="small"):
        for version in reversed(shelf.versions):
            _draw_version(version, active=version.number == shelf.active_number)
    if len(shelf.versions) < 2:
        st.caption("Load a second version: then the two can be compared, and this one brought back.")
    else:
        st.caption("What differs between two versions is under *Compare versions*, below the chat.")


def _draw_version(version: PolicyVersion, *, active: bool) -> None:
    day, _, clock = version.created_at.partition("T")
    size = human_bytes(len(version.document.text.encode()))
    facts = f"{day} {clock[:8]} UTC · {size} · {version.chunk_count} passages · {version.sha256[:8]}"
    pill = ' <span class="pill">answers now</span>' if active else ""
    note = f" ({escape_html(version.note)})" if version.note else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div class="version"><b>Version {version.number}</b>{pill}<br>{escape_html(version.document.title)}{note}'
            f'<div class="stamp">{escape_html(facts)}</div></div>'
        )
        if not active:
            st.button(
                spoken("Roll back", f"to version {version.number}"),
                key=state.rollback_key(version.number),
                on_click=state.activate,
                args=(version.number,),
            )
