from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

from playground.retrieval.bm25 import build_lexical_index, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Returns, returning: returned", ["return", "return", "return"]),
        ("a 60-day window", ["60", "day", "window"]),
        ("$7.95 or 1,500.50 or 1,000,000", ["7.95", "1500.50", "1000000"]),
        ("20kg meets 20 kg", ["20", "kg", "meet", "20", "kg"]),
        ("We don\u2019t and won't", []),
        ("Größe 1\u00a0000 <b>", ["größe", "1", "000", "b"]),
        ("!!! ... ---", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_endless_word_is_bounded() -> None:
    assert [len(word) <= 40 for word in words_of("x" * 1_000_000)] == [True]


def test_scores_rank_the_text_that_shares_rare_words() -> None:
    index = build_lexical_index(["kayaks cannot be mailed", "tents can be mailed", "kayaks and tents"])
    scores, bound = index.scores("May I mail my kayak?")
    assert int(np.argmax(scores)) == 0
    assert 0 < scores[0] < bound


def test_unknown_words_raise_the_bound_and_score_nothing() -> None:
    index = build_lexical_index(["kayaks cannot be mailed", "tents can be mailed"])
    known, known_bound = index.scores("kayak")
    mixed, mixed_bound = index.scores("kayak zebra")
    np.testing.assert_array_equal(known, mixed)
    assert mixed_bound > known_bound
    scores, bound = index.scores("zebra")
    assert not scores.any()
    assert bound > 0
    assert index.scores("the of and")[1] == 0


def test_saying_a_word_twice_does_not_count_twice() -> None:
    index = build_lexical_index(["kayaks cannot be mailed", "tents can be mailed"])
    np.testing.assert_array_equal(index.scores("kayak kayak kayak")[0], index.scores("kayak")[0])


def test_no_text_beats_the_bound() -> None:
    index = build_lexical_index(["kayak " * 500, "tent", "kayak tent"])
    scores, bound = index.scores("kayak")
    assert scores.max() <= bound


@pytest.mark.parametrize("texts", [[], [""], ["the", "of"], ["", "kayak"]])
def test_texts_without_words_score_nothing(texts: list[str]) -> None:
    scores, _ = build_lexical_index(texts).scores("tent")
    assert scores.tolist() == [0.0] * len(texts)


def test_building_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handler = logging.StreamHandler()
    root.addHandler(handler)
    try:
        build_lexical_index(["kayak", "tent"]).scores("kayak")
    finally:
        root.removeHandler(handler)
    output = capfd.readouterr()
    assert output.out + output.err == ""


def test_stemming_is_safe_in_threads() -> None:
    text = " ".join(f"returning{chr(97 + i % 26)} walked{chr(97 + i // 26)}" for i in range(400))
    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(words_of(text))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [words_of(text)] * 4
