"""The one table of experiments. A new one is a file in a scenario's folder ``limits`` and an entry here.

Pages, command line and report take the experiments from here.
"""

from __future__ import annotations

from playground.errors import EvaluationError
from playground.limits.experiment import Experiment
from scenarios.contract_clauses.limits.records import EXPERIMENTS as OF_CONTRACT_CLAUSES
from scenarios.return_policy.limits.records import EXPERIMENTS as OF_RETURN_POLICY

_LONGEST_QUOTED = 40

EXPERIMENTS: tuple[Experiment, ...] = (*OF_RETURN_POLICY, *OF_CONTRACT_CLAUSES)


def experiment(name: str) -> Experiment:
    """Return the experiment of a name.

    Raises:
        EvaluationError: there is none; the message names those that exist.
    """
    found = next((one for one in EXPERIMENTS if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in EXPERIMENTS)
        raise EvaluationError(f"There is no experiment {name[:_LONGEST_QUOTED]!r}. Use one of: {known}.")
    return found
