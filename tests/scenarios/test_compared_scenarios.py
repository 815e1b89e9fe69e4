"""How each scenario's rows are read for comparing: against the evaluation's own figures and by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.comparison.charts.techniques import first_token_figure, tokens_figure
from playground.comparison.figures import TechniqueFigures
from playground.comparison.outcomes import TechniqueRows
from playground.comparison.rows import RunRows, read_run_rows
from playground.comparison.technique_figures import technique_figures, technique_rows
from playground.measuring.estimates import Estimate, proportion
from playground.measuring.runs import RunInfo
from playground.models.chat import LocalChatModel
from playground.paths import ROOT
from playground.types import ChatModel, Completion, Message, Prediction, RunRecord, Usage
from scenarios.contract_clauses import compared as clauses
from scenarios.contract_clauses import side_by_side
from scenarios.contract_clauses.judges import compact
from scenarios.contract_clauses.measured_contracts import LABELS, contract_of, load_measured_set
from scenarios.contract_clauses.prompted import message_builder, prompted_strategy, sampled_pairs
from scenarios.registry import scenario_names
from scenarios.return_policy import compared as policy
from scenarios.return_policy.evaluation import summarise
from tests.support.fakes import FakeChatModel

RUNS = ROOT / "data" / "runs"
PAIRS = 4


# Return policy


@pytest.mark.parametrize("folder", ["return_policy-rag", "return_policy-techniques"])
def test_the_recorded_rows_give_the_evaluations_own_figures(folder: str) -> None:
    run = read_run_rows(RUNS / folder, scenario_names())
    found = technique_figures(run, policy.compared_scenario(run.info))
    own = summarise(run.records)
    assert [one.strategy for one in found] == [row["strategy"] for row in own]
    for one, row in zip(found, own, strict=True):
        assert one.accuracy is not None
        assert (one.accuracy.value, one.accuracy_name) == (row["balanced_accuracy"], "balanced accuracy")
        for name in ("answerable_accuracy", "abstention_accuracy", "unsupported_number_rate"):
            assert one.rates[name].value == row[name]
        assert (one.n, one.errors, one.input_tokens) == (row["n"], row["errors"], row["input_tokens"])
        assert one.total_s is not None
        assert {"p50": one.total_s.p50.value, "p95": one.total_s.p95.value} == pytest.approx(row["total_s"])
        ci: Any = row["ci"]
        for share, estimate in (("p50", one.total_s.p50), ("p95", one.total_s.p95)):
            assert ci[f"total_s_{share}"] == [estimate.low, estimate.high]
            assert estimate.low <= estimate.value <= estimate.high


def question(example: str, answerable: float, right: float, **changes: object) -> RunRecord:
    scores = {"answerable": answerable, "right": right, "abstained": 0.0, "unsupported_number": 0.0}
    record = RunRecord("r", "rag", "m", None, example, 0, Prediction("x", None, {}), scores, 0.0, None, "", "", "")
    return replace(record, **changes)  # type: ignore[arg-type]


def test_an_error_is_wrong_whatever_its_scores_say() -> None:
    rows = [question("a", 1.0, 1.0), question("b", 1.0, 1.0, error="gone"), question("c", 0.0, 1.0)]
    found = policy.measure(rows)
    assert found.accuracy is not None
    assert found.accuracy.value == pytest.approx((0.5 + 1) / 2)
    assert [one.right for one in policy.outcomes(rows).values()] == [True, False, True]
    assert found.rates["unsupported_number_rate"] == proportion(0, 2)


def test_questions_of_one_kind_have_plain_accuracy_under_its_own_name() -> None:
    found = policy.measure([question("a", 1.0, 1.0), question("b", 1.0, 0.0)])
    assert (found.accuracy, found.accuracy_name) == (proportion(1, 2), "accuracy (no question was unanswerable)")
    found = policy.measure([question("a", 0.0, 1.0)])
    assert (found.accuracy, found.accuracy_name) == (proportion(1, 1), "accuracy (no question was answerable)")


def test_the_columns_are_the_policies_of_our_own_questions() -> None:
    run = read_run_rows(RUNS / "return_policy-rag", scenario_names())
    found = policy.outcomes(run.records)
    assert len(found) == 241
    assert found["northtrail-v1-01"].column == "northtrail-outdoor-v1"
    assert all(one.column for one in found.values())
    assert policy.outcomes([question("somebody's own", 1.0, 1.0)])["somebody's own"].column == ""


# Contract clauses

SET = load_measured_set(None, None, 0)
CONTRACTS = [contract_of(example) for example in SET.examples][:3]
INFO = RunInfo(
    "r",
    "contract_clauses",
    "",
    {"contracts": {"name": SET.name, "sha256": SET.sha256}, "labels": list(SET.labels), "pairs_per_contract": PAIRS},
    {},
)


def judged(strategy: str = "lora", detail: dict[str, object] | None = None) -> list[RunRecord]:
    """Rows of a judge that flags exactly what is gold."""
    return [
        RunRecord(
            *("r", strategy, "m", None, contract.title, 0),
            Prediction(
                "",
                None,
                {"total_s": 0.5},
                detail
                or {
                    "clauses": len(contract.clauses),
                    "scores": compact(contract.gold.astype(float)),
                    "thresholds": [0.5] * len(LABELS),
                },
            ),
            *({}, 0.0, None, "", "", ""),
        )
        for contract in CONTRACTS
    ]


def prompted(say_yes: bool) -> list[RunRecord]:
    rows = []
    for contract in CONTRACTS:
        pairs = sampled_pairs(contract, PAIRS, 0)
        asked = [{"clause": a, "label": b, "score": 1.0 if say_yes else None, "reply": ""} for a, b in pairs]
        prediction = Prediction("", Usage(400, 8), {"total_s": 2.0}, {"clauses": len(contract.clauses), "asked": asked})
        rows.append(RunRecord(*("r", "zero-shot", "m", None, contract.title, 0), prediction, {}, 0.0, None, "", "", ""))
    return rows


def test_every_strategy_has_the_accuracy_on_the_sampled_pairs() -> None:
    scenario = clauses.compared_scenario(INFO, resamples=50)
    assert scenario.notes == ()
    right = sum(bool(contract.gold[pair]) for contract in CONTRACTS for pair in sampled_pairs(contract, PAIRS, 0))
    pairs = sum(len(sampled_pairs(contract, PAIRS, 0)) for contract in CONTRACTS)
    assert 0 < right < pairs
    perfect, yes = scenario.measure(judged()), scenario.measure(prompted(say_yes=True))
    assert perfect.accuracy == Estimate(1.0, 1.0, 1.0)
    assert yes.accuracy is not None
    assert yes.accuracy.value == pytest.approx(right / pairs)
    assert perfect.accuracy_name == yes.accuracy_name
    assert {"micro_ap", "macro_ap", "micro_f1", "sample_f1"} <= set(perfect.rates)
    assert perfect.rates["micro_ap"].value == pytest.approx(1.0)
    assert set(yes.rates) == {"sample_ap", "sample_f1"}


def test_outcomes_are_pairs_that_cluster_by_contract() -> None:
    scenario = clauses.compared_scenario(INFO, resamples=50)
    first, second = scenario.outcomes(judged()), scenario.outcomes(prompted(say_yes=False))
    assert set(first) == set(second)
    assert all(one.right for one in first.values())
    assert {one.cluster for one in first.values()} == {contract.title for contract in CONTRACTS}
    assert {one.column for one in first.values()} <= set(LABELS)
    assert not any(one.right for one in second.values()), "replies that nobody can read are errors, not a No"


def figures_of(records: Sequence[RunRecord]) -> TechniqueFigures:
    (found,) = technique_figures(RunRows(INFO, tuple(records), ()), clauses.compared_scenario(INFO, resamples=20))
    return found


def test_unreadable_replies_are_counted_and_help_no_figure() -> None:
    found, asked = figures_of(prompted(say_yes=False)), PAIRS * len(CONTRACTS)
    assert (found.unreadable, found.errors, found.requests) == (asked, 0, asked)
    assert found.error_words == f"0 errors, {asked} unreadable answers"
    assert found.accuracy == Estimate(0.0, 0.0, 0.0)
    no = [_with_scores(row, 0.0) for row in prompted(say_yes=True)]
    for name in ("sample_ap", "sample_f1"):
        assert found.rates[name].value <= figures_of(no).rates[name].value
    assert figures_of(judged()).error_words == figures_of(no).error_words == "0 errors"
    elsewhere = replace(INFO, settings={**INFO.settings, "contracts": {"name": "CUADv1.json", "sha256": "x"}})
    assert clauses.compared_scenario(elsewhere).measure(prompted(say_yes=False)).unreadable == asked


def _with_scores(row: RunRecord, score: float) -> RunRecord:
    prediction: Any = row.prediction
    asked = [{**pair, "score": score} for pair in prediction.detail["asked"]]
    return replace(row, prediction=replace(prediction, detail={**prediction.detail, "asked": asked}))


def test_of_a_row_that_failed_every_sampled_pair_is_wrong() -> None:
    for rows in (judged(), prompted(say_yes=True)):
        failed = [replace(row, error="gone", prediction=None) for row in rows]
        found = clauses.compared_scenario(INFO, resamples=20).outcomes(failed)
        assert len(found) == PAIRS * len(CONTRACTS)
        assert not any(one.right for one in found.values())


def test_the_drill_down_says_unreadable_and_never_right() -> None:
    rows, ids = prompted(say_yes=False), list(clauses.compared_scenario(INFO).outcomes(judged()))
    found = side_by_side.shown_answers(TechniqueRows("zero-shot", "m", None, tuple(rows)), ids, INFO)
    assert list(found) == ids
    for one in found.values():
        assert (one.verdict, one.right, one.unreadable, one.answer) == ("unreadable", False, True, "")
        assert one.error == "the reply says neither yes nor no"
    yes = side_by_side.shown_answers(TechniqueRows("zero-shot", "m", None, tuple(prompted(say_yes=True))), ids, INFO)
    assert {one.verdict for one in yes.values()} == {"right", "wrong"}
    assert {one.answer for one in yes.values()} == {"yes (score 1.00)"}
    failed = [replace(row, error="gone", prediction=None) for row in rows]
    gone = side_by_side.shown_answers(TechniqueRows("zero-shot", "m", None, tuple(failed)), ids, INFO)
    assert {(one.verdict, one.answer, one.error) for one in gone.values()} == {("wrong", "", "gone")}


def asked_of(model: ChatModel, name: str = "zero-shot") -> list[RunRecord]:
    """Rows of ``model`` really asked about the pairs."""
    ask = prompted_strategy(
        lambda: message_builder(name), model, count=PAIRS, seed=0, reasons=name == "chain-of-thought"
    )
    return [
        RunRecord(*("r", name, "m", None, example.id, 0), ask(example), {}, 0.0, None, "", "", "")
        for example in SET.examples[:3]
    ]


@pytest.mark.parametrize("name", ["zero-shot", "few-shot", "chain-of-thought"])
def test_prompting_has_a_first_token_and_its_tokens_by_part(name: str) -> None:
    rows = asked_of(FakeChatModel(lambda _message: "Answer: Yes"), name)
    found = figures_of(rows)
    parts = ["system", *(["examples"] if name == "few-shot" else []), "clause", "question", "chat format", "output"]
    assert list(found.tokens) == parts
    assert found.input_tokens == pytest.approx(sum(found.tokens.values()) - found.tokens["output"])
    title = SET.examples[0].id
    first, *_rest = sampled_pairs(CONTRACTS[0], PAIRS, 0)
    assert found.tokens["clause"] == pytest.approx(
        sum(len(one.clauses[a].text[:4_000].split()) for one in CONTRACTS for a, _b in sampled_pairs(one, PAIRS, 0))
        / found.requests
    )
    assert found.first_token_s is not None and found.total_s is not None
    assert 0 < found.first_token_s.p50.value <= found.total_s.p50.value
    assert first_token_figure([found]) is not None
    drawn: Any = tokens_figure([found])
    assert [trace.name for trace in drawn.data if trace.type == "bar"] == parts
    pair = f"{title}\n{first[0]}\n{first[1]}"
    shown = side_by_side.shown_answers(TechniqueRows(name, "m", None, tuple(rows)), [pair], INFO)[pair]
    assert shown.facts.startswith("first token 0.00 s · whole contract: ")


def test_a_first_token_that_never_came_is_not_taken_for_none_to_wait_for() -> None:
    class Silent(FakeChatModel):
        def complete(self, messages: Sequence[Message], **settings: Any) -> Completion:
            return replace(super().complete(messages, **settings), first_token_s=None)

    rows = asked_of(Silent(lambda _message: ""))
    assert all("first_token_s" not in row.prediction.timings for row in rows if row.prediction)
    assert figures_of(rows).first_token_s is None


def test_a_first_token_that_is_scored_counts_from_the_prompt_to_the_score() -> None:
    class Scoring(LocalChatModel):
        def __init__(self) -> None:
            self._model_id = "m"

        def count_tokens(self, text: str) -> int:
            return len(text.split())

        def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
            return sum(self.count_tokens(message.content) + 1 for message in messages)

        def choice_probabilities(
            self, messages: Sequence[Message], choices: Sequence[str], *, adapter: str | None = None
        ) -> tuple[tuple[float, ...], Usage]:
            return (0.75, 0.25), Usage(self.count_prompt_tokens(messages), 0)

    found = figures_of(asked_of(Scoring()))
    assert found.first_token_s is not None and found.total_s is not None
    assert 0 < found.first_token_s.p50.value <= found.total_s.p50.value
    assert (found.unreadable, found.output_tokens) == (0, 0.0)
    assert {"system", "clause", "question", "chat format"} < set(found.tokens)


def test_times_are_per_clause_judged_and_per_pair_asked() -> None:
    run = replace(
        read_run_rows(RUNS / "return_policy-rag", scenario_names()),
        info=INFO,
        records=(*judged(), *prompted(say_yes=True)),
    )
    scenario = clauses.compared_scenario(INFO, resamples=20)
    lora, zero_shot = technique_figures(run, scenario)
    pairs = sum(len(sampled_pairs(one, PAIRS, 0)) for one in CONTRACTS)
    assert {one.sample for one in (lora, zero_shot)} == {f"{len(CONTRACTS)} contracts, {pairs} pairs"}
    assert lora.total_s is not None
    assert zero_shot.total_s is not None
    assert lora.total_s.values == tuple(0.5 / len(contract.clauses) for contract in CONTRACTS)
    assert zero_shot.total_s.values == tuple(2.0 / len(sampled_pairs(one, PAIRS, 0)) for one in CONTRACTS)
    assert zero_shot.input_tokens == pytest.approx(3 * 400 / zero_shot.requests)
    assert (lora.unit, lora.parts, lora.whole_unit) == (f"clause, all {len(SET.labels)} labels", 1, "")
    assert (zero_shot.unit, zero_shot.parts, zero_shot.whole_unit) == ("clause and label", len(SET.labels), lora.unit)
    assert len(technique_rows(run.records, scenario)[0]) == 2


@pytest.mark.parametrize(
    "detail",
    [
        {"clauses": "many", "scores": {}, "thresholds": []},
        {"clauses": 3, "scores": {"0": {"0": 2.0}}, "thresholds": [0.5] * len(LABELS)},
        {"clauses": 3, "scores": {"99999": {"0": 1.0}}, "thresholds": [0.5] * len(LABELS)},
        {"clauses": 3, "scores": {"x": 1}, "thresholds": [0.5] * len(LABELS)},
        {"clauses": 3, "scores": [], "thresholds": ["x"] * len(LABELS)},
        {"asked": [{"clause": -1, "label": 0, "score": 1.0}]},
        {"asked": [{"clause": 0, "label": 0, "score": "yes"}]},
        {"asked": [3]},
        {"asked": None},
    ],
)
def test_scores_edited_by_hand_count_as_failed(detail: dict[str, object]) -> None:
    scenario = clauses.compared_scenario(INFO, resamples=20)
    for strategy in ("lora", "zero-shot"):
        found = scenario.measure(judged(strategy, detail))
        assert found.accuracy is not None
        assert found.accuracy.value < 1.0


def test_other_contracts_are_said_and_leave_the_accuracy_open(tmp_path: Path) -> None:
    other = replace(INFO, settings={**INFO.settings, "contracts": {"name": "CUADv1.json", "sha256": "x"}})
    scenario = clauses.compared_scenario(other)
    assert "measured on CUADv1.json, which is not the project's own test clauses" in scenario.notes[0]
    assert scenario.measure(judged()).accuracy is None
    assert scenario.outcomes(judged()) == {}
    assert clauses.requests_of(judged()[0]) == len(CONTRACTS[0].clauses)
    assert clauses.requests_of(replace(judged()[0], prediction=None)) == 0
