"""One contract of a result: its flags with their clauses, or why there are none."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.bulk.reading import BulkResult, flags_csv
from playground.flagging.report.rows import percent
from playground.text.label_titles import label_title
from playground.ui.bulk.state import Key
from playground.ui.shared.markup import escape_markdown

_COLOURS = {"high": "red", "medium": "orange", "low": "blue", "informational": "gray"}
_MOST_SHOWN = 100
_MOST_TEXT = 1_500


def draw_contract(result: BulkResult, name: str) -> None:
    """Draw the flags of a file. What stands in the contract is shown as text, never as Markdown or HTML."""
    st.subheader(escape_markdown(name), anchor=False)
    row = next(row for row in result.files if row["file"] == name)
    if row["state"] == "failed":
        st.error(escape_markdown(result.error_of(name)))
        return
    if row["missing"]:
        st.warning(f"Usual in such a contract, not found: {escape_markdown(', '.join(row['missing']))}")
    flags = result.flags_of([name])
    if not flags:
        st.caption(f"No flag on its {row['clauses']} clauses.")
        return
    for flag in flags[:_MOST_SHOWN]:
        _draw_flag(flag)
    if len(flags) > _MOST_SHOWN:
        st.caption(f"{len(flags) - _MOST_SHOWN} more flags are in the export.")
    st.download_button(
        "Flags of this contract as CSV",
        flags_csv(flags),
        file_name="flags-of-one.csv",
        mime="text/csv",
        icon=":material/download:",
        key=Key.EXPORT_ONE,
        on_click="ignore",
    )
    st.caption("To see the clauses in their contract, open the file on the page “Contract flagger”.")


def _draw_flag(flag: dict[str, Any]) -> None:
    place = ", ".join(part for part in (flag["number"], f"page {flag['page']}" if flag["page"] else "") if part)
    with st.container(border=True):
        with st.container(horizontal=True, gap="small"):
            st.badge(escape_markdown(label_title(flag["label"])), color=_COLOURS.get(flag["risk"], "gray"))  # type: ignore[arg-type]
            st.caption(escape_markdown(f"{flag['risk']} risk, {percent(flag['probability'])}  {place}"))
        text = flag["text"]
        st.text(text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} …")
        if flag["check"]:
            st.caption(escape_markdown(f"{flag['why']} {flag['check']}"))
