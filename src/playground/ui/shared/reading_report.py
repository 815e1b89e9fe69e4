"""How a file was read, beside its text: pages and words, what was left out and why, what was decided."""

from __future__ import annotations

import streamlit as st

from playground.documents.reading_report import reading_report, report_lines
from playground.types import Document
from playground.ui.shared.markup import escape_markdown


def draw_reading_report(document: Document, key: str) -> None:
    """Draw the report of a document behind a button; it is made when somebody opens it."""
    place = st.popover("How it was read", icon=":material/document_scanner:", key=key, on_change="rerun")
    if not place.open:
        return
    with place:
        report = reading_report(document)
        st.markdown("  \n".join(escape_markdown(line) for line in report_lines(report)))
        notes = [escape_markdown(note) for note in report.notes]
        st.markdown("\n".join(f"- {note}" for note in notes) or "Nothing was left out, and nothing had to be decided.")
        if report.doubtful:
            st.dataframe(
                [{"word": word, "page": page, "why": why} for word, page, why in report.doubtful], hide_index=True
            )
