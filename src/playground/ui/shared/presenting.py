"""Presenter mode (``?present=1``): large type, no sidebar, and the steps of the demo forward and back by keys.

A step is data (``DemoStep.actions``). The bar at the top of each page takes the presenter to the page of the step, and
that page does the actions one after the other, each when the one before is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.comparison.scenario import Actions
from playground.ui.shared.markup import escape_html
from playground.ui.shared.session import part_of_session
from scenarios.registry import all_scenarios

IN_ADDRESS = "present"
_STYLE = Path(__file__).with_name("presenting.css")


@dataclass(frozen=True, slots=True)
class PresentedStep:
    """A step with its page: what is read out, and what is done."""

    page: str
    title: str
    text: str
    actions: Actions


@dataclass(slots=True)
class Presenting:
    """``step`` counts from 1, 0 before the first; ``due`` are the actions of the step that are not done yet."""

    on: bool = False
    step: int = 0
    due: Actions = ()
    busy: Callable[[], bool] | None = None
    """Tells whether the page of the step is at work."""
    page: str = ""
    """The page that does the step, as Streamlit names it; "" until it was drawn."""
    refused: bool = False
    """Another step was asked for before this one was done."""
    arrows_taken_on: str = ""
    """The page on which a recording is played: the arrow keys are its own there."""
    to_page: str = ""
    asked_for: str = ""
    """What the address said last: it is followed once."""


def presenting() -> Presenting:
    """Return where this session's presentation stands."""
    return part_of_session("playground_presenting", Presenting)


def steps() -> tuple[PresentedStep, ...]:
    """Return the steps of Home's demo, in its order."""
    return tuple(
        PresentedStep(scenario.page.path, step.title, step.text, step.actions)
        for scenario in all_scenarios()
        if scenario.demo and scenario.page
        for step in scenario.demo.steps
    )


def follow_address() -> None:
    """Begin or end the presentation where the address says so, and keep the address in step."""
    state, named = presenting(), st.query_params.get(IN_ADDRESS, "")
    if named != state.asked_for and named in ("0", "1"):
        state.on = named == "1"
    if state.on and named != "1":
        st.query_params[IN_ADDRESS] = "1"
    elif not state.on and named:
        st.query_params.pop(IN_ADDRESS, None)
    state.asked_for = "1" if state.on else ""


def draw_presenter_button() -> None:
    """Draw the way into presenter mode, for the sidebar."""
    st.button(
        "Present",
        key="present",
        icon=":material/slideshow:",
        on_click=_begin,
        shortcut="Alt+P",
        width="stretch",
        help="Large type and the steps of the demo, forward and back by the arrow keys.",
    )


def draw_presenter_bar() -> None:
    """Draw the bar of the presentation, if one is on, and go to the page of its step."""
    state, all_steps = presenting(), steps()
    if not state.on:
        return
    if state.to_page:
        page, state.to_page = state.to_page, ""
        st.switch_page(page, query_params={IN_ADDRESS: "1"})
    state.refused = state.refused and _is_at_work()
    mine = state.arrows_taken_on != _page_here()
    st.html(_STYLE)
    with st.container(key="presenter_bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Back", key="presenter_back", icon=":material/arrow_back:", on_click=_go, args=(-1,),
                  shortcut="Left" if mine else None,
                  disabled=state.step <= 1)  # fmt: skip
        st.button("Next", key="presenter_next", icon=":material/arrow_forward:", on_click=_go, args=(1,),
                  shortcut="Right" if mine else None, type="primary",
                  disabled=state.step >= len(all_steps))  # fmt: skip
        st.html(_where_html(state.step, all_steps), width="stretch")
        st.button("End", key="presenter_end", icon=":material/close:", on_click=_end, shortcut="Alt+P")
    if state.refused:
        with st.container(key="presenter_wait", horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("This step is still at work. Go on when it is done.", width="content")
            if state.step < len(all_steps):
                # Without a shortcut: an arrow pressed fast never skips what a step does.
                st.button(
                    "Skip this step", key="presenter_skip", icon=":material/skip_next:", on_click=_move, args=(1,)
                )


def arrows_are_taken() -> None:
    """Leave the arrow keys to the recording that this page plays; the bar steps by its buttons meanwhile."""
    state, here = presenting(), _page_here()
    if state.arrows_taken_on != here:
        state.arrows_taken_on = here
        if state.on:
            st.rerun()


def perform(doers: Mapping[str, Callable[[str], None]], busy: Callable[[], bool]) -> None:
    """Do the actions that are due, each when the page is not ``busy`` with the one before.

    Call it before widgets are drawn. An action that the page does not know is passed over. A click may end the script
    in the midst of an action: it is done anew then, so each has to come to the same when it is done twice.
    """
    state = presenting()
    state.busy, state.page = busy, _page_here()
    if state.arrows_taken_on:
        state.arrows_taken_on = ""
        if state.on:
            st.rerun()
    while state.due and not busy():
        name, value = state.due[0]
        if name in doers:
            doers[name](value)
        state.due = state.due[1:]


@contextmanager
def folded(title: str) -> Iterator[None]:
    """Put what is drawn inside into a fold while presenting; else it is drawn as it is."""
    if presenting().on:
        with st.expander(title):
            yield
    else:
        yield


def _begin() -> None:
    state = presenting()
    state.on, state.asked_for = True, "1"
    st.query_params[IN_ADDRESS] = "1"


def _end() -> None:
    state = presenting()
    state.on, state.step, state.due, state.refused, state.asked_for = False, 0, (), False, ""
    st.query_params.pop(IN_ADDRESS, None)


def _go(by: int) -> None:
    """Take the step after or before, unless the present one is not done yet: its actions would be lost."""
    if _is_at_work():
        presenting().refused = True
    else:
        _move(by)


def _move(by: int) -> None:
    state, all_steps = presenting(), steps()
    before = all_steps[state.step - 1].page if state.step and state.page == _page_here() else ""
    state.step = min(max(state.step + by, 1), len(all_steps))
    step = all_steps[state.step - 1]
    state.refused, state.due = False, step.actions
    if step.page != before:
        state.busy, state.page, state.to_page = None, "", step.page


def _is_at_work() -> bool:
    """Tell whether a step goes on. On any other page than its own nothing goes on, and nothing is waited for."""
    state = presenting()
    if not state.step or state.page not in ("", _page_here()):
        return False
    return bool(state.due) or (state.busy is not None and state.busy())


def _page_here() -> str:
    context = get_script_run_ctx()
    return context.page_script_hash if context else ""


def _where_html(step: int, all_steps: tuple[PresentedStep, ...]) -> str:
    if not step:
        return f'<div class="presenter-step"><b>{len(all_steps)} steps.</b> → begins, ← goes back, Alt+P ends.</div>'
    return f'<div class="presenter-step"><b>{step}/{len(all_steps)}</b> {escape_html(all_steps[step - 1].title)}</div>'
