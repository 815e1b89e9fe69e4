"""What one browser session holds of the page of limits, and the part of it that stands in the page's address."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from playground.limits.experiment import LimitRequest
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import part_of_session


class Key(StrEnum):
    """Keys of widgets and containers that the tests and the style sheet know by name."""

    EXPERIMENT = "experiment"
    """Also the name in the address, with the title as its value: a link opens the same experiment."""

    CLAIM = "limits_claim"
    RUN = "limits_run"
    STATUS = "limits_status"
    START = "limits_start"
    STOP = "limits_stop"
    GO_ON = "limits_go_on"
    PUT_AWAY = "limits_put_away"
    CAP = "limits_cap"
    CAP_UNPRICED = "limits_cap_unpriced"
    EXPORTS = "limits_exports"
    TESTS = "limits_tests"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run that was asked for and not begun. ``folder``: the name of one that is gone on with, "" for a new one."""

    experiment: str
    request: LimitRequest
    folder: str = ""
    max_cost_usd: float | None = None


@dataclass(slots=True)
class LimitsSession:
    """Everything of a session that is no widget. ``id`` tells whose run is under way."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    notice: Notice | None = None
    wanted: Wanted | None = None


def session() -> LimitsSession:
    """Return this browser session's data."""
    return part_of_session("playground_limits_session", LimitsSession)
