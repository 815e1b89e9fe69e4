"""Misspelt words are mended where they hide a word of the text, and nothing else is touched."""

from __future__ import annotations

import json
import re

import pytest

from playground.paths import ROOT
from playground.text.spelling import mend_spelling
from tests.support.fakes_rag import QUESTIONS, policy, read_rows

NORTHTRAIL = set(re.findall(r"[^\W\d_]+", policy("northtrail-outdoor-v1.md").text.lower()))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how lnog do i have to retrun a jaket", "how long do i have to return a jacket"),
        ("What is the restoking fee for kayaks?", "What is the restocking fee for kayaks?"),
        ("can i excahnge my boots", "can i exchange my boots"),
        ("whats the waranty on tents", "whats the warranty on tents"),
    ],
)
def test_a_misspelling_is_mended(typed: str, meant: str) -> None:
    assert mend_spelling(typed, NORTHTRAIL | {"jacket"}) == meant


@pytest.mark.parametrize(
    "question",
    [
        "I havent used it, refund?",  # "have" would turn it round
        "Do you sell Garmin and Patagonia?",
        "Can I return my BOA shoes from REI?",
        "xqzzy wvutt?",
        "order NT12345, 7 kg",
        "",
    ],
)
def test_names_numbers_and_contractions_stay(question: str) -> None:
    assert mend_spelling(question, NORTHTRAIL) == question


def test_of_the_questions_that_are_measured_only_misspellings_change() -> None:
    changed = {
        (typed, meant)
        for row in read_rows(QUESTIONS)
        if (typed := row["question"]) != (meant := mend_spelling(typed, policy_words(row["policy"])))
    }
    assert changed == set()
    suggested = json.loads((ROOT / "scenarios" / "return_policy" / "suggested.json").read_text(encoding="utf-8"))
    for name, rows in suggested.items():
        assert all(mend_spelling(row["question"], policy_words(name)) == row["question"] for row in rows)


def policy_words(name: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", policy(name).text.lower()))
