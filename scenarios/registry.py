"""The one table of scenarios. A new one is a folder beside this file and two lines here: its import, its ``register``.

Pages, command line and report take their scenarios from here; the library gets them handed in.
"""

from __future__ import annotations

from playground.comparison.scenario import Scenario
from playground.errors import EvaluationError
from scenarios.contract_clauses.record import SCENARIO as CONTRACT_CLAUSES
from scenarios.return_policy.record import SCENARIO as RETURN_POLICY

_LONGEST_QUOTED = 40

_scenarios: dict[str, Scenario] = {}


def register(scenario: Scenario) -> None:
    """Add a scenario; it comes after those that are there.

    Raises:
        ValueError: its name is taken, or two of its techniques have one name: a defect of who adds it.
    """
    if scenario.name in _scenarios:
        raise ValueError(f"There is a scenario {scenario.name!r} already. Give this one another name.")
    names = [one.name for one in scenario.techniques]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"The scenario {scenario.name!r} has the technique {twice[0]!r} twice. Rename one.")
    _scenarios[scenario.name] = scenario


def unregister(name: str) -> None:
    """Take a scenario out again, for tests."""
    del _scenarios[name]


def all_scenarios() -> tuple[Scenario, ...]:
    """Return every scenario, in the order in which they stand in the menu."""
    return tuple(_scenarios.values())


def scenario_names() -> tuple[str, ...]:
    """Return the names of all scenarios."""
    return tuple(_scenarios)


def scenario(name: str) -> Scenario:
    """Return the scenario of a name.

    Raises:
        EvaluationError: there is none; the message names those that exist.
    """
    found = _scenarios.get(name)
    if found is None:
        known = ", ".join(_scenarios)
        raise EvaluationError(f"There is no scenario {name[:_LONGEST_QUOTED]!r}. Use one of: {known}.")
    return found


register(RETURN_POLICY)
register(CONTRACT_CLAUSES)
