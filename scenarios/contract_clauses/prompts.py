"""Ask a chat model whether one clause carries one label, and read its free-text reply. The words are in ``prompts/``.

Zero-shot and few-shot replies are meant to be scored as P(Yes) against P(No) of the first token; a chain of thought is
read with ``parse_decision``. The length of a clause is the caller's to bound: nothing is cut here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from playground.types import AnnotatedClause, Label, Message

FOLDER = Path(__file__).parent / "prompts"

_PLACEHOLDER = re.compile(r"\{(clause|question)\}")
_LONGEST_REPLY = 20_000
_MARKS = r"[\s*_\"'`(\[\u2018\u2019\u201c\u201d]{0,8}"
# "No-solicit" and "Nothing" are no answers, and "Yes or No" is none either.
_WORD = r"(yes|no)(?![\w-])(?!\s{0,4}(?:or|and|/)\s{0,4}(?:yes|no)\b)"
_STATED = re.compile(rf"\banswer\b{_MARKS}(?:is\b ?:?|[:=-]){_MARKS}{_WORD}", re.IGNORECASE)
_FIRST = re.compile(rf"{_MARKS}{_WORD}", re.IGNORECASE)


def zero_shot_messages(clause_text: str, label: Label) -> list[Message]:
    """Return the conversation that asks for Yes or No without an example."""
    return [Message("system", _file("zero_shot")), _question(clause_text, label)]


def few_shot_messages(clause_text: str, label: Label, examples: Sequence[AnnotatedClause]) -> list[Message]:
    """Return the conversation in which ``examples`` are answered first, in their order, each as a turn of its own."""
    messages = [Message("system", _file("few_shot"))]
    for example in examples:
        messages.append(_question(example.text, label))
        messages.append(Message("assistant", "Yes" if label.name in example.labels else "No"))
    return [*messages, _question(clause_text, label)]


def chain_of_thought_messages(clause_text: str, label: Label) -> list[Message]:
    """Return the conversation that asks for a short reasoning and then "Answer: Yes" or "Answer: No"."""
    return [Message("system", _file("chain_of_thought")), _question(clause_text, label)]


def choose_examples(label: Label, examples: Sequence[AnnotatedClause], count: int = 4) -> tuple[AnnotatedClause, ...]:
    """Return up to ``count`` of ``examples`` for ``label``: at most half of them carry it, the others do not.

    A small model reads three to five examples better, and far faster, than all of them. Those without the label
    alternate between clauses of other labels and clauses of none, and one of them stands first. The choice is the same
    every time.
    """
    with_label = [example for example in examples if label.name in example.labels][: max(1, count // 2)]
    of_others = [example for example in examples if example.labels and label.name not in example.labels]
    of_none = [example for example in examples if not example.labels]
    without = [example for pair in zip_longest(of_others, of_none) for example in pair if example is not None]
    without = without[: max(0, count - len(with_label))]
    return (*without[:1], *with_label, *without[1:])[:count]


def parse_decision(text: str) -> bool | None:
    """Return whether a reply says Yes (True) or No (False); None when it says neither, or both.

    "Answer: ..." counts wherever it stands, and when it stands more than once the answers must agree. Without it the
    reply has to begin with the word.
    """
    stated = {word.lower() for word in _STATED.findall(text[-_LONGEST_REPLY:])}
    if stated:
        return stated == {"yes"} if len(stated) == 1 else None
    first = _FIRST.match(text)
    return first.group(1).lower() == "yes" if first else None


def _question(clause_text: str, label: Label) -> Message:
    # In one pass, so that braces in a clause stay text.
    values = {"clause": clause_text.strip(), "question": label.question}
    return Message("user", _PLACEHOLDER.sub(lambda match: values[match.group(1)], _file("question")))


@lru_cache(maxsize=4)
def _file(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip()
