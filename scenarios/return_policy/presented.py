"""What each step of the bot's demo does in presenter mode: the steps of ``demo.json``, whose answers are checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from playground.comparison.scenario import Actions

# Read here by its bare fields: what makes the check of the answers is not loaded with the list of scenarios.
_STEPS = json.loads(Path(__file__).with_name("demo.json").read_text(encoding="utf-8"))


def _actions(number: int) -> Actions:
    step = _STEPS[number]
    edit = (("edit", " -> ".join(step["edit"])),) if step.get("edit") else ()
    asks = tuple(("ask", asked["question"]) for asked in step["asks"])
    begin = (("new", ""),) if number == 0 else ()
    return (*begin, ("mode", step["mode"]), ("policy", step["policy"]), *edit, *asks)


ACTIONS: Mapping[str, Actions] = {step["title"]: _actions(number) for number, step in enumerate(_STEPS)}
