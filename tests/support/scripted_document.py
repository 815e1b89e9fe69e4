"""Documents for tests, from lines: "# Heading", "- item", "| row", or a paragraph."""

from __future__ import annotations

import hashlib

from playground.types import Block, BlockKind, Document

_MARKS: dict[str, BlockKind] = {"#": "heading", "-": "list_item", "|": "table_row"}


def scripted_document(*lines: str, source: str = "policy.md") -> Document:
    blocks = []
    start = 0
    for line in lines:
        kind = _MARKS.get(line[:1], "paragraph")
        level = len(line) - len(line.lstrip("#"))
        blocks.append(Block(kind, start, start + len(line), level))
        start += len(line) + 2
    text = "\n\n".join(lines)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Document(digest[:16], lines[0].strip("# "), text, source, digest, tuple(blocks))
