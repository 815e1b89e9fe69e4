"""Training examples of the reader: questions to invented policies, with the passages that the real retriever finds.

Several questions share one set of passages, some answered there and some not: what tells them apart is only what the
passages say. A training that computes the shared beginning once learns from them at a fraction of the cost.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.answering.answer import ABSTENTION
from playground.answering.arithmetic import worked_lines
from playground.answering.prompt import PromptRequest, Turn, assembled_messages
from playground.models.completion_codec import PromptCompletion
from playground.retrieval.index import RetrievalSettings, build_index
from playground.text.quantities import unsupported_quantities
from playground.types import Chunk, Embedder, Message, Passage
from scenarios.return_policy.reader.cards import Card
from scenarios.return_policy.reader.policies import InventedPolicy, Place, invent_policy, kindred_of, outside
from scenarios.return_policy.reader.slots import fill
from scenarios.return_policy.scenario import system_prompt

I_DO_NOT_KNOW = ABSTENTION
CONTEXTS_PER_POLICY = 4
_QUESTIONS_PER_CONTEXT = 9
_TOP_K = (1, 1, 1, 2)
_HISTORY_SHARE = 0.12
_FOLLOW_UP_SHARE = 0.4
"""Of the questions with an earlier turn, those that go on from it: "And ...?"."""
_OPENER_SHARE = 0.12
_SLOPPY_SHARE = 0.12
_UNANSWERABLE = 3.3
"""Of the questions of a context, about so many have no answer in it."""
_ANSWER_TOKENS = 160
_ASK_WEIGHT = {"yes": 2.0, "no": 0.7, "calc": 3.0}


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer, in the words that were drawn."""

    text: str
    answer: str


def reader_examples(
    cards: Sequence[Card], embedder: Embedder, policies: int, seed: int
) -> Iterator[tuple[PromptCompletion, ...]]:
    """Yield the examples of one context after the other; those of a context have all but the question in common."""
    for number in range(policies):
        generator = random.Random(f"{seed}/{number}")
        policy = invent_policy(cards, generator)
        index = build_index(policy.document, embedder)
        anchors = generator.sample(policy.places, min(CONTEXTS_PER_POLICY, len(policy.places)))
        for anchor in anchors:
            asked = _asked(anchor, generator)
            settings = RetrievalSettings(top_k=generator.choice(_TOP_K))
            passages = index.search(asked.text, settings)
            questions = _questions(policy, asked, anchor, passages, generator)
            if questions:
                yield tuple(_prompts(questions, passages, generator))


def reader_messages(question: str, passages: Sequence[Passage], history: Sequence[Turn] = ()) -> tuple[Message, ...]:
    """Return the prompt that the bot sends for a question and its passages."""
    return assembled_messages(
        PromptRequest(
            question=question,
            mode="rag",
            system_prompt=system_prompt(),
            max_tokens=_ANSWER_TOKENS,
            passages=tuple(passages),
            history=tuple(history),
            worked=worked_lines(question, [passage.chunk.text for passage in passages]),
        )
    )


def _questions(
    policy: InventedPolicy,
    asked: Question,
    anchor: Place,
    passages: Sequence[Passage],
    generator: random.Random,
) -> list[Question]:
    chunks = [passage.chunk for passage in passages]
    shares = {place.drawn.card.id: _share(place, chunks) for place in policy.places}
    present = [place for place in policy.places if shares[place.drawn.card.id] > _ALL]
    absent = [place for place in policy.places if shares[place.drawn.card.id] == 0.0]
    topics = {place.drawn.card.topic for place in policy.places if shares[place.drawn.card.id] > 0.0}
    found = [asked] if anchor in present else []
    if anchor in absent and not topics & kindred_of(anchor.drawn.card.topic):
        found = [Question(asked.text, I_DO_NOT_KNOW)]
    for place in present:
        found += _answered(place, generator, most=4 if place is anchor else 3)
    missing = [miss for place in present for miss in _near_misses(place, topics, generator)]
    for place in absent:
        if not topics & kindred_of(place.drawn.card.topic):
            missing.append(_asked(place, generator).text)
    generator.shuffle(missing)
    off_topic = [generator.choice(outside()["offtopic"])] if generator.random() < 0.25 else []
    unanswerable = [Question(text, I_DO_NOT_KNOW) for text in [*missing[: round(_UNANSWERABLE)], *off_topic]]
    answerable = list({question.text: question for question in found}.values())
    head, rest = answerable[:1], answerable[1:]
    generator.shuffle(rest)
    chosen = [*head, *rest[: _QUESTIONS_PER_CONTEXT - 1 - min(3, len(unanswerable))], *unanswerable]
    return [Question(_in_the_words_of_a_customer(question.text, generator), question.answer) for question in chosen]


_ALL = 0.98


def _share(place: Place, chunks: Sequence[Chunk]) -> float:
    """Return how much of a statement the chunks hold."""
    held = sum(max(0, min(place.end, chunk.end) - max(place.start, chunk.start)) for chunk in chunks)
    return held / (place.end - place.start)


def _asked(place: Place, generator: random.Random) -> Question:
    ask = generator.choice(place.drawn.card.asks)
    values = place.drawn.values
    return Question(fill(generator.choice(ask.questions), values), fill(generator.choice(ask.answers), values))


def _answered(place: Place, generator: random.Random, *, most: int) -> list[Question]:
    # More rules are written about what is not possible than about what is; drawn alike, the reader would lean to "No".
    # Rules with something to calculate are few, and picking the right line of what was worked out takes practice.
    # Weights as in Efraimidis and Spirakis, 2006, "Weighted random sampling with a reservoir".
    keys = {id(ask): generator.random() ** (1 / _ASK_WEIGHT.get(ask.type, 1.0)) for ask in place.drawn.card.asks}
    asks = sorted(place.drawn.card.asks, key=lambda ask: keys[id(ask)], reverse=True)[:most]
    values = place.drawn.values
    return [
        Question(fill(generator.choice(ask.questions), values), fill(generator.choice(ask.answers), values))
        for ask in asks
    ]


def _near_misses(place: Place, topics: set[str], generator: random.Random) -> list[str]:
    others = topics - {place.drawn.card.topic}  # the card itself does not answer its near misses
    usable = [miss for miss in place.drawn.card.near if not miss.unless & others]
    chosen = generator.sample(usable, min(2, len(usable)))
    return [fill(generator.choice(miss.questions), place.drawn.values) for miss in chosen]


def _in_the_words_of_a_customer(text: str, generator: random.Random) -> str:
    if generator.random() < _OPENER_SHARE:
        words = generator.choice(outside()["openers"])
        text = f"{words.get('before', '')}{text}{words.get('after', '')}"
    if generator.random() < _SLOPPY_SHARE:
        text = text.lower().rstrip("?.")
    return text.strip()


def _prompts(
    questions: Sequence[Question], passages: Sequence[Passage], generator: random.Random
) -> Iterator[PromptCompletion]:
    history: tuple[Turn, ...] = ()
    if len(questions) > 2 and generator.random() < _HISTORY_SHARE:
        earlier = generator.choice(questions)
        history = (Turn(earlier.text, earlier.answer),)
        questions = [_going_on(question, generator) for question in questions if question is not earlier]
    for question in questions:
        messages = reader_messages(question.text, passages, history)
        # What neither the passages state nor was worked out would be withheld from a customer: not to be learnt.
        if not unsupported_quantities(question.answer, "\n".join(message.content for message in messages[1:])):
            yield PromptCompletion(messages, question.answer)


def _going_on(question: Question, generator: random.Random) -> Question:
    """Return now and then the question as one that follows another: "And how long do I have ...?"."""
    if generator.random() >= _FOLLOW_UP_SHARE:
        return question
    word = generator.choice(("And ", "and ", "Ok, and ", "Thanks. "))
    first, _, rest = question.text.partition(" ")
    keeps_case = word.endswith(". ") or first in {"I", "I'm", "I've", "I'd"} or not first[1:].islower()
    return Question(word + (first if keeps_case else first.lower()) + " " + rest, question.answer)
