"""Ask one engine from many sessions at once and compare with asking it one after the other.

    python -m scripts.measure_sessions [--sessions 16] [--questions 20] [--out docs/evaluation/sessions.json]

A session is a thread that asks its next question when the last is answered, as a person with a page open does. Every
question of every session is another one, and some ask for long answers. What a session waits is the time from a
question to the first word of its answer, on average over its questions.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import ensure_smollm2_gguf
from playground.models.chat import ChatMl, LocalChatModel
from playground.models.openvino.engine import load_openvino_engine
from playground.types import Message

MOST_RATIO = 3.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, how long its answer may become, and, once asked, the answer and the seconds to its first word."""

    question: str
    max_tokens: int
    answer: str = ""
    first_word_s: float = 0.0


def questions_of(sessions: int, each: int, tokens: int) -> list[list[Asked]]:
    """Return the questions of each session; the last session's answers may be four times as long as the others'."""
    return [
        [
            Asked(
                f"Order {100 * session + number}: may I return it after {number + 3} days?",
                4 * tokens if session == sessions - 1 else tokens,
            )
            for number in range(each)
        ]
        for session in range(sessions)
    ]


def ask(model: LocalChatModel, asked: Asked) -> Asked:
    """Ask and return what came out, and when."""
    started, first = time.perf_counter(), 0.0

    def on_token(text: str) -> None:
        nonlocal first
        if text and not first:
            first = time.perf_counter() - started

    answer = model.complete([Message("user", asked.question)], max_tokens=asked.max_tokens, on_token=on_token).text
    return Asked(asked.question, asked.max_tokens, answer, first or time.perf_counter() - started)


def ask_at_once(model: LocalChatModel, questions: Sequence[Sequence[Asked]]) -> list[list[Asked]]:
    """Ask the questions of each session in a thread of its own, all beginning together."""
    answered: list[list[Asked]] = [[] for _ in questions]
    begin = threading.Barrier(len(questions))

    def session(number: int) -> None:
        begin.wait()
        for asked in questions[number]:
            answered[number].append(ask(model, asked))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered


def figures(alone: Sequence[Sequence[Asked]], together: Sequence[Sequence[Asked]]) -> dict[str, object]:
    """Return how many answers are the same, and what the sessions waited, in seconds."""
    pairs = [(one, other) for a, b in zip(alone, together, strict=True) for one, other in zip(a, b, strict=True)]
    waits = [statistics.mean(one.first_word_s for one in session) for session in together]
    median = statistics.median(waits)
    return {
        "answers": len(pairs),
        "same_as_alone": sum(one.answer == other.answer for one, other in pairs),
        "different_answers": len({one.answer for one, _other in pairs}),
        "mean_wait_s": [round(wait, 3) for wait in waits],
        "median_wait_s": round(median, 3),
        "longest_to_median": round(max(waits) / median, 2),
        "median_wait_alone_s": round(statistics.median(one.first_word_s for one, _other in pairs), 3),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and store; return 1 when an answer differs or a session waits too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--max-tokens", type=int, default=6)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    model_file = ensure_smollm2_gguf()

    def load() -> LocalChatModel:
        engine = load_openvino_engine(model_file)
        return LocalChatModel("measured", ChatMl(engine.weights.tokenizer), engine.load_network, 2048)

    questions = questions_of(options.sessions, options.questions, options.max_tokens)
    serial, shared = load(), load()
    alone = [[ask(serial, asked) for asked in session] for session in questions]
    print(f"{options.sessions * options.questions} questions asked one after the other", flush=True)
    started = time.perf_counter()
    found = figures(alone, ask_at_once(shared, questions)) | {"together_s": round(time.perf_counter() - started, 1)}
    stamp = {
        "date": utc_now(),
        "commit": commit(),
        "machine": describe_machine().label,
        "sessions": options.sessions,
        "questions_a_session": options.questions,
        "max_tokens": options.max_tokens,
    }
    if options.out:
        options.out.write_text(json.dumps(stamp | found, indent=1) + "\n", encoding="utf-8")
    same, answers, ratio = found["same_as_alone"], found["answers"], found["longest_to_median"]
    print(
        f"{same} of {answers} answers are those of asking alone. The session that waited longest waited {ratio} times "
        f"the median of {found['median_wait_s']} s."
    )
    return 0 if same == answers and float(str(ratio)) <= MOST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
