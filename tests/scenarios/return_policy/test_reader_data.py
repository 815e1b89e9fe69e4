"""The reader's training data: slots, cards, invented policies and the questions that share their passages."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from pathlib import Path

import pytest

from playground.answering.answer import BotSettings, answer_question
from playground.documents import load_pasted
from playground.errors import TrainingError
from playground.paths import POLICIES
from playground.retrieval.index import build_index
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.reader import examples as reader
from scenarios.return_policy.reader.cards import Ask, Card, NearMiss, all_cards, draw_card, read_cards
from scenarios.return_policy.reader.cards_check import problems_of
from scenarios.return_policy.reader.examples import I_DO_NOT_KNOW, reader_examples
from scenarios.return_policy.reader.policies import invent_policy, kindred_of, outside
from scenarios.return_policy.reader.slots import WritingStyle, draw_slots, draw_style, fill, spelled
from scenarios.return_policy.reader.squad import squad_examples
from scenarios.return_policy.request import QUESTIONS
from scenarios.return_policy.scenario import sample_policies, system_prompt
from tests.support.fakes import FakeChatModel
from tests.support.scripted_embedder import ScriptedEmbedder

DOLLARS = WritingStyle()


def drawn(slots: dict[str, object], seed: int = 0, style: WritingStyle = DOLLARS) -> dict[str, str]:
    values = draw_slots(slots, random.Random(seed), style)
    return {name: value.text for name, value in values.items()}


@pytest.mark.parametrize(
    ("style", "amount", "written"),
    [
        (DOLLARS, 1299.5, "$1,299.50"),
        (DOLLARS, 20, "$20"),
        (WritingStyle("€", decimal_comma=True), 1299.5, "€1.299,50"),
        (WritingStyle("CHF", currency_after=True), 7.95, "7.95 CHF"),
    ],
)
def test_amounts_are_written_in_the_shops_style(style: WritingStyle, amount: float, written: str) -> None:
    assert style.money(amount) == written


def test_dates_and_times_are_written_in_the_shops_style() -> None:
    assert DOLLARS.day(date(2026, 5, 3)) == "May 3"
    assert WritingStyle(day_first=True).day(date(2026, 5, 3)) == "3 May"
    assert [DOLLARS.time(hour) for hour in (9, 12, 16)] == ["9 am", "12 pm", "4 pm"]
    assert WritingStyle(clock_24h=True).time(16) == "16:00"


def test_numbers_have_their_forms() -> None:
    values = draw_slots({"d": {"kind": "number", "values": [21]}}, random.Random(0), DOLLARS)
    assert fill("{d} {d:words} {d:both} {d:words:cap}", values) == "21 twenty-one twenty-one (21) Twenty-one"
    assert [spelled(n) for n in (0, 12, 40, 99, 100, 365)] == [
        "zero", "twelve", "forty", "ninety-nine", "one hundred", "three hundred and sixty-five",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_slots_that_depend_on_others_meet_their_condition(seed: int) -> None:
    slots: dict[str, object] = {
        "free": {"kind": "money", "low": 40, "high": 150, "step": 5},
        "over": {"kind": "money", "above": "free", "by": [2, 80]},
        "under": {"kind": "money", "below": "free", "by": [2, 30]},
        "p": {"kind": "percent", "low": 5, "high": 30, "step": 5},
        "part": {"kind": "computed", "of": "over * p / 100", "as": "money"},
        "start": {"kind": "date"},
        "days": {"kind": "number", "values": [30]},
        "last": {"kind": "date_after", "date": "start", "days": "days"},
        "xs": {"kind": "sample", "values": ["ropes|a rope", "saws|a saw", "hats|a hat", "pots|a pot"], "count": 2},
        "in": {"kind": "member", "of": "xs"},
        "out": {"kind": "outsider", "of": "xs"},
    }
    values = draw_slots(slots, random.Random(seed), DOLLARS)
    numbers = {name: value.number or 0 for name, value in values.items()}
    assert numbers["under"] < numbers["free"] < numbers["over"]
    assert numbers["part"] == pytest.approx(numbers["over"] * numbers["p"] / 100)
    start, last = values["start"].day, values["last"].day
    assert start is not None and last is not None and (last - start).days == 30
    assert values["in"].text in values["xs"].text and values["out"].text not in values["xs"].text
    assert values["in"].one.startswith("a ")


@pytest.mark.parametrize(
    ("slots", "problem"),
    [
        ({"a": {"kind": "wish"}}, "no kind of slot"),
        ({"a": {"kind": "member", "of": "b"}}, "do not exist"),
        ({"a": {"kind": "computed", "of": "__import__('os')", "as": "number"}}, "may only have"),
        ({"n": {"kind": "number", "values": [5]}, "a": {"kind": "number", "below": "n", "by": [9, 9]}}, "widen"),
    ],
)
def test_a_slot_that_cannot_be_drawn_says_why(slots: dict[str, object], problem: str) -> None:
    with pytest.raises(TrainingError, match=problem):
        drawn(slots)


def test_a_sentence_with_an_unknown_slot_or_form_is_refused() -> None:
    values = draw_slots({"d": {"kind": "number", "values": [3]}}, random.Random(0), DOLLARS)
    for sentence in ("{e} days", "{d:upside} days"):
        with pytest.raises(TrainingError):
            fill(sentence, values)


def test_a_damaged_line_of_cards_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cards.jsonl"
    path.write_text('\n{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(TrainingError, match=r"Line 2 of cards\.jsonl"):
        read_cards(path)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"asks": [{"type": "maybe", "q": ["Why?"], "a": ["So."]}]}, "asks.0.type"),
        ({"asks": [{"type": "fact", "q": "Why?", "a": ["So."]}]}, "asks.0.q"),
        ({"headings": "Returns"}, "headings"),
        ({"near": [{"q": ["Why?"], "unles": ["topic"]}]}, "near.0.unles"),
    ],
)
def test_a_card_says_which_of_its_fields_is_wrong(tmp_path: Path, changes: dict[str, object], place: str) -> None:
    row = {"id": "a", "topic": "t", "headings": ["H"], "statements": ["S."], "asks": []}
    path = tmp_path / "cards.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert [card.id for card in read_cards(path)] == ["a"]
    path.write_text(json.dumps({**row, **changes}) + "\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=rf"Line 1 of cards\.jsonl is no card \({re.escape(place)}: "):
        read_cards(path)


# --- the project's cards --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", all_cards(), ids=lambda card: card.id)
def test_a_card_can_be_drawn_and_read(card: Card) -> None:
    generator = random.Random(card.id)
    assert {problem for _ in range(8) for problem in problems_of(card, generator)} == set()
    assert len(card.statements) >= 3 and card.near


def test_the_cards_are_many_and_have_names_of_their_own() -> None:
    cards = all_cards()
    assert len({card.id for card in cards}) == len(cards) >= 120
    types = [ask.type for card in cards for ask in card.asks]
    assert min(types.count("yes"), types.count("no")) >= 60


def test_nothing_of_the_evaluation_is_in_the_training_data() -> None:
    texts = [
        text for card in all_cards() for text in (*card.statements, *(q for ask in card.asks for q in ask.questions))
    ]
    written = "\n".join(texts).lower()
    for example in read_questions(QUESTIONS, POLICIES):
        question = example.input.lower()
        assert len(question.split()) < 6 or question not in written
    names = ("northtrail", "voltara", "maison lune", "pawsome", "hearth & oak", "hearth and oak")
    everything = f"{written}\n{json.dumps(outside()).lower()}"
    assert [name for name in names if name in everything] == []
    assert sample_policies()


def test_an_invented_policy_holds_the_statements_of_its_cards_where_it_says() -> None:
    for seed in range(10):
        policy = invent_policy(all_cards(), random.Random(seed))
        assert len(policy.places) >= 5
        for place in policy.places:
            found = re.sub(r"\W", "", policy.document.text[place.start : place.end])
            assert found == re.sub(r"\W", "", place.drawn.statement)
        topics = [place.drawn.card.topic for place in policy.places]
        assert len(set(topics)) == len(topics)


def test_the_same_seed_gives_the_same_examples_and_another_one_others() -> None:
    def made(seed: int) -> list[str]:
        groups = reader_examples(all_cards(), ScriptedEmbedder(), 2, seed)
        return [example.messages[-1].content + example.completion for group in groups for example in group]

    assert made(1) == made(1) != made(2)


def test_what_is_answered_stands_in_the_passages_and_what_is_not_does_not() -> None:
    """With cards of one statement each: the answer's number is in the passages exactly when it is an answer."""
    cards = [
        Card(
            id=f"card-{number}",
            topic=f"topic_{number}",
            headings=(f"About {word}",),
            slots={"d": {"kind": "number", "low": 100, "high": 999}},
            statements=(f"The {word} rule allows {{d}} days.",),
            asks=(Ask("fact", (f"How long is the {word} rule?",), ("It allows {d} days.",)),),
            near=(NearMiss((f"Who made the {word} rule?",), frozenset()),),
        )
        for number, word in enumerate(
            "boat lamp rope tent stove hat glove sock chair desk shelf vase mug spoon".split()
        )
    ]
    seen = {"answered": 0, "unanswerable": 0}
    for group in reader_examples(cards, ScriptedEmbedder(), 12, 3):
        for example in group:
            prompt = example.messages[-1].content
            if example.completion == I_DO_NOT_KNOW:
                seen["unanswerable"] += 1
                word = re.search(r"how long is the (\w+) rule", prompt.lower())
                assert word is None or f"The {word[1]} rule allows" not in prompt
            else:
                seen["answered"] += 1
                assert re.search(r"\d+ days", example.completion)[0] in prompt  # type: ignore[index]
    assert min(seen.values()) > 20


def test_no_answer_has_a_number_that_would_be_withheld() -> None:
    card = Card(
        id="card-rent",
        topic="hire",
        headings=("Rent",),
        slots={"d": {"kind": "number", "low": 13, "high": 19}, "e": {"kind": "computed", "of": "d*7", "as": "number"}},
        statements=("Renting a tent costs {d} dollars a day.",),
        asks=(
            Ask("fact", ("What is the price of a day?",), ("A day costs {d} dollars.",)),
            Ask("calc", ("What does a week cost?",), ("A week costs {e} dollars.",)),
        ),
        near=(),
    )
    answers = [e.completion for group in reader_examples([card], ScriptedEmbedder(), 12, 0) for e in group]
    assert any(answer.startswith("A day costs") for answer in answers)
    assert not any(answer.startswith("A week costs") for answer in answers)


def test_a_near_miss_is_asked_though_its_card_names_its_own_topic() -> None:
    card = Card(
        id="card-label",
        topic="label_cost",
        headings=("Labels",),
        slots={},
        statements=("A label costs five dollars and is taken off the refund.",),
        asks=(Ask("fact", ("What is the price of a label?",), ("A label costs five dollars.",)),),
        near=(NearMiss(("Who prints the label?",), frozenset({"label_cost"})),),
    )
    examples = [e for group in reader_examples([card], ScriptedEmbedder(), 12, 0) for e in group]
    missed = [e for e in examples if "who prints the label" in e.messages[-1].content.lower()]
    assert missed
    assert {e.completion for e in missed} == {I_DO_NOT_KNOW}


def test_the_prompt_is_the_one_that_the_bot_sends() -> None:
    index = build_index(load_pasted("# Shop\n\nReturns within 30 days.\n\nLabels cost $5.", "shop"), ScriptedEmbedder())
    question = "It came on May 3. Last day?"
    model = FakeChatModel(lambda _question: "fine")
    answer = answer_question(question, index, model, BotSettings(system_prompt(), work_out=True))
    assert reader.reader_messages(question, answer.passages) == answer.completion.messages
    assert "30 days after May 3 is June 2." in answer.completion.messages[-1].content


def test_earlier_turns_are_answered_ones_too_and_some_questions_go_on_from_them() -> None:
    groups = [group for seed in range(8) for group in reader_examples(all_cards(), ScriptedEmbedder(), 6, seed)]
    histories = [example.messages for group in groups for example in group if len(example.messages) > 2]
    earlier = {messages[-2].content for messages in histories}
    assert earlier - {I_DO_NOT_KNOW}
    assert any("Question: And " in messages[-1].content for messages in histories)


def test_kindred_topics_are_not_taken_for_missing() -> None:
    assert "window_category" in kindred_of("return_window")
    assert kindred_of("never heard of") == {"never heard of"}
    alone = [card.id for card in all_cards() if len(kindred_of(card.topic)) == 1]
    assert not alone, "a topic in no group is taken for missing while its neighbour answers"


# --- SQuAD ----------------------------------------------------------------------------------------------------------


def squad_file(folder: Path, articles: int = 4) -> Path:
    data = [
        {
            "title": f"Article_{number}",
            "paragraphs": [
                {
                    "context": f"The tower of town {number} was built in {1500 + number}.",
                    "qas": [
                        {"question": "When was it built?", "answers": [{"text": f"{1500 + number}"}]},
                        {"question": "Who built it?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
        for number in range(articles)
    ]
    path = folder / "squad.json"
    path.write_text(json.dumps({"data": data}), encoding="utf-8")
    return path


def test_squad_gives_answers_and_refusals_and_keeps_articles_aside(tmp_path: Path) -> None:
    path = squad_file(tmp_path)
    train = [example for group in squad_examples(path, 0) for example in group]
    held_out = [example for group in squad_examples(path, 0, held_out=True) for example in group]
    assert {example.completion for example in train} == {"1500.", "1501.", I_DO_NOT_KNOW}
    assert {example.completion for example in held_out} == {"1502.", "1503.", I_DO_NOT_KNOW}
    assert all("Article 0" in example.messages[-1].content for example in train if example.completion == "1500.")


def test_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(TrainingError, match="layout of SQuAD"):
        list(squad_examples(path, 0))


def test_a_drawn_card_is_filled_everywhere() -> None:
    for card in all_cards()[:20]:
        place = draw_card(card, random.Random(1), draw_style(random.Random(2)))
        assert "{" not in place.statement + place.heading
