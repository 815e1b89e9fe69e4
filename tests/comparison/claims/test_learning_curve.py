"""The learning curve: points from rows, the file, the draws, and the judging with scripted model and training."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playground.comparison.claims.learning_curve import (
    CurveRow,
    curve_points,
    read_learning_curve,
    write_learning_curve,
)
from playground.comparison.claims.provenance import Provenance, elsewhere_words
from playground.errors import EvaluationError
from playground.paths import ROOT
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingSplit
from playground.training.clauses.trainers import TrainedFlagger
from playground.types import AnnotatedClause
from scenarios.contract_clauses.learning_curve import (
    CurveTask,
    draw_examples,
    epochs_for,
    few_shot_right,
    load_curve_task,
    lora_right,
)
from scenarios.contract_clauses.measured_contracts import LABELS, MeasuredContract
from scripts import measure_learning_curve
from scripts.measure_learning_curve import Point, points
from tests.support.evidence_samples import curve, figures
from tests.support.fakes import FakeChatModel
from tests.support.fakes_training import trained_adapter
from tests.support.scripted_embedder import ScriptedEmbedder

CURVE = curve({0: 50, 4: 60}, {0: 51, 16: 70})
INSURANCE, AUDIT = LABELS.index("Insurance"), LABELS.index("Audit Rights")


def clause(number: int, label: str = "", contract: str = "") -> AnnotatedClause:
    text = f"Clause {number} about {label or 'headings'}."
    return AnnotatedClause(f"c{number}", text, (label,) if label else (), contract or f"contract-{number % 5}")


POOL = tuple(clause(number, ("Insurance", "Audit Rights", "")[number % 3]) for number in range(90))


def task() -> CurveTask:
    """Two contracts of four clauses; the first carries Insurance, the second Audit Rights."""
    contracts = []
    for title in ("one", "two"):
        clauses = tuple(
            replace(clause(100 + place, label, title), labels=())
            for place, label in enumerate(("Insurance", "Audit Rights", "", ""))
        )
        gold = np.zeros((4, len(LABELS)), dtype=bool)
        gold[0, INSURANCE] = gold[1, AUDIT] = True
        contracts.append(MeasuredContract(title, clauses, gold))
    return CurveTask(POOL, tuple(contracts), pairs_per_contract=4)


class Training:
    """Scores by the words of a clause; ``scale`` decides how sure it is."""

    def __init__(self, scale: float = 5.0) -> None:
        self.calls: list[tuple[TrainingSplit, EncoderSettings]] = []
        self.scale = scale

    def __call__(self, split: TrainingSplit, settings: EncoderSettings) -> TrainedFlagger:
        self.calls.append((split, settings))

        def judge(_folder: Path, clauses: object, _share: object) -> np.ndarray:
            return np.array(
                [[self.scale if name in one.text else -self.scale for name in split.labels] for one in clauses]  # type: ignore[attr-defined]
            )

        trained = trained_adapter(
            settings,
            examples=len(split.train),
            duration_s=7.0,
            labels=split.labels,
            validation_scores=judge(Path(), split.validation, None).reshape(-1, len(split.labels)),
        )
        return TrainedFlagger(trained, lambda *_files: None, judge)


def test_a_point_is_the_mean_over_seeds_with_lowest_and_highest() -> None:
    few, few4, lora0, lora16 = CURVE.points
    assert (few.strategy, few.examples, few.seeds, few.duration_s) == ("few-shot", 0, 1, None)
    assert few4.accuracy.value == 0.60
    assert (lora16.accuracy.value, lora16.accuracy.low, lora16.accuracy.high) == pytest.approx((0.70, 0.69, 0.71))
    assert (lora16.seeds, lora16.duration_s) == (3, 10.0)
    assert lora0.examples == 0
    assert curve_points([]) == ()


def test_the_file_keeps_everything_and_knows_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "learning_curve.json"
    assert read_learning_curve(path) is None
    write_learning_curve(path, CURVE)
    found = read_learning_curve(path)
    assert found == CURVE
    assert found is not None and found.has("lora", 16, 2) and not found.has("lora", 16, 3)


def test_the_curve_says_why_it_has_no_larger_point_from_its_own_data() -> None:
    ends_early = curve({0: 50, 16: 60, 300: 60}, {16: 51, 300: 70})
    assert ends_early.end_words == ""  # an older version did not record how many there are
    whole = replace(ends_early, available=300)
    assert whole.end_words == (
        "There is no point at 1,024 examples: the project has 300 labelled clauses to learn from, and the last point "
        "has them all."
    )
    assert "at 256 or 1,024 examples: the project has 90 " in replace(curve({90: 50}, {}), available=90).end_words
    assert replace(curve({16: 50, 1024: 60}, {}), available=1024).end_words == ""
    cut = replace(ends_early, available=2_000).end_words
    assert cut == "Not finished: there are 2,000 labelled clauses, and the last point has 300."


def test_how_many_there_were_is_in_the_file_and_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "learning_curve.json"
    write_learning_curve(path, replace(CURVE, available=751))
    found = read_learning_curve(path)
    assert found is not None and found.available == 751
    row = json.loads(path.read_text(encoding="utf-8"))
    del row["available"]
    path.write_text(json.dumps(row), encoding="utf-8")
    found = read_learning_curve(path)
    assert found is not None and found.available is None
    path.write_text(json.dumps({**row, "available": "many"}), encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"learning_curve\.json"):
        read_learning_curve(path)


def test_the_recorded_curve_ends_with_all_of_the_projects_own_clauses() -> None:
    recorded = read_learning_curve(ROOT / "data" / "runs" / "learning_curve.json")
    assert recorded is not None
    assert recorded.available == max(row.examples for row in recorded.rows) == len(load_curve_task().pool)
    assert recorded.end_words.startswith("There is no point at 1,024 examples: the project has 751 labelled clauses")


def test_a_finished_curve_of_an_older_version_is_told_how_many_there_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "learning_curve.json"
    few = {0: 8, 90: 8}
    rows = [replace(one, n=8, right=4) for one in curve(few, few).rows]
    write_learning_curve(path, older := replace(CURVE, rows=tuple(rows)))
    monkeypatch.setattr(measure_learning_curve, "load_curve_task", task)
    arguments = argparse.Namespace(sizes="0,1024", seeds=3, few_shot_seeds=1, again=False, out=path)
    measure_learning_curve.measure(arguments)  # loads no model, for nothing is left to measure
    assert read_learning_curve(path) == replace(older, available=90)


def test_evidence_of_another_machine_or_day_says_so() -> None:
    stamp = Provenance("2026-11-25T10:00:00+00:00", "an Intel", "abc", 60, "m", "python x.py")
    here = figures("lora", 0.9, machine="an Intel")
    assert elsewhere_words(stamp, [here]) == elsewhere_words(stamp, []) == ""
    amd = replace(here, machine="an AMD")
    assert elsewhere_words(stamp, [amd]) == (
        "Measured on another machine than the techniques (2026-11-25, an AMD): its times do not compare with theirs."
    )
    later = [replace(one, started_at=f"2026-11-2{day}T01:00:00+00:00") for one, day in ((amd, 6), (here, 7))]
    assert elsewhere_words(stamp, later) == (
        "Measured on another day than the techniques (2026-11-26 to 2026-11-27, an AMD; an Intel)."
    )
    assert elsewhere_words(stamp, later[:1]).startswith("Measured on another machine and day than the techniques")


@pytest.mark.parametrize(
    "damage",
    [
        lambda row: row["rows"][0].update(right=101),
        lambda row: row["rows"][0].update(n=0, right=0),
        lambda row: row["rows"][0].update(seed=-1),
        lambda row: row["rows"][0].update(duration_s="long"),
        lambda row: row["rows"][0].pop("commit"),
        lambda row: row.update(available=-1),
        lambda row: row.update(rows="none"),
        lambda row: row.update(measured_at=""),
    ],
)
def test_a_file_that_was_edited_is_refused_with_a_sentence(tmp_path: Path, damage: Callable[..., None]) -> None:
    path = tmp_path / "learning_curve.json"
    write_learning_curve(path, CURVE)
    row = json.loads(path.read_text(encoding="utf-8"))
    damage(row)
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"learning_curve\.json"):
        read_learning_curve(path)


def test_draws_are_nested_and_differ_by_seed() -> None:
    small, large = draw_examples(POOL, 4, 0), draw_examples(POOL, 16, 0)
    assert large[:4] == small and len(large) == 16
    assert draw_examples(POOL, 16, 1) != large
    assert draw_examples(POOL[::-1], 16, 0) == large
    assert len(draw_examples(POOL, 1024, 0)) == 90
    assert draw_examples(POOL, 0, 0) == ()


def test_a_perfect_flagger_is_right_on_every_pair_and_an_empty_one_on_the_wrong_ones() -> None:
    training = Training()
    right, duration_s = lora_right(task(), draw_examples(POOL, 16, 0), training, seed=2)
    assert (right, duration_s) == (task().n, 7.0) == (8, 7.0)
    ((split, settings),) = training.calls
    assert split.labels == ("Audit Rights", "Insurance") or set(split.labels) == {"Audit Rights", "Insurance"}
    assert (settings.seed, split.validation) == (2, ())
    # Half of the pairs are right ones, and a flagger that learnt nothing flags none.
    assert lora_right(task(), (), training, seed=0) == (4, 0.0)
    unlabelled = [one for one in POOL if not one.labels]
    assert lora_right(task(), unlabelled, training, seed=0)[0] == 4


def test_from_64_examples_on_some_are_kept_for_the_thresholds() -> None:
    # Scores are far too low for a threshold of one half; those kept aside say where to cut.
    training = Training(scale=0.2)
    shifted = _shifted(training, -3.0)
    few, _ = lora_right(task(), draw_examples(POOL, 32, 0), shifted, seed=0)
    many, _ = lora_right(task(), draw_examples(POOL, 80, 0), shifted, seed=0)
    assert few == 4 and many == 8
    split, _settings = training.calls[-1]
    assert len(split.train) + len(split.validation) == 80
    assert not {one.contract for one in split.train} & {one.contract for one in split.validation}


def test_prompting_without_examples_is_zero_shot_and_with_them_shows_the_nearest() -> None:
    seen: list[int] = []

    class Recording(FakeChatModel):
        def complete(self, messages, **settings):  # type: ignore[no-untyped-def]
            seen.append(len(messages))
            return super().complete(messages, **settings)

    yes = Recording(lambda _message: "Yes")
    assert few_shot_right(task(), (), yes, ScriptedEmbedder()) == 4  # right where the clause carries the label
    assert set(seen) == {2}
    seen.clear()
    few_shot_right(task(), draw_examples(POOL, 16, 0), yes, ScriptedEmbedder())
    assert max(seen) == 2 + 2 * 4
    no = FakeChatModel(lambda _message: "No")
    assert few_shot_right(task(), (), no, ScriptedEmbedder()) == 4
    neither = FakeChatModel(lambda _message: "It depends.")
    assert few_shot_right(task(), (), neither, ScriptedEmbedder()) == 0


@pytest.mark.parametrize(("examples", "epochs"), [(4, 40), (38, 27), (64, 16), (250, 5), (751, 5), (0, 40)])
def test_small_data_is_seen_more_often(examples: int, epochs: int) -> None:
    assert epochs_for(examples) == epochs


def test_the_points_take_all_of_the_data_last_and_repeat_nothing() -> None:
    found = list(points([0, 4, 1024], 751, seeds=3, few_shot_seeds=2))
    assert found[0] == Point("few-shot", 0, 0)
    assert sorted({point.examples for point in found}) == [0, 4, 751]
    counts = {
        (name, size): sum(1 for p in found if (p.strategy, p.examples) == (name, size))
        for name in ("few-shot", "lora")
        for size in (0, 4, 751)
    }
    assert counts == {
        ("few-shot", 0): 1, ("few-shot", 4): 2, ("few-shot", 751): 1,
        ("lora", 0): 1, ("lora", 4): 3, ("lora", 751): 3,
    }  # fmt: skip
    assert len(found) == len(set(found))


def test_the_projects_clauses_are_split_by_contract() -> None:
    real = load_curve_task()
    assert not {one.contract for one in real.pool} & {contract.title for contract in real.contracts}
    assert real.n >= 60


def test_a_row_knows_its_accuracy() -> None:
    assert CurveRow("lora", 4, 0, 3, 4, 1.0, "now", "here", "abc").accuracy == 0.75


def _shifted(training: Training, shift: float) -> Callable[[TrainingSplit, EncoderSettings], TrainedFlagger]:
    def train(split: TrainingSplit, settings: EncoderSettings) -> TrainedFlagger:
        made = training(split, settings)
        return replace(
            made,
            trained=replace(made.trained, validation_scores=made.trained.validation_scores + shift),
            judge=lambda *given: made.judge(*given) + shift,
        )

    return train
