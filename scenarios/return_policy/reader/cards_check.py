"""Check fact cards and print what they generate, for the eye.

python -m scenarios.return_policy.reader.cards_check scenarios/return_policy/reader/cards/money.jsonl --samples 2
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

from playground.errors import TrainingError
from scenarios.return_policy.reader.cards import Card, draw_card, read_cards
from scenarios.return_policy.reader.slots import draw_style, fill

_MOST_ANSWER_WORDS = 45


def problems_of(card: Card, generator: random.Random) -> list[str]:
    """Return what is wrong with a card, in sentences; every wording is drawn and filled once."""
    found = []
    style = draw_style(generator)
    try:
        drawn = draw_card(card, generator, style)
        texts = [*card.headings, *card.statements]
        texts += [text for ask in card.asks for text in (*ask.questions, *ask.answers)]
        texts += [text for miss in card.near for text in miss.questions]
        for text in texts:
            if re.search(r"[{}]", fill(text, drawn.values)):
                found.append(f"a brace is left in: {text[:80]}")
    except TrainingError as error:
        return [str(error)]
    for ask in card.asks:
        for answer in ask.answers:
            first = answer.split(maxsplit=1)[0].strip(",.").lower()
            if ask.type in ("yes", "no") and first != ask.type:
                found.append(f"a {ask.type} answer begins otherwise: {answer[:80]}")
            if len(answer.split()) > _MOST_ANSWER_WORDS:
                found.append(f"an answer is long: {answer[:80]}")
    if not (card.statements and card.asks and card.headings):
        found.append("it has no statement, ask or heading")
    return found


def main() -> None:
    """Check the cards of the files and print samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--id")
    arguments = parser.parse_args()
    generator = random.Random()
    for path in arguments.files:
        cards = read_cards(path)
        wrong = 0
        for card in cards:
            if arguments.id not in (None, card.id):
                continue
            for problem in {problem for _ in range(20) for problem in problems_of(card, generator)}:
                wrong += 1
                print(f"PROBLEM {card.id}: {problem}")
            for _ in range(arguments.samples):
                try:
                    _print_sample(card, generator)
                except TrainingError:
                    break
        asks, near = sum(len(card.asks) for card in cards), sum(len(card.near) for card in cards)
        print(f"{path.name}: {len(cards)} cards, {asks} asks, {near} near misses, {wrong} problems")


def _print_sample(card: Card, generator: random.Random) -> None:
    drawn = draw_card(card, generator, draw_style(generator))
    print(f"--- {card.id} ({card.topic}) [{drawn.heading}]\n{drawn.statement}")
    for ask in card.asks:
        question, answer = (fill(generator.choice(texts), drawn.values) for texts in (ask.questions, ask.answers))
        print(f"  Q {question}\n  A {answer}")
    for miss in card.near:
        print(f"  ? {fill(generator.choice(miss.questions), drawn.values)}")


if __name__ == "__main__":
    main()
