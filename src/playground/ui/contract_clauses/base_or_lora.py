"""One click from the untrained base to the adapter on the contract itself: many wrong flags fall to few right ones."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.paths import CONTRACTS
from playground.ui.contract_clauses import advance, state
from playground.ui.contract_clauses.flagger_choice import ZERO_SHOT, FlaggerChoice, FlaggerChoices
from playground.ui.contract_clauses.gold import agreement, load_gold
from playground.ui.contract_clauses.state import ContractEntry, Key, session
from playground.ui.shared import presenting
from playground.ui.shared.session import session as shared_session


def perform_steps(choices: FlaggerChoices) -> None:
    """Do what is due of the presentation's step."""
    if presenting.presenting().due:  # the step says who judges, not what another page asked for before
        session().followed = shared_session().flagger
    presenting.perform(
        {"contract": advance.open_sample, "flagger": lambda name: _choose(_named(choices, name))},
        lambda: session().judging is not None,
    )


def draw_switch(entry: ContractEntry | None, choice: FlaggerChoice, choices: FlaggerChoices) -> None:
    """Draw the switch while presenting, each side with what it found on this contract."""
    lora = _named(choices, "lora")
    if not presenting.presenting().on or entry is None or lora is None:
        return
    sides: Sequence[tuple[str, FlaggerChoice, str]] = (("Untrained base", ZERO_SHOT, "B"), ("LoRA", lora, "L"))
    with st.container(horizontal=True, key="base_or_lora", gap="small", vertical_alignment="center"):
        for title, side, key in sides:
            st.button(
                f"{title}: {found(entry, side)}",
                key=f"switch_{side.kind}",
                type="primary" if side.key == choice.key else "secondary",
                on_click=_choose,
                args=(side,),
                shortcut=f"Alt+{key}",
            )


def found(entry: ContractEntry, choice: FlaggerChoice) -> str:
    """Return in words what a flagger found in a contract, and of a sample how much of that is right."""
    judged = entry.results.get(choice.key)
    if judged is None or judged.choice.key != choice.key:
        return "not judged yet"
    flagged = state.flagged(entry, judged)
    count = len(flagged.flags)
    flags = "1 flag" if count == 1 else f"{count} flags"
    if entry.source != "sample":
        return flags
    gold = load_gold(CONTRACTS / "gold.json", entry.name, judged.scored.document, judged.scored.clauses)
    if gold is None:
        return flags
    agreed = agreement(gold, flagged.clauses, flagged.flags, state.shown_labels())
    return f"{flags}, {agreed.right} right"


def _named(choices: FlaggerChoices, name: str) -> FlaggerChoice | None:
    if name == "base":
        return ZERO_SHOT
    if choices.default.kind == "adapter":
        return choices.default
    return next((option for option in choices.options if option.kind == "adapter"), None)


def _choose(choice: FlaggerChoice | None) -> None:
    if choice is not None:
        st.session_state[Key.FLAGGER] = choice.key
