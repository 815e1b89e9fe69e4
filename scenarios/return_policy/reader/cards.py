"""Fact cards: written statements with slots, the questions they answer, and near misses that they do not answer."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from playground.errors import TrainingError
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
            cards.append(_card(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"Line {number} of {path.name} is no card ({error!r}). Correct it.") from error
    return tuple(cards)


@lru_cache(maxsize=1)
def all_cards() -> tuple[Card, ...]:
    """Return the project's cards, in the order of their files."""
    return tuple(card for path in sorted(CARDS.glob("*.jsonl")) for card in read_cards(path))


def _card(row: Mapping[str, Any]) -> Card:
    asks = tuple(Ask(ask["type"], tuple(ask["q"]), tuple(ask["a"])) for ask in row["asks"])
    for ask in asks:
        if ask.type not in get_args(AskType):
            raise ValueError(f"ask type {ask.type}")
    near = tuple(NearMiss(tuple(miss["q"]), frozenset(miss.get("unless", ()))) for miss in row.get("near", ()))
    return Card(
        id=row["id"],
        topic=row["topic"],
        headings=tuple(row["headings"]),
        slots=row.get("slots", {}),
        statements=tuple(row["statements"]),
        asks=asks,
        near=near,
    )
