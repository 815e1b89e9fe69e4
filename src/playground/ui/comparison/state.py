"""What one browser session holds of the comparison page, and the part of it that stands in the page's address."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from playground.comparison.costs import CostBasis
from playground.comparison.measured_here import RunRequest
from playground.comparison.report.extras import ReportBreakEven
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import part_of_session

ARTICLE = "The article"
SECTIONS = (
    "Overview",
    "Time and tokens",
    "By policy or label",
    "Break-even",
    "Learning and change",
    "Examples",
    ARTICLE,
    "Which one?",
)


class Key(StrEnum):
    """Keys of widgets and containers that the tests and the style sheet know by name.

    Those of the first group are also the names in the address: a link opens the same comparison.
    """

    SCENARIO = "scenario"
    SECTION = "section"
    RUNS = "runs"
    ACROSS = "across"
    COST = "cost"
    MACHINE_PRICE = "machine_usd"
    DIFFER = "differ"
    EXAMPLE = "example"
    PROMPTING = "prompting"
    TUNED = "tuned"
    HOSTED = "hosted"

    STATUS = "comparison_status"
    STAMP = "comparison_stamp"
    SIZE = "comparison_size"
    TECHNIQUES = "comparison_techniques"
    BOTH_SCENARIOS = "comparison_both"
    CAP = "comparison_cap"
    CAP_UNPRICED = "comparison_cap_unpriced"
    START = "comparison_start"
    QUICK = "comparison_quick"
    STOP = "comparison_stop"
    GO_ON = "comparison_go_on"
    PUT_AWAY = "comparison_put_away"
    TABLE = "comparison_table"
    EXPORTS = "comparison_exports"
    EXAMPLE_LIST = "comparison_example_list"
    PREVIOUS = "comparison_previous"
    NEXT = "comparison_next"
    RESET = "comparison_reset"
    ARTICLE = "comparison_article"
    ARTICLE_HEAD = "comparison_article_head"
    DIFFERENCES = "comparison_differences"
    RECOMMENDATION = "comparison_recommendation"


@dataclass(slots=True)
class ComparisonSession:
    """Everything of a session that is no widget. ``id`` tells whose measurement is running."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    notice: Notice | None = None
    wanted: tuple[RunRequest, ...] = ()
    wanted_folders: tuple[str, ...] = ()
    """Runs that were asked for and not begun, and the folders of those that are gone on with."""
    seen_runs: set[str] = field(default_factory=set)
    """Fresh runs that were put beside the recorded ones once; the user may take them away again."""
    cost_basis: CostBasis = field(default_factory=CostBasis)
    """How the page priced a request last, for the report: the controls are not on every section."""
    break_even: dict[str, ReportBreakEven] = field(default_factory=dict)
    """What the page made of the assumptions last, by scenario, for the report."""


def session() -> ComparisonSession:
    """Return this browser session's data."""
    return part_of_session("playground_comparison_session", ComparisonSession)
