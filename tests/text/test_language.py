"""The language of a question and of a policy is told by their function words, English by default."""

from __future__ import annotations

import pytest

from playground.text.language import language_of
from tests.support.fakes_rag import QUESTIONS, read_rows


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie lange habe ich Zeit für die Rückgabe?", "German"),
        ("Was kostet das?", "German"),
        ("Combien de temps pour retourner un article ?", "French"),
        ("¿Cuánto tiempo tengo para devolver algo?", "Spanish"),
        ("Quanto costa il reso?", "Italian"),
        ("Hoe lang mag ik iets retourneren?", "Dutch"),
        ("返品できますか", "Japanese"),
        ("Можно вернуть товар?", "Russian or another language in Cyrillic"),
        ("how lnog do i hav to retrun a jaket", "English"),
        ("refund?", "English"),
        ("12 €", "English"),
        ("", "English"),
        ("Was the die cut in the den or in a van?", "English"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_every_question_of_the_set_is_english() -> None:
    assert {language_of(row["question"]) for row in read_rows(QUESTIONS)} == {"English"}
