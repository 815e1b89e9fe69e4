"""Every example with what was expected and what each technique answered, and the exact prompt of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from playground.comparison.examples import ShownAnswer, ShownExample, example_ids, sample_note
from playground.comparison.scenario import ScenarioFunctions
from playground.comparison.techniques import Technique
from playground.ui.comparison.resources import Comparison
from playground.ui.comparison.sources import dot_html
from playground.ui.comparison.state import Key
from playground.ui.shared.markup import escape_html, shortened
from scenarios import registry

_ADDRESS = Key.EXAMPLE
_LIST_HEIGHT = 330
_ACROSS = 3
_LONGEST_ANSWER = 1_500
_LONGEST_ASKED = 200
_MANY_COLUMNS = 8
_RIGHT, _WRONG, _NOT_ASKED = "✓", "✗", ""


def draw_examples(scenario: str, comparison: Comparison) -> None:
    """Draw the list of examples, and the one that is chosen."""
    differ = st.toggle("Only where they differ", key=Key.DIFFER, bind="query-params")
    ids = example_ids(comparison.outcomes, only_different=differ)
    if not ids:
        st.info("All techniques of these runs were right or wrong together on every example.", icon=":material/info:")
        return
    if note := sample_note(comparison.figures, comparison.outcomes):
        st.caption(note)
    functions = registry.scenario(scenario).load()
    info = comparison.infos[0]
    examples = functions.shown_examples(ids, info)
    _draw_list(ids, examples, comparison)
    chosen = _chosen(ids)
    place = ids.index(chosen)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Previous", key=Key.PREVIOUS, disabled=place == 0, on_click=_open, args=(ids[max(place - 1, 0)],))
        last = len(ids) - 1
        st.button("Next", key=Key.NEXT, disabled=place == last, on_click=_open, args=(ids[min(place + 1, last)],))
        st.caption(f"{place + 1:,} of {len(ids):,}")
    _draw_example(examples[chosen], functions, comparison)


def _chosen(ids: list[str]) -> str:
    """Return the example that the address names, or the first."""
    named = st.query_params.get(_ADDRESS, "")
    return named if named in ids else ids[0]


def _open(name: str) -> None:
    st.query_params[_ADDRESS] = name


def _draw_list(ids: list[str], examples: Mapping[str, ShownExample], comparison: Comparison) -> None:
    columns: dict[str, list[Any]] = {
        "Asked": [examples[name].title[:_LONGEST_ASKED] for name in ids],
        "Where": [examples[name].where[:_LONGEST_ASKED] for name in ids],
    }
    for figures, outcomes in zip(comparison.figures, comparison.outcomes, strict=True):
        columns[figures.title] = [
            (_RIGHT if outcomes[name].right else _WRONG) if name in outcomes else _NOT_ASKED for name in ids
        ]

    def open_selected() -> None:
        selection = st.session_state[Key.EXAMPLE_LIST]["selection"]["rows"]
        if selection and selection[0] < len(ids):
            _open(ids[selection[0]])

    st.dataframe(
        columns,
        key=Key.EXAMPLE_LIST,
        height=_LIST_HEIGHT,
        hide_index=True,
        on_select=open_selected,
        selection_mode="single-row",
        column_config={
            "Asked": st.column_config.TextColumn(width="medium" if len(columns) > _MANY_COLUMNS else "large"),
            "Where": st.column_config.TextColumn(width="small"),
        },
    )


def _draw_example(example: ShownExample, functions: ScenarioFunctions, comparison: Comparison) -> None:
    where = f'<div class="stamp">{escape_html(example.where)}</div>' if example.where else ""
    text = f'<q class="clause-text">{escape_html(shortened(example.text, 2_000))}</q>' if example.text else ""
    st.html(
        f'<div class="example"><b>{escape_html(example.title)}</b>{where}{text}'
        f'<div class="expected"><span class="pill">expected</span> {escape_html(example.expected)}</div></div>'
    )
    shown = []
    for figures, group, info in zip(comparison.figures, comparison.groups, comparison.infos, strict=True):
        answer = functions.shown_answers(group, [example.id], info).get(example.id)
        if answer is not None:
            shown.append((figures.technique, figures.title, answer))
    for start in range(0, len(shown), _ACROSS):
        for column, (technique, title, answer) in zip(
            st.columns(_ACROSS, gap="small"), shown[start : start + _ACROSS], strict=False
        ):
            with column.container(border=True, height="stretch"):
                _draw_answer(technique, title, answer)


def _draw_answer(technique: Technique, title: str, answer: ShownAnswer) -> None:
    verdict = f'<span class="pill{"" if answer.verdict == "right" else " missing"}">{answer.verdict}</span>'
    st.html(f'<div class="answer-head">{dot_html(technique)}<b>{escape_html(title)}</b> {verdict}</div>')
    if answer.error:
        st.html(f'<div class="stamp">{escape_html(answer.error)}</div>')
    if answer.answer:
        st.text(shortened(answer.answer, _LONGEST_ANSWER))
    if answer.facts:
        st.html(f'<div class="stamp">{escape_html(answer.facts)}</div>')
    if answer.messages:
        with st.expander("Exact prompt", icon=":material/data_object:"):
            for role, content in answer.messages:
                st.caption(role)
                st.code(content, language=None, wrap_lines=True)
