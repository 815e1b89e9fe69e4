"""SQuAD v2 paragraphs as passages: general reading and refusing beside the invented policies.

Rajpurkar, Jia and Liang, 2018, "Know What You Don't Know" (arXiv 1806.03822), CC BY-SA 4.0. Its text is not in this
project.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from playground.errors import TrainingError
from playground.files import read_file
from playground.models.completion_codec import PromptCompletion
from playground.types import Chunk, Passage
from scenarios.return_policy.reader.examples import I_DO_NOT_KNOW, reader_messages

_QUESTIONS_PER_PARAGRAPH = 10
_LONGEST_PARAGRAPH = 1_400
_SECOND_PARAGRAPH_SHARE = 0.25


HELD_OUT_ARTICLES = 2
"""The last ones of a file: never trained on, so that reading can be measured on articles that were not seen."""


def squad_examples(path: Path, seed: int, *, held_out: bool = False) -> Iterator[tuple[PromptCompletion, ...]]:
    """Yield the questions of one paragraph after the other, in an order drawn by ``seed``.

    ``held_out``: those of the articles kept aside instead of those to train on.

    Raises:
        TrainingError: the file is not in the layout of SQuAD v2.
    """
    generator = random.Random(seed)
    try:
        articles = json.loads(read_file(path))["data"]
        articles = articles[-HELD_OUT_ARTICLES:] if held_out else articles[:-HELD_OUT_ARTICLES]
        paragraphs = [(article, number) for article in articles for number in range(len(article["paragraphs"]))]
        generator.shuffle(paragraphs)
        for article, number in paragraphs:
            questions = _questions(article["paragraphs"][number], generator)
            passages = _passages(article, number, generator)
            if questions and passages:
                yield tuple(
                    PromptCompletion(reader_messages(question, passages), answer) for question, answer in questions
                )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise TrainingError(f"{path.name} is not in the layout of SQuAD v2 ({error!r}). Give another file.") from error


def check_squad(path: Path) -> None:
    """Check before a training that the file can be read and holds paragraphs to train on.

    Raises:
        TrainingError: it cannot be read, is not in the layout of SQuAD v2, or has no paragraph to train on.
    """
    if next(squad_examples(path, 0), None) is None:
        raise TrainingError(
            f"{path.name} has nothing to train on: the last {HELD_OUT_ARTICLES} articles are kept aside, and no other "
            "has a short paragraph with questions. Give another file."
        )


def _questions(paragraph: Mapping[str, Any], generator: random.Random) -> list[tuple[str, str]]:
    rows = generator.sample(paragraph["qas"], min(_QUESTIONS_PER_PARAGRAPH, len(paragraph["qas"])))
    return [(" ".join(row["question"].split()), _answer(row)) for row in rows]


def _answer(row: Mapping[str, Any]) -> str:
    """Return the shortest annotated span as a sentence of its own, or the words of not knowing."""
    if row.get("is_impossible") or not row["answers"]:
        return I_DO_NOT_KNOW
    span = " ".join(min((answer["text"] for answer in row["answers"]), key=len).split()).rstrip(".")
    return f"{span[:1].upper()}{span[1:]}."


def _passages(article: Mapping[str, Any], number: int, generator: random.Random) -> Sequence[Passage]:
    """Return the paragraph, now and then with another one of the article beside it."""
    texts = [article["paragraphs"][number]["context"]]
    if len(texts[0]) > _LONGEST_PARAGRAPH:
        return ()
    if generator.random() < _SECOND_PARAGRAPH_SHARE:
        other = generator.choice(article["paragraphs"])["context"]
        if other != texts[0] and len(other) + len(texts[0]) < _LONGEST_PARAGRAPH:
            texts.insert(generator.randint(0, 1), other)
    heading = (article["title"].replace("_", " "),)
    return [
        Passage(Chunk(f"{number}-{rank}", article["title"], text, 0, len(text), heading), 1.0, rank)
        for rank, text in enumerate(texts, start=1)
    ]
