"""Prompts fit, whatever goes in; what is left out is said; the parts add up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.answering.prompt import (
    MODES,
    NO_TEXT,
    RAG_MODES,
    FewShotExample,
    Mode,
    PromptRequest,
    Turn,
    build_prompt,
    passage_text,
)
from playground.documents import load_pasted
from playground.errors import ModelError
from playground.types import Chunk, Message, Passage, Prompt
from tests.support.fakes import FakeChatModel
from tests.support.fakes_rag import pasted

SYSTEM = "Answer from the text."


def fake_model(context_limit: int = 4096) -> FakeChatModel:
    return FakeChatModel(lambda _message: "", context_limit=context_limit)


class JoiningModel(FakeChatModel):
    """Counts fewer tokens for the whole than for its parts, as an estimate that rounds up does."""

    def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content.split()) for message in messages) - 7


def passage(words: int, rank: int, path: tuple[str, ...] = ()) -> Passage:
    text = " ".join(f"p{rank}w{i}" for i in range(words))
    return Passage(Chunk(f"c{rank}", "d", text, 0, len(text), path), 1 / rank, rank)


def request(**changes: object) -> PromptRequest:
    settings: dict[str, object] = {"question": "How long?", "mode": "rag", "system_prompt": SYSTEM, "max_tokens": 50}
    return PromptRequest(**(settings | changes))  # type: ignore[arg-type]


def shown(prompt: Prompt) -> str:
    return "\n".join(f"<{message.role}>{message.content}" for message in prompt.messages)


EXAMPLE = FewShotExample(("An example passage.",), "An example question?", "An example answer.", "An example thought.")
TURN = Turn("An earlier question?", "An earlier answer.")


# What goes in


def test_rag_prompt_has_system_prompt_passages_and_question() -> None:
    passages = (passage(3, 1, ("Returns", "Boots")), passage(3, 2))
    prompt = build_prompt(request(passages=passages), fake_model())
    assert [message.role for message in prompt.messages] == ["system", "user"]
    assert prompt.messages[0].content == SYSTEM
    assert prompt.messages[1].content == (
        "Text:\n[Returns > Boots]\np1w0 p1w1 p1w2\n\np2w0 p2w1 p2w2\n\nQuestion: How long?"
    )
    assert prompt.passages == passages
    assert prompt.omitted == ()
    assert prompt.document_end == 0
    assert passage_text(passages[1]) == "p2w0 p2w1 p2w2"


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_has_only_what_it_stands_for(mode: Mode) -> None:
    document = load_pasted("The whole document.", "x.md")
    full = request(mode=mode, document=document, passages=(passage(3, 1),), examples=(EXAMPLE,), history=(TURN,))
    text = shown(build_prompt(full, fake_model()))
    assert ("The whole document." in text) is (mode == "whole_document")
    assert ("p1w0" in text) is (mode in RAG_MODES)
    assert ("An example answer." in text) is (mode in RAG_MODES)
    assert ("An example thought." in text) is (mode == "rag_chain_of_thought")
    assert ("'Reasoning:'" in text) is (mode == "rag_chain_of_thought")
    assert text.count("An earlier answer.") == 1
    assert text.endswith("Question: How long?") is (mode != "rag_chain_of_thought")
    assert text.count("How long?") == 1


def test_examples_come_before_the_conversation_and_it_before_the_question() -> None:
    full = request(mode="rag_few_shot", passages=(passage(2, 1),), examples=(EXAMPLE,), history=(TURN,))
    prompt = build_prompt(full, fake_model())
    assert [message.role for message in prompt.messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert prompt.messages[1].content == "Text:\nAn example passage.\n\nQuestion: An example question?"
    assert prompt.messages[3].content == "Question: An earlier question?"
    assert prompt.messages[5].content == "Text:\np1w0 p1w1\n\nQuestion: How long?"


@pytest.mark.parametrize("mode", RAG_MODES)
def test_without_passages_the_model_is_told_so(mode: Mode) -> None:
    prompt = build_prompt(request(mode=mode), fake_model())
    assert prompt.messages[-1].content.startswith(f"Text:\n{NO_TEXT}\n\nQuestion:")
    assert prompt.passages == ()
    assert prompt.omitted == ()


def test_mode_without_text_mentions_none() -> None:
    assert build_prompt(request(mode="no_text"), fake_model()).messages[-1].content == "Question: How long?"


@pytest.mark.parametrize("system_prompt", ["", "  \n"])
def test_a_cleared_system_prompt_sends_no_system_message(system_prompt: str) -> None:
    prompt = build_prompt(request(system_prompt=system_prompt), fake_model())
    assert [message.role for message in prompt.messages] == ["user"]
    assert "system" not in {part.name for part in prompt.parts}


# The whole document


DOCUMENT = load_pasted("\n\n".join(f"Sentence {i} of the policy says something." for i in range(100)), "x.md")


def whole(question: str, model: FakeChatModel, history: tuple[Turn, ...] = ()) -> Prompt:
    return build_prompt(request(mode="whole_document", document=DOCUMENT, question=question, history=history), model)


def test_a_whole_document_stands_before_everything_that_changes() -> None:
    model = fake_model()
    prefix = f"<system>{SYSTEM}\n<user>Text:\n{DOCUMENT.text}\n\nQuestion: "
    first = whole("First?", model)
    second = whole("Second?", model, (Turn("First?", "One."),))
    third = whole("Third?", model, (Turn("First?", "One."), Turn("Second?", "Two.")))
    fourth = whole("Fourth?", model, (Turn("Second?", "Two."), Turn("Third?", "Three.")))
    for prompt in (first, second, third, fourth):
        assert shown(prompt).startswith(prefix)
        assert shown(prompt).count("Text:") == 1
        assert prompt.document_end == len(DOCUMENT.text)
        assert prompt.omitted == ()
    # Each is a continuation of the one before as long as no turn was forgotten.
    assert shown(second).startswith(shown(first))
    assert shown(third).startswith(shown(second))


def test_a_document_that_does_not_fit_keeps_its_beginning_and_says_so() -> None:
    model = fake_model(context_limit=300)
    prompt = whole("How long?", model)
    body = DOCUMENT.text[: prompt.document_end]
    assert f"Text:\n{body}\n\nQuestion: How long?" in shown(prompt)
    assert 0 < prompt.document_end < len(DOCUMENT.text)
    assert not DOCUMENT.text[prompt.document_end].isalnum()
    assert prompt.tokens <= 250
    # No room is wasted: another 30 words would not fit.
    assert prompt.tokens > 220
    (said,) = prompt.omitted
    share = round(100 * (1 - prompt.document_end / len(DOCUMENT.text)))
    assert f"{share} %" in said or f"{share + 1} %" in said
    assert "300 tokens" in said


def test_a_document_without_any_space_is_cut_inside() -> None:
    class CharacterModel(FakeChatModel):
        def count_tokens(self, text: str) -> int:
            return len(text)

        def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
            return sum(len(message.content) for message in messages)

    document = load_pasted("\u8fd4" * 5_000, "x.txt")
    model = CharacterModel(lambda _message: "", context_limit=1_000)
    prompt = build_prompt(request(mode="whole_document", document=document), model)
    assert 700 < prompt.document_end <= 950
    assert prompt.tokens <= 950


def test_a_document_far_too_long_is_counted_only_a_few_times() -> None:
    counted = 0

    class CountingModel(FakeChatModel):
        def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
            nonlocal counted
            counted += sum(len(message.content) for message in messages)
            return super().count_prompt_tokens(messages)

    document = load_pasted("word " * 200_000, "x.txt")
    model = CountingModel(lambda _message: "", context_limit=1_000)
    history = tuple(Turn(f"Question {i}?", "Answer.") for i in range(3))
    prompt = build_prompt(request(mode="whole_document", document=document, history=history), model)
    assert prompt.tokens <= 950
    assert counted < 3 * len(document.text)


# What is dropped


def full_request(history: int, examples: int, passages: int, words: int = 20) -> PromptRequest:
    turn_words = " ".join(["h"] * words)
    return request(
        mode="rag_few_shot",
        history=tuple(Turn(f"h{i} {turn_words}", "ok") for i in range(history)),
        examples=tuple(FewShotExample((f"e{i} {turn_words}",), "q", "a") for i in range(examples)),
        passages=tuple(passage(words, rank) for rank in range(1, passages + 1)),
    )


def test_dropped_are_first_old_turns_then_examples_then_low_ranks() -> None:
    asked = full_request(history=3, examples=3, passages=3)
    kept = []
    for limit in range(400, 90, -1):
        prompt = build_prompt(asked, fake_model(limit))
        text = shown(prompt)
        kept.append(
            tuple(
                sum(f"{letter}{i}{after}" in text for i in range(4))
                for letter, after in (("h", " "), ("e", " "), ("p", "w0"))
            )
        )
    assert kept[0] == (3, 3, 3)
    assert kept[-1] == (0, 0, 1)
    assert list(dict.fromkeys(kept)) == [
        (3, 3, 3),
        (2, 3, 3),
        (1, 3, 3),
        (0, 3, 3),
        (0, 2, 3),
        (0, 1, 3),
        (0, 0, 3),
        (0, 0, 2),
        (0, 0, 1),
    ]


def test_the_newest_turn_and_the_best_passage_stay_longest() -> None:
    prompt = build_prompt(full_request(history=3, examples=0, passages=3), fake_model(175))
    assert "h2 " in shown(prompt)
    assert "h0 " not in shown(prompt)
    prompt = build_prompt(full_request(history=0, examples=0, passages=3), fake_model(95))
    assert [p.rank for p in prompt.passages] == [1]
    assert "p1w0" in shown(prompt)


def test_the_first_example_stays_longest() -> None:
    text = shown(build_prompt(full_request(history=0, examples=3, passages=0), fake_model(110)))
    assert "e0 " in text
    assert "e1 " not in text


@pytest.mark.parametrize(
    ("given_", "limit", "said"),
    [
        ((3, 0, 0), 110, ["2 of 3 earlier questions"]),
        ((0, 3, 0), 110, ["2 of 3 examples"]),
        ((0, 0, 3), 95, ["2 of 3 passages"]),
        ((2, 2, 3), 95, ["2 of 2 earlier questions", "2 of 2 examples", "2 of 3 passages"]),
        ((3, 3, 3), 4096, []),
    ],
)
def test_what_was_dropped_is_said(given_: tuple[int, int, int], limit: int, said: list[str]) -> None:
    prompt = build_prompt(full_request(*given_), fake_model(limit))
    assert len(prompt.omitted) == len(said)
    for sentence, beginning in zip(prompt.omitted, said, strict=True):
        assert sentence.startswith(beginning)
        assert f"{limit:,} tokens" in sentence


def test_a_system_prompt_that_is_too_long_is_a_clear_error() -> None:
    with pytest.raises(
        ModelError, match=r"system prompt have 5,0\d\d tokens, more than the 450 that are free"
    ) as caught:
        build_prompt(request(system_prompt="word " * 5_000, passages=(passage(3, 1),)), fake_model(500))
    assert "Shorten" in str(caught.value)


def test_a_system_prompt_that_is_too_long_is_an_error_with_a_document_too() -> None:
    with pytest.raises(ModelError, match="system prompt"):
        build_prompt(request(mode="whole_document", document=DOCUMENT, system_prompt="word " * 500), fake_model(500))


@pytest.mark.parametrize("max_tokens", [100, 101, 9_999])
def test_an_answer_that_leaves_no_room_is_a_clear_error(max_tokens: int) -> None:
    with pytest.raises(ModelError, match="longest answer") as caught:
        build_prompt(request(max_tokens=max_tokens), fake_model(100))
    assert "-" not in str(caught.value)


# The account


def test_parts_name_what_is_in_the_prompt() -> None:
    asked = request(mode="rag_few_shot", passages=(passage(30, 1),), examples=(EXAMPLE,), history=(TURN,))
    parts = {part.name: part.tokens for part in build_prompt(asked, fake_model()).parts}
    assert parts == {
        "system": 4,
        "examples": 11,
        "history": 7,
        "text": 31,
        "question": 3,
        "chat format": 6,  # the fake's one token for each message
    }


def test_parts_never_exceed_the_prompt() -> None:
    model = JoiningModel(lambda _message: "")
    prompt = build_prompt(request(passages=(passage(30, 1),)), model)
    assert prompt.tokens == model.count_prompt_tokens(prompt.messages)
    assert all(part.tokens > 0 for part in prompt.parts)
    assert "chat format" not in {part.name for part in prompt.parts}


@settings(max_examples=100, deadline=None)
@given(
    mode=st.sampled_from(MODES),
    limit=st.integers(min_value=1, max_value=400),
    max_tokens=st.integers(min_value=1, max_value=60),
    question=st.integers(min_value=1, max_value=30),
    history=st.lists(st.integers(min_value=0, max_value=40), max_size=4),
    examples=st.lists(st.integers(min_value=0, max_value=40), max_size=4),
    passages=st.lists(st.integers(min_value=1, max_value=60), max_size=5),
    document_words=st.integers(min_value=1, max_value=400),
)
def test_any_prompt_fits_and_accounts_for_everything(
    *,
    mode: Mode,
    limit: int,
    max_tokens: int,
    question: int,
    history: list[int],
    examples: list[int],
    passages: list[int],
    document_words: int,
) -> None:
    model = fake_model(limit)
    asked = PromptRequest(
        question=" ".join(["q"] * question),
        mode=mode,
        system_prompt=SYSTEM,
        max_tokens=max_tokens,
        document=load_pasted(" ".join(f"d{i}" for i in range(document_words)), "x.txt"),
        passages=tuple(passage(words, rank) for rank, words in enumerate(passages, start=1)),
        examples=tuple(FewShotExample(("e " * words,), "eq", "ea") for words in examples),
        history=tuple(Turn("h " * words, "ha") for words in history),
    )
    try:
        prompt = build_prompt(asked, model)
    except ModelError:
        # Only when the smallest prompt, without any of the optional parts, does not fit either.
        smallest = PromptRequest(question=asked.question, mode=mode, system_prompt=SYSTEM, max_tokens=1)
        room = limit - max_tokens
        assert room <= 0 or build_prompt(smallest, fake_model(10_000)).tokens > room
        return
    assert prompt.tokens == model.count_prompt_tokens(prompt.messages) <= limit - max_tokens
    assert f"Question: {asked.question}" in prompt.messages[-1].content
    assert prompt.passages == asked.passages[: len(prompt.passages)]
    left_out = "".join(prompt.omitted)
    uses_passages = mode in RAG_MODES
    assert ("passages" in left_out.replace("relevant passages", "")) is (
        uses_passages and len(prompt.passages) < len(asked.passages)
    )
    kept_turns = sum(message.content == "ha" for message in prompt.messages)
    assert ("earlier questions" in left_out) is (kept_turns < len(history))
    kept_examples = sum(message.content == "ea" for message in prompt.messages)
    assert ("examples" in left_out) is (uses_passages and kept_examples < len(examples))
    assert asked.document is not None
    assert ("document" in left_out) is (mode == "whole_document" and prompt.document_end < len(asked.document.text))


def test_passages_are_not_changed_by_building() -> None:
    passages = tuple(passage(50, rank) for rank in range(1, 6))
    asked = request(passages=passages)
    build_prompt(asked, fake_model(150))
    assert asked.passages == passages


def test_passages_of_a_real_document_are_shown_with_their_headings() -> None:
    _, passages = pasted("# Acme\n\n## Boots\n\nBoots can be returned within 30 days.")
    assert passage_text(passages[0]).startswith("[Acme > Boots]\n")
