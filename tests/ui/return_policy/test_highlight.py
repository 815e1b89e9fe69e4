"""Marks lie exactly on what is cited, and no character of a document is markup."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from playground.documents import load_pasted
from playground.documents.diff import DiffLine, DiffSpan, placed_changes
from playground.types import Block, Chunk, Citation, Document, Passage
from playground.ui.return_policy.highlight import MOST_CHARACTERS, diff_html, document_html

TAG = re.compile(r"<[^>]*>")


def document(text, *blocks):
    return Document("d", "t", text, "t.md", "0" * 64, tuple(blocks))


def citation(start, end, document_id="d"):
    return Citation(document_id, "t.md", start, end, "", 1.0, 1)


def marks(page):
    return [html.unescape(TAG.sub("", m)) for m in re.findall(r'<mark class="citation">(.*?)</mark>', page, re.DOTALL)]


def test_a_citation_over_two_blocks_is_marked_in_both():
    policy = document("One two.\n\nThree four.", Block("paragraph", 0, 8), Block("paragraph", 10, 21))
    assert marks(document_html(policy, [citation(4, 15)])) == ["two.", "Three"]


def test_overlapping_citations_are_one_mark():
    policy = document("abcdefghij")
    assert marks(document_html(policy, [citation(4, 8), citation(2, 6)])) == ["cdefgh"]


def test_citations_of_another_document_are_not_marked():
    assert marks(document_html(document("abcdefghij"), [citation(2, 6, "other")])) == []


def test_the_passages_given_to_the_model_are_tinted():
    policy = document("One.\n\nTwo.", Block("paragraph", 0, 4), Block("paragraph", 6, 10))
    chunk = Chunk("c", "d", "Two.", 6, 10)
    page = document_html(policy, passages=[Passage(chunk, 1.0, 1)])
    assert re.findall(r'class="([^"]*retrieved[^"]*)">([^<]*)', page) == [("policy-text retrieved", "Two.")]


def test_a_heading_loses_its_markers_and_nothing_else():
    policy = document("## Window ##1", Block("heading", 0, 13, level=2))
    assert TAG.sub("", document_html(policy)) == "Window ##1"


@given(st.text(alphabet="ab<>&\"'*/=! \n", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_every_character_is_escaped_and_kept(text, start, end):
    page = document_html(document(text), [citation(min(start, end, len(text)), min(max(start, end), len(text)))])
    assert html.unescape(TAG.sub("", page)) == text
    assert set(TAG.findall(page)) <= {
        '<div class="policy">',
        '<div role="region" aria-label="The policy text" tabindex="0">',
        '<div class="policy-text">',
        "</div>",
        '<mark class="citation">',
        "</mark>",
        '<span class="markdown-marker">',
        "</span>",
    }


def test_a_huge_document_is_shown_around_what_is_cited():
    words = "word " * 10
    count = 3 * MOST_CHARACTERS // len(words)
    blocks = [Block("paragraph", i * len(words), (i + 1) * len(words) - 1) for i in range(count)]
    policy = document(words * count, *blocks)
    last = blocks[-1]
    page = document_html(policy, [citation(last.start, last.end)])
    assert marks(page) == [words.strip()]
    assert len(page) < 3 * MOST_CHARACTERS
    assert "are shown" in page


def test_a_huge_document_without_blocks_is_cut():
    assert len(document_html(document("x" * 2_000_000))) < 2 * MOST_CHARACTERS


def test_a_comparison_marks_words_and_escapes_them():
    lines = [
        DiffLine("changed", (DiffSpan("a "), DiffSpan("<60>", True)), (DiffSpan("a "), DiffSpan("<45>", True))),
        DiffLine("removed", old=(DiffSpan("<gone>", True),)),
        DiffLine("same", note="3 unchanged lines"),
    ]
    page = diff_html(lines)
    assert "<del>&lt;60&gt;</del>" in page
    assert "<ins>&lt;45&gt;</ins>" in page
    assert '<div class="diff-old">&lt;gone&gt;</div>' in page
    assert "3 unchanged lines" in page


def test_what_changed_is_shown_in_its_place_inside_the_mark_too():
    old = load_pasted(
        "# Window\n\nYou have 60 <days>.\n\nGone.\n\nShoes: 21 days.\n\nSame.\n\nSame too.\n\nAnd this.\n", "p.md"
    )
    new = load_pasted(
        "# Window\n\nYou have 45 <days>.\n\nShoes: 21 days. New.\n\nSame.\n\nSame too.\n\nAnd this.\n", "p.md"
    )
    changes = placed_changes(old, new)
    start = new.text.index("You have")
    page = document_html(new, [replace(citation(start, start + 19), document_id=new.id)], (), changes, focus=start)
    assert '<mark class="citation">You have <del>60</del><ins>45</ins> &lt;days&gt;.</mark><del> Gone.</del>' in page
    assert "Shoes: 21 days.<ins> New.</ins>" in page
    assert page.count("policy-focus") == 1
    # Without the tags and what was there before, every character of the document is there once.
    plain = re.sub(r"<[^>]*>", "", re.sub(r"<del>.*?</del>", "", page))
    shown = "".join(plain.split())
    assert shown == "".join(new.text.replace("# ", "").replace("<", "&lt;").replace(">", "&gt;").split())


def test_two_documents_are_not_two_versions():
    assert placed_changes(load_pasted("One.\n\nTwo.\n", "a.md"), load_pasted("Three.\n\nFour.\n", "b.md")) == ()


def test_headings_are_headings_for_who_hears_the_page_and_their_levels_have_no_gap():
    text = "Returns\nWindow\nDetails\nRefunds"
    spans = [(0, 7, 1), (8, 14, 3), (15, 22, 4), (23, 30, 2)]
    policy = document(text, *(Block("heading", start, end, level) for start, end, level in spans))
    found = re.findall(r'role="heading" aria-level="(\d)">(\w+)<', document_html(policy))
    assert found == [("2", "Returns"), ("3", "Window"), ("4", "Details"), ("3", "Refunds")]
    assert 'role="heading"' not in document_html(document("No headings here."))
