"""The loop over strategies and examples: one row each, resumable, failures kept."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from playground.errors import EvaluationError, ModelError, SpendingCapError
from playground.measuring.evaluation import (
    FAILED,
    GIVE_UP_AFTER,
    EvaluationPlan,
    evaluate,
    evaluate_into,
    fingerprint_of,
    planned_records,
    rows_done,
    sample_examples,
)
from playground.measuring.runs import read_records, read_run
from playground.measuring.spending import Spending
from playground.types import Example, Message, Prediction, Strategy, Usage
from tests.support.fakes import FakeChatModel

EXAMPLES = [Example(f"q{number}", f"question {number}", "") for number in range(8)]


class Echo:
    """A strategy that keeps what it was asked; ``fails_on`` names examples for which the model fails."""

    def __init__(self, name: str, log: list[tuple[str, str]], fails_on: tuple[str, ...] = ()) -> None:
        self.name, self.log, self.fails_on = name, log, fails_on

    def __call__(self, example: Example) -> Prediction:
        self.log.append((self.name, example.id))
        if example.id in self.fails_on:
            raise ModelError("The endpoint is gone. Start it again.")
        return Prediction(example.input, Usage(5, 2), {"total_s": 0.1}, {"cost_usd": 0.25})


def plan_of(strategies: dict[str, Strategy], **changes: object) -> EvaluationPlan:
    plan = EvaluationPlan(
        scenario="test",
        model_id="fake",
        seed=3,
        strategies=strategies,
        examples=EXAMPLES,
        metrics={"echoed": lambda prediction, example: float(prediction.output == example.input)},
        settings={"strategies": {name: {} for name in strategies}},
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def test_every_strategy_meets_every_example_once() -> None:
    log: list[tuple[str, str]] = []
    plan = plan_of({"a": Echo("a", log), "b": Echo("b", log), "c": Echo("c", log)})
    records = list(evaluate(plan, run_id="run-1"))
    assert [(record.strategy, record.example_id) for record in records] == log
    assert Counter(log) == {(name, example.id): 1 for name in "abc" for example in EXAMPLES}
    for name in "abc":
        assert [example for strategy, example in log if strategy == name] == [example.id for example in EXAMPLES]
    first = records[0]
    assert (first.run_id, first.model_id, first.seed, first.scores) == ("run-1", "fake", 3, {"echoed": 1.0})
    assert (first.cost_usd, first.error) == (0.25, None)


def test_strategies_take_turns_but_never_ask_the_same_question_in_a_row() -> None:
    log: list[tuple[str, str]] = []
    list(evaluate(plan_of({"a": Echo("a", log), "b": Echo("b", log)})))
    assert log[5:11] == [("a", "q5"), ("b", "q0"), ("a", "q6"), ("b", "q1"), ("a", "q7"), ("b", "q2")]
    assert all(before[1] != after[1] for before, after in itertools.pairwise(log))


def test_records_come_one_by_one() -> None:
    log: list[tuple[str, str]] = []
    records = evaluate(plan_of({"a": Echo("a", log)}))
    assert log == []
    next(records)
    assert log == [("a", "q0")]


def test_a_failing_example_is_a_wrong_row_and_the_next_one_is_asked() -> None:
    log: list[tuple[str, str]] = []
    plan = plan_of(
        {"a": Echo("a", log, fails_on=("q1",))},
        metrics={"seen": lambda prediction, example: float(prediction is FAILED)},
        failed_cost_usd=None,
    )
    records = list(evaluate(plan))
    assert len(records) == len(EXAMPLES)
    assert [record.example_id for record in records if record.error] == ["q1"]
    failed = records[1]
    assert (failed.prediction, failed.cost_usd, failed.scores) == (None, None, {"seen": 1.0})
    assert failed.error == "The endpoint is gone. Start it again."
    assert next(evaluate(replace(plan, examples=EXAMPLES[1:], failed_cost_usd=0.0))).cost_usd == 0.0


def test_a_metric_that_gives_up_leaves_the_answer_in_the_row() -> None:
    def metric(prediction: Prediction, example: Example) -> float:
        if prediction is FAILED:
            return 0.0
        raise EvaluationError("The expression took too long.")

    record = next(evaluate(plan_of({"a": Echo("a", [])}, metrics={"right": metric})))
    assert record.prediction is not None
    assert record.prediction.output == "question 0"
    assert (record.error, record.scores) == ("The expression took too long.", {"right": 0.0})


def test_a_defect_is_not_hidden_in_a_row() -> None:
    def broken(example: Example) -> Prediction:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(evaluate(plan_of({"a": broken})))


def test_the_warm_up_is_asked_of_each_strategy_and_not_counted() -> None:
    log: list[tuple[str, str]] = []
    plan = plan_of({"a": Echo("a", log), "b": Echo("b", log)}, warm_up=Example("warm-up", "w", ""))
    records = list(evaluate(plan))
    assert log[:2] == [("a", "warm-up"), ("b", "warm-up")]
    assert len(records) == 2 * len(EXAMPLES)
    assert all(record.example_id != "warm-up" for record in records)


def test_a_model_that_cannot_answer_at_all_stops_before_the_first_row(tmp_path: Path) -> None:
    plan = plan_of({"a": Echo("a", [], fails_on=("warm-up",))}, warm_up=Example("warm-up", "w", ""))
    with pytest.raises(ModelError, match="The endpoint is gone"):
        list(evaluate_into(tmp_path, plan))
    assert read_records(tmp_path) == []


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    log: list[tuple[str, str]] = []
    plan = plan_of({"a": Echo("a", log), "b": Echo("b", log)}, warm_up=Example("warm-up", "w", ""))
    rows = evaluate_into(tmp_path, plan)
    for _ in range(7):
        next(rows)
    rows.close()
    assert len(read_records(tmp_path)) == 7
    # As if the machine had stopped in the middle of a line.
    with (tmp_path / "records.jsonl").open("a") as stream:
        stream.write('{"run_id": "hal')
    log.clear()
    rest = list(evaluate_into(tmp_path, plan))
    assert len(rest) == 2 * len(EXAMPLES) - 7
    assert len(log) == len(rest) + 2  # the warm-ups
    found = planned_records(tmp_path, plan)
    assert Counter((record.strategy, record.example_id) for record in found) == {
        (name, example.id): 1 for name in "ab" for example in EXAMPLES
    }
    assert {record.run_id for record in found} == {read_run(tmp_path).run_id}
    log.clear()
    assert list(evaluate_into(tmp_path, plan)) == []
    assert log == []


_HOLD = """
import sys
from pathlib import Path
from playground.measuring.runs import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_evaluation_into_a_folder_is_told_who_is_at_it_and_asks_nothing(tmp_path: Path) -> None:
    log: list[tuple[str, str]] = []
    plan = plan_of({"a": Echo("a", log)})
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(EvaluationError, match=rf"Process {first.pid} on .*, since 20\S+, measures into"):
            list(evaluate_into(tmp_path, plan))
        assert log == []
        first.kill()
        first.wait()
    assert len(list(evaluate_into(tmp_path, plan))) == len(EXAMPLES)
    assert list(evaluate_into(tmp_path, plan)) == []


def test_rows_of_another_seed_model_or_strategy_are_done_anew_beside_the_old(tmp_path: Path) -> None:
    plan = plan_of({"a": Echo("a", [])})
    list(evaluate_into(tmp_path, plan))
    for other in (replace(plan, seed=4), replace(plan, model_id="other"), plan_of({"b": Echo("b", [])})):
        assert len(list(evaluate_into(tmp_path, other))) == len(EXAMPLES)
        assert len(planned_records(tmp_path, other)) == len(EXAMPLES)
    assert len(read_records(tmp_path)) == 4 * len(EXAMPLES)
    assert set(read_run(tmp_path).settings["strategies"]) == {"a", "b"}  # type: ignore[call-overload]


def test_rows_of_other_settings_are_never_mixed(tmp_path: Path) -> None:
    plan = plan_of({"a": Echo("a", [])}, fingerprint=lambda name, example: fingerprint_of(name, "top 3"))
    list(evaluate_into(tmp_path, replace(plan, examples=EXAMPLES[:2])))
    other = replace(plan, fingerprint=lambda name, example: fingerprint_of(name, "top 5"))
    with pytest.raises(EvaluationError, match=r"holds 2 of these rows with other settings.*a, q0"):
        list(evaluate_into(tmp_path, other))
    assert len(read_records(tmp_path)) == 2


def test_failed_rows_are_asked_again_only_on_request(tmp_path: Path) -> None:
    plan = plan_of({"a": Echo("a", [], fails_on=("q1", "q2"))})
    list(evaluate_into(tmp_path, plan))
    healed = plan_of({"a": Echo("a", [])})
    assert list(evaluate_into(tmp_path, healed)) == []
    assert len(rows_done(tmp_path, healed, retry_errors=True)) == len(EXAMPLES) - 2
    assert [record.example_id for record in evaluate_into(tmp_path, healed, retry_errors=True)] == ["q1", "q2"]
    found = planned_records(tmp_path, healed)
    assert len(found) == len(EXAMPLES)
    assert all(record.error is None for record in found)


def test_a_sample_keeps_shares_order_and_what_a_smaller_one_had() -> None:
    examples = [Example(f"q{number}", "", "", {"answerable": number % 3 != 0}) for number in range(90)]

    def sample(limit: int, seed: int = 0) -> list[str]:
        chosen = sample_examples(examples, limit, seed=seed, stratum=lambda example: example.metadata["answerable"])
        return [example.id for example in chosen]

    nine = sample(9)
    assert len(nine) == 9
    assert sum(int(name[1:]) % 3 == 0 for name in nine) == 3
    assert nine == sorted(nine, key=lambda name: int(name[1:]))
    assert set(nine) < set(sample(30))
    assert sample(9) == nine
    assert sample(9, seed=1) != nine
    assert sample(1000) == [example.id for example in examples]


def test_a_fingerprint_depends_on_values_and_not_on_their_order() -> None:
    assert fingerprint_of({"a": 1, "b": 2}) == fingerprint_of({"b": 2, "a": 1})
    assert fingerprint_of({"a": 1}) != fingerprint_of({"a": 2})
    assert fingerprint_of("ab", "c") != fingerprint_of("a", "bc")


def test_several_at_once_give_the_records_of_one_at_a_time_in_their_order() -> None:
    under_way: list[str] = []
    most = 0
    lock = threading.Lock()

    def slow(example: Example) -> Prediction:
        nonlocal most
        with lock:
            under_way.append(example.id)
            most = max(most, len(under_way))
        time.sleep(0.02 if int(example.id[1:] or 0) % 2 else 0.0)  # the second overtakes the first
        with lock:
            under_way.remove(example.id)
        if example.id == "q3":
            raise ModelError("It has no answer.")
        return Prediction(example.input.upper(), None, {})

    examples = [Example(f"q{number}", f"text {number}", "") for number in range(12)]
    one = list(evaluate(plan_of({"a": slow, "b": slow}, examples=examples)))
    most = 0
    several = list(evaluate(plan_of({"a": slow, "b": slow}, examples=examples), at_once=4))
    assert [(row.strategy, row.example_id, row.prediction, row.error) for row in several] == [
        (row.strategy, row.example_id, row.prediction, row.error) for row in one
    ]
    assert 2 <= most <= 4


def test_a_strategy_that_is_given_up_has_the_same_rows_with_several_at_once() -> None:
    def broken(_example: Example) -> Prediction:
        raise ModelError("The model is gone.")

    examples = [Example(f"q{number}", "", "") for number in range(20)]
    rows = list(evaluate(plan_of({"a": broken}, examples=examples), at_once=3))
    assert [row.example_id for row in rows] == [f"q{number}" for number in range(GIVE_UP_AFTER)]
    assert "given up" in (rows[-1].error or "")


def test_the_cap_holds_for_several_calls_at_once_and_what_was_paid_for_is_kept() -> None:
    model = FakeChatModel(lambda text: text, price_usd=1.0)
    spending = Spending()
    metered = spending.metered(model)

    def ask(example: Example) -> Prediction:
        metered.complete([Message("user", example.input)], max_tokens=4)
        return Prediction("", None, {}, {"cost_usd": 1.0})

    examples = [Example(f"q{number}", "text", "") for number in range(10)]
    plan = plan_of({"a": ask}, examples=examples, spending=spending, failed_cost_usd=None)
    rows = []
    with pytest.raises(SpendingCapError):
        for row in evaluate(plan, max_cost_usd=5.5, at_once=4):
            rows.append(row)
    assert len(rows) == len(model.questions) == 5
    assert spending.spent_usd == 5.0
