"""Fact cards: written statements with slots, the questions they answer, and near misses that they do not answer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from playground.errors import TrainingError
from playground.typed_json import fault, typed_json
from scenarios.return_policy.reader.slots import Drawn, WritingStyle, draw_slots, fill

FOLDER = Path(__file__).parent
CARDS = FOLDER / "cards"
OUTSIDE = FOLDER / "outside.json"

AskType = Literal["fact", "yes", "no", "calc", "list"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that a card's statements answer, in several wordings, with the answers that count as right."""

    type: AskType
    questions: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A question on a card's subject that it does not answer; a card of a topic in ``unless`` might."""

    questions: tuple[str, ...]
    unless: frozenset[str]


@dataclass(frozen=True, slots=True)
class Card:
    """One rule of a policy in several wordings. Every statement answers every ask, and none of the near misses."""

    id: str
    topic: str
    headings: tuple[str, ...]
    slots: Mapping[str, Any]
    statements: tuple[str, ...]
    asks: tuple[Ask, ...]
    near: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True)
class DrawnCard:
    """A card with its slots filled: one heading, one statement, and the values for its questions."""

    card: Card
    heading: str
    statement: str
    values: Mapping[str, Drawn]


def draw_card(card: Card, generator: random.Random, style: WritingStyle) -> DrawnCard:
    """Draw the slots of ``card`` and choose one of its wordings."""
    values = draw_slots(card.slots, generator, style)
    return DrawnCard(
        card, fill(generator.choice(card.headings), values), fill(generator.choice(card.statements), values), values
    )


def read_cards(path: Path) -> tuple[Card, ...]:
    """Read the cards of a file of JSON lines.

    Raises:
        TrainingError: a line is no card; the message names line and reason.
    """
    cards = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            cards.append(_card(typed_json(_CardRow, line, only_known=True)))
        except ValueError as error:
            raise TrainingError(f"Line {number} of {path.name} is no card ({fault(error)}). Correct it.") from error
    return tuple(cards)


@lru_cache(maxsize=1)
def all_cards() -> tuple[Card, ...]:
    """Return the project's cards, in the order of their files."""
    return tuple(card for path in sorted(CARDS.glob("*.jsonl")) for card in read_cards(path))


@dataclass(frozen=True, slots=True)
class _AskRow:
    """An ask as a file has it."""

    type: AskType
    q: tuple[str, ...]
    a: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _MissRow:
    """A near miss as a file has it."""

    q: tuple[str, ...]
    unless: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _CardRow:
    """A card as a file has it."""

    id: str
    topic: str
    headings: tuple[str, ...]
    statements: tuple[str, ...]
    asks: tuple[_AskRow, ...]
    slots: dict[str, Any] = field(default_factory=dict)
    near: tuple[_MissRow, ...] = ()


def _card(row: _CardRow) -> Card:
    return Card(
        id=row.id,
        topic=row.topic,
        headings=row.headings,
        slots=row.slots,
        statements=row.statements,
        asks=tuple(Ask(ask.type, ask.q, ask.a) for ask in row.asks),
        near=tuple(NearMiss(miss.q, miss.unless) for miss in row.near),
    )
