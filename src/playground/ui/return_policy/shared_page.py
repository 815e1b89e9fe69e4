"""The conversation with its policies and marks as one HTML file that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from playground.machine import utc_now
from playground.text.html_page import as_it_stands, load_templates, policy_hash
from playground.types import Block, Document
from playground.ui.return_policy.conversation import ChatTurn
from playground.ui.return_policy.highlight import MOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block of a policy as stretches of words, each with whether an answer cites it."""

    is_heading: bool
    stretches: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class ShownPolicy:
    """A policy as the file shows it; a very long one in part."""

    title: str
    paragraphs: tuple[Paragraph, ...]


def conversation_html(turns: Sequence[ChatTurn], policies: Mapping[int, Document]) -> str:
    """Return the conversation as a file: every letter of users, models and documents is escaped.

    Args:
        turns: in order.
        policies: the documents by the version that the turns name; those that no turn was asked about are left out.
    """
    templates = load_templates(__package__)
    style = templates.get_template("conversation.css").render()
    asked = {turn.stamp.version for turn in turns}
    shown = [(number, _shown(policies[number], turns, number)) for number in sorted(policies) if number in asked]
    return templates.get_template("conversation.html").render(
        title=turns[-1].stamp.policy if turns else "a return policy",
        allowed=policy_hash(style),
        style=as_it_stands(style),
        saved_at=utc_now(),
        turns=turns,
        policies=shown,
    )


def _shown(document: Document, turns: Sequence[ChatTurn], version: int) -> ShownPolicy:
    answers = [turn.answer for turn in turns if turn.answer and turn.stamp.version == version]
    cited = sorted((c.start, c.end) for answer in answers for c in answer.citations if c.document_id == document.id)
    blocks = document.blocks or (Block("paragraph", 0, len(document.text)),)
    paragraphs = tuple(
        Paragraph(block.kind == "heading", tuple(_stretches(document.text, block.start, block.end, cited)))
        for block in blocks
        if block.start < MOST_CHARACTERS
    )
    return ShownPolicy(document.title, paragraphs)


def _stretches(text: str, start: int, end: int, cited: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    position, end = start, min(end, start + MOST_CHARACTERS)
    for first, last in cited:
        first, last = max(first, position), min(last, end)  # noqa: PLW2901 - the part that lies in this block
        if first < last:
            yield text[position:first], False
            yield text[first:last], True
            position = last
    yield text[position:end], False
