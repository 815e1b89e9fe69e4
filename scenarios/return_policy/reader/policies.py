"""Invented policies: fact cards put together as one shop's document, and where each card's statement stands in it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from playground.documents import load_generated
from playground.types import Document
from scenarios.return_policy.reader.cards import OUTSIDE, Card, DrawnCard, draw_card
from scenarios.return_policy.reader.slots import draw_style

_FEWEST_CARDS, _MOST_CARDS = 6, 15
_FILLER_SHARE = 0.35
_INJECTED_SHARE = 0.12
"""Of the policies, those that have an instruction to the model hidden in them; the answers do not follow it."""

KINDRED: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "return_window window_category window_member holiday late gift sale_items start_of_period preorder return_by",
        "exclusions hygiene custom_goods opened worn condition perishables digital used_device sale_items bundle "
        "packaging recall hire installation sent_anyway free_gift",
        "label_cost who_pays pickup dropoff store_return international delivery_cost parcel_size label_validity "
        "how_to_start restocking_fee",
        "refund_time refund_method inspection store_credit credit_bonus credit_expiry instalments deposit no_receipt "
        "payment_methods",
        "damaged wrong_item missing_parts warranty repair lost_parcel inspection",
        "proof no_receipt gift how_to_start contact hours",
        "cancel_order subscription hire preorder deposit late",
        "loyalty window_member credit_bonus price_match",
        "restocking_fee packaging condition worn opened deposit",
        "exchange refund_method store_credit gift",
        "delivery_time delivery_cost lost_parcel pickup minimum_order group_orders",
        "marketplace business international group_orders",
        "data_wipe used_device repair warranty",
    )
)
"""Topics that may answer each other's questions: none of them is taken for missing while another is at hand."""


@dataclass(frozen=True, slots=True)
class Place:
    """A card and where its statement stands in the document's text."""

    drawn: DrawnCard
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class InventedPolicy:
    """A document and the cards it was made from."""

    document: Document
    places: tuple[Place, ...]


@lru_cache(maxsize=1)
def outside() -> Mapping[str, Any]:
    """Return shops, introductions, fillers, injections, openers and questions that no policy answers."""
    rows: Mapping[str, Any] = json.loads(OUTSIDE.read_text(encoding="utf-8"))
    return rows


def kindred_of(topic: str) -> frozenset[str]:
    """Return the topics that might answer a question about ``topic``, itself included."""
    return frozenset({topic}).union(*(group for group in KINDRED if topic in group))


def invent_policy(cards: Sequence[Card], generator: random.Random, *, count: int | None = None) -> InventedPolicy:
    """Draw cards of different topics, ``count`` or 6 to 15, and write them down as one shop's policy."""
    style = draw_style(generator)
    count = generator.randint(_FEWEST_CARDS, _MOST_CARDS) if count is None else count
    chosen: dict[str, Card] = {}
    for card in generator.sample(cards, min(len(cards), 4 * count)):
        if len(chosen) < count:
            chosen.setdefault(card.topic, card)
    drawn = [draw_card(card, generator, style) for card in chosen.values()]
    shop = generator.choice(outside()["shops"])
    text = _written(drawn, shop, generator)
    document = load_generated(text, f"{shop['name']} policy")
    return InventedPolicy(document, _places(document.text, drawn))


def _written(drawn: Sequence[DrawnCard], shop: Mapping[str, str], generator: random.Random) -> str:
    extra = outside()
    numbered, deep = generator.random() < 0.3, generator.random() < 0.25
    title = generator.choice(("{} returns", "{}: Returns and refunds", "Terms of return, {}", "{} help centre", "{}"))
    lines = [f"# {title.format(shop['name'])}", ""]
    if generator.random() < 0.7:
        intro = generator.choice(extra["intros"])
        lines += [intro.replace("{shop}", shop["name"]).replace("{kind}", shop["kind"]), ""]
    hidden = generator.randrange(len(drawn)) if generator.random() < _INJECTED_SHARE else -1
    for number, card in enumerate(drawn, start=1):
        # Without a heading of its own a rule stands under the one before it, as in many a real policy.
        if number == 1 or generator.random() < 0.8:
            if deep and generator.random() < 0.3:
                lines += [f"## {generator.choice(extra['headings'])}", ""]
            heading = re.sub(r"^\d+(?:\.\d+)*\.?\s*", "", card.heading)
            lines += [f"{'###' if deep else '##'} {f'{number}. ' if numbered else ''}{heading}", ""]
        pieces = [card.statement]
        if generator.random() < _FILLER_SHARE:
            pieces.insert(generator.randint(0, 1), generator.choice(extra["fillers"]))
        if number - 1 == hidden:
            pieces.insert(generator.randint(0, len(pieces)), generator.choice(extra["injections"]))
        lines += [line for piece in pieces for line in (piece, "")]
    return "\n".join(lines)


def _places(text: str, drawn: Sequence[DrawnCard]) -> tuple[Place, ...]:
    """Find the statements in the text that was read back, whatever became of white space and markup on the way."""
    offsets = [at for at, character in enumerate(text) if character.isalnum()]
    letters = "".join(text[at] for at in offsets)
    places = []
    for card in drawn:
        wanted = "".join(character for character in card.statement if character.isalnum())
        at = letters.find(wanted)
        if at >= 0:
            places.append(Place(card, offsets[at], offsets[at + len(wanted) - 1] + 1))
    return tuple(places)
