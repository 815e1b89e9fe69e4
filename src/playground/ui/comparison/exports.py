"""The chosen runs as files: one HTML report that needs no network, CSV, JSON. Made when a button is clicked."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st

from playground import paths
from playground.comparison.claims.evidence import collect_evidence
from playground.comparison.costs import CostBasis
from playground.comparison.report.extras import ReportBreakEven, ReportExtras, TechniqueAnswers, differing_examples
from playground.comparison.report.html import comparison_html
from playground.comparison.report.tables import comparison_csv, comparison_json
from playground.machine import utc_now
from playground.ui.comparison import resources as comparison_resources
from playground.ui.comparison.resources import Comparison
from playground.ui.comparison.state import Key, session
from playground.ui.shared import resources
from scenarios import registry


def draw_exports(scenario: str, comparison: Comparison) -> None:
    """Draw the row of download buttons. The report prices a request and assumes what the page did last."""
    compared, basis = [comparison.compared], session().cost_basis
    break_even = session().break_even.get(scenario)
    # Other runs may have been chosen since: what is not among them says nothing about them.
    if break_even and any(one not in comparison.figures for one in (break_even.prompting, break_even.tuned) if one):
        break_even = None

    def as_html() -> bytes:
        extras = _extras(scenario, comparison, basis, {scenario: break_even} if break_even else {})
        return comparison_html(compared, written_at=utc_now(), extras=extras).encode("utf-8", "replace")

    def as_csv() -> bytes:
        return comparison_csv(compared)

    def as_json() -> bytes:
        return (json.dumps(comparison_json(compared), indent=1, allow_nan=False) + "\n").encode()

    with st.container(horizontal=True, gap="small", key=Key.EXPORTS, vertical_alignment="center"):
        for kind, label, mime, make in (
            ("html", "Report (HTML)", "text/html", as_html),
            ("csv", "CSV", "text/csv", as_csv),
            ("json", "JSON", "application/json", as_json),
        ):
            st.download_button(
                label,
                make,
                f"comparison.{kind}",
                mime,
                key=f"comparison_download_{kind}",
                icon=":material/download:",
                on_click="ignore",
            )


def _extras(
    scenario: str, comparison: Comparison, basis: CostBasis, break_even: Mapping[str, ReportBreakEven]
) -> ReportExtras:
    """Collect what the page shows beside the runs' figures."""
    store = resources.adapter_store()
    figures = comparison_resources.recorded_figures()
    evidence, problems = collect_evidence(registry.all_scenarios(), figures, paths.RECORDED_RUNS, store)
    techniques = [
        TechniqueAnswers(one.title, one.technique, outcomes, group, info)
        for one, outcomes, group, info in zip(
            comparison.figures, comparison.outcomes, comparison.groups, comparison.infos, strict=True
        )
    ]
    examples = differing_examples(techniques, registry.scenario(scenario).load())
    adapters = {one.identity: one.manifest for one in store.list()}
    return ReportExtras(basis, evidence, problems, adapters, {scenario: examples}, break_even)
