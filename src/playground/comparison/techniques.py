"""What the comparison knows of a technique: its name, its look on every chart and page, and what it changes.

A scenario brings its techniques (``Scenario.techniques``). Their colours are near those of Okabe and Ito (2008, "Color
Universal Design") and moved apart in lightness: seen with deuteranopia or protanopia (simulated after Machado and
others, 2009) any two techniques of a scenario are at least 10 apart in CIE Lab, and each has a contrast of 3 : 1 or
more with the light and the dark page. A test holds both. That is apart side by side, not by memory: the markers tell
techniques apart without any colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["prompting", "fine-tuning", "baseline"]
"""What a technique changes: the prompt, weights, or neither."""


@dataclass(frozen=True, slots=True)
class Technique:
    """One way to do a scenario's work.

    Attributes:
        name: on the command line and in rows ("rag+lora").
        title: for people ("RAG + LoRA").
        colour: as CSS has it; ``marker`` is a plotly symbol. No two techniques of a scenario share one.
        kind: what it changes; the article's table and a recommendation compare prompting with fine-tuning.
        chat_model: "any" where it asks the chosen chat model, "bundled" where it asks through an adapter that fits the
            bundled one only, "none" where it asks none.
        stands_for_kind: the one that is taken first where one technique stands for all of its kind.
        learns_from_labels: whether it is trained, fitted or fed with the user's own labelled examples.
    """

    name: str
    title: str
    colour: str
    marker: str
    kind: Kind = "baseline"
    chat_model: Literal["any", "bundled", "none"] = "any"
    stands_for_kind: bool = False
    learns_from_labels: bool = False


UNKNOWN = Technique("", "", "#8a97a3", "circle-open")
"""Stands for a technique that a run has rows of and the scenario does not know: it is grey, under its own name."""


def technique_named(name: str, techniques: Iterable[Technique]) -> Technique:
    """Return the technique of a name; one that is not known is grey."""
    return next((one for one in techniques if one.name == name), UNKNOWN)


def title_of(name: str, techniques: Iterable[Technique]) -> str:
    """Return the title of a technique; one that is not known goes by its own name."""
    return technique_named(name, techniques).title or name
