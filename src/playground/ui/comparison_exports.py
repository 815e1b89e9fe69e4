"""The chosen runs as files: one HTML report that needs no network, CSV, JSON. Made when a button is clicked."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from playground.comparison.compare import ComparedTechniques
from playground.comparison.exports import comparison_csv, comparison_json
from playground.comparison.report_html import comparison_html
from playground.machine import utc_now
from playground.ui.comparison_state import Key


def draw_exports(compared: Sequence[ComparedTechniques]) -> None:
    """Draw the row of download buttons."""

    def as_html() -> bytes:
        return comparison_html(compared, written_at=utc_now()).encode("utf-8", "replace")

    def as_csv() -> bytes:
        return comparison_csv(compared)

    def as_json() -> bytes:
        return (json.dumps(comparison_json(compared), indent=1, allow_nan=False) + "\n").encode()

    with st.container(horizontal=True, gap="small", key=Key.EXPORTS, vertical_alignment="center"):
        for kind, label, mime, make in (
            ("html", "Report (HTML)", "text/html", as_html),
            ("csv", "CSV", "text/csv", as_csv),
            ("json", "JSON", "application/json", as_json),
        ):
            st.download_button(
                label,
                make,
                f"comparison.{kind}",
                mime,
                key=f"comparison_download_{kind}",
                icon=":material/download:",
                on_click="ignore",
            )
