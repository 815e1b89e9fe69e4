"""Which runs are compared: the choice at the top of the page, and where their numbers are from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from playground.comparison.figures import TechniqueFigures
from playground.comparison.techniques import Technique
from playground.machine import days_of
from playground.ui.comparison import resources
from playground.ui.comparison.resources import Comparison, RunFile, RunFiles
from playground.ui.comparison.state import ARTICLE, SECTIONS, Key, session
from playground.ui.shared.markup import escape_html, escape_markdown
from playground.ui.shared.session import part_of_session
from scenarios import registry

_STYLE = Path(__file__).with_name("style.css")
_MOST_NOTES = 8


def draw_bar() -> tuple[str, str]:
    """Draw the choice of scenario and section; return both. What a scenario is called also stands in the address."""
    choices = {one.name: one.choice for one in registry.all_scenarios()}
    first = next(iter(choices))
    section = st.segmented_control(
        "Section",
        SECTIONS,
        default=SECTIONS[0],
        required=True,
        key=Key.SECTION,
        bind="query-params",
        label_visibility="collapsed",
    )
    # The article is about all scenarios: a choice above its table would change nothing.
    kept = part_of_session("playground_comparison_scenario", lambda: [first])
    if section != ARTICLE:
        scenario = st.segmented_control(
            "Scenario",
            list(choices),
            format_func=lambda name: choices[name],
            default=kept[0] if kept[0] in choices else first,
            required=True,
            key=Key.SCENARIO,
            bind="query-params",
            label_visibility="collapsed",
        )
        kept[0] = str(scenario or first)
    return kept[0], str(section or SECTIONS[0])


def read_runs() -> RunFiles:
    """Return the runs on disk, with a spinner while they are read."""
    with st.spinner("Reading the runs…"):
        return resources.run_files()


def choose_runs(scenario: str, runs: RunFiles) -> tuple[Comparison | None, tuple[RunFile, ...]]:
    """Draw the choice of runs, what could not be read and where the numbers are from; return what is compared."""
    files = runs.of(scenario)
    names = {file.name: file for file in files}
    key = f"{Key.RUNS}_{scenario}"
    default = [file.name for file in files if file.recorded] + [file.name for file in files if not file.recorded][:1]
    _add_new_runs(key, [file for file in files if not file.recorded])
    with st.container(key=Key.STAMP):
        stamp = st.container()
        with st.expander("Runs, and where their numbers are from", icon=":material/database:"):
            chosen = st.multiselect(
                "Runs that are compared",
                list(names),
                default=None if key in st.session_state else default,
                format_func=lambda name: name,
                key=key,
                bind="query-params",
                placeholder="Choose a run",
                help="Recorded runs came with the project; those named “here-…” were measured on this machine.",
            )
            shown = [names[name] for name in chosen if name in names]
            with st.spinner("Computing the figures from the rows…"):
                comparison = resources.comparison_of(shown) if shown else None
            if comparison:
                st.html(_provenance_html(comparison.figures))
                for note in comparison.left_out[:_MOST_NOTES]:
                    st.caption(escape_markdown(note))
        for problem in runs.problems[:_MOST_NOTES]:
            st.warning(escape_markdown(problem), icon=":material/warning:")
        if comparison:
            with stamp:
                st.html(_stamp_html(comparison.figures))
            draw_notes(comparison.compared.notes)
    return comparison, tuple(shown)


def _add_new_runs(key: str, fresh: Sequence[RunFile]) -> None:
    """Put a run that was measured in this session beside the recorded ones, once."""
    if key not in st.session_state:
        return
    own = session().seen_runs
    new = [file.name for file in fresh if file.name in own and file.name not in st.session_state[key]]
    if new:
        st.session_state[key] = [*st.session_state[key], *new]
    own -= {file.name for file in fresh}


def draw_notes(notes: Sequence[str]) -> None:
    """Draw what was left out of the figures, a few sentences and how many more there are."""
    if notes:
        more = [f"… and {len(notes) - _MOST_NOTES} more notes."] if len(notes) > _MOST_NOTES else []
        lines = [escape_markdown(note) for note in [*notes[:_MOST_NOTES], *more]]
        st.warning("  \n".join(lines), icon=":material/warning:")


def _stamp_html(figures: Sequence[TechniqueFigures]) -> str:
    lines = []
    for recorded, words in ((True, "recorded"), (False, "measured here")):
        own = [one for one in figures if one.recorded == recorded]
        if not own:
            continue
        date = days_of(one.started_at for one in own)
        kind = "" if recorded else " here"
        lines.append(
            f'<div class="stamp"><span class="pill{kind}">{words}</span> {escape_html(date)} · '
            f"{escape_html('; '.join(dict.fromkeys(one.machine for one in own)))} · commit "
            f"{escape_html(', '.join(dict.fromkeys(one.commit for one in own)))} · "
            f"{escape_html(_samples(own))} a technique</div>"
        )
    return "".join(lines)


def _samples(figures: Sequence[TechniqueFigures]) -> str:
    """Return what the figures rest on: each sample in words where rows are not what was judged, else the range of n."""
    if all(one.sample for one in figures):
        return " or ".join(dict.fromkeys(one.sample for one in figures))
    counts = sorted({one.n for one in figures})
    return f"n = {counts[0]:,}" if len(counts) == 1 else f"n = {counts[0]:,} to {counts[-1]:,}"


def _provenance_html(figures: Sequence[TechniqueFigures]) -> str:
    rows = "".join(
        f"<tr><td>{dot_html(one.technique)}{escape_html(one.title)}</td>"
        f"<td>{'recorded' if one.recorded else 'here'}</td>"
        f"<td>{escape_html(one.started_at[:16].replace('T', ' '))}</td>"
        f"<td>{escape_html(one.sample or f'{one.n:,}')}</td>"
        f"<td>{escape_html(one.model_id)}{escape_html(f', {one.adapter}' if one.adapter else '')}</td>"
        f"<td>{escape_html(one.commit)}</td><td>{escape_html(one.machine)}</td></tr>"
        for one in figures
    )
    head = "".join(f"<th>{name}</th>" for name in ("Technique", "", "Date, UTC", "n", "Model", "Commit", "Machine"))
    table = f'<table class="techniques"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll-x">{table}</div>'


def dot_html(technique: Technique) -> str:
    """Return a dot in the colour of a technique."""
    return f'<span class="dot" style="background:{technique.colour}"></span>'


def draw_style() -> None:
    """Add this page's style sheet."""
    st.html(_STYLE)


def draw_empty(*, has_runs: bool) -> None:
    """Say why there is nothing to draw, and what to do."""
    if has_runs:
        st.info(
            "The chosen runs have no row that can be compared. Choose others, or measure here.", icon=":material/info:"
        )
    else:
        st.info(
            "No run of this scenario is chosen. Choose one above, or measure here and now: a quick look takes minutes.",
            icon=":material/info:",
        )
