"""data/plain_clauses: rows, labels, and that what is kept aside shares nothing with what is trained on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from playground.annotations import read_annotations
from playground.paths import PLAIN_CLAUSES
from scenarios.contract_clauses.scenario import labels, liability_labels

FIELDS = {"id", "contract", "heading", "text", "labels", "style"}
STYLES = {"terse", "colloquial", "negated", "table", "two sentences", "uk", "us"}
TRAINED_ON, KEPT_ASIDE = ("train", "validation"), "kept-aside"
LONGEST_SHARED_RUN = 5
"""Words in a row, numbers apart: so many in common would be one sentence with another filling."""
MOST_WORDS_SHARED = 0.5
"""Jaccard index of the sets of words."""
Row = dict[str, Any]


def rows_of(*names: str) -> list[Row]:
    return [
        json.loads(line)
        for name in names
        for line in (PLAIN_CLAUSES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def words_of(text: str) -> list[str]:
    """Return the words in small letters; every number is the same word."""
    return re.findall(r"[a-z']+", re.sub(r"\d[\d.,]*", " num ", text.lower()))


def frames(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[start : start + LONGEST_SHARED_RUN]) for start in range(len(words) - LONGEST_SHARED_RUN + 1)}


def shared(trained: Sequence[str], kept: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of a trained and a kept text that have a run of words or half of their words in common."""
    found = []
    of_trained = [(text, frames(text), set(words_of(text))) for text in trained]
    for text in kept:
        own_frames, own_words = frames(text), set(words_of(text))
        for other, other_frames, other_words in of_trained:
            alike = len(own_words & other_words) / len(own_words | other_words)
            if own_frames & other_frames or alike > MOST_WORDS_SHARED:
                found.append((other, text))
    return found


def test_the_rows_are_whole() -> None:
    names = {label.name for label in labels()}
    rows = rows_of(*TRAINED_ON, KEPT_ASIDE)
    assert all(set(row) == FIELDS and row["style"] in STYLES for row in rows)
    assert all(set(row["labels"]) <= names and len(set(row["labels"])) == len(row["labels"]) for row in rows)
    assert all(row["text"] == " ".join(row["text"].split()) and row["text"] for row in rows)
    assert [text for text, n in Counter(row["text"].lower() for row in rows).items() if n > 1] == []
    assert [key for key, n in Counter(row["id"] for row in rows).items() if n > 1] == []


def test_there_are_enough_of_every_liability_and_of_clauses_without_a_label() -> None:
    every, kept = rows_of(*TRAINED_ON, KEPT_ASIDE), rows_of(KEPT_ASIDE)
    in_all, aside = (Counter(name for row in rows for name in row["labels"]) for rows in (every, kept))
    assert [name for name in liability_labels() if in_all[name] < 10 or aside[name] < 5] == []
    assert sum(bool(row["labels"]) for row in every) >= 400
    assert sum(bool(row["labels"]) for row in kept) >= 150
    assert sum(not row["labels"] for row in every) >= 80
    assert sum(not row["labels"] for row in kept) >= 40


def test_no_contract_is_in_two_files() -> None:
    contracts = [{row["contract"] for row in rows_of(name)} for name in (*TRAINED_ON, KEPT_ASIDE)]
    assert sum(map(len, contracts)) == len(set().union(*contracts))


def test_what_is_kept_aside_shares_no_sentence_with_what_is_trained_on() -> None:
    trained, kept = rows_of(*TRAINED_ON), rows_of(KEPT_ASIDE)
    assert shared([row["text"] for row in trained], [row["text"] for row in kept]) == []


def test_the_same_sentence_with_another_number_or_another_thing_is_found() -> None:
    sentence = "Late delivery of the goods costs 50 pounds a day."
    assert shared([sentence], [sentence.replace("50", "75.50")]) != []
    assert shared([sentence], ["Late delivery of the goods costs the yard nothing."]) != []
    assert shared([sentence], ["Please wipe your feet."]) == []


def test_the_files_are_read_as_annotations() -> None:
    names = [label.name for label in labels()]
    for name in (*TRAINED_ON, KEPT_ASIDE):
        path = PLAIN_CLAUSES / f"{name}.jsonl"
        read = read_annotations(path.read_bytes(), path.name, names)
        assert not read.rejected
        assert [(one.text, set(one.labels)) for one in read.examples] == [
            (row["text"], set(row["labels"])) for row in rows_of(name)
        ]
