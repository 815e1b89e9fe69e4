"""Many sessions at one engine: each gets its slice in turn, and what comes out is what comes out alone."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from playground.models.chat import LocalChatModel
from playground.models.line import Line, told_of_place
from playground.types import Message

WORDS = 200


class NumberCodec:
    """A message "7 40" is the prompt [1, 7, 40]; a token is its number."""

    end_token_ids = frozenset({0})

    def encode(self, messages: Sequence[Message]) -> list[int]:
        return [1, *map(int, messages[-1].content.split())]

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def decoder(self):  # type: ignore[no-untyped-def]
        return lambda token: f" {token}"


class Engine:
    """Answers "seed length" with so many tokens that depend on all before; ``clock`` counts the steps of all."""

    def __init__(self) -> None:
        self.clock = 0
        self.at_once = 0
        self.sequences: list[CountingSequence] = []

    def new_sequence(self) -> CountingSequence:
        self.sequences.append(CountingSequence(self))
        return self.sequences[-1]


class CountingSequence:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.tokens: list[int] = []

    def truncate(self, length: int) -> None:
        del self.tokens[length:]

    def extend(self, ids: Sequence[int], logits_of: int) -> NDArray[np.float32]:
        self.engine.at_once += 1
        assert self.engine.at_once == 1, "two requests compute at once"
        found = np.zeros((logits_of, WORDS), dtype=np.float32)
        for place in range(len(ids)):
            self.tokens.append(ids[place])
            row = place - (len(ids) - logits_of)
            if row >= 0:
                ended = len(self.tokens) - 3 >= self.tokens[2]
                found[row, 0 if ended else 2 + crc32(repr(self.tokens).encode()) % (WORDS - 2)] = 1.0
        self.engine.clock += 1
        self.engine.at_once -= 1
        return found


def ask(model: LocalChatModel, question: str, **more: object) -> str:
    return model.complete([Message("user", question)], max_tokens=190, **more).text  # type: ignore[arg-type]


def test_sixteen_sessions_share_an_engine_and_none_waits_three_times_as_long_as_half_of_them() -> None:
    questions = {session: [f"{session + 2} {180 if session == 3 else 20 + session}"] * 5 for session in range(16)}
    alone = LocalChatModel("alone", NumberCodec(), lambda _adapter: Engine().new_sequence, 1_000)
    expected = {session: [ask(alone, question) for question in asked] for session, asked in questions.items()}
    engine = Engine()
    model = LocalChatModel("shared", NumberCodec(), lambda _adapter: engine.new_sequence, 1_000)
    answers: dict[int, list[str]] = {session: [] for session in questions}
    waited: dict[int, list[int]] = {session: [] for session in questions}
    begin = threading.Barrier(len(questions))

    def session(number: int) -> None:
        begin.wait()
        for question in questions[number]:
            asked_at, first_at = engine.clock, []

            def on_token(text: str, first_at: list[int] = first_at) -> None:
                if text and not first_at:
                    first_at.append(engine.clock)

            answers[number].append(ask(model, question, on_token=on_token))
            waited[number].append(first_at[0] - asked_at)

    threads = [threading.Thread(target=session, args=(number,)) for number in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == expected
    assert len(expected[3][0].split()) == 180
    means = sorted(statistics.mean(waits) for waits in waited.values())
    assert means[-1] <= 3 * statistics.median(means)
    assert len(engine.sequences) <= 4, "no more caches than there may be"


def test_a_short_answer_does_not_wait_for_the_end_of_a_long_one() -> None:
    engine = Engine()
    model = LocalChatModel("shared", NumberCodec(), lambda _adapter: engine.new_sequence, 1_000)
    ended: list[str] = []
    asked = threading.Event()

    def short() -> None:
        ask(model, "5 8")
        ended.append("short")

    other = threading.Thread(target=short)

    def on_token(_text: str) -> None:
        if engine.clock >= 3 and not other.ident:
            other.start()
            while not model._line._waiting:  # it stands in line
                asked.wait(0.001)

    ask(model, "4 180", on_token=on_token)
    ended.append("long")
    other.join()
    assert ended == ["short", "long"]


def test_who_waits_is_told_the_place_in_line_and_may_leave_it() -> None:
    line = Line(2)
    places: list[list[int]] = [[], []]
    entered = threading.Event()

    def wait(number: int) -> None:
        with told_of_place(places[number].append), line.turn():
            entered.set()

    def leave() -> None:
        raise KeyboardInterrupt

    with line.turn():
        threads = [threading.Thread(target=wait, args=(number,)) for number in (0, 1)]
        for number, thread in enumerate(threads):
            thread.start()
            while not places[number]:
                entered.wait(0.001)
        with pytest.raises(KeyboardInterrupt), line.turn(leave):
            pass
    for thread in threads:
        thread.join()
    assert (places[0][0], places[1][0]) == (1, 2)
    assert (places[0][-1], places[1][-1]) == (0, 0)
    with line.turn():
        pass


def test_no_more_begin_than_there_are_caches_and_who_has_begun_goes_on() -> None:
    line = Line(1)
    order: list[str] = []

    def other() -> None:
        with line.turn():
            order.append("other")

    with line.turn() as turn:
        thread = threading.Thread(target=other)
        thread.start()
        while not line._waiting:
            pass
        turn.pause()
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
