"""Scenario A's questions, what counts as right, and the figures made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground import paths
from playground.adapters import StoredAdapter
from playground.cli.arguments import names_in
from playground.errors import AdapterError, EvaluationError, PlaygroundError
from playground.measuring.evaluation import FAILED, EvaluationPlan, evaluate
from playground.paths import POLICIES, SHIPPED_ADAPTERS
from playground.retrieval.index import RetrievalSettings
from playground.types import Example, Prediction, RunRecord, Usage
from scenarios.return_policy import evaluation as scenario
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import QUESTIONS, PolicyRequest
from scenarios.return_policy.scenario import READER_TOP_K, few_shot_examples, system_prompt
from tests.support.fakes import FakeChatModel
from tests.support.fakes_adapters import MANIFEST
from tests.support.scripted_embedder import ScriptedEmbedder

POLICY = "# Returns\n\nYou may return shoes within 30 days. A return label costs $5.\n"
ROW = {"id": "a", "policy": "shop.md", "question": "How long?", "answerable": True, "expect": ["30 days"]}
UNANSWERABLE = {"id": "b", "policy": "shop.md", "question": "Do you sell hats?", "answerable": False, "expect": []}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "shop.md").write_text(POLICY)

    def write_questions(*rows: object) -> Path:
        path = tmp_path / "questions.jsonl"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write_questions


def arguments(questions: Path = QUESTIONS, strategies: str = "rag", **changes: Any) -> PolicyRequest:
    policies = questions.parent / "policies" if questions != QUESTIONS else POLICIES
    given: dict[str, Any] = {
        "questions": questions,
        "policies": policies,
        "model": "bundled",
        "limit": None,
        "adapter": None,
        "closed_book_adapter": None,
        "top_k": None,
        "no_arithmetic": False,
        "keep_unsupported": False,
        "abstain_at": None,
        "seed": 0,
    }
    return PolicyRequest(strategies=names_in(strategies), **(given | changes))


def prepare(given: PolicyRequest, model: FakeChatModel) -> EvaluationPlan:
    return scenario.prepare(given, load_model=lambda: model, load_embedder=ScriptedEmbedder)


# Reading questions


def test_a_question_becomes_an_example_with_all_its_fields(write: Callable[..., Path]) -> None:
    path = write({**ROW, "tags": ["single"], "example_answer": "30 days."}, "", UNANSWERABLE)
    first, second = read_questions(path, path.parent / "policies")
    assert first == Example(
        "a",
        "How long?",
        "30 days.",
        {
            "policy": "shop.md",
            "answerable": True,
            "expect": ["30 days"],
            "tags": ["single"],
            "example_answer": "30 days.",
        },
    )
    assert second.metadata["answerable"] is False


def test_byte_order_mark_number_ids_and_windows_lines_are_taken(write: Callable[..., Path]) -> None:
    path = write({**ROW, "id": 7})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [example.id for example in read_questions(path, path.parent / "policies")] == ["7"]


def test_the_projects_own_questions_can_be_read() -> None:
    assert len(read_questions(QUESTIONS, POLICIES)) == len(QUESTIONS.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{not json", "it is not JSON"),
        ("[1]", "it is not a JSON object"),
        pytest.param("[" * 100_000, "it is nested too deeply", id="deep"),
        ('{"id": "\\ud800"}', "half a surrogate pair"),
        ({"id": "x"}, "it lacks policy, question, answerable, expect"),
        ({**ROW, "id": "x", "question": "  "}, "question must be a text"),
        ({**ROW, "id": True}, "id must be a text"),
        pytest.param(
            {**ROW, "id": "x", "question": "why" * 1000}, "question has more than 2,000 characters", id="long"
        ),
        ({**ROW, "id": "x", "answerable": "yes"}, "answerable must be true or false"),
        ({**ROW, "id": "x", "expect": "30"}, "expect must be a list"),
        ({**ROW, "id": "x", "expect": [30]}, "expect must be a list"),
        ({**ROW, "id": "x", "expect": []}, "expect is empty"),
        ({**ROW, "id": "x", "expect": ["a"] * 51}, "more than 50 expressions"),
        ({**ROW, "id": "x", "expect": ["(30"]}, "invalid regular expression '(30': missing )"),
        ({**ROW, "id": "x", "policy": "absent.md"}, "policy 'absent.md' is not a file in"),
        ({**ROW, "id": "x", "policy": "../questions.jsonl"}, "must be a file name without a folder"),
        ({**ROW, "id": "x", "policy": "..\\shop.md"}, "must be a file name without a folder"),
        ({**ROW, "id": "x", "policy": ".."}, "must be a file name without a folder"),
        (ROW, "id 'a' was used in line 1"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_the_reason(
    write: Callable[..., Path], row: object, reason: str
) -> None:
    path = write(ROW, "", row)
    with pytest.raises(EvaluationError, match=f"1 row that cannot be used: line 3: .*{re.escape(reason)}"):
        read_questions(path, path.parent / "policies")


def test_many_bad_rows_are_counted(write: Callable[..., Path]) -> None:
    path = write(ROW, *["x"] * 7)
    with pytest.raises(EvaluationError, match="7 rows that cannot be used: line 2: .*line 6: .*; and 2 more"):
        read_questions(path, path.parent / "policies")


def test_files_that_are_no_questions_are_named(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(ROW)
    policies = tmp_path / "policies"
    with pytest.raises(EvaluationError, match="folder of policies .* does not exist"):
        read_questions(path, tmp_path / "absent")
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_questions(tmp_path / "absent.jsonl", policies)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_questions(tmp_path, policies)
    with pytest.raises(EvaluationError, match="has no questions"):
        read_questions(write(""), policies)
    path.write_bytes(b'{"id": "\xff"}\n')
    with pytest.raises(EvaluationError, match="is not UTF-8"):
        read_questions(path, policies)


# What counts as right


@pytest.mark.parametrize(
    ("answerable", "output", "abstained", "right"),
    [
        (True, "You have 30 DAYS.", False, 1.0),
        (True, "You have 60 days.", False, 0.0),
        (True, "I don't know. Perhaps 30 days.", True, 0.0),
        (False, "I don't know.", True, 1.0),
        (False, "You have 30 days.", False, 0.0),
    ],
)
def test_right_is_the_expected_answer_or_a_due_abstention(
    answerable: bool, output: str, abstained: bool, right: float
) -> None:
    example = Example("a", "?", "", {"answerable": answerable, "expect": ["30 days", "day"]})
    prediction = Prediction(output, None, {}, {"abstained": abstained})
    assert scenario.is_right(prediction, example) == right
    assert scenario.is_answerable(prediction, example) == float(answerable)
    assert scenario.is_abstention(prediction, example) == float(abstained)


@pytest.mark.parametrize("answerable", [True, False])
def test_a_failure_is_wrong_even_where_an_empty_answer_would_match(answerable: bool) -> None:
    example = Example("a", "?", "", {"answerable": answerable, "expect": ["^(?!.*no)"]})
    assert scenario.is_right(FAILED, example) == 0.0


def test_an_answer_with_a_number_that_nothing_supports_is_marked() -> None:
    example = Example("a", "?", "", {"answerable": True, "expect": ["."]})
    assert scenario.has_unsupported_number(Prediction("90", None, {}, {"unstated": ["90"]}), example) == 1.0
    assert scenario.has_unsupported_number(Prediction("30", None, {}, {"unstated": []}), example) == 0.0
    withheld = Prediction("I don't know.", None, {}, {"unstated": ["90"], "withheld": "90"})
    assert scenario.has_unsupported_number(withheld, example) == 0.0
    worked = Prediction("$45", None, {}, {"unstated": [], "worked_out": ["$45"]})
    assert (scenario.has_unsupported_number(worked, example), scenario.has_worked_out_number(worked, example)) == (0, 1)


# Figures


def record(name: str, *, answerable: bool, abstained: bool, right: bool, unsupported: bool = False) -> RunRecord:
    return RunRecord(
        run_id="r",
        strategy="rag",
        model_id="m",
        adapter=None,
        example_id=name,
        seed=0,
        prediction=Prediction("x", Usage(100, 10), {"first_token_s": 0.5, "total_s": 1.0}),
        scores={
            "answerable": float(answerable),
            "abstained": float(abstained),
            "right": float(right),
            "unsupported_number": float(unsupported),
        },
        cost_usd=0.5,
        error=None,
        started_at="",
        machine="",
        commit="",
    )


RECORDS = [
    record("1", answerable=True, abstained=False, right=True),
    record("2", answerable=True, abstained=False, right=True, unsupported=True),
    record("3", answerable=True, abstained=False, right=False, unsupported=True),
    record("4", answerable=True, abstained=True, right=False),
    record("5", answerable=True, abstained=False, right=False),
    record("6", answerable=False, abstained=True, right=True),
    record("7", answerable=False, abstained=False, right=False),
    record("8", answerable=False, abstained=False, right=False),
]


def test_figures_of_a_hand_worked_example() -> None:
    (figures,) = scenario.summarise(RECORDS)
    ci: Any = figures.pop("ci")
    assert figures == {
        "strategy": "rag",
        "model": "m",
        "adapter": None,
        "n": 8,
        "n_answerable": 5,
        "n_unanswerable": 3,
        "errors": 0,
        "answerable_accuracy": 2 / 5,
        "abstention_accuracy": 1 / 3,
        "balanced_accuracy": pytest.approx((2 / 5 + 1 / 3) / 2),
        "false_answer_rate": 2 / 3,
        "unsupported_number_rate": 2 / 6,
        "worked_out_number_rate": 0.0,
        "first_token_s": {"p50": 0.5, "p95": 0.5},
        "total_s": {"p50": 1.0, "p95": 1.0},
        "input_tokens": 100.0,
        "cached_tokens": 0.0,
        "output_tokens": 10.0,
        "cost_usd": 4.0,
    }
    # Wilson, worked from the formula: 2 of 5 and 2 of 3.
    assert ci["answerable_accuracy"] == pytest.approx([0.1176, 0.7693], abs=1e-4)
    assert ci["false_answer_rate"] == pytest.approx([0.2077, 0.9385], abs=1e-4)
    low, high = ci["balanced_accuracy"]
    assert low < (2 / 5 + 1 / 3) / 2 < high
    json.dumps(figures, allow_nan=False)


def test_times_have_the_interval_of_the_bootstrap() -> None:
    seconds = [1.02**number for number in range(80)]
    timed = [
        replace(row, prediction=replace(row.prediction, timings={"total_s": value}))
        for row, value in zip(10 * RECORDS, seconds, strict=True)
        if row.prediction is not None
    ]
    (figures,) = scenario.summarise(timed)
    ci: Any = figures["ci"]
    assert figures["total_s"] == pytest.approx({"p50": np.quantile(seconds, 0.5), "p95": np.quantile(seconds, 0.95)})
    drawn = np.random.default_rng(1).choice(seconds, size=(20_000, 80))
    for name, share in (("total_s_p50", 0.5), ("total_s_p95", 0.95)):
        expected = np.quantile(np.quantile(drawn, share, axis=1), [0.025, 0.975])
        assert ci[name] == pytest.approx(list(expected), abs=0.05)
    assert "first_token_s_p50" not in ci
    failed = [replace(row, prediction=None, error="gone") for row in timed]
    assert not any(name.startswith("total_s") for name in scenario.summarise(failed)[0]["ci"])  # type: ignore[attr-defined]


def test_an_error_is_wrong_and_no_answer_and_never_dropped() -> None:
    failed = [
        replace(RECORDS[0], prediction=None, error="gone", cost_usd=None),
        replace(RECORDS[7], prediction=None, error="gone", cost_usd=None),
    ]
    (figures,) = scenario.summarise([*failed, *RECORDS[1:7]])
    assert (figures["n"], figures["errors"]) == (8, 2)
    assert figures["answerable_accuracy"] == 1 / 5
    assert figures["abstention_accuracy"] == 1 / 3
    assert figures["false_answer_rate"] == 1 / 3
    assert figures["unsupported_number_rate"] == 2 / 4
    assert figures["cost_usd"] is None


def test_a_rate_of_nothing_is_null_and_has_no_interval() -> None:
    (figures,) = scenario.summarise(RECORDS[:3])
    assert figures["abstention_accuracy"] is None
    assert figures["false_answer_rate"] is None
    assert figures["balanced_accuracy"] is None
    rates = {"answerable_accuracy", "unsupported_number_rate", "worked_out_number_rate"}
    times = {f"{name}_{share}" for name in ("first_token_s", "total_s") for share in ("p50", "p95")}
    assert set(figures["ci"]) == rates | times  # type: ignore[call-overload]
    assert scenario.summarise([]) == []


def test_strategies_and_models_are_kept_apart() -> None:
    other = [replace(row, strategy="no-text") for row in RECORDS[:2]]
    another = [replace(row, model_id="m2") for row in RECORDS[2:4]]
    found = [(row["strategy"], row["model"], row["n"]) for row in scenario.summarise([*RECORDS, *other, *another])]
    assert found == [("rag", "m", 8), ("no-text", "m", 2), ("rag", "m2", 2)]


# The plan


def test_settings_follow_the_strategy() -> None:
    assert scenario.bot_settings("rag").system_prompt == system_prompt()
    assert scenario.bot_settings("rag+cot", system="Be brief.").mode == "rag_chain_of_thought"
    assert scenario.bot_settings("rag", system="Be brief.", seed=4).seed == 4
    with pytest.raises(PlaygroundError, match=r"no strategy 'magic'. Use one of: no-text, whole-document, rag, rag"):
        scenario.bot_settings("magic")


def test_the_reader_gets_fewer_passages_unless_a_number_is_named() -> None:
    assert scenario.bot_settings("rag").retrieval.top_k == RetrievalSettings().top_k > READER_TOP_K
    reader = partial(scenario.bot_settings, "rag+lora", adapter="policy-reader@12345678")
    assert reader().retrieval.top_k == READER_TOP_K
    assert reader(retrieval=RetrievalSettings(top_k=4)).retrieval.top_k == 4


def test_every_strategy_answers_and_is_scored(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    reader = "policy-reader@12345678"
    monkeypatch.setattr(
        scenario, "reader_identity", lambda strategy, *_given: reader if strategy == "rag+lora" else None
    )
    memory = closed_book_of("shop.md")
    monkeypatch.setattr(scenario, "closed_book_adapter", lambda _name: memory)

    def script(message: str) -> str:
        return "I don't know." if "hats" in message else "Answer: 30 days, for $9."

    model = FakeChatModel(script, price_usd=0.001)
    every = ",".join(scenario.strategy_names())
    # The reader would withhold the $9 that no passage states, and all are to say the same.
    plan = prepare(arguments(write(ROW, UNANSWERABLE), strategies=every, keep_unsupported=True), model)
    records = list(evaluate(plan))
    assert [row["strategy"] for row in scenario.summarise(records)] == list(scenario.strategy_names())
    assert {record.adapter for record in records if record.strategy == "rag+lora"} == {reader}
    assert {record.adapter for record in records if record.strategy == "closed-book-lora"} == {memory.identity}
    others = [record for record in records if record.strategy not in ("rag+lora", "closed-book-lora")]
    assert {record.adapter for record in others} == {None}
    for row in scenario.summarise(records):
        assert (row["answerable_accuracy"], row["abstention_accuracy"], row["balanced_accuracy"]) == (1.0, 1.0, 1.0)
        assert row["unsupported_number_rate"] == 1.0
        assert row["cost_usd"] == pytest.approx(0.002)
        assert row["input_tokens"]
    few_shot = next(record for record in records if record.strategy == "rag+few-shot")
    assert few_shot.prediction is not None
    messages: Any = few_shot.prediction.detail["messages"]
    assert len(messages) == 2 + 2 * len(few_shot_examples())
    assert "30 days" in messages[-1]["content"]
    json.dumps(few_shot.prediction.detail)


def closed_book_of(*policies: str) -> StoredAdapter:
    data = {**MANIFEST.data, "policies": list(policies)}
    return StoredAdapter(Path("closed-book"), replace(MANIFEST, name="closed-book", task="closed_book", data=data))


def test_closed_book_is_asked_about_the_policies_it_was_trained_on(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(ROW, UNANSWERABLE, {**ROW, "id": "c", "policy": "other.md"})
    (path.parent / "policies" / "other.md").write_text(POLICY)
    memory = closed_book_of("shop.md")
    monkeypatch.setattr(scenario, "closed_book_adapter", lambda _name: memory)
    model = FakeChatModel(lambda _message: "30 days.")
    plan = prepare(arguments(path, strategies="rag,closed-book-lora"), model)
    assert "is asked 2 of 3 questions" in capsys.readouterr().err
    records = list(evaluate(plan))
    assert plan.size == len(records) == 5
    own = [record for record in records if record.strategy == "closed-book-lora"]
    assert [record.example_id for record in own] == ["a", "b"]
    assert own[0].prediction is not None
    messages: Any = own[0].prediction.detail["messages"]
    assert "Text:" not in messages[-1]["content"]
    alone = prepare(arguments(path, strategies="closed-book-lora", limit=2), model)
    assert [example.id for example in alone.examples] == ["a", "b"]


def test_closed_book_without_its_adapter_or_its_questions_says_what_to_do(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FakeChatModel(lambda _message: "30 days.")
    monkeypatch.setattr(paths, "SHIPPED_ADAPTERS", tmp_path / "none")
    with pytest.raises(AdapterError, match=r"there is none: python scripts/measure_stale_facts\.py"):
        prepare(arguments(write(ROW), strategies="closed-book-lora"), model)
    monkeypatch.setattr(paths, "SHIPPED_ADAPTERS", SHIPPED_ADAPTERS)
    with pytest.raises(AdapterError, match=r"cuad-minilm' was not trained on the facts"):
        prepare(arguments(write(ROW), strategies="closed-book-lora", closed_book_adapter="cuad-minilm"), model)
    monkeypatch.setattr(scenario, "closed_book_adapter", lambda _name: closed_book_of("elsewhere.md"))
    with pytest.raises(EvaluationError, match=r"trained on elsewhere\.md, and no question is about that"):
        prepare(arguments(write(ROW), strategies="rag,closed-book-lora"), model)


def test_the_plan_says_how_it_came_about(write: Callable[..., Path]) -> None:
    plan = prepare(arguments(write(ROW), strategies="rag, no-text,rag"), FakeChatModel(str, model_id="m1"))
    settings: Any = plan.settings
    assert list(plan.strategies) == ["rag", "no-text"]
    assert settings["strategies"]["rag"]["retrieval"]["top_k"] == 3
    assert settings["strategies"]["rag"]["system_prompt"] == system_prompt()
    assert list(settings["policies"]) == ["shop.md"]
    assert plan.models == {"m1": {"choice": "bundled", "weights_sha256": None}}
    bundled = prepare(arguments(write(ROW)), FakeChatModel(str, model_id="smollm2-135m-instruct"))
    assert bundled.models["smollm2-135m-instruct"]["weights_sha256"].startswith("b179c9523d0e")  # type: ignore[index]
    json.dumps([plan.settings, plan.models])


def test_the_fingerprint_changes_with_everything_that_decides_a_row(write: Callable[..., Path], tmp_path: Path) -> None:
    def print_of(*, strategy: str = "rag", row: dict[str, Any] = ROW, seed: int = 0) -> str:
        plan = prepare(arguments(write(row), strategies=strategy, seed=seed), FakeChatModel(str))
        return plan.fingerprint(strategy, plan.examples[0])

    first = print_of()
    assert print_of() == first
    assert print_of(row={**ROW, "tags": ["new"]}) == first
    others = [
        print_of(strategy="rag+cot"),
        print_of(row={**ROW, "question": "How long, please?"}),
        print_of(row={**ROW, "expect": ["31 days"]}),
        print_of(row={**ROW, "answerable": False}),
    ]
    (tmp_path / "policies" / "shop.md").write_text(POLICY.replace("30", "45"))
    others.append(print_of())
    assert first not in others
    assert len(set(others)) == len(others)


def test_bad_input_is_found_before_a_model_is_loaded(write: Callable[..., Path], tmp_path: Path) -> None:
    def loaded() -> Any:
        raise AssertionError("a model was loaded")

    def check(given: PolicyRequest, message: str) -> None:
        with pytest.raises(PlaygroundError, match=message):
            scenario.prepare(given, load_model=loaded, load_embedder=loaded)

    check(arguments(write(ROW), strategies="rag,magic"), "no strategy 'magic'")
    check(arguments(write(ROW), strategies=" , "), "No strategy was named")
    check(arguments(write("x")), "line 1: it is not JSON")
    (tmp_path / "policies" / "shop.md").write_bytes(b"")
    check(arguments(write(ROW)), r"The policy .*shop\.md cannot be used: The file is empty")


def test_a_limit_draws_from_both_kinds() -> None:
    plan = prepare(arguments(limit=6), FakeChatModel(str))
    assert sorted(bool(example.metadata["answerable"]) for example in plan.examples) == [False] * 2 + [True] * 4


def test_an_expression_that_never_ends_is_an_error_of_its_row(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenario, "all_found", lambda patterns, text: _all_found(patterns, text, timeout_s=0.3))
    path = write({**ROW, "expect": ["(a|a)+$"]}, {**ROW, "id": "c"})
    slow, quick = evaluate(prepare(arguments(path), FakeChatModel(lambda _message: "30 days " + "a" * 60 + "!")))
    assert slow.error is not None
    assert "(a|a)+$" in slow.error
    assert slow.scores["right"] == 0.0
    assert (quick.error, quick.scores["right"]) == (None, 1.0)


_all_found = scenario.all_found
