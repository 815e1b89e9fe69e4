"""The files of a result: what was found in all, which of them to show, and the table that opens one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.bulk.reading import BulkResult, Filters, Rows, flags_csv
from playground.bulk.rows import RISKS
from playground.text.label_titles import label_title
from playground.text.spreadsheet import spreadsheet_cell
from playground.ui.bulk.state import ROOT_VARIABLE, Key, root
from playground.ui.shared.markup import escape_markdown

_MOST_EXPORTED = 5_000
_ANY = "any"


def draw_nothing() -> None:
    """Say how a result comes to be here."""
    st.info("There is no result yet. A folder of contracts is flagged on the command line; the page then opens it.")
    st.code(f'python -m playground bulk flag CONTRACTS --out "{root() / "first"}"', language="sh")
    st.caption(f"Results are looked for in {escape_markdown(str(root()))}. {ROOT_VARIABLE} names another folder.")


def draw_choice(names: tuple[str, ...]) -> str:
    """Let one of the results be chosen and return its name."""
    named = st.query_params.get("result", "")
    index = names.index(named) if named in names else 0
    return str(st.selectbox("Result", names, index=index, key=Key.RESULT))


def draw_summary(result: BulkResult) -> None:
    """Draw how many files there are and how many flags of which risk."""
    found = result.summary
    by_risk = {one["risk"]: one for one in found.get("risks", [])}
    with st.container(horizontal=True, gap="medium"):
        st.metric("Files", f"{found['files']:,}")
        st.metric("Failed", f"{found['failed']:,}")
        st.metric("Copies", f"{found['copies']:,}")
        for risk in RISKS:
            if risk in by_risk:
                st.metric(f"With {risk} risk", f"{by_risk[risk]['files']:,}", help=f"{by_risk[risk]['flags']:,} flags")


def draw_filters(result: BulkResult) -> Filters:
    """Draw what can be looked for and return it."""
    labels = [one["label"] for one in result.summary.get("labels", [])]
    missing = [one["label"] for one in result.summary.get("missing", [])]
    left, middle, right = st.columns(3)
    label = left.selectbox("With a flag for", [_ANY, *labels], format_func=label_title, key=Key.LABEL)
    lacks = middle.selectbox("Usual and missing", [_ANY, *missing], format_func=label_title, key=Key.MISSING)
    risk = right.selectbox("Risk", [_ANY, *RISKS], key=Key.RISK)
    name = left.text_input("Name contains", key=Key.NAME, max_chars=200)
    state = middle.selectbox("State", [_ANY, "flagged", "failed"], key=Key.STATE)
    copies = right.toggle("Show copies too", key=Key.COPIES, help="Files with the same content were judged once.")
    return Filters(_chosen(label), _chosen(lacks), _chosen(risk), _chosen(state), name or "", copies)


def draw_table(rows: Rows, result: BulkResult) -> str:
    """Draw the files, what to read first on top, and return the name of the one that is open, "" for none."""
    if not rows:
        st.caption("No file fits.")
        return ""
    shown: Any = {
        "File": [spreadsheet_cell(row["file"]) for row in rows],  # the table has a download of its own
        **{risk.capitalize(): [row[risk] for row in rows] for risk in RISKS},
        "Missing": [len(row["missing"]) for row in rows],
        "Kind": [row["kind"] for row in rows],
        "Clauses": [row["clauses"] for row in rows],
        "State": [row["state"] for row in rows],
    }
    st.caption(f"{len(rows):,} of {len(result.files):,} files. Click a row to open the contract.")
    event: Any = st.dataframe(
        shown, key=Key.TABLE, on_select="rerun", selection_mode="single-row", hide_index=True, height=320
    )
    chosen = [row for row in event.selection.rows if row < len(rows)]
    if len(rows) <= _MOST_EXPORTED:
        st.download_button(
            "Flags of these files as CSV",
            lambda: flags_csv(result.flags_of([row["file"] for row in rows])),
            file_name="flags.csv",
            mime="text/csv",
            icon=":material/download:",
            key=Key.EXPORT,
            on_click="ignore",
        )
    else:
        st.caption(f"More than {_MOST_EXPORTED:,} files: narrow them down to export, or use flags.parquet.")
    if chosen:
        return str(rows[chosen[0]]["file"])
    named = st.query_params.get("contract", "")
    return named if any(row["file"] == named for row in rows) else ""


def _chosen(value: str | None) -> str:
    return "" if value in (None, _ANY) else str(value)
