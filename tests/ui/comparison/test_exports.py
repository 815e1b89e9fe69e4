"""The downloads of the comparison page: what the HTML report takes from the page beside the runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from playground.ui.comparison.state import Key
from tests.support.fakes_comparison import open_page, rows_of, use_runs, write_run
from tests.support.fakes_ui import run


def test_the_report_prices_a_request_as_the_page_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(
        use_runs(monkeypatch, tmp_path) / "one",
        [*rows_of("rag", lambda n: n < 9), *rows_of("rag+lora", lambda n: n > 3)],
    )
    made: list[bytes] = []
    honest = st.download_button

    def clicked(label: str, data: Any, *arguments: Any, **options: Any) -> Any:
        if label == "Report (HTML)":
            made.append(data())
        return honest(label, data, *arguments, **options)

    monkeypatch.setattr(st, "download_button", clicked)
    app = open_page()
    app.number_input(Key.MACHINE_PRICE).set_value(7.25)
    run(app)
    assert b"machine at $0.1 per hour" in made[0] or b"machine at $0.10 per hour" in made[0]
    assert b"machine at $7.25 per hour" in made[-1]
    app.segmented_control(Key.SECTION).set_value("Examples")
    run(app)
    page = made[-1].decode()
    assert "machine at $7.25 per hour" in page
    for words in ("fine-tuning pays", "Where the techniques differ", "The article's table"):
        assert words in page, words
