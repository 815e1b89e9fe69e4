"""How a file was read stands beside it on both pages, with what was left out and why."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.documents import load_document
from playground.types import RecognisedWord
from tests.support.fakes_ui import click, open_bot, unfold, words

STRUCK = b"<html><body><h1>Returns</h1><p>Return within <del>30</del> 14 days.</p></body></html>"


def _page(document) -> None:
    from playground.ui.shared.reading_report import draw_reading_report

    draw_reading_report(document, "report")


def opened(document) -> AppTest:
    app = AppTest.from_function(_page, args=(document,), default_timeout=60)
    app.session_state["report"] = True
    app.run()
    assert not app.exception
    return app


def test_it_says_what_was_left_out_and_counts_what_was_read():
    document = load_document(STRUCK, "returns.html")
    text = "\n".join(one.value.replace("\\", "") for one in opened(document).markdown)
    assert "5 words" in text and "1 heading, 1 paragraph" in text
    assert document.warnings and document.warnings[0] in text


def test_where_nothing_was_left_out_it_says_so():
    text = "\n".join(one.value for one in opened(load_document(b"Return within 14 days.", "returns.txt")).markdown)
    assert "Nothing was left out" in text


def test_doubtful_words_of_a_scan_are_listed():
    from dataclasses import replace

    document = load_document(b"Return within 14 days.", "returns.txt")
    word = RecognisedWord(14, 16, 1, (0.1, 0.1, 0.2, 0.2), "low score")
    scan = replace(document, recognised_pages=(1,), recognised_words=(word,))
    app = opened(scan)
    assert app.dataframe[0].value.to_dict("records") == [{"word": "14", "page": 1, "why": "low score"}]
    assert "1 page" in "\n".join(one.value for one in app.markdown)


def test_the_bot_shows_it_for_the_policy_that_answers(monkeypatch):
    app = open_bot(monkeypatch, lambda _: "unused")
    assert not any("Nothing was left out" in one for one in words(app.markdown))
    app = unfold(app, "policy_reading_report")
    assert any("Nothing was left out" in one for one in words(app.markdown))
    app.session_state["policy_reading_report"] = True
    app.selectbox(key="policy_sample").set_value("northtrail-outdoor-v2.md")
    app = unfold(click(app, "policy_load_sample"), "policy_reading_report")
    assert any("list item" in one for one in words(app.markdown))
