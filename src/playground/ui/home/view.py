"""The parts of the home page: the pictures of the scenarios, the demo script, the state of the models."""

from __future__ import annotations

import streamlit as st

from playground.comparison.scenario import Box, HomeCard, Scenario
from playground.models.catalog import BUNDLES
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer, fetch_activity
from playground.ui.shared.layout import COMPARISON, link_to_training
from playground.ui.shared.markup import escape_html
from playground.ui.shared.session import session
from scenarios.registry import all_scenarios

_ACROSS = 2


def draw_scenarios() -> None:
    """Draw the pictures of the scenarios, two a row, each with the way into it."""
    shown = [one for one in all_scenarios() if one.card is not None and one.page is not None]
    for start in range(0, len(shown), _ACROSS):
        for column, scenario in zip(st.columns(_ACROSS, gap="medium"), shown[start : start + _ACROSS], strict=False):
            with column.container(border=True, key=f"scenario_{scenario.name}", height="stretch"):
                _draw_card(scenario)


def _draw_card(scenario: Scenario) -> None:
    if scenario.card is None or scenario.page is None:
        return
    st.html(_card_html(scenario.letter, scenario.card))
    with st.container(horizontal=True, gap="medium"):
        st.page_link(scenario.page.path, label=scenario.card.link, icon=":material/arrow_forward:")
        if scenario.card.trains:
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


def _card_html(letter: str, card: HomeCard) -> str:
    boxes = '<div class="arrow" aria-hidden="true"></div>'.join(_box_html(box) for box in card.boxes)
    mark = f'<span class="letter">{escape_html(letter)}</span>' if letter else ""
    return (
        f'<div class="scenario"><div class="scenario-title">{mark}'
        f'{escape_html(card.title)}</div><div class="claim">{card.claim}</div>'
        f'<div class="flow">{boxes}</div></div>'
    )


def _box_html(box: Box) -> str:
    changed = '<div class="changed-note">changes</div>' if box.changed else ""
    kind = "box changed" if box.changed else "box"
    return f'<div class="{kind}">{changed}<b>{escape_html(box.title)}</b><span>{escape_html(box.text)}</span></div>'


def draw_demo_script() -> None:
    """Draw the steps of each scenario, a minute each, with links that open its page as the step needs it."""
    number = 0
    for scenario in all_scenarios():
        if scenario.demo is None or scenario.page is None:
            continue
        st.header(scenario.demo.title, anchor=False)
        with st.container(key=f"demo_{scenario.name}", gap="small"):
            for one in scenario.demo.steps:
                number += 1
                step, what = st.columns([2, 5], vertical_alignment="center", gap="small")
                step.page_link(
                    scenario.page.path,
                    label=f"{number}. {one.title}",
                    icon=":material/arrow_forward:",
                    query_params=dict(one.address),
                )
                what.markdown(one.text)


def draw_models() -> None:
    """Draw which models are on this machine, and fetch them on request."""
    st.header("Models on this machine", anchor=False)
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
