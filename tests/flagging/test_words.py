"""The words of a clause say something about its labels, survive storing, and are added to the encoder's view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playground.annotations.gold import gold_matrix
from playground.errors import AdapterError
from playground.flagging.baselines import fit_tfidf
from playground.flagging.calibration import Calibration
from playground.flagging.head import ClauseHead, load_head, save_head
from playground.flagging.words import BUCKETS, ClauseWords, fit_words, words_from, words_tensors
from playground.types import AnnotatedClause

LABELS = ("Insurance", "Audit Rights", "Most Favored Nation")
SUBJECTS = {
    "Insurance": ("maintain insurance cover of", "keep a liability policy with an insurer for"),
    "Audit Rights": ("inspect the books and records of", "audit the accounts of"),
    "": ("send notices to", "agree the colour of"),
}


def clauses(start: int, count: int) -> tuple[AnnotatedClause, ...]:
    found = []
    for number in range(start, start + count):
        label, phrases = list(SUBJECTS.items())[number % 3]
        text = f"Party {number} shall {phrases[number % 2]} warehouse {number}."
        found.append(
            AnnotatedClause(id=f"c{number}", contract="c", text=text, labels=(label,) if label else (), heading="Duty")
        )
    return tuple(found)


TRAIN, OTHERS = clauses(0, 60), clauses(200, 30)


@pytest.fixture(scope="module")
def words() -> ClauseWords:
    return fit_words(TRAIN, gold_matrix(TRAIN, LABELS))


def test_labels_of_clauses_never_seen_rank_first(words: ClauseWords) -> None:
    log_odds, gold = words.log_odds(OTHERS), gold_matrix(OTHERS, LABELS)
    assert log_odds.shape == (30, 3)
    for column in (0, 1):
        assert log_odds[gold[:, column], column].min() > log_odds[~gold[:, column], column].max()


def test_a_label_without_an_example_is_undecided(words: ClauseWords) -> None:
    assert not words.log_odds(OTHERS)[:, 2].any()


def test_the_log_odds_are_those_of_the_layer_by_hand(words: ClauseWords) -> None:
    """Against scikit-learn's own TF-IDF with a vocabulary: hashing and pruning change little on so few words."""
    probabilities = fit_tfidf(TRAIN, LABELS).probabilities(OTHERS)[:, :2]
    ours = 1 / (1 + np.exp(-words.log_odds(OTHERS)[:, :2]))
    assert np.abs(ours - probabilities).max() < 0.15
    assert ((ours > 0.5) == (probabilities > 0.5)).all()


def test_pruning_keeps_the_weights_that_matter() -> None:
    few = fit_words(TRAIN, gold_matrix(TRAIN, LABELS), weights_per_label=40)
    assert np.bincount(few.columns, minlength=3).tolist() == [40, 40, 0]
    gold = gold_matrix(OTHERS, LABELS)
    log_odds = few.log_odds(OTHERS)
    assert log_odds[gold[:, 0], 0].min() > log_odds[~gold[:, 0], 0].max()


def test_no_clause_at_all(words: ClauseWords) -> None:
    assert words.log_odds(()).shape == (0, 3)


def test_scaling_is_linear(words: ClauseWords) -> None:
    factors, shifts = np.array([2.0, 0.5, 1.0]), np.array([1.0, 0.0, -3.0])
    scaled = words.scaled(factors, shifts).log_odds(OTHERS)
    np.testing.assert_allclose(scaled, words.log_odds(OTHERS) * factors + shifts, rtol=1e-4, atol=1e-4)


def head(words: ClauseWords | None) -> ClauseHead:
    return ClauseHead(
        LABELS, np.ones((3, 4), np.float32), np.zeros(3, np.float32), Calibration((1.0,) * 3, (0.0,) * 3),
        np.full(3, 0.5, np.float32), 0, words,
    )  # fmt: skip


def test_a_head_with_words_is_read_as_it_was_written(tmp_path: Path, words: ClauseWords) -> None:
    save_head(head(words), tmp_path)
    read = load_head(tmp_path).words
    assert read is not None
    np.testing.assert_allclose(read.log_odds(OTHERS), words.log_odds(OTHERS), atol=0.01)
    save_head(head(None), tmp_path)
    assert load_head(tmp_path).words is None


@pytest.mark.parametrize(
    "changes",
    [
        {"words_idf": np.zeros(7, np.float16)},
        {"words_intercepts": np.zeros(2, np.float32)},
        {"words_values": np.zeros(1, np.float16)},
        {"words_buckets": np.array([BUCKETS], np.int32), "words_columns": np.zeros(1, np.uint8),
         "words_values": np.ones(1, np.float16)},
        {"words_buckets": np.array([-1], np.int32), "words_columns": np.zeros(1, np.uint8),
         "words_values": np.ones(1, np.float16)},
        {"words_buckets": np.array([0], np.int32), "words_columns": np.array([3], np.uint8),
         "words_values": np.ones(1, np.float16)},
        {"words_buckets": np.array([0], np.int32), "words_columns": np.array([0], np.uint8),
         "words_values": np.array([np.inf], np.float16)},
    ],
)  # fmt: skip
def test_words_that_do_not_fit_are_refused(words: ClauseWords, changes: Mapping[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="word weight"):
        words_from(words_tensors(words) | changes, len(LABELS))


def test_a_missing_part_is_refused_in_a_sentence(tmp_path: Path, words: ClauseWords) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    save_head(head(words), tmp_path)
    path = tmp_path / "head.safetensors"
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del tensors["words_idf"]
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(AdapterError, match="parts of its word weights are missing"):
        load_head(tmp_path)


def test_the_shipped_flagger_adds_its_words(minilm: Path) -> None:
    """What it says with its words is what it says without them, plus theirs."""
    from playground.flagging.encoder import load_clause_encoder
    from playground.paths import SHIPPED_ADAPTERS

    folder = SHIPPED_ADAPTERS / "cuad-minilm"
    encoder = load_clause_encoder(minilm, folder, model_id="minilm", adapter="cuad-minilm", threads=1)
    words = encoder.head.words
    assert words is not None
    together = encoder.logits(OTHERS)
    encoder.head = replace(encoder.head, words=None)
    np.testing.assert_allclose(together, encoder.logits(OTHERS) + words.log_odds(OTHERS), atol=1e-4)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 15_000_000
