"""The account of a run: checked before each call, nothing that may have been billed forgotten."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from playground.errors import EndpointError, EvaluationError, ModelError, SpendingCapError
from playground.measuring.evaluation import GIVE_UP_AFTER, EvaluationPlan, evaluate, evaluate_into
from playground.measuring.runs import read_records, read_spent_usd, write_spent_usd
from playground.measuring.spending import Spending
from playground.types import ChatModel, Example, Message, Prediction, Strategy, Usage
from tests.support.fakes import FakeChatModel

EXAMPLES = [Example(f"q{number}", "three words here", "") for number in range(8)]


class PricedModel(FakeChatModel):
    """A hundredth of a dollar for each input token, a tenth for each output token."""

    def cost_usd(self, usage: Usage | None) -> float | None:
        return None if usage is None else 0.01 * usage.input_tokens + 0.1 * usage.output_tokens


def ask(model: ChatModel, calls: int = 1) -> Strategy:
    def strategy(example: Example) -> Prediction:
        costs = []
        for _ in range(calls):
            done = model.complete([Message("user", example.input)], max_tokens=5)
            costs.append(model.cost_usd(done.usage))
        known = [cost for cost in costs if cost is not None]
        cost = sum(known) if len(known) == len(costs) else None
        return Prediction(done.text, done.usage, {"total_s": 0.1}, {"cost_usd": cost})

    return strategy


def plan_for(
    model: FakeChatModel, *, calls: int = 1, warm_up: bool = False, examples: Sequence[Example] = EXAMPLES
) -> EvaluationPlan:
    spending = Spending()
    return EvaluationPlan(
        scenario="test",
        model_id=model.model_id,
        seed=0,
        strategies={"a": ask(spending.metered(model), calls)},
        examples=examples,
        metrics={},
        failed_cost_usd=model.cost_usd(None),
        warm_up=Example("warm-up", "one", "") if warm_up else None,
        spending=spending,
    )


# A call: 3 words and 1 for the message are 4 input tokens, $0.04; the answer "yes" is 1 output token, $0.10: $0.14.
# Its bound: 4 tokens with the margin of a quarter are 5, $0.05, and 5 output tokens, $0.50: $0.55.


def test_a_run_stops_before_the_call_that_could_exceed_the_cap(tmp_path: Path) -> None:
    model = PricedModel(lambda _message: "yes")
    rows = evaluate_into(tmp_path, plan_for(model), max_cost_usd=1.0)
    with pytest.raises(SpendingCapError, match=r"cap of \$1\.00 .* \$0\.56 was spent, .* up to \$0\.55\. The finished"):
        list(rows)
    # After three calls 0.42 + 0.55 is within the cap; after four 0.56 + 0.55 is not.
    assert len(model.questions) == len(read_records(tmp_path)) == 4
    assert read_spent_usd(tmp_path) == pytest.approx(0.56)


def test_a_stopped_run_goes_on_with_a_higher_cap_and_counts_what_was_spent(tmp_path: Path) -> None:
    model = PricedModel(lambda _message: "yes")
    with pytest.raises(SpendingCapError):
        list(evaluate_into(tmp_path, plan_for(model), max_cost_usd=1.0))
    with pytest.raises(SpendingCapError):
        list(evaluate_into(tmp_path, plan_for(model), max_cost_usd=1.0))
    assert len(model.questions) == 4  # nothing was asked again
    with pytest.raises(SpendingCapError):
        list(evaluate_into(tmp_path, plan_for(model), max_cost_usd=1.2))
    assert len(model.questions) == 5
    assert len(list(evaluate_into(tmp_path, plan_for(model)))) == 3
    assert read_spent_usd(tmp_path) == pytest.approx(8 * 0.14)


def test_the_cap_is_never_exceeded_whatever_is_answered(tmp_path: Path) -> None:
    model = PricedModel(lambda _message: "a b c d e")  # all of max_tokens
    with pytest.raises(SpendingCapError):
        list(evaluate_into(tmp_path, plan_for(model), max_cost_usd=2.0))
    assert 1.0 < read_spent_usd(tmp_path) <= 2.0


def test_every_call_of_a_row_is_checked_and_an_unfinished_row_is_on_the_account(tmp_path: Path) -> None:
    model = PricedModel(lambda _message: "yes")
    with pytest.raises(SpendingCapError):
        list(evaluate_into(tmp_path, plan_for(model, calls=3), max_cost_usd=1.1))
    assert len(model.questions) == 4  # a row of three, and one call of the next
    assert len(read_records(tmp_path)) == 1
    assert read_spent_usd(tmp_path) == pytest.approx(4 * 0.14)


def test_the_warm_up_counts(tmp_path: Path) -> None:
    model = PricedModel(lambda _message: "yes")
    with pytest.raises(SpendingCapError, match="up to"):
        list(evaluate_into(tmp_path, plan_for(model, warm_up=True), max_cost_usd=0.3))
    assert model.questions == []
    rows = evaluate_into(tmp_path, plan_for(model, warm_up=True, examples=EXAMPLES[:1]))
    assert len(list(rows)) == 1
    assert read_spent_usd(tmp_path) == pytest.approx(0.12 + 0.14)


@pytest.mark.parametrize("usage", [True, False])
def test_what_may_have_been_billed_counts_with_its_bound(tmp_path: Path, usage: bool) -> None:
    def script(_message: str) -> str | Exception:
        return EndpointError("Gone.") if usage else "yes"

    plan = plan_for(PricedModel(script, usage=usage), examples=EXAMPLES[:2])
    rows = list(evaluate_into(tmp_path, plan))
    assert [row.cost_usd for row in rows] == [None, None]
    assert read_spent_usd(tmp_path) == pytest.approx(2 * 0.55)


def test_an_unknown_price_is_refused_before_anything_is_asked_or_written(tmp_path: Path) -> None:
    model = FakeChatModel(lambda _message: "yes", price_usd=None)
    with pytest.raises(EvaluationError, match="The price of fake-model at its endpoint is not known"):
        list(evaluate_into(tmp_path / "run", plan_for(model), max_cost_usd=1.0))
    assert model.questions == []
    assert not (tmp_path / "run").exists()
    assert len(list(evaluate_into(tmp_path / "run", plan_for(model)))) == len(EXAMPLES)


def test_a_model_that_is_not_on_the_account_is_refused_too() -> None:
    plan = replace(plan_for(PricedModel(lambda _message: "yes")), spending=Spending())
    with pytest.raises(EvaluationError, match="What fake-model costs is not known"):
        list(evaluate(plan, max_cost_usd=1.0))


@pytest.mark.parametrize("cap", [0.0, -1.0, math.nan, math.inf])
def test_a_cap_that_cannot_be_is_refused(cap: float) -> None:
    with pytest.raises(EvaluationError, match=r"A spending cap of .* cannot be kept. Give more than 0."):
        list(evaluate(plan_for(PricedModel(lambda _message: "yes")), max_cost_usd=cap))


def test_a_model_on_this_machine_is_returned_as_it_is_and_not_stopped(tmp_path: Path) -> None:
    model = FakeChatModel(lambda _message: "yes", price_usd=0.0)
    assert Spending().metered(model) is model
    assert len(list(evaluate_into(tmp_path, plan_for(model), max_cost_usd=0.000001))) == len(EXAMPLES)
    assert not (tmp_path / "spending.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"spent_usd": "x"}', '{"spent_usd": NaN}', '{"spent_usd": true}'])
def test_a_damaged_account_falls_back_to_the_rows(tmp_path: Path, text: str) -> None:
    model = PricedModel(lambda _message: "yes")
    list(evaluate_into(tmp_path, plan_for(model)))
    (tmp_path / "spending.json").write_text(text)
    assert read_spent_usd(tmp_path) == pytest.approx(8 * 0.14)
    write_spent_usd(tmp_path, 9.5)
    assert read_spent_usd(tmp_path) == 9.5
    assert json.loads((tmp_path / "spending.json").read_text()) == {"spent_usd": 9.5}


def test_a_technique_whose_model_is_gone_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    examples = [Example(f"q{number}", "x", "") for number in range(20)]
    asked: list[str] = []

    def gone(example: Example) -> Prediction:
        asked.append(example.id)
        if int(example.id[1:]) >= 3:
            raise ModelError("The server is gone. Start it again.")
        return Prediction("x", None, {}, {"cost_usd": 0.0})

    plan = replace(
        plan_for(FakeChatModel(lambda _message: "yes"), examples=examples),
        strategies={"gone": gone, "fine": lambda example: Prediction("x", None, {}, {"cost_usd": 0.0})},
    )
    rows = list(evaluate_into(tmp_path, plan))
    assert len(asked) == 3 + GIVE_UP_AFTER
    assert sum(row.strategy == "fine" for row in rows) == 20
    errors = [row.error for row in rows if row.error]
    assert errors[:-1] == ["The server is gone. Start it again."] * (GIVE_UP_AFTER - 1)
    assert errors[-1] == (
        "The server is gone. Start it again. gone failed 5 times in a row and is given up for this run; its finished "
        "rows are kept. Run it again when the model answers."
    )
    # When it is back, what was not asked is asked, and what failed on request.
    healed = replace(plan, strategies={"gone": lambda _example: Prediction("x", None, {}), "fine": gone})
    assert len(list(evaluate_into(tmp_path, healed))) == 20 - 8
    assert len(list(evaluate_into(tmp_path, healed, retry_errors=True))) == GIVE_UP_AFTER


def test_failures_that_are_not_in_a_row_do_not_count() -> None:
    def flaky(example: Example) -> Prediction:
        if int(example.id[1:]) % GIVE_UP_AFTER:
            raise ModelError("Busy.")
        return Prediction("x", None, {})

    examples = [Example(f"q{number}", "x", "") for number in range(20)]
    plan = replace(plan_for(FakeChatModel(lambda _message: "yes"), examples=examples), strategies={"flaky": flaky})
    assert len(list(evaluate(plan))) == 20
