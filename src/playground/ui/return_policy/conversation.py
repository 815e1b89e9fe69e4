"""The conversation of one session: what was asked, on which version, what came out; and how it leaves the app."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from playground.answering.conversation import turns_of_conversation
from playground.answering.prompt import Mode, Turn
from playground.pricing import describe_cost
from playground.types import Answer

NOTHING = "\u2013"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an answer was made with: enough to make it again. ``sha256`` is of the policy's text."""

    model: str
    mode: Mode
    mode_title: str
    policy: str
    version: int
    sha256: str
    local: bool = True
    """Whether the model runs on this machine: its tokens have no price then."""

    def line(self) -> str:
        """Return the stamp as one line, the hash shortened to 8 hex digits."""
        return f"{self.model} · {self.mode_title} · {self.policy} · version {self.version} · {self.sha256[:8]}"


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One question and what became of it: an answer, a stop (``partial`` is what had arrived), or an error.

    ``asked_at`` is in UTC, ISO 8601.
    """

    id: int
    question: str
    asked_at: str
    stamp: Stamp
    answer: Answer | None = None
    partial: str = ""
    error: str = ""
    note: str = ""
    """What the page says above the answer, in a sentence."""

    @property
    def shown_stamp(self) -> Stamp:
        """The stamp as it is shown: a rule's answer was made with no model."""
        if self.answer is None or not self.answer.rule:
            return self.stamp
        return replace(self.stamp, model="no model", mode_title=f"a rule ({self.answer.rule})")


def history_for(turns: Sequence[ChatTurn], stamp: Stamp) -> tuple[Turn, ...]:
    """Return the earlier turns that the model may see of an answer with ``stamp``, oldest first.

    Those of this conversation only: of the same model, technique and version of the policy, without another between.
    """
    earlier = (
        (turn.stamp, Turn(turn.question, turn.answer.text) if turn.answer and not turn.answer.rule else None)
        for turn in turns
    )
    return turns_of_conversation(earlier, stamp)


def new_conversation_line(before: Stamp, stamp: Stamp) -> str:
    """Return why a new conversation begins with ``stamp``, in a sentence; "" where the one before goes on."""
    changes = [
        f"{what} is now {now}"
        for what, now, changed in (
            ("policy", f"version {stamp.version}", (before.version, before.sha256) != (stamp.version, stamp.sha256)),
            ("model", stamp.model, (before.model, before.local) != (stamp.model, stamp.local)),
            ("technique", stamp.mode_title, before.mode_title != stamp.mode_title),
        )
        if changed
    ]
    line = ", ".join(changes)
    return f"{line[0].upper()}{line[1:]}: a new conversation begins" if changes else ""


_MARKUP = re.compile(r"[\\`*_\[\]<>|~]|&(?=[#\w]+;)|!(?=\[)")
_LINE_MARKUP = re.compile(r"(?m)^(\s*)([#+=-]|\d{1,9}(?=[.)]\s))")


def _plain_markdown(text: str) -> str:
    """Return ``text`` so that Markdown shows it letter for letter, with as few backslashes as that takes.

    For a file. On a page Streamlit reads more than Markdown, see ``escape_markdown``.
    """
    escaped = _MARKUP.sub(r"\\\g<0>", text)
    return _LINE_MARKUP.sub(_escaped_at_line, escaped).replace("\n", "  \n")


def _escaped_at_line(match: re.Match[str]) -> str:
    # A backslash before a digit would be shown; the full stop behind it is what makes a list.
    return f"{match[1]}{match[2]}\\" if match[2].isdigit() else f"{match[1]}\\{match[2]}"


def to_markdown(turns: Sequence[ChatTurn]) -> str:
    """Return the conversation as Markdown with citations and stamps. What users and models said is escaped."""
    lines = ["# Conversation with the return-policy bot", ""]
    for turn in turns:
        lines += [f"## {_plain_markdown(' '.join(turn.question.split()))}", "", *_answer_lines(turn), ""]
        lines += [f"*{_plain_markdown(turn.shown_stamp.line())} · {turn.asked_at}*", ""]
    return "\n".join(lines)


def _answer_lines(turn: ChatTurn) -> list[str]:
    if turn.error:
        partial = [_plain_markdown(turn.partial), ""] if turn.partial else []
        return [*partial, f"**No answer:** {_plain_markdown(turn.error)}"]
    if turn.answer is None:
        return [_plain_markdown(turn.partial), "", "*(stopped)*"]
    answer = turn.answer
    lines = [_plain_markdown(answer.text), ""]
    if answer.withheld:
        numbers = _plain_markdown(", ".join(answer.unstated))
        lines += [f"**Withheld, as no passage states {numbers}:** {_plain_markdown(answer.withheld)}", ""]
    if answer.unsupported:
        lines += [f"**In no cited passage:** {_plain_markdown(', '.join(answer.unsupported))}", ""]
    for citation in answer.contradicted_by:
        lines += [f"**The policy seems to say the opposite:** {_plain_markdown(' '.join(citation.text.split()))}", ""]
    for citation in answer.citations:
        place = " > ".join(citation.heading_path)
        lines.append(f"> {_plain_markdown(' '.join(citation.text.split()))} ({_plain_markdown(place)})")
        lines.append(">")
    return lines[:-1] if lines[-1] == ">" else lines


def to_json(turns: Sequence[ChatTurn]) -> str:
    """Return the conversation as JSON, with the exact messages that the model saw."""
    return json.dumps({"turns": [_turn_record(turn) for turn in turns]}, ensure_ascii=False, indent=2)


def _turn_record(turn: ChatTurn) -> dict[str, Any]:
    stamp = turn.stamp
    record: dict[str, Any] = {
        "question": turn.question,
        "asked_at": turn.asked_at,
        "model": stamp.model,
        "mode": stamp.mode,
        "policy": {"name": stamp.policy, "version": stamp.version, "sha256": stamp.sha256},
    }
    if turn.error:
        return record | {"error": turn.error} | ({"partial": turn.partial} if turn.partial else {})
    if turn.answer is None:
        return record | {"stopped": True, "partial": turn.partial}
    answer = turn.answer
    completion = answer.completion
    usage = completion.usage
    return record | {
        "answer": answer.text,
        "reasoning": answer.reasoning,
        "withheld": answer.withheld,
        "rule": answer.rule,
        "read_as": answer.read_as,
        "contradicted_by": [citation.text for citation in answer.contradicted_by],
        "abstained": answer.abstained,
        "unsupported": list(answer.unsupported),
        "citations": [
            {"document": c.document, "start": c.start, "end": c.end, "text": c.text, "score": c.score}
            for c in answer.citations
        ],
        "usage": None
        if usage is None
        else {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
        },
        "timings": {
            "retrieve_s": answer.retrieve_s,
            "first_token_s": completion.first_token_s,
            "total_s": answer.retrieve_s + completion.duration_s,
        },
        "cost_usd": answer.cost_usd,
        "messages": [{"role": message.role, "content": message.content} for message in completion.messages],
    }


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures under an answer, ready to show; a dash where there is nothing to say."""

    retrieval: str = NOTHING
    first_token: str = NOTHING
    total: str = NOTHING
    tokens_in: str = NOTHING
    tokens_cached: str = NOTHING
    tokens_out: str = NOTHING
    cost: str = NOTHING


def metrics_of(turn: ChatTurn | None) -> Metrics:
    """Return the figures of a turn's answer."""
    if turn is None or turn.answer is None:
        return Metrics()
    answer = turn.answer
    completion, usage = answer.completion, answer.completion.usage
    first = completion.first_token_s
    return Metrics(
        retrieval=_duration(answer.retrieve_s),
        # From the question on, as the audience feels it: retrieval is part of the wait.
        first_token=NOTHING if first is None else _duration(answer.retrieve_s + first),
        total=_duration(answer.retrieve_s + completion.duration_s),
        tokens_in="unknown" if usage is None else f"{usage.input_tokens:,}",
        tokens_cached="unknown" if usage is None else f"{usage.cached_tokens:,}",
        tokens_out="unknown" if usage is None else f"{usage.output_tokens:,}",
        cost="$0 (local)" if turn.stamp.local else describe_cost(answer.cost_usd),
    )


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
