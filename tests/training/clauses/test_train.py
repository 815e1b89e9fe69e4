"""From a plan to an adapter in the store: the split, what stops it before it starts, and what a failure leaves."""

from __future__ import annotations

import errno
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from playground.adapters import AdapterStore, verify
from playground.annotations import WrittenClauses, label_counts, load_written_clauses
from playground.annotations.units import contract_units
from playground.errors import AdapterError, AnnotationError, ModelError, TrainingError
from playground.paths import CLAUSES
from playground.training.clauses.bases import load_training_base
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import (
    TrainingPlan,
    contracts_of,
    plan_fingerprint,
    split_for_training,
    stratified,
)
from playground.training.clauses.train import resumed_step, train_clauses
from playground.training.lock import training_lock
from playground.training.progress import TrainingProgress, TrainingStopped
from scenarios.contract_clauses import scenario
from tests.support.fakes_adapters import writing
from tests.support.fakes_training import LABELS, ScriptedTraining, annotations, clauses, use_training


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    """A store with one active adapter of the user's."""
    store = AdapterStore(tmp_path / "adapters")
    store.save("before", writing())
    store.activate("before", "clauses")
    return store


def plan(**changes: object) -> TrainingPlan:
    return replace(TrainingPlan("mine", annotations(), LABELS), **changes)  # type: ignore[arg-type]


def untouched(store: AdapterStore) -> bool:
    active = store.active("clauses")
    return [stored.name for stored in store.list()] == ["before"] and active is not None and active.name == "before"


# --- the split ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contracts", [3, 4, 10, 37])
def test_no_contract_is_on_two_sides_and_no_clause_is_lost(contracts: int) -> None:
    split = split_for_training(plan(data=annotations(clauses(contracts))))
    sides = [{clause.contract for clause in side} for side in (split.train, split.validation, split.test)]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides)) == contracts
    assert len(split.train) + len(split.validation) + len(split.test) == 4 * contracts


def test_the_split_does_not_depend_on_the_seed_of_the_training() -> None:
    splits = [split_for_training(plan(settings=EncoderSettings(seed=seed))) for seed in (0, 1)]
    assert splits[0] == splits[1]


def test_the_written_clauses_keep_their_own_test_side() -> None:
    names = [label.name for label in scenario.labels()]
    written = load_written_clauses(CLAUSES, names)
    split = split_for_training(TrainingPlan("mine", written, scenario.liability_labels()))
    assert [clause.id for clause in split.test] == [clause.id for clause in written.test]
    assert {clause.contract for clause in split.train} | {clause.contract for clause in split.validation} == {
        clause.contract for clause in written.train
    }
    assert 0.08 < len(split.validation) / len(written.train) < 0.25
    assert set(split.labels) == set(scenario.liability_labels())
    assert all(set(clause.labels) <= set(split.labels) for clause in split.train)


def test_labels_that_were_not_chosen_make_negatives() -> None:
    split = split_for_training(plan(labels=("Insurance",)))
    assert split.labels == ("Insurance",)
    assert label_counts(split.train) == {"Insurance": sum(bool(c.labels) for c in split.train)}
    assert any(not clause.labels for clause in split.train)


def test_a_label_that_nothing_teaches_is_left_out_and_named() -> None:
    split = split_for_training(plan(labels=(*LABELS, "Non-Compete")))
    assert split.labels == LABELS
    assert split.notes == ("No clause to train on carries Non-Compete: left out.",)


def test_a_limit_draws_from_every_label_alike_and_the_same_each_time() -> None:
    many = clauses(40, repeats=3)
    drawn = stratified(many, 60)
    assert len(drawn) == 60
    assert drawn == stratified(many, 60)
    counts = label_counts(drawn)
    assert set(counts.values()) == {15}
    assert list(drawn) == [clause for clause in many if clause in drawn]
    assert set(stratified(many, 30)) <= set(drawn)
    assert stratified(many, 10_000) == many


def test_the_limit_is_on_what_is_trained_on() -> None:
    split = split_for_training(plan(data=annotations(clauses(60, repeats=5)), examples=50))
    assert len(split.train) == 50
    assert len(split.validation) <= 200 and len(split.test) == 200


def test_what_is_added_is_trained_on_whole_and_last_whatever_the_limit() -> None:
    more, choosing = (
        replace(
            annotations([replace(c, contract=f"{name}-{c.contract}", labels=labels) for c in clauses(3)]), name=name
        )
        for name, labels in (("more", ("Insurance", "Warranty Duration")), ("choosing", ()))
    )
    alone = split_for_training(plan(data=annotations(clauses(60, repeats=5)), examples=50))
    split = split_for_training(
        plan(data=annotations(clauses(60, repeats=5)), examples=50, added=(more,), added_validation=(choosing,))
    )
    assert split.added == 12
    assert split.train[:-12] == alone.train
    assert [clause.labels for clause in split.train[-12:]] == [("Insurance",)] * 12
    assert split.validation == (*alone.validation, *choosing.examples)
    assert split.test == alone.test


def test_what_is_added_may_not_stand_on_another_side_too() -> None:
    data = annotations(clauses(10))
    tested = split_for_training(plan(data=data)).test
    with pytest.raises(AnnotationError, match="on two sides"):
        split_for_training(plan(data=data, added=(annotations(tested),)))


def test_whole_contracts_are_cut_as_for_flagging() -> None:
    text = "1. Insurance\n\nThe Supplier shall keep insurance.\n\n2. Audit\n\nThe Customer may audit the books."
    units = contract_units(text)
    assert "".join(text[start:end] for start, end, _heading in units) == text
    assert {heading for _s, _e, heading in units} >= {"Insurance", "Audit"}


# --- what stops it before it starts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"data": annotations(clauses(2))}, AnnotationError, "at least 10"),
        ({"data": annotations(clauses(2, repeats=5))}, AnnotationError, "at least 3"),
        ({"labels": ()}, AnnotationError, "No label is chosen"),
        ({"labels": ("Non-Compete",)}, AnnotationError, "carries a label"),
        ({"data": annotations([c for c in clauses(20) if c.labels == ("Insurance",)])}, AnnotationError, "same label"),
        ({"examples": 5}, TrainingError, "too few"),
        ({"settings": EncoderSettings(added_passes=0)}, TrainingError, "Use 1 to 100"),
        ({"settings": EncoderSettings(rank=0)}, TrainingError, "rank"),
        ({"settings": EncoderSettings(epochs=0)}, TrainingError, "epochs"),
        ({"settings": EncoderSettings(max_minutes=0)}, TrainingError, "time budget"),
        ({"settings": EncoderSettings(learning_rate=2)}, TrainingError, "learning rate"),
        ({"settings": EncoderSettings(window_tokens=5)}, TrainingError, "Windows"),
        ({"name": "No Such Name!"}, AdapterError, "cannot name an adapter"),
        ({"name": "before"}, AdapterError, "'before-2'"),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_starts(
    changes: dict[str, object], error: type[Exception], words: str, store: AdapterStore, monkeypatch
) -> None:
    training = use_training(monkeypatch, ScriptedTraining())
    with pytest.raises(error, match=words):
        train_clauses(plan(**changes), store)
    assert not training.calls
    assert untouched(store)


def test_a_second_training_is_told_so(store: AdapterStore, monkeypatch) -> None:
    training = use_training(monkeypatch, ScriptedTraining())
    with training_lock(store), pytest.raises(TrainingError, match="Another training is running"):
        train_clauses(plan(), store)
    assert not training.calls
    assert train_clauses(plan(), store) is not None


# --- a training that ends well --------------------------------------------------------------------------------------


def test_the_adapter_is_stored_with_a_complete_manifest_and_card(store: AdapterStore, monkeypatch) -> None:
    use_training(monkeypatch, ScriptedTraining())
    reports: list[TrainingProgress] = []
    report = train_clauses(
        plan(
            data=annotations(clauses(30)),
            settings=EncoderSettings(seed=5),
            keywords={"Insurance": ("insurance",)},
            licence="Mine alone.",
            command="python -m playground train clauses --data mine.csv",
        ),
        store,
        reports.append,
    )
    assert report is not None
    stored = store.get("mine")
    verify(stored)
    manifest = stored.manifest
    assert (manifest.task, manifest.base_kind, manifest.base_id, manifest.seed) == (
        *("clauses", "encoder", "all-minilm-l6-v2", 5),
    )
    assert manifest.labels == LABELS
    assert manifest.data["name"] == "mine.csv"
    assert manifest.data["sha256"] == "d" * 64
    assert manifest.data["examples"] == 120
    assert manifest.data["contracts"] == 30
    assert manifest.data["test_examples"] == len(report.split.test)
    assert manifest.hyper_parameters["rank"] == EncoderSettings().rank
    assert manifest.hyper_parameters["stopped_early"] is False
    metrics = manifest.metrics
    assert metrics["test"]["micro_ap"] == report.test.value("micro_ap")  # type: ignore[index]
    assert set(metrics["validation"]) == {"micro_ap", "macro_ap", "micro_f1", "macro_f1"}  # type: ignore[call-overload]
    assert set(metrics["baselines"]) == {"TF-IDF", "keywords"}  # type: ignore[call-overload]
    assert set(metrics["per_label"]) == set(LABELS)  # type: ignore[call-overload]
    assert metrics["measured_on"] == report.measured_on
    assert f"{contracts_of(report.split.test)} contracts" in report.measured_on
    points = metrics["operating_points"]
    assert isinstance(points, list)
    assert set(points[0]) == {"shift", "recall", "precision", "flags"}
    assert metrics["reliability"] == [asdict(part) for part in report.test.reliability]
    recalls = [point["recall"] for point in points]
    assert recalls == sorted(recalls, reverse=True)
    card = (stored.folder / "README.md").read_text()
    assert all(words in card for words in ("Mine alone.", "--data mine.csv", "not legal advice", "d" * 64))
    assert "number 1" not in card, "the data's own texts are in nobody's card"
    assert reports[0].stage == "preparing" and reports[-1].stage == "saving" and reports[-1].fraction == 1
    active = store.active("clauses")
    assert active is not None and active.name == "before", "training does not activate"
    assert not list((store.root / ".checkpoints").glob("*/*/step-*"))


def test_errors_are_shown_surest_first_with_what_was_right(store: AdapterStore, monkeypatch) -> None:
    use_training(monkeypatch, ScriptedTraining())
    report = train_clauses(plan(data=annotations(clauses(30))), store)
    assert report is not None
    # The scripted scores turn every label of the first clause around.
    errors = report.test.errors
    assert {error.text for error in errors} == {f"General. {report.split.test[0].text}"}
    assert errors
    assert all(error.label not in error.gold for error in errors if error.kind == "wrong")
    assert {(error.kind, error.label) for error in errors} <= {
        ("missed" if label in report.split.test[0].labels else "wrong", label) for label in LABELS
    }
    assert [c.predicted for c in report.test.confusions]
    assert len(report.test.per_label) == 3


def test_a_stop_keeps_the_best_so_far_and_says_so(store: AdapterStore, monkeypatch) -> None:
    use_training(monkeypatch, ScriptedTraining(wait_for_stop=True))
    report = train_clauses(plan(), store, lambda progress: progress.step < 3)
    assert report is not None and report.stopped
    stored = store.get("mine")
    assert stored.manifest.hyper_parameters["stopped_early"] is True
    assert "stopped early" in (stored.folder / "README.md").read_text()


def test_a_time_budget_that_was_too_short_is_told(store: AdapterStore, monkeypatch) -> None:
    use_training(monkeypatch, ScriptedTraining())  # reads 48 clauses
    many = annotations(clauses(30))
    for name, minutes in (("enough", None), ("short", 1.0)):
        report = train_clauses(plan(name=name, data=many, settings=EncoderSettings(max_minutes=minutes)), store)
        assert report is not None
        assert any("Give it more minutes" in note for note in report.notes) == (name == "short")


def test_what_was_stopped_by_hand_is_not_said_to_have_run_out_of_time(store: AdapterStore, monkeypatch) -> None:
    use_training(monkeypatch, ScriptedTraining(wait_for_stop=True))
    settings = EncoderSettings(max_minutes=1.0)
    report = train_clauses(
        plan(data=annotations(clauses(30)), settings=settings), store, lambda progress: progress.step < 3
    )
    assert report is not None and report.stopped
    assert not any("time budget" in note for note in report.notes)


# --- and one that does not ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("training", "error"),
    [
        (ScriptedTraining(error=TrainingError("The loss is no number any more.")), TrainingError),
        (ScriptedTraining(error=MemoryError()), MemoryError),
        (ScriptedTraining(error=KeyboardInterrupt()), KeyboardInterrupt),
        (ScriptedTraining(write_error=ModelError("The base is gone.")), ModelError),
    ],
)
def test_a_failure_leaves_the_store_as_it_was_and_the_checkpoints_for_another_try(
    training: ScriptedTraining, error: type[BaseException], store: AdapterStore, monkeypatch
) -> None:
    use_training(monkeypatch, training)
    with pytest.raises(error):
        train_clauses(plan(), store)
    assert untouched(store)
    assert not store.problems()
    assert resumed_step(plan(), store) == 3
    assert resumed_step(plan(settings=EncoderSettings(seed=1)), store) is None
    use_training(monkeypatch, ScriptedTraining())
    report = train_clauses(plan(), store)
    assert report is not None and report.resumed_from_step == 3
    assert resumed_step(plan(), store) is None


@pytest.mark.parametrize(("max_minutes", "said"), [(2.0, True), (None, False)])
def test_a_resumed_training_with_a_time_budget_says_that_the_time_left_decided(
    max_minutes: float | None, said: bool, store: AdapterStore, monkeypatch
) -> None:
    budget = plan(settings=EncoderSettings(max_minutes=max_minutes))
    use_training(monkeypatch, ScriptedTraining(error=KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        train_clauses(budget, store)
    use_training(monkeypatch, ScriptedTraining())
    report = train_clauses(budget, store)
    assert report is not None and report.resumed_from_step == 3
    assert any("went on with the minutes that its last checkpoint had left" in note for note in report.notes) == said
    uninterrupted = train_clauses(replace(budget, name="another"), store)
    assert uninterrupted is not None and uninterrupted.resumed_from_step is None
    assert not any("last checkpoint" in note for note in uninterrupted.notes)


def test_a_full_disk_while_saving_leaves_the_store_as_it_was(store: AdapterStore, monkeypatch) -> None:
    use_training(monkeypatch, ScriptedTraining())

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("playground.training.clauses.train.shutil.copytree", full)
        with pytest.raises(AdapterError, match="is full"):
            train_clauses(plan(), store)
    assert untouched(store)
    assert resumed_step(plan(), store) == 3


def test_a_stop_before_anything_was_learnt_stores_nothing(store: AdapterStore, monkeypatch) -> None:
    use_training(monkeypatch, ScriptedTraining())
    with pytest.raises(TrainingStopped):
        train_clauses(plan(), store, lambda _progress: False)
    assert untouched(store)


def test_another_plan_of_the_same_name_starts_afresh(store: AdapterStore, monkeypatch) -> None:
    failing = use_training(monkeypatch, ScriptedTraining(error=TrainingError("no")))
    for seed in (0, 1):
        with pytest.raises(TrainingError):
            train_clauses(plan(settings=EncoderSettings(seed=seed)), store)
    assert failing.calls[0]["folder"] != failing.calls[1]["folder"]
    assert not failing.calls[0]["folder"].exists()
    assert failing.calls[1]["folder"].exists()


def test_the_fingerprint_is_of_everything_that_decides_the_result() -> None:
    first = plan()
    split = split_for_training(first)
    same = plan_fingerprint(first, split, "a")
    assert same == plan_fingerprint(plan(name="other", command="x"), split, "a")
    others = [
        plan_fingerprint(first, split, "b"),
        plan_fingerprint(plan(settings=EncoderSettings(rank=4)), split, "a"),
        plan_fingerprint(first, replace(split, labels=LABELS[:2]), "a"),
        plan_fingerprint(first, replace(split, train=split.train[1:]), "a"),
        plan_fingerprint(first, replace(split, train=split.train[1:], validation=split.train[:1]), "a"),
    ]
    assert len({same, *others}) == 6


def test_a_secondary_process_trains_and_neither_speaks_nor_saves(store: AdapterStore, monkeypatch) -> None:
    training = use_training(monkeypatch, ScriptedTraining())
    monkeypatch.setenv("RANK", "1")
    spoken: list[object] = []
    assert train_clauses(plan(), store, spoken.append) is None  # type: ignore[arg-type]
    assert len(training.calls) == 1
    assert not spoken
    assert untouched(store)


# --- bases ----------------------------------------------------------------------------------------------------------


def test_a_base_that_cannot_be_flagged_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a folder nor the id"):
        load_training_base("../no such/thing at all")
    with pytest.raises(ModelError, match="no readable config"):
        load_training_base(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "roberta"}')
    with pytest.raises(ModelError, match="'roberta'"):
        load_training_base(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(ModelError, match="pickles are not opened"):
        load_training_base(str(tmp_path))


def test_a_base_of_the_hub_that_cannot_be_fetched_is_named() -> None:
    with pytest.raises(ModelError, match="'nobody/no-such-model' could not be fetched"):
        load_training_base("nobody/no-such-model")


# --- with the real encoder ------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_short_training_beats_the_untrained_base_on_unseen_contracts(tmp_path: Path, minilm: Path) -> None:
    names = [label.name for label in scenario.labels()]
    written = load_written_clauses(CLAUSES, names)
    wanted = ("Insurance", "Audit Rights", "Non-Compete", "Cap On Liability", "Exclusivity", "Renewal Term")

    def some(side: tuple[object, ...]) -> tuple[object, ...]:
        carrying = [c for c in side if set(c.labels) & set(wanted) or int(c.id[-2:]) % 5 == 0]  # type: ignore[attr-defined]
        return tuple(carrying)

    less = WrittenClauses(
        replace(written.annotations, examples=(*some(written.train), *some(written.test))),  # type: ignore[arg-type]
        train=some(written.train),  # type: ignore[arg-type]
        test=some(written.test),  # type: ignore[arg-type]
    )
    store = AdapterStore(tmp_path / "adapters")
    report = train_clauses(
        TrainingPlan("quick", less, wanted, settings=EncoderSettings(epochs=3, validations=3)), store
    )
    assert report is not None
    before, after = report.baselines["untrained base"]["micro_ap"], report.test.value("micro_ap")
    assert before is not None and after is not None
    assert after > before
    assert report.base_sha256_before == report.base_sha256_after
    assert report.adapter_bytes < 15_000_000
    verify(store.get("quick"))
