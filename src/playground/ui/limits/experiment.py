"""One experiment on the page: the claim and how it is measured, then what was found, with its files."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from playground.errors import EvaluationError
from playground.limits import report
from playground.limits.chart import alt_text, finding_figure
from playground.limits.experiment import Experiment
from playground.limits.finding import Finding, p_words
from playground.machine import utc_now
from playground.ui.limits import resources
from playground.ui.limits.desk import DESK
from playground.ui.limits.resources import RECORDED, Shown
from playground.ui.limits.state import Key, session
from playground.ui.shared.charts import Row, draw_chart
from playground.ui.shared.markup import escape_html, escape_markdown
from scenarios.experiments import EXPERIMENTS, experiment

_STYLE = Path(__file__).with_name("style.css")
_VERDICT_CLASSES = {"shows here": "holds", "shows in part": "partly", "does not show here": "not-here"}


def draw_style() -> None:
    """Put the page's own style in."""
    st.html(_STYLE)


def choose_experiment() -> Experiment:
    """Draw the choice of the experiment; its name also stands in the address."""
    titles = {one.name: one.title for one in EXPERIMENTS}
    first = EXPERIMENTS[0].name
    name = st.segmented_control(
        "Experiment",
        list(titles),
        format_func=lambda each: titles[each],
        default=first,
        required=True,
        key=Key.EXPERIMENT,
        bind="query-params",
        label_visibility="collapsed",
    )
    return experiment(str(name or first))


def draw_claim(chosen: Experiment) -> None:
    """Draw the claim, what is measured and how, and the rule that decides."""
    with st.container(key=Key.CLAIM):
        st.html(f'<div class="claim">{escape_html(chosen.claim)}</div>')
        with st.expander("What is measured, and how", icon=":material/science:"):
            st.markdown(escape_markdown(chosen.method))
            st.markdown(f"**Rule.** {escape_markdown(chosen.rule)}")
            st.caption(escape_markdown(chosen.source))


def draw_found(chosen: Experiment) -> None:
    """Draw what a run shows: the recorded one, or one of this machine."""
    try:
        runs = resources.runs_of(chosen)
    except EvaluationError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    if not runs:
        st.info(
            "Nothing was recorded of this yet. Measure the small version above, or all of it on the command line:",
            icon=":material/science:",
        )
        st.code(chosen.command, language="bash")
        return
    name = next(iter(runs))
    if len(runs) > 1:
        names, run = list(runs), DESK.latest()
        # A run that this session has measured is shown when it is there; with it the choice is a new one.
        own = run.folder.name if run is not None and run.owner == session().id else ""
        name = st.selectbox(
            "Run",
            names,
            index=names.index(own) if own in names else 0,
            format_func=_run_name,
            key=f"{Key.RUN}_{chosen.name}_{own if own in names else ''}",
        )
    try:
        shown = resources.shown(chosen, name, runs[name])
    except EvaluationError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    if shown is None or shown.finding is None:
        st.warning(escape_markdown(shown.problem if shown else "This run has no row yet."), icon=":material/hourglass:")
        return
    _draw_finding(chosen, shown, shown.finding)


def _run_name(name: str) -> str:
    return "Recorded with the project" if name == RECORDED else f"Here: {name}"


def _draw_finding(chosen: Experiment, shown: Shown, finding: Finding) -> None:
    style = _VERDICT_CLASSES[finding.verdict]
    st.html(
        f'<div class="finding {style}"><b>The claim {escape_html(finding.verdict)}.</b> {escape_html(finding.sentence)}'
        "</div>"
    )
    rows: list[Row] = [
        {
            "series": point.series.title,
            "at": point.x,
            "value": point.value.value,
            "low": point.value.low,
            "high": point.value.high,
            "n": point.n,
        }
        for point in finding.points
    ]
    st.html(f'<div class="headline">{escape_html(finding.headline)}</div>')
    draw_chart(
        lambda: finding_figure(finding, chosen.title),
        f"limits-{chosen.name}",
        rows,
        alt=alt_text(finding),
        of=(chosen.title, finding),
    )
    st.html(f'<div class="stamp">{escape_html(shown.rows.stamp)}</div>')
    if chosen.compares_times:
        st.caption("Seconds are of the machine above, as busy as it was then.")
    if finding.lines:
        with st.expander("All figures", icon=":material/list:"):
            st.markdown("\n".join(f"- {escape_markdown(line)}" for line in finding.lines))
    _draw_tests(finding)
    _draw_exports(chosen, shown, finding)


def _draw_tests(finding: Finding) -> None:
    if not finding.tests:
        return
    with st.expander("Which differences are real?", icon=":material/balance:", key=Key.TESTS):
        st.dataframe(
            [
                {
                    "First": test.difference.first,
                    "Second": test.difference.second,
                    "Shared": test.difference.n,
                    "First minus second": f"{100 * test.difference.difference.value:+.1f} points",
                    "95 % interval": f"{100 * test.difference.difference.low:+.1f} to "
                    f"{100 * test.difference.difference.high:+.1f}",
                    "p (Holm)": p_words(test.adjusted_p).removeprefix("p ").removeprefix("= "),
                }
                for test in finding.tests
            ],
            hide_index=True,
        )
        st.caption(
            "McNemar's exact test on what both were asked, Newcombe's interval; p allows for the number of them."
        )


def _draw_exports(chosen: Experiment, shown: Shown, finding: Finding) -> None:
    def as_html() -> bytes:
        return report.experiment_html(chosen, shown.rows, finding, written_at=utc_now()).encode("utf-8", "replace")

    with st.container(horizontal=True, gap="small", key=Key.EXPORTS):
        for kind, label, mime, name, make in (
            ("html", "Report (HTML)", "text/html", f"{chosen.name}.html", as_html),
            ("rows", "Rows (CSV)", "text/csv", f"{chosen.name}-rows.csv", lambda: report.rows_csv(shown.rows.rows)),
        ):
            st.download_button(
                label,
                make,
                name,
                mime,
                key=f"limits_download_{kind}",
                icon=":material/download:",
                on_click="ignore",
            )
