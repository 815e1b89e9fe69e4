"""The experiments that ask the return-policy bot: what each changes, and what its rows are taken to show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground import paths
from playground.comparison.claims.stale_facts import FILE, read_stale_facts
from playground.errors import AdapterError, EvaluationError
from playground.limits.experiment import Experiment, LimitRequest, Size
from playground.limits.finding import Finding
from playground.limits.recorded import recorded_rows
from playground.measuring.evaluation import EvaluationPlan, evaluate
from playground.types import Prediction, RunRecord, Usage
from scenarios.experiments import experiment
from scenarios.return_policy.limits import asked, fragile_prompts, lost_in_the_middle, token_limit
from scenarios.return_policy.limits.asked import evidence_of, policy_kept_aside, single_fact_questions, states
from scenarios.return_policy.techniques import TECHNIQUES
from tests.support.fakes import FakeChatModel
from tests.support.fakes_limits import limit_row, limit_rows
from tests.support.scripted_embedder import ScriptedEmbedder

READER = "policy-reader@12345678"


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that reads, without a look at the disk."""
    monkeypatch.setattr(asked, "reader_identity", lambda _strategy, name=None, model="bundled": READER)


def no_reader(_strategy: str, name: str | None = None, model: str = "bundled") -> str:
    raise AdapterError("No adapter that reads passages was trained on this model. Train one.")


def plan_for(name: str, size: Size, model: FakeChatModel | None = None, adapter: str | None = None) -> EvaluationPlan:
    model = model or FakeChatModel(lambda _question: "No.")
    request = LimitRequest(size=size, adapter=adapter)
    return experiment(name).load().prepare(request, load_model=lambda: model, load_embedder=ScriptedEmbedder)


def found(name: str, rows: list[RunRecord]) -> Finding:
    return experiment(name).load().found(rows)


# All of them


@pytest.mark.parametrize(
    "name", ["token-limit", "lost-in-the-middle", "fragile-prompts", "shorter-prompts", "model-size"]
)
def test_conditions_of_the_live_run_are_known_and_one_that_is_not_is_named(name: str) -> None:
    chosen: Experiment = experiment(name)
    assert set(chosen.live.conditions) <= set(chosen.load().conditions)
    with pytest.raises(EvaluationError, match="There is no condition 'sideways'"):
        plan_for(name, Size(2, ("sideways",)))


def test_the_questions_are_of_policies_kept_aside_and_a_larger_sample_has_the_smaller_one() -> None:
    small, large = single_fact_questions(20, seed=0), single_fact_questions(60, seed=0)
    assert {one.id for one in small} < {one.id for one in large} and len(large) == 60
    assert len({str(one.metadata["policy"]) for one in small}) == 5
    for example in small:
        text = policy_kept_aside(str(example.metadata["policy"])).text
        assert all(states(text, sentence) for sentence in evidence_of(example))


@pytest.mark.parametrize("name", ["lost-in-the-middle", "fragile-prompts"])
def test_a_model_without_an_adapter_is_measured_prompted_and_a_named_condition_that_needs_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(asked, "reader_identity", no_reader)
    conditions = experiment(name).load().conditions
    assert all(one.startswith("prompted") for one in plan_for(name, Size(2)).strategies)
    with pytest.raises(AdapterError, match="No adapter that reads passages"):
        plan_for(name, Size(2, tuple(one for one in conditions if one.startswith("reader"))))
    with pytest.raises(AdapterError):
        plan_for(name, Size(2), adapter="mine")


def test_rows_keep_the_hash_of_a_prompt_and_not_its_text() -> None:
    plan = plan_for("lost-in-the-middle", Size(2, ("prompted, place 1",)))
    rows = list(evaluate(plan))
    assert [row.error for row in rows] == [None, None]
    details = [row.prediction.detail for row in rows if row.prediction]
    assert all("messages" not in detail and len(str(detail["prompt"])) == 16 for detail in details)


# Lost in the middle


def test_only_the_place_of_the_section_with_the_answer_changes() -> None:
    model = FakeChatModel(lambda _question: "No.")
    names = tuple(f"prompted, place {place}" for place in range(1, 6))
    plan = plan_for("lost-in-the-middle", Size(1, names), model)
    (example,) = plan.examples
    (evidence,) = evidence_of(example)
    for name in names:
        plan.strategies[name](example)
    prompts = [" ".join(prompt.split()).lower() for prompt in model.questions]
    sentence = " ".join(evidence.split()).lower()
    places = [prompt.index(sentence) for prompt in prompts]
    assert places == sorted(places) and len(set(places)) == 5
    assert {"".join(sorted(prompt)) for prompt in prompts} == {"".join(sorted(prompts[0]))}  # the same letters


def lost(right: dict[int, Callable[[int], bool]]) -> Finding:
    rows = [row for place, of in right.items() for row in limit_rows(f"reader, place {place}", of, count=100)]
    return found("lost-in-the-middle", rows)


def test_a_curve_with_both_ends_above_its_middle_shows_the_claim() -> None:
    u = lost({1: lambda n: n < 80, 2: lambda n: n < 60, 3: lambda n: n < 40, 4: lambda n: n < 60, 5: lambda n: n < 80})
    assert u.verdict == "shows here"
    assert u.headline == "RAG + LoRA: 80 % right with the answer at place 1, 40 % at place 3"
    assert len(u.tests) == 10 and u.n == 100


def test_recency_alone_shows_the_claim_in_part_and_a_flat_line_not_at_all() -> None:
    recency = lost({place: (lambda n, most=20 * place: n < most) for place in range(1, 6)})  # type: ignore[misc]
    assert recency.verdict == "shows in part" and "what stands last is read best" in recency.sentence
    flat = lost({place: lambda n: n % 2 == 0 for place in range(1, 6)})
    assert flat.verdict == "does not show here" and "0 of 10 pairs" in flat.sentence


def test_one_place_alone_says_nothing() -> None:
    with pytest.raises(EvaluationError, match="No two places were measured yet. What was measured is kept"):
        lost({1: lambda _n: True})


# Token limit


def test_a_padded_text_has_the_length_asked_for_and_all_of_the_policy_in_order() -> None:
    document = policy_kept_aside("thudwell-tools.txt")
    foreign = [f"Clause {number} speaks of something else entirely." for number in range(2_000)]
    text = token_limit.padded(document, foreign, 4_000, lambda words: len(words.split())).text
    assert 4_000 <= len(text.split()) <= 4_010
    parts = [part.strip() for part in document.text.split("\n\n") if part.strip()]
    places = [text.index(part[:60]) for part in parts]
    assert places == sorted(places)
    assert places[-1] > 0.8 * len(text)  # spread to the end, so that a cut loses some of it


def test_too_little_foreign_text_is_a_sentence_and_a_long_policy_needs_none() -> None:
    document = policy_kept_aside("thudwell-tools.txt")
    with pytest.raises(EvaluationError, match="too little foreign text for 4,000 tokens"):
        token_limit.padded(document, ["short"], 4_000, lambda words: len(words.split()))
    assert token_limit.padded(document, [], 10, lambda words: len(words.split())) is document


def test_a_text_beyond_the_context_is_cut_and_the_row_says_what_was_lost() -> None:
    model = FakeChatModel(lambda _question: "No.", context_limit=2_000)
    names = ("whole text, 100 %", "whole text, 150 %")
    rows = list(evaluate(plan_for("token-limit", Size(3, names), model)))
    assert [row.error for row in rows] == [None] * 6
    lost_at = {
        name: [row.prediction.detail["evidence_in_prompt"] for row in rows if row.strategy == name and row.prediction]
        for name in names
    }
    assert lost_at[names[1]].count(False) >= lost_at[names[0]].count(False)
    assert False in lost_at[names[1]]
    cut = [row.prediction.detail.get("omitted") for row in rows if row.strategy == names[1] and row.prediction]
    assert all("was left out" in str(one) for one in cut)
    assert all(int(str(row.prediction.detail["memory_bytes"])) > 0 for row in rows if row.prediction)


def limit_finding(last: Callable[[int], bool], rag: Callable[[int], bool]) -> Finding:
    seen = Prediction("a", Usage(100, 5), {"total_s": 1.0, "first_token_s": 2.0}, {"evidence_in_prompt": True})
    cut = Prediction("a", Usage(100, 5), {"total_s": 1.0}, {"evidence_in_prompt": False, "omitted": ["cut"]})
    return found(
        "token-limit",
        [
            *limit_rows("whole text, 25 %", lambda n: n < 30, prediction=seen),
            *limit_rows("whole text, 150 %", last, prediction=cut),
            *limit_rows("RAG, 25 %", lambda n: n < 30, prediction=seen),
            *limit_rows("RAG, 150 %", rag, prediction=seen),
        ],
    )


def test_the_limit_shows_where_the_whole_text_falls_and_retrieval_does_not() -> None:
    shows = limit_finding(lambda n: n < 5, lambda n: n < 29)
    assert shows.verdict == "shows here"
    assert "100 % of the answers were cut out of the prompt" in shows.sentence
    assert any("first token of a text not read before 2.0 s" in line for line in shows.lines)
    assert limit_finding(lambda n: n < 5, lambda n: n < 4).verdict == "shows in part"
    assert limit_finding(lambda n: n < 30, lambda n: n < 30).verdict == "shows in part"  # cut, and no worse


# Fragile prompts


def test_every_wording_has_the_same_passage_and_question() -> None:
    model = FakeChatModel(lambda _question: "No.")
    names = tuple(f"prompted, {one.name}" for one in fragile_prompts.WORDINGS)
    plan = plan_for("fragile-prompts", Size(1, names), model)
    (example,) = plan.examples
    predictions = [plan.strategies[name](example) for name in names]
    assert len(predictions) == 10
    assert all(example.input in prompt for prompt in model.questions)
    assert len(set(model.questions)) == 5  # five formats; the others change the system prompt
    assert len({one.system for one in fragile_prompts.WORDINGS}) == 6


def fragile(prompted: Callable[[int, int], bool]) -> Finding:
    rows = [
        row
        for place, one in enumerate(fragile_prompts.WORDINGS)
        for row in [
            *limit_rows(f"prompted, {one.name}", lambda n, place=place: prompted(n, place)),  # type: ignore[misc]
            *limit_rows(f"reader, {one.name}", lambda n: n < 30),
        ]
    ]
    return found("fragile-prompts", rows)


def test_prompts_are_fragile_where_the_spread_is_real_and_many_answers_flip() -> None:
    shows = fragile(lambda n, place: n < 4 * place)
    assert shows.verdict == "shows here"
    assert "spread is 90 points" in shows.sentence and "90 % of its answers flip" in shows.sentence
    assert "Through LoRA the spread is 0 points and 0 % flip." in shows.sentence
    flips = fragile(lambda n, place: (n + place) % 2 == 0)  # another half each time, and never more or fewer
    assert flips.verdict == "shows in part" and "100 % of its answers flip" in flips.sentence
    assert fragile(lambda n, _place: n < 20).verdict == "does not show here"


# Shorter prompts


def shorter(tuned_tokens: int, tuned_s: float, tuned: Callable[[int], bool]) -> Finding:
    def answer(tokens: int, seconds: float) -> Prediction:
        return Prediction("a", Usage(tokens, 5), {"total_s": seconds}, {})

    return found(
        "shorter-prompts",
        [
            *limit_rows("rag", lambda n: n < 10, prediction=answer(400, 0.8)),
            *limit_rows("rag+few-shot", lambda n: n < 20, prediction=answer(800, 1.2)),
            *limit_rows("rag+lora", tuned, prediction=answer(tuned_tokens, tuned_s)),
        ],
    )


def test_a_shorter_prompt_costs_less_at_the_same_accuracy_or_the_claim_does_not_show() -> None:
    shows = shorter(200, 0.3, lambda n: n < 30)
    assert shows.verdict == "shows here"
    assert shows.headline == "RAG + LoRA: 200 tokens and 0.30 s a question; RAG + few-shot: 800 and 1.20 s"
    assert "4.0 times fewer tokens and 4.0 times less time" in shows.sentence
    assert shorter(200, 0.3, lambda n: n < 2).verdict == "shows in part"  # cheaper, and worse
    assert shorter(900, 2.0, lambda n: n < 30).verdict == "does not show here"


def test_of_prompts_that_are_equally_good_the_shortest_is_compared() -> None:
    def answer(tokens: int) -> Prediction:
        return Prediction("a", Usage(tokens, 5), {"total_s": tokens / 1_000}, {})

    rows = [
        *limit_rows("rag+few-shot", lambda n: n < 20, prediction=answer(800)),
        *limit_rows("rag", lambda n: n >= 20, prediction=answer(400)),
        *limit_rows("rag+lora", lambda n: n < 30, prediction=answer(200)),
    ]
    assert (
        "Against the best prompt (RAG) the tuned model takes 2.0 times fewer tokens"
        in found("shorter-prompts", rows).sentence
    )


def test_without_the_tuned_model_or_without_token_counts_there_is_a_sentence() -> None:
    with pytest.raises(EvaluationError, match="A prompted and a tuned model are needed"):
        found("shorter-prompts", limit_rows("rag", lambda _n: True))
    without = Prediction("a", None, {"total_s": 1.0}, {})
    rows = [*limit_rows("rag", lambda _n: True, prediction=without), *limit_rows("rag+lora", lambda _n: True)]
    with pytest.raises(EvaluationError, match="reported no tokens"):
        found("shorter-prompts", rows)


def test_the_places_of_sections_are_as_asked() -> None:
    chunks = list("abcde")
    order = [
        "".join(str(one.chunk) for one in lost_in_the_middle.arranged("X", chunks[:4], place))  # type: ignore[arg-type]
        for place in (1, 3, 5)
    ]
    assert order == ["Xabcd", "abXcd", "abcdX"]


# Size of the model


def sized(large: Callable[[int], bool]) -> Finding:
    small_model, large_model = "smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct"
    return found(
        "model-size",
        [
            *limit_rows("rag", lambda n: n < 8, model_id=small_model),
            *limit_rows("rag+few-shot", lambda n: n < 9, model_id=small_model),
            *limit_rows("rag+lora", lambda n: n < 24, model_id=small_model),
            *limit_rows("rag", large, model_id=large_model),
        ],
    )


def test_a_larger_model_is_compared_with_the_best_prompt_and_the_tuned_model_of_the_smallest() -> None:
    shows = sized(lambda n: n < 25)
    assert shows.verdict == "shows here"
    assert shows.headline == (
        "Best prompt: 22 % right on SmolLM2-135M-Instruct, 62 % on Qwen2.5-Coder-0.5B-Instruct; "
        "SmolLM2-135M-Instruct with LoRA 60 %"
    )
    assert "from Qwen2.5-Coder-0.5B-Instruct on prompting is not shown to be worse" in shows.sentence
    assert shows.lines == ("Qwen2.5-Coder-0.5B-Instruct: no adapter that reads on it was measured.",)
    assert sized(lambda n: n < 9).verdict == "does not show here"


def test_one_size_alone_is_a_sentence_that_says_how_to_measure_another() -> None:
    with pytest.raises(EvaluationError, match="One size was measured .*--model medium or large"):
        found("model-size", limit_rows("rag", lambda _n: True, model_id="smollm2-135m-instruct"))


# Stale facts


def stale(*, by_heart: Callable[[int], bool], new: Callable[[int], bool]) -> Finding:
    def old(name: str, right: Callable[[int], bool], by_new: Callable[[int], bool]) -> list[RunRecord]:
        scores = [{"right": float(right(n)), "right_by_new": float(by_new(n))} for n in range(40)]
        return [limit_row(f"{name}, old policy", f"q{n}", right=right(n), scores=scores[n]) for n in range(40)]

    return found(
        "stale-facts",
        [
            *old("rag", lambda n: n < 20, lambda n: n < 4),
            *limit_rows("rag, new policy", new),
            *old("closed-book-lora", lambda n: n < 30, by_heart),
        ],
    )


def test_facts_are_stale_where_reading_the_new_policy_beats_what_was_learnt_from_the_old_one() -> None:
    shows = stale(by_heart=lambda n: n < 2, new=lambda n: n < 20)
    assert shows.verdict == "shows here"
    assert shows.headline == "RAG: 10 % of the changed facts right after the change, 50 % with the new policy indexed"
    assert [(point.series.title, point.x) for point in shows.points][-2:] == [
        ("Closed-book LoRA", "before the change"),
        ("Closed-book LoRA", "right after it"),
    ]
    assert stale(by_heart=lambda n: n < 20, new=lambda n: n < 20).verdict == "shows in part"
    assert stale(by_heart=lambda n: n < 20, new=lambda n: n < 4).verdict == "does not show here"


def test_what_was_recorded_before_is_read_as_rows() -> None:
    rows = recorded_rows(experiment("stale-facts"))
    assert rows is not None and rows.folders == ()
    finding = found("stale-facts", list(rows.rows))
    facts = read_stale_facts(paths.RECORDED_RUNS / FILE, TECHNIQUES)
    assert facts is not None
    measured = {(point.series.title, point.x): point.value for point in finding.points}
    for one in facts.figures:
        assert measured[one.title, "before the change"] == one.before
        assert measured[one.title, "right after it"] == one.stale
        assert measured[one.title, "up to date again"] == one.recovered


def test_both_versions_are_asked_live_and_judged_by_their_own_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeChatModel(lambda _question: "You have 14 days, 28 days or 4 weeks.")
    rows = list(evaluate(plan_for("stale-facts", Size(3, ("rag, old policy", "rag, new policy")), model)))
    assert [row.error for row in rows] == [None] * 6
    assert all("right_by_new" in row.scores for row in rows)
    assert len(set(model.questions)) > 3  # passages that the change touched are others
