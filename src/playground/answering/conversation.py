"""Which earlier turns belong to the conversation that a question continues."""

from __future__ import annotations

from collections.abc import Iterable

from playground.answering.prompt import Turn

__all__ = ["turns_of_conversation"]


def turns_of_conversation(earlier: Iterable[tuple[object, Turn | None]], setting: object) -> tuple[Turn, ...]:
    """Return the turns since the conversation under ``setting`` began, oldest first.

    ``setting`` is what answers: model, technique and version of the policy. When one of them changes a new conversation
    begins: what another model or technique said, or what a replaced policy said, would be repeated as if it were true.

    Args:
        earlier: each turn with the setting it was answered under, oldest first; None for one without an answer.
        setting: what answers now.
    """
    turns: list[Turn] = []
    for own, turn in earlier:
        if own != setting:
            turns.clear()
        elif turn is not None:
            turns.append(turn)
    return tuple(turns)
