"""Learning curve and stale facts: drawn from the evidence files that lie beside the recorded runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from playground import paths
from playground.comparison.charts.over_time import learning_curve_figure, stale_facts_figure
from playground.comparison.claims import learning_curve, stale_facts
from playground.comparison.claims.learning_curve import LearningCurve
from playground.comparison.claims.provenance import Provenance, elsewhere_words
from playground.comparison.claims.stale_facts import StaleFacts
from playground.comparison.scenario import Scenario, Shows, scenario_showing, techniques_of
from playground.errors import EvaluationError
from playground.ui.comparison import resources
from playground.ui.shared.charts import Row, draw_chart
from playground.ui.shared.markup import escape_html, escape_markdown
from scenarios import registry

Evidence = TypeVar("Evidence")


def draw_learning_and_change() -> None:
    """Draw both charts, or what makes them."""
    _draw(
        "How many examples are needed?",
        lambda: learning_curve.read_learning_curve(
            paths.RECORDED_RUNS / learning_curve.FILE, techniques_of(_scenario("one task"))
        ),
        _draw_curve,
        "Accuracy against 0, 4, 16, 64, 256 and more labelled clauses, for few-shot prompting and for LoRA, has not "
        "been recorded yet. This command measures it, point by point, and can be interrupted:",
        learning_curve.COMMAND,
    )
    st.divider()
    _draw(
        "What happens when the facts change?",
        lambda: stale_facts.read_stale_facts(
            paths.RECORDED_RUNS / stale_facts.FILE, techniques_of(_scenario("changing facts"))
        ),
        _draw_stale,
        "Accuracy before and after a policy change, and the seconds that each technique takes to be right again, have "
        "not been recorded yet. This command measures it:",
        stale_facts.COMMAND,
    )


def _draw(
    title: str, load: Callable[[], Evidence | None], draw: Callable[[Evidence], None], invitation: str, command: str
) -> None:
    st.header(title, anchor=False)
    try:
        evidence = load()
    except EvaluationError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        st.code(command, language="bash")
        return
    if evidence is None:
        st.info(invitation, icon=":material/science:")
        st.code(command, language="bash")
    else:
        draw(evidence)


def _draw_curve(evidence: LearningCurve) -> None:
    points, provenance = evidence.points, evidence.provenance
    rows: list[Row] = [
        {
            "technique": point.strategy,
            "examples": point.examples,
            "accuracy": point.accuracy.value,
            "lowest": point.accuracy.low,
            "highest": point.accuracy.high,
            "seeds": point.seeds,
            "duration_s": point.duration_s,
        }
        for point in points
    ]
    alt = "; ".join(f"{point.strategy}, {point.examples} examples: {point.accuracy.value:.0%}" for point in points)
    draw_chart(learning_curve_figure(points, n=provenance.n), "learning-curve", rows, alt=alt)
    if evidence.end_words:
        st.caption(escape_markdown(evidence.end_words))
    _draw_stamp("one task", provenance)


def _draw_stale(evidence: StaleFacts) -> None:
    figures, provenance = evidence.figures, evidence.provenance
    rows: list[Row] = [
        {
            "technique": one.title,
            "before": one.before.value,
            "right_after": one.stale.value,
            "recovered": one.recovered.value,
            "recovery": one.recovery,
            "recovery_s": one.recovery_s,
        }
        for one in figures
    ]
    alt = "; ".join(
        f"{one.title}: {one.stale.value:.0%} after the change, {one.recovered.value:.0%}" for one in figures
    )
    draw_chart(stale_facts_figure(figures, n=provenance.n), "stale-facts", rows, alt=alt)
    _draw_stamp("changing facts", provenance)


def _scenario(shows: Shows) -> Scenario | None:
    return scenario_showing(shows, registry.all_scenarios())


def _draw_stamp(shows: Shows, provenance: Provenance) -> None:
    """Draw date and machine, and where those of the recorded techniques of the scenario are others."""
    scenario = _scenario(shows)
    figures = [one for one in resources.recorded_figures() if scenario is not None and one.scenario == scenario.name]
    for line in (provenance.stamp, elsewhere_words(provenance, figures)):
        if line:
            st.html(f'<div class="stamp">{escape_html(line)}</div>')
