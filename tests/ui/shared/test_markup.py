"""Words from outside stay words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from playground.ui.shared.markup import escape_html, escape_markdown, human_bytes, shortened

LINE = st.text(alphabet="ab*_`[]()<>!#:$|~\\&;-+.1= \"'", min_size=1, max_size=40).map(str.strip).filter(bool)


@given(LINE)
def test_markdown_shows_a_line_letter_for_letter(text):
    tokens = MarkdownIt("commonmark").parse(escape_markdown(text))
    inline = [token for token in tokens if token.type == "inline"]
    assert [token.type for token in tokens if token.type != "inline"] == ["paragraph_open", "paragraph_close"]
    assert {child.type for child in inline[0].children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in inline[0].children or []) == text


@pytest.mark.parametrize("live", [":material/home:", "$x$", ":red[x]", "http://example.com"])
def test_streamlit_s_own_markup_is_escaped_too(live):
    escaped = escape_markdown(live)
    assert live not in escaped
    assert escaped.replace("\\", "") == live


def test_html_is_escaped_inside_attributes_too():
    assert escape_html("<b x=\"1\" y='2'>&") == "&lt;b x=&quot;1&quot; y=&#x27;2&#x27;&gt;&amp;"


def test_a_long_text_says_how_long_it_was():
    assert shortened("x" * 50_000, 10) == "xxxxxxxxxx … (50,000 characters)"
    assert shortened("short", 10) == "short"


def test_sizes_are_readable():
    assert [human_bytes(n) for n in (12, 7_380, 92_871_040)] == ["12 B", "7.4 kB", "93 MB"]
