"""The contract with its flags marked: the left half of the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.flagging.report import ReportRow
from playground.types import Document, FlaggedContract
from playground.ui.contract_clauses.contract_html import contract_html, part_with, parts_of, risk_css
from playground.ui.contract_clauses.state import Judged, Key, session
from playground.ui.shared.markup import escape_html, escape_markdown
from playground.ui.shared.reading_report import draw_reading_report

HEIGHT = 600
"""Of the scrolling halves, in pixels: with header and stamp they fill a laptop's screen."""

_STYLE = Path(__file__).with_name("style.css")

# Scrolls the box to a clause. Of the contract nothing is in it but an id that we gave ("c12") and a counter.
_SCROLL = """<script>/* {token} */
requestAnimationFrame(() => {{
  const mark = document.querySelector(".st-key-contract_text .{anchor}");
  const box = mark && mark.closest(".st-key-contract_text");
  if (!box) return;
  const distance = mark.getBoundingClientRect().top - box.getBoundingClientRect().top;
  box.scrollTo({{top: box.scrollTop + distance - 96}});
}});
</script>"""


def draw_style() -> None:
    """Put the page's style sheet on the page."""
    st.html(_STYLE)
    st.html(f"<style>{risk_css()}</style>")


def draw_contract(flagged: FlaggedContract, rows: Sequence[ReportRow], *, probabilities: bool) -> None:
    """Draw the contract, flagged clauses coloured by risk; a long one in parts."""
    jump = session().jump
    clauses = flagged.clauses
    # While it is being judged, the first flag may be long in coming.
    if session().opened_at[0] != session().selected or (rows and not session().opened_at[1]):
        session().opened_at = (session().selected or 0, rows[0].clause.id if rows else "")
    parts = parts_of(clauses)
    number = 1
    if len(parts) > 1:
        if jump and Key.PART not in st.session_state:
            st.session_state[Key.PART] = part_with(parts, clauses, jump.clause_id)
        number = min(max(int(st.session_state.get(Key.PART) or 1), 1), len(parts))
    part = parts[number - 1]
    current = jump.clause_id if jump else ""
    with st.container(height=HEIGHT, border=True, key=Key.TEXT):
        st.html(
            contract_html(
                clauses[part.first : part.last],
                rows,
                current=current,
                probabilities=probabilities,
            )
        )
    if len(parts) > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Part {number} of {len(parts)}: a long contract is shown in parts, all of it is judged.")
            st.pagination(len(parts), key=Key.PART)
    target, token = (jump.clause_id, str(jump.number)) if jump else (session().opened_at[1], "opened")
    if any(clause.id == target for clause in clauses[part.first : part.last]):
        # The same script is not run again, so that what the reader scrolled to stays.
        script = _SCROLL.format(token=f"{session().selected}-{token}", anchor=f"clause-{target}")
        st.html(script, unsafe_allow_javascript=True)


def draw_notes(place: DeltaGenerator, document: Document, notes: Sequence[str]) -> None:
    """Draw what a reader should know before trusting the flags, and how the file was read."""
    with place.container():
        if notes:
            st.warning("  \n".join(escape_markdown(note) for note in notes), icon=":material/warning:")
        draw_reading_report(document, "contract_reading_report")


def draw_stamp(place: DeltaGenerator, judged: Judged) -> None:
    """Draw the line that says what the flags were made with, where work under way is drawn at other times."""
    short = f"{len(judged.scored.clauses):,} clauses, judged on this machine. Not legal advice."
    place.html(f'<details class="stamp"><summary>{short}</summary>{escape_html(stamp_line(judged))}</details>')


def stamp_line(judged: Judged) -> str:
    """Return adapter or method, base, time, speed and date of a result; of a stored one that it is that."""
    scored = judged.scored
    who = f"adapter {scored.adapter} on {scored.model_id}" if scored.adapter else scored.model_id
    day, _, clock = judged.judged_at.partition("T")
    if judged.is_stored:
        how = f"{len(scored.clauses):,} clauses · stored result of {day}, which came with the app"
    else:
        total_s = judged.read_s + scored.timings["total_s"]
        how = (
            f"{len(scored.clauses):,} clauses in {total_s:.1f} s · {judged.clauses_per_s:,.0f} clauses/s · "
            f"{day} {clock[:5]} UTC"
        )
    return f"{who} · {how} · runs on this machine; nothing leaves it · not legal advice"
