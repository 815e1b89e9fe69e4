"""What the tests of documents ask of every document, whatever its format."""

from __future__ import annotations

import pytest

from playground.documents import POLICY_LIMITS, Limits, load_document
from playground.errors import DocumentError
from playground.text.normalise import normalise_text
from playground.types import Document


def assert_sound(document: Document) -> None:
    """Blocks are in order, do not overlap, and cover everything but white space; the text is normalised."""
    end = 0
    for block in document.blocks:
        assert end <= block.start < block.end <= len(document.text)
        assert not document.text[end : block.start].strip()
        content = document.text[block.start : block.end]
        assert content == content.strip()
        assert (block.level > 0) == (block.kind == "heading")
        end = block.end
    assert not document.text[end:].strip()
    assert normalise_text(document.text) == document.text
    assert list(document.page_starts) == sorted(document.page_starts)


def refusal(data: bytes, name: str, limits: Limits = POLICY_LIMITS) -> str:
    """Return the sentence with which a file is refused."""
    with pytest.raises(DocumentError) as caught:
        load_document(data, name, limits=limits)
    message = str(caught.value)
    assert message.endswith(".")
    assert "Traceback" not in message
    return message


def outline(document: Document) -> list[tuple[str, int, str]]:
    """Return (kind, level, text) of every block."""
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]
