"""One example with what every technique made of it, side by side. Standard library only; scenarios fill it in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.comparison.figures import TechniqueFigures
from playground.comparison.outcomes import Outcome

if TYPE_CHECKING:
    from playground.comparison.outcomes import TechniqueRows
    from playground.measuring.runs import RunInfo


@dataclass(frozen=True, slots=True)
class ShownExample:
    """An example as it is shown: ``title`` is what was asked, ``where`` the policy or contract, ``text`` the clause.

    ``expected`` says in words what is right.
    """

    id: str
    title: str
    where: str
    expected: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What a technique made of an example.

    Attributes:
        answer: its words, or what it judged, in words.
        right: whether that is right.
        facts: tokens, time and price in one line, "" where nothing is known.
        messages: role and content of what was sent, in order; empty where no chat model was asked or none were kept.
        error: why there is no answer, "" where there is one.
        unreadable: it came, but cannot be read as one of the answers that were asked for, and so is wrong.
    """

    answer: str
    right: bool
    facts: str = ""
    messages: tuple[tuple[str, str], ...] = ()
    error: str = ""
    unreadable: bool = False

    @property
    def verdict(self) -> str:
        """Right, wrong or unreadable, in that word."""
        if self.unreadable:
            return "unreadable"
        return "right" if self.right else "wrong"


def example_ids(outcomes: Sequence[Mapping[str, Outcome]], *, only_different: bool = False) -> list[str]:
    """Return the ids that any technique was asked, in order; with ``only_different`` where not all were right or wrong.

    An example that only one technique was asked is none where they differ.
    """
    ids = list(dict.fromkeys(name for one in outcomes for name in one))
    if not only_different:
        return ids
    return [name for name in ids if len({one[name].right for one in outcomes if name in one}) > 1]


def sample_note(figures: Sequence[TechniqueFigures], outcomes: Sequence[Mapping[str, Outcome]]) -> str:
    """Return a sentence about which examples there are where techniques judged more than these; "" where they did not.

    ``outcomes`` are those of ``figures``, by id.
    """
    if not any(one.sample for one in figures):
        return ""
    ids = example_ids(outcomes)
    shared = sum(all(name in one for one in outcomes) for name in ids)
    asked = (
        f"the {len(ids):,} pairs of a clause and a label that every technique was asked about"
        if shared == len(ids)
        else f"the {len(ids):,} pairs of a clause and a label that were sampled, {shared:,} of which every technique "
        "was asked about"
    )
    most = max((one.requests for one in figures if one.parts == 1), default=0)
    more = (
        f" Techniques that judge a clause for all labels at once judged up to {most:,} clauses whole, of which these "
        "pairs are a part."
        if most
        else ""
    )
    return f"Compared are {asked}.{more}"


def kept_messages(value: object) -> tuple[tuple[str, str], ...]:
    """Return the messages that a row keeps, as far as they are messages: rows may have been edited by hand."""
    if not isinstance(value, Collection) or isinstance(value, str | Mapping):
        return ()
    return tuple(
        (str(one["role"])[:40], str(one["content"]))
        for one in value
        if isinstance(one, Mapping) and "role" in one and "content" in one
    )


def facts_line(
    *, input_tokens: int | None, output_tokens: int | None, first_token_s: float | None, total_s: float | None
) -> str:
    """Return what a request took, in one line."""
    parts = []
    if input_tokens is not None:
        parts.append(f"{input_tokens:,} tokens in, {output_tokens or 0:,} out")
    if first_token_s is not None:
        parts.append(f"first token {first_token_s:.2f} s")
    if total_s is not None:
        parts.append(f"total {total_s:.2f} s")
    return " · ".join(parts)


def plain_examples(ids: Sequence[str], _info: RunInfo) -> dict[str, ShownExample]:
    """Return examples under their ids, for a scenario that does not put its own in words."""
    return {name: ShownExample(name, name, "", "not known here") for name in ids}


def plain_answers(group: TechniqueRows, ids: Sequence[str], _info: RunInfo) -> dict[str, ShownAnswer]:
    """Return what the rows keep, for a scenario that does not put its answers in words.

    An answer is right where the score "right" says so.
    """
    wanted, found = set(ids), {}
    for row in group.records:
        if row.example_id not in wanted:
            continue
        prediction = row.prediction
        usage = prediction.usage if prediction else None
        found[row.example_id] = ShownAnswer(
            answer=prediction.output if prediction else "",
            right=row.error is None and row.scores.get("right", 0.0) > 0,
            facts=facts_line(
                input_tokens=usage.input_tokens if usage else None,
                output_tokens=usage.output_tokens if usage else None,
                first_token_s=prediction.timings.get("first_token_s") if prediction else None,
                total_s=prediction.timings.get("total_s") if prediction else None,
            ),
            messages=kept_messages(prediction.detail.get("messages")) if prediction else (),
            error=row.error or "",
        )
    return found
