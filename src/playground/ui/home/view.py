"""The parts of the home page: the picture of the two scenarios, the demo script, the state of the models."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.answering.prompt import Mode
from playground.models.catalog import BUNDLES
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer, fetch_activity
from playground.ui.shared.layout import COMPARISON, link_to_training
from playground.ui.shared.markup import escape_html
from playground.ui.shared.session import session

_BOT = "pages/return_policy.py"
_FLAGGER = "pages/contract_clauses.py"


@dataclass(frozen=True, slots=True)
class _Box:
    """A box of the picture. ``changed`` marks what the technique changes."""

    title: str
    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class _Scenario:
    letter: str
    title: str
    claim: str
    boxes: tuple[_Box, ...]


_PROMPTING = _Scenario(
    "A",
    "Return-policy support bot",
    "Prompt engineering changes the <b>input</b>",
    (
        _Box("Prompt", "system prompt, fitting passages of the policy, question", changed=True),
        _Box("Model", "its weights stay as they are"),
        _Box("Answer", "with the sentences it stands on"),
    ),
)
_FINE_TUNING = _Scenario(
    "B",
    "Contract-clause flagger",
    "Fine-tuning (LoRA) changes the <b>weights</b>",
    (
        _Box("Contract", "one clause at a time, hardly any prompt"),
        _Box("Model + LoRA layer", "a small layer learned from annotated clauses", changed=True),
        _Box("Flags", "liabilities marked in the text"),
    ),
)

_FLAGGER_STEPS: tuple[tuple[str, str, str], ...] = (
    (
        "services-agreement.pdf",
        "Flag a contract",
        "Twelve pages of a services agreement: its risky clauses are marked, each with why it matters and what to "
        "check. Move the slider from *miss nothing* to *only sure ones*.",
    ),
    (
        "lease.docx",
        "Open a Word file with tracked changes",
        "The page says that insertions count. Reject a wrong flag, add a missed one, and hand the file back with "
        "comments in it.",
    ),
    (
        "distribution-agreement.pdf",
        "Compare base and LoRA",
        "Below the contract, the untrained base judges the same clauses; *Prompting for contrast* asks the chat model.",
    ),
)

_STEPS: tuple[tuple[Mode, str, str], ...] = (
    (
        "no_text",
        "Ask without the policy",
        "Ask *How long do I have to return something?* The model has never seen this shop: it can only guess, and "
        "nothing supports what it says.",
    ),
    (
        "rag",
        "Fetch the passages that fit",
        "Ask again. What was given to the model lights up in the policy. A model of this size often misreads it; where "
        "no sentence supports the answer, the page says so.",
    ),
    (
        "rag_lora",
        "Let an adapter read them",
        "Ask again. A LoRA layer learned to read passages, and to say that it does not know. Under the chat: the exact "
        "messages, the tokens of each part, time and price.",
    ),
    (
        "rag_lora",
        "Swap the policy",
        "Under *Replace*, load NorthTrail version 2, or edit a number in place. Ask again: the new text counts, "
        "and no weights have changed.",
    ),
    (
        "rag_lora",
        "Compare and roll back",
        "Under *Compare versions*, put one question to both and read the six differences. Under *Versions*, roll back.",
    ),
)


def draw_scenarios() -> None:
    """Draw the picture, with the ways into the scenarios."""
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, key="scenario_a", height="stretch"):
        st.html(_scenario_html(_PROMPTING))
        st.page_link(_BOT, label="Open the return-policy bot", icon=":material/arrow_forward:")
    with right.container(border=True, key="scenario_b", height="stretch"):
        st.html(_scenario_html(_FINE_TUNING))
        with st.container(horizontal=True, gap="medium"):
            st.page_link(_FLAGGER, label="Open the contract flagger", icon=":material/arrow_forward:")
            link_to_training("Train an adapter")


def draw_comparison_card() -> None:
    """Draw the way to the comparison of all techniques."""
    with st.container(border=True, key="comparison_card", horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(
            '<div class="scenario"><div class="scenario-title">Which should we use?</div><div class="claim">Cost, '
            "latency and accuracy of every technique, measured on this machine: the article's table proved row by "
            "row.</div></div>",
            width="stretch",
        )
        st.page_link(COMPARISON, label="Compare what was measured", icon=":material/arrow_forward:")


def _scenario_html(scenario: _Scenario) -> str:
    boxes = '<div class="arrow" aria-hidden="true"></div>'.join(_box_html(box) for box in scenario.boxes)
    return (
        f'<div class="scenario"><div class="scenario-title"><span class="letter">{scenario.letter}</span>'
        f'{escape_html(scenario.title)}</div><div class="claim">{scenario.claim}</div>'
        f'<div class="flow">{boxes}</div></div>'
    )


def _box_html(box: _Box) -> str:
    changed = '<div class="changed-note">changes</div>' if box.changed else ""
    kind = "box changed" if box.changed else "box"
    return f'<div class="{kind}">{changed}<b>{escape_html(box.title)}</b><span>{escape_html(box.text)}</span></div>'


def draw_demo_script() -> None:
    """Draw the steps of both scenarios, a minute each, with links that open the pages as the step needs them."""
    st.subheader("A demo in five minutes", anchor=False)
    with st.container(key="demo_script", gap="small"):
        for minute, (mode, title, text) in enumerate(_STEPS, start=1):
            step, what = st.columns([2, 5], vertical_alignment="center", gap="small")
            step.page_link(
                _BOT,
                label=f"{minute}. {title}",
                icon=":material/arrow_forward:",
                query_params={"mode": mode},
            )
            what.markdown(text)
    st.subheader("Then the contracts", anchor=False)
    with st.container(key="flagger_script", gap="small"):
        for number, (contract, title, text) in enumerate(_FLAGGER_STEPS, start=len(_STEPS) + 1):
            step, what = st.columns([2, 5], vertical_alignment="center", gap="small")
            step.page_link(
                _FLAGGER,
                label=f"{number}. {title}",
                icon=":material/arrow_forward:",
                query_params={"contract": contract},
            )
            what.markdown(text)


def draw_models() -> None:
    """Draw which models are on this machine, and fetch them on request."""
    st.subheader("Models on this machine", anchor=False)
    states = resources.bundle_states()
    rows = "".join(
        f"<tr><td>{escape_html(bundle.title)}</td><td>{_state_html(present)}</td><td>{_PURPOSE[bundle.id]}</td>"
        f"<td>{bundle.wheel_bytes / 1e6:.0f} MB</td><td>{escape_html(bundle.licence)}</td></tr>"
        for bundle, present in states
    )
    st.html(f'<div class="scroll-x"><table class="models"><tbody>{rows}</tbody></table></div>')
    slot = st.empty()
    wanted = (*BUNDLES, session().model_choice.bundle)
    missing = tuple(bundle for bundle, present in states if not present and bundle in wanted)
    if activity := fetch_activity(slot):
        if jobs.follow([activity]):
            st.rerun()
    elif missing:
        draw_fetch_offer(slot, missing)
    elif session().fetch_stopped:
        session().fetch_stopped = None


_PURPOSE = {
    "smollm2-135m-instruct": "answers",
    "qwen2.5-coder-0.5b-instruct": "answers where the medium size is chosen",
    "qwen2.5-coder-1.5b-instruct": "answers where the large size is chosen",
    "all-minilm-l6-v2": "finds passages and similar clauses, trains in minutes",
    "all-mpnet-base-v2": "judges clauses",
}


def _state_html(present: bool) -> str:
    return '<span class="pill">ready</span>' if present else '<span class="pill missing">not fetched yet</span>'
