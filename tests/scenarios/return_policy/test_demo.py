"""What is suggested and shown holds with the model that answers by default, and the check notices what does not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from playground.adapters import AdapterStore, branch_loader, reader_adapter
from playground.models.bundled import has_files
from playground.models.catalog import LANGUAGE_MODELS
from playground.models.embedding import SentenceEmbedder
from playground.models.sources import choice_from, load_chat_model
from playground.paths import SHIPPED_ADAPTERS
from playground.retrieval.index import build_index
from scenarios.return_policy import demo
from scenarios.return_policy.demo import Expected, check_steps, check_suggestions, problem_with, steps, suggested
from scenarios.return_policy.home import DEMO
from scenarios.return_policy.scenario import sample_policies
from tests.support.fakes import FakeChatModel
from tests.support.scripted_embedder import ScriptedEmbedder

SIXTY = "You may return most items within 60 days of delivery."


REQUIRE_MEDIUM = "PLAYGROUND_REQUIRE_MEDIUM"
"""Where it is set, the medium model is fetched; else it is asked only where it is on this disk already."""


@pytest.mark.models
@pytest.mark.parametrize("size", ["small", "medium"])
def test_every_suggestion_and_every_step_of_the_demo_holds(
    size: str, embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    if size == "medium" and REQUIRE_MEDIUM not in os.environ and not has_files(LANGUAGE_MODELS[size]):
        pytest.skip(f"the medium model is not on this disk; {REQUIRE_MEDIUM}=1 fetches it")
    store, choice = AdapterStore(tmp_path, shipped=SHIPPED_ADAPTERS), choice_from(size)
    adapter = reader_adapter(store, None, choice).identity
    model = load_chat_model(choice, load_adapter=branch_loader(store, choice))
    checked = [*check_steps(model, embedder, adapter), *check_suggestions(model, embedder, adapter)]
    assert len(checked) > 30
    assert [
        f"{one.where}: {one.expected.question} {one.answer!r} {one.problem}" for one in checked if one.problem
    ] == []


def test_every_policy_has_suggestions_and_the_last_has_no_answer() -> None:
    assert set(suggested()) == {path.name for path in sample_policies()}
    for questions in suggested().values():
        assert [one.outcome for one in questions] == ["answers"] * 4 + ["declines"]
        assert all(one.expect and one.cites for one in questions[:-1])


def test_the_steps_are_those_of_home_and_home_says_what_to_ask() -> None:
    titles = [one.title for one in DEMO.steps]
    assert [one.title for one in steps()] == titles
    said = " ".join(one.text for one in DEMO.steps)
    assert [one.question for step in steps() for one in step.asks if one.question not in said] == []
    for step, shown in zip(steps(), DEMO.steps, strict=True):
        assert step.mode == shown.address["mode"]
    # The policy is swapped and edited, and what was said of the old one is wrong of the new one.
    assert [step.asks[0].expect for step in steps() if step.mode == "rag_lora"] == [
        (rf"\b{days} days\b",) for days in (60, 45, 14, 60)
    ]


@pytest.mark.parametrize(
    ("reply", "expected", "problem"),
    [
        (SIXTY, Expected("How long?", expect=("60",), cites="within 60 days"), ""),
        (SIXTY, Expected("How long?", expect=("61",)), "It does not say '61'."),
        (SIXTY, Expected("How long?", expect=("60",), never=("most",)), "It says 'most'."),
        (SIXTY, Expected("How long?", expect=("60",), cites="GPS units"), "It does not cite 'GPS units'."),
        ("You have 61 days.", Expected("How long?", expect=("61",)), "No passage states 61."),
        ("I don't know.", Expected("How long?", expect=("60",)), "It declines."),
        ("I don't know.", Expected("How long?", outcome="declines"), ""),
        (SIXTY, Expected("How long?", outcome="declines"), "It should decline."),
        (SIXTY, Expected("How long?", outcome="ungrounded"), "It cites something."),
        ("Bananas orbit Jupiter.", Expected("How long?", outcome="ungrounded"), ""),
        ("I don't know.", Expected("How long?", outcome="ungrounded"), ""),
        ("Bananas orbit Jupiter.", Expected("How long?", outcome="finds", cites="within 60 days"), ""),
        ("Bananas orbit Jupiter.", Expected("How long?", outcome="finds", cites="no such words"), "No passage given"),
    ],
)
def test_the_check_notices_what_is_not_as_expected(reply: str, expected: Expected, problem: str) -> None:
    policy = demo._policy("northtrail-outdoor-v1.md")
    index = build_index(policy, ScriptedEmbedder())
    question = "How long do I have to return something, most items within how many days of delivery?"
    answer = demo.answer_question(question, index, FakeChatModel(lambda _: reply), demo.page_settings("rag", None))
    found = problem_with(answer, expected, policy)
    assert found.startswith(problem) if problem else found == ""


def test_the_demo_is_one_conversation_in_which_nobody_repeats_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    follow_up = tuple(replace(step, asks=(*step.asks, Expected("And for opened ones?"))) for step in steps())
    monkeypatch.setattr(demo, "steps", lambda: follow_up)
    seen: list[str] = []

    class Recording(FakeChatModel):
        def complete(self, messages, **options):  # type: ignore[no-untyped-def]
            seen.extend(
                f"{len(seen)}" for message in messages if message.role == "assistant" and "Wrong" in message.content
            )
            return super().complete(messages, **options)

    said = iter(range(1000))
    model = Recording(lambda _: f"{'Wrong' if next(said) < 4 else 'Other'} answer.")
    list(check_steps(model, ScriptedEmbedder(), "policy-reader@12345678"))
    # Two techniques without the adapter said something wrong, each saw its own in its follow-up alone.
    assert len(seen) == 2
