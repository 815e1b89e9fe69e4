"""The article's table with what was measured here, and a recommendation from the user's own inputs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground import paths
from playground.comparison.claims.article import ArticleRow, article_rows
from playground.comparison.claims.evidence import collect_evidence
from playground.comparison.claims.recommendation import Needs, Reason, Recommendation, recommend
from playground.comparison.figures import TechniqueFigures
from playground.errors import EvaluationError
from playground.ui.comparison import resources as comparison_resources
from playground.ui.comparison.sources import dot_html
from playground.ui.comparison.state import Key
from playground.ui.shared import resources
from playground.ui.shared.markup import escape_html, escape_markdown
from scenarios import registry

_CLASSES = {"holds": "verdict-holds", "partly": "verdict-partly", "not here": "verdict-not-here"}
_HEADINGS = ("", "The article says", "Measured here", "Verdict", "Evidence")
_WIDTHS = (3, 5, 9, 3, 4)


def draw_article() -> None:
    """Draw the seven rows: what the article says, what was measured, the verdict, the evidence."""
    evidence, problems = collect_evidence(
        registry.all_scenarios(),
        comparison_resources.recorded_figures(),
        paths.RECORDED_RUNS,
        resources.adapter_store(),
    )
    for problem in problems:
        st.warning(escape_markdown(problem), icon=":material/warning:")
    rows = article_rows(evidence)
    with st.container(key=Key.ARTICLE, gap="small"):
        with st.container(key=Key.ARTICLE_HEAD):
            _draw_cells(*(f'<div class="article-head">{heading}</div>' for heading in _HEADINGS))
        for row in rows:
            evidence_cell = _draw_cells(*_cells_html(row))
            with evidence_cell:
                for place, one in enumerate(row.evidence):
                    if one.section:
                        _draw_section_button(one.section, f"evidence_{row.id}_{place}")
    with st.expander("How each verdict is decided", icon=":material/rule:"):
        for row in rows:
            st.markdown(f"**{escape_markdown(row.title)}.** {escape_markdown(row.rule)}")
    st.caption("Computed from the recorded runs and evidence files alone; no verdict is typed in.")


def _draw_cells(*cells: str) -> DeltaGenerator:
    """Draw a line of the table; return its last cell, for buttons. On a narrow screen the cells stand in a column."""
    columns = st.columns(_WIDTHS, gap="medium")
    for column, cell in zip(columns, cells, strict=True):
        if cell:
            column.html(cell)
    return columns[-1]


def _cells_html(row: ArticleRow) -> tuple[str, ...]:
    says = (
        f"<div><b>Prompting:</b> {escape_html(row.prompting)}</div>"
        f"<div><b>Fine-tuning:</b> {escape_html(row.fine_tuning)}</div>"
    )
    measured = "".join(f"<p>{escape_html(line)}</p>" for line in row.measured)
    if row.command:
        measured += f"<code>{escape_html(row.command)}</code>"
    kind = _CLASSES.get(row.verdict or "", "verdict-open")
    verdict = f'<span class="pill {kind}">{escape_html(row.verdict_words)}</span>'
    files = "".join(f'<div class="stamp">{escape_html(one.path)}</div>' for one in row.evidence if one.path)
    title = f'<div class="article-title">{escape_html(row.title)}</div>'
    return title, says, f'<div class="article-measured">{measured}</div>', verdict, files


def _draw_section_button(section: str, key: str) -> None:
    """Draw a link to another section of this page; a button, because a link would begin a new session."""

    def open_section() -> None:
        st.session_state[Key.SECTION] = section

    st.button(section, key=key, icon=":material/arrow_forward:", type="tertiary", on_click=open_section)


def draw_recommendation(scenario: str, figures: Sequence[TechniqueFigures]) -> None:
    """Draw the user's inputs and what follows from them."""
    inputs, answer = st.columns([2, 5], gap="large")
    with inputs:
        values = _draw_needs()
    with answer, st.container(key=Key.RECOMMENDATION):
        try:
            found = _recommend(scenario, figures, values)
        except EvaluationError as error:
            st.error(escape_markdown(str(error)), icon=":material/error:")
            return
        _draw_found(found)


def _draw_needs() -> dict[str, float | bool]:
    def number(label: str, value: float, step: float, key: str) -> float:
        return st.number_input(label, value=value, step=step, format="%g", key=key, bind="query-params")

    return {
        "requests_per_day": number("Requests per day", 500.0, 100.0, "need_requests"),
        "latency_s": number("Longest wait, s", 5.0, 1.0, "need_wait"),
        "fact_changes_per_month": number("Changes of the facts per month", 1.0, 1.0, "need_changes"),
        "labelled_examples": number("Labelled examples at hand", 0.0, 100.0, "need_examples"),
        "labels_to_make": number("Labels to be made", 0.0, 100.0, "need_labels"),
        "private": st.toggle("The data must not leave this machine", key="need_private", bind="query-params"),
    }


def _recommend(scenario: str, figures: Sequence[TechniqueFigures], values: dict[str, float | bool]) -> Recommendation:
    needs = Needs(
        scenario,
        requests_per_day=float(values["requests_per_day"]),
        private=bool(values["private"]),
        fact_changes_per_month=float(values["fact_changes_per_month"]),
        labelled_examples=int(values["labelled_examples"]),
        labels_to_make=int(values["labels_to_make"]),
        latency_s=float(values["latency_s"]),
    )
    evidence, _problems = collect_evidence(registry.all_scenarios(), (), paths.RECORDED_RUNS, resources.adapter_store())
    return recommend(needs, figures, curve=evidence.curve, stale=evidence.stale, ready=evidence.ready)


def _draw_found(found: Recommendation) -> None:
    st.html(f'<div class="verdict">{escape_html(found.sentence)}</div>')
    if found.reasons:
        st.header("Why", anchor=False)
        for place, reason in enumerate(found.reasons):
            _draw_reason(reason, "", f"reason_{place}")
    if found.left_out:
        st.header("What was left out, and why", anchor=False)
        for place, one in enumerate(found.left_out):
            _draw_reason(one.reason, dot_html(one.figures.technique), f"left_out_{place}")


def _draw_reason(reason: Reason, mark: str, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<div class="reason">{mark}{escape_html(reason.text)}</div>', width="stretch")
        if reason.section:
            _draw_section_button(reason.section, key)
