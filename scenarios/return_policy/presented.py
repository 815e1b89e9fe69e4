"""What each step of the bot's demo does in presenter mode, by the step's title."""

from __future__ import annotations

from collections.abc import Mapping

from playground.comparison.scenario import Actions

_QUESTION = "How long do I have to return something?"
_FIRST, _SECOND = "northtrail-outdoor-v1.md", "northtrail-outdoor-v2.md"

ACTIONS: Mapping[str, Actions] = {
    "Ask without the policy": (("new", ""), ("policy", _FIRST), ("mode", "no_text"), ("ask", _QUESTION)),
    "Fetch the passages that fit": (("policy", _FIRST), ("mode", "rag"), ("ask", _QUESTION)),
    "Let an adapter read them": (("policy", _FIRST), ("mode", "rag_lora"), ("ask", _QUESTION)),
    "Swap the policy": (("mode", "rag_lora"), ("policy", _SECOND), ("ask", _QUESTION)),
    "Edit a number": (
        ("mode", "rag_lora"),
        ("policy", _FIRST),
        ("edit", "within 60 days of delivery -> within 14 days of delivery"),
        ("ask", _QUESTION),
    ),
    "Compare and roll back": (("mode", "rag_lora"), ("policy", _FIRST), ("ask", _QUESTION)),
}
