"""Against cases worked by hand and against the paper's rules applied threshold by threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import EvaluationError
from playground.measuring.cuad_metric import (
    LEFT_OUT,
    MOST_SPANS,
    PAPER_THRESHOLDS,
    Gold,
    Predictions,
    cuad_curve,
    cuad_intervals,
    predicted_spans,
    word_jaccard,
)
from playground.types import Clause

CAP = "Liability of either party is limited to the fees paid."
RENT = "Rent rises by two per cent a year."

# Few words, so that texts match partly, wholly and not at all.
TEXTS = st.lists(st.sampled_from("fee cap Fee, audit/term; rent".split()), min_size=1, max_size=4).map(" ".join)
SCORES = st.sampled_from([0.0, 0.005, 0.1, 0.25, 0.5, 0.5, 0.75, 0.995, 1.0])
LABELS = ("Insurance", "Audit Rights")
CONTRACT = st.tuples(
    st.dictionaries(st.sampled_from(LABELS), st.lists(TEXTS, max_size=3)),
    st.dictionaries(st.sampled_from(LABELS), st.lists(st.tuples(TEXTS, SCORES), max_size=4)),
)


def naive_jaccard(first: str, second: str) -> float:
    sets = []
    for text in (first, second):
        kept = "".join(character for character in text if character not in ".,;:")
        sets.append(set(kept.lower().replace("/", " ").split()))
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def naive_counts(gold: Gold, predictions: Predictions, kept: Sequence[Sequence[str]]) -> tuple[int, int, int]:
    """Return true positives, false positives and false negatives of the predictions whose text is kept."""
    true = wrong = missed = 0
    for answers, predicted, texts in zip(gold, predictions, kept, strict=True):
        for label in LABELS:
            spans = {text for text, _ in predicted.get(label, ())} & {t.split("|")[1] for t in texts if label in t}
            for answer in answers.get(label, ()):
                found = any(naive_jaccard(answer, span) >= 0.5 for span in spans)
                true, missed = true + found, missed + (not found)
            for span in spans:
                wrong += not any(naive_jaccard(answer, span) >= 0.5 for answer in answers.get(label, ()))
    return true, wrong, missed


def naive_figures(
    gold: Gold, predictions: Predictions, thresholds: Sequence[float], *, above: bool
) -> tuple[float, float]:
    """Return AUPR and precision at 80 % recall by going through the thresholds one after the other."""
    recalls, precisions = [0.0], [1.0]
    for threshold in sorted(thresholds, reverse=True):
        kept = []
        for predicted in predictions:
            best: dict[str, float] = {}
            for label, spans in predicted.items():
                for text, score in spans:
                    best[f"{label}|{text}"] = max(score, best.get(f"{label}|{text}", 0.0))
            kept.append([k for k, score in best.items() if (score > threshold if above else score >= threshold)])
        true, wrong, missed = naive_counts(gold, predictions, kept)
        recalls.append(true / (true + missed))
        precisions.append(true / (true + wrong) if true + wrong else 0.0)
    for position in reversed(range(len(precisions) - 1)):
        precisions[position] = max(precisions[position], precisions[position + 1])
    area = sum((recalls[i + 1] - recalls[i]) * (precisions[i + 1] + precisions[i]) / 2 for i in range(len(recalls) - 1))
    reached = [p for p, r in zip(precisions, recalls, strict=True) if r >= 0.8]
    return area, reached[0] if reached else 0.0


def distinct_scores(predictions: Predictions) -> list[float]:
    """Return the scores at which the set of predictions changes: of equal texts only the best counts."""
    best: dict[tuple[int, str, str], float] = {}
    for number, predicted in enumerate(predictions):
        for label, spans in predicted.items():
            for text, score in spans:
                best[number, label, text] = max(score, best.get((number, label, text), score))
    return sorted(set(best.values()))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Audit of the books.", "audit of THE books", 1.0),
        ("and/or", "or and", 1.0),
        ("a; b: c, d.", "a b", 0.5),
        ("1,000.50", "100050", 1.0),
        ("fee fee fee", "fee", 1.0),  # sets: repetition does not count
        ("(fee)", "fee", 0.0),  # brackets stay
        ("fee", "rent", 0.0),
        (".", ";", 0.0),
    ],
)
def test_texts_are_compared_by_their_sets_of_words(first: str, second: str, expected: float) -> None:
    assert word_jaccard(first, second) == word_jaccard(second, first) == expected


def test_a_case_worked_by_hand() -> None:
    """Two answers. By falling score: one found, a false positive, the other found, a false positive."""
    gold = [{"Cap On Liability": [CAP]}, {"Price Restrictions": [RENT]}]
    predictions = [
        {"Cap On Liability": [(CAP, 0.9)], "Insurance": [("Pay on time.", 0.8)]},
        {"Price Restrictions": [("rent rises by two per cent", 0.6), ("The seat is in Bonn.", 0.3)]},
    ]
    curve = cuad_curve(gold, predictions)
    assert [(p.threshold, p.recall, p.precision) for p in curve.points] == [
        (0.9, 0.5, 1.0),
        (0.8, 0.5, 0.5),
        (0.6, 1.0, pytest.approx(2 / 3)),
        (0.3, 1.0, 0.5),
    ]
    # Interpolated: precision 1 up to recall 0.5, then (0.5, 2/3) to (1, 2/3).
    assert curve.aupr == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert curve.precision_at_80_recall == pytest.approx(2 / 3)
    assert (curve.gold_answers, curve.predictions) == (2, 4)


def test_one_prediction_may_find_two_answers_and_two_predictions_one() -> None:
    gold = [{"Insurance": ["insure the goods", "insure the goods well"]}]
    once = cuad_curve(gold, [{"Insurance": [("insure the goods", 0.9)]}])
    assert [(p.recall, p.precision) for p in once.points] == [(1.0, 1.0)]
    twice = cuad_curve(gold, [{"Insurance": [("insure the goods", 0.9), ("insure the goods now", 0.8)]}])
    assert [(p.recall, p.precision) for p in twice.points] == [(1.0, 1.0)]  # neither is a false positive


def test_half_of_the_words_is_enough_and_less_is_not() -> None:
    gold = [{"Insurance": ["a b c d"]}]
    assert cuad_curve(gold, [{"Insurance": [("a b", 0.9)]}]).aupr == 1.0
    assert cuad_curve(gold, [{"Insurance": [("a b x", 0.9)]}]).aupr == 0.0


def test_a_match_under_another_label_or_in_another_contract_does_not_count() -> None:
    gold = [{"Insurance": [CAP]}, {}]
    assert cuad_curve(gold, [{"Audit Rights": [(CAP, 0.9)]}, {}]).aupr == 0.0
    assert cuad_curve(gold, [{}, {"Insurance": [(CAP, 0.9)]}]).aupr == 0.0


def test_names_and_dates_are_left_out() -> None:
    gold: list[Mapping[str, Sequence[str]]] = [{"Insurance": [CAP], **{name: ["A. Smith"] for name in LEFT_OUT}}]
    predictions = [{"Insurance": [(CAP, 0.5)], "Parties": [("nobody", 0.9)]}]
    for labels in (None, ["Insurance", "Parties"]):
        curve = cuad_curve(gold, predictions, labels=labels)
        assert (curve.aupr, curve.gold_answers, curve.predictions) == (1.0, 1, 1)


def test_only_the_labels_asked_for_count() -> None:
    gold = [{"Insurance": [CAP], "Audit Rights": [RENT]}]
    predictions = [{"Insurance": [(CAP, 0.5)], "Non-Compete": [("what", 0.9)]}]
    assert cuad_curve(gold, predictions).aupr < 0.5
    assert cuad_curve(gold, predictions, labels=["Insurance"]).aupr == 1.0


def test_the_curve_ends_where_recall_ends() -> None:
    gold = [{"Insurance": [CAP, RENT]}]
    curve = cuad_curve(gold, [{"Insurance": [(CAP, 0.9)]}])
    assert curve.aupr == 0.5
    assert curve.precision_at_80_recall == 0.0
    assert cuad_curve(gold, [{}]).aupr == 0.0
    assert cuad_curve(gold, [{}]).points == ()


def test_eighty_per_cent_exactly_is_reached() -> None:
    words = ["one", "two", "three", "four", "five"]
    found = [{"Insurance": [(word, 0.9) for word in words[:4]]}]
    assert cuad_curve([{"Insurance": words}], found).precision_at_80_recall == 1.0


def test_empty_texts_are_neither_answers_nor_predictions() -> None:
    curve = cuad_curve([{"Insurance": [CAP, " "]}], [{"Insurance": [(CAP, 0.5), ("", 0.9)]}])
    assert (curve.aupr, curve.gold_answers, curve.predictions) == (1.0, 1, 1)


def test_the_papers_thresholds_are_a_grid_from_high_to_low() -> None:
    assert len(PAPER_THRESHOLDS) == 101
    assert PAPER_THRESHOLDS[:2] == (0.99, 0.98)
    assert PAPER_THRESHOLDS[-3:] == (0.01, 0.001, 0.0)


@settings(max_examples=150, deadline=None)
@given(st.lists(CONTRACT, min_size=1, max_size=3))
def test_the_curve_is_that_of_the_rules_one_by_one(
    contracts: list[tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[tuple[str, float]]]]],
) -> None:
    gold, predictions = [answers for answers, _ in contracts], [predicted for _, predicted in contracts]
    if not any(texts for answers in gold for texts in answers.values()):
        with pytest.raises(EvaluationError, match="no gold answer"):
            cuad_curve(gold, predictions)
        return
    exact = cuad_curve(gold, predictions)
    expected = naive_figures(gold, predictions, distinct_scores(predictions), above=False)
    assert (exact.aupr, exact.precision_at_80_recall) == pytest.approx(expected)
    paper = cuad_curve(gold, predictions, thresholds=PAPER_THRESHOLDS)
    expected = naive_figures(gold, predictions, PAPER_THRESHOLDS, above=True)
    assert (paper.aupr, paper.precision_at_80_recall) == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(CONTRACT, min_size=2, max_size=4), st.integers(0, 1000))
def test_a_resample_is_the_curve_of_the_contracts_drawn(
    contracts: list[tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[tuple[str, float]]]]], seed: int
) -> None:
    gold, predictions = [answers for answers, _ in contracts], [predicted for _, predicted in contracts]
    drawn = np.random.default_rng(seed).integers(len(gold), size=len(gold)).tolist()
    again = [gold[number] for number in drawn], [predictions[number] for number in drawn]
    if not any(texts for answers in again[0] for texts in answers.values()):
        return
    expected = cuad_curve(*again)
    found = cuad_intervals(gold, predictions, resamples=1, seed=seed)
    for name, value in (("cuad_aupr", expected.aupr), ("precision_at_80_recall", expected.precision_at_80_recall)):
        estimate = found[name]
        assert estimate is not None
        assert estimate.low == estimate.high == pytest.approx(value), name


def test_the_interval_holds_the_figure_and_repeats() -> None:
    generator = np.random.default_rng(3)
    gold = [{"Insurance": [CAP]} for _ in range(40)]
    predictions = [
        {"Insurance": [(CAP if generator.random() < 0.6 else RENT, float(generator.random()))]} for _ in range(40)
    ]
    found = cuad_intervals(gold, predictions, resamples=200)["cuad_aupr"]
    assert found is not None
    assert found.value == cuad_curve(gold, predictions).aupr
    assert found.low < found.value < found.high
    assert found == cuad_intervals(gold, predictions, resamples=200)["cuad_aupr"]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="gold has 1 contracts and predictions 2"):
        cuad_curve([{"Insurance": [CAP]}], [{}, {}])
    with pytest.raises(ValueError, match="NaN"):
        cuad_curve([{"Insurance": [CAP]}], [{"Insurance": [(CAP, float("nan"))]}])
    with pytest.raises(EvaluationError, match="no gold answer"):
        cuad_intervals([{"Parties": ["A. Smith"]}], [{}])


TEXT = "One. Two.  Three. Four. "
BOUNDS = [(0, 5), (5, 11), (11, 18), (18, 24)]
CLAUSES = [Clause(f"c{i}", "d", TEXT[start:end], start, end) for i, (start, end) in enumerate(BOUNDS)]


def test_clauses_of_enough_probability_are_spans_best_first() -> None:
    spans = predicted_spans(TEXT, CLAUSES, np.array([0.2, 0.05, 0.6, 0.1]), floor=0.1, join=0.5, alone=0.0)
    assert spans == [("Three.", 0.6), ("One.", 0.2), ("Four.", 0.1)]


def test_sure_neighbours_are_one_span() -> None:
    probabilities = np.array([0.6, 0.8, 0.3, 0.9])
    assert predicted_spans(TEXT, CLAUSES, probabilities, floor=0.1, join=0.5, alone=0.0) == [
        ("Four.", 0.9),
        ("One. Two.", 0.8),
        ("Three.", 0.3),
    ]
    assert predicted_spans(TEXT, CLAUSES, probabilities, floor=0.1, join=0.1, alone=0.0) == [
        ("One. Two.  Three. Four.", 0.9)
    ]
    # A clause below the floor parts its neighbours.
    assert len(predicted_spans(TEXT, CLAUSES, np.array([0.6, 0.05, 0.6, 0.6]), floor=0.1, join=0.1, alone=0.0)) == 2


def test_joined_clauses_count_less_on_their_own() -> None:
    spans = predicted_spans(TEXT, CLAUSES, np.array([0.6, 0.8, 0.3, 0.9]), floor=0.1, join=0.5, alone=0.5)
    assert spans == [("Four.", 0.9), ("One. Two.", 0.8), ("Two.", 0.4), ("Three.", 0.3), ("One.", 0.3)]


def test_the_best_spans_are_kept() -> None:
    text = "x " * 60
    clauses = [Clause(f"c{i}", "d", "x ", 2 * i, 2 * i + 2) for i in range(60)]
    probabilities = np.linspace(0.1, 0.9, 60)
    spans = predicted_spans(text, clauses, probabilities, floor=0.0, join=2.0, alone=0.5)
    assert [score for _, score in spans] == pytest.approx(sorted(probabilities, reverse=True)[:MOST_SPANS])


def test_white_space_is_no_span() -> None:
    clauses = [Clause("c0", "d", "  ", 0, 2), Clause("c1", "d", "ab", 2, 4)]
    assert predicted_spans("  ab", clauses, np.array([0.9, 0.8]), floor=0.1, join=0.95, alone=0.0) == [("ab", 0.8)]
    assert predicted_spans("", [], np.array([]), floor=0.1, join=0.5, alone=0.0) == []


def test_arguments_of_spans_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="4 clauses have 2 probabilities"):
        predicted_spans(TEXT, CLAUSES, np.array([0.1, 0.2]), floor=0.1, join=0.5, alone=0.0)
