"""What 1,000 requests of a technique cost, under an assumption that is named: this machine's time, or listed prices.

Tokens of a model on one's own machine have no price, so that without such an assumption every technique that was
measured on it would stand at 0 USD.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from playground.comparison.figures import TechniqueFigures
from playground.errors import EvaluationError
from playground.pricing import cost_usd, describe_cost, prices_date
from playground.types import Usage

CostKind = Literal["machine", "hosted"]

DEFAULT_MACHINE_USD_PER_HOUR = 0.10
LARGEST_MACHINE_USD_PER_HOUR = 1_000.0
HOSTED_MODEL, HOSTED_URL = "gpt-4o-mini", "https://api.openai.com/v1"
_SECONDS_PER_HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class CostBasis:
    """How a request is priced.

    ``machine``: the tokens' price as recorded (0 on one's own machine) and, for models of one's own machine, their time
    at ``machine_usd_per_hour``. ``hosted``: the tokens of chat models at the listed price of HOSTED_MODEL; what asks no
    chat model stays on one's own machine.

    Raises:
        EvaluationError: the price of the machine is not a positive number.
    """

    kind: CostKind = "machine"
    machine_usd_per_hour: float = DEFAULT_MACHINE_USD_PER_HOUR

    def __post_init__(self) -> None:
        price = self.machine_usd_per_hour
        if not math.isfinite(price) or not 0 < price <= LARGEST_MACHINE_USD_PER_HOUR:
            raise EvaluationError(
                f"A machine at {price:g} USD per hour cannot be. Give more than 0 and at most "
                f"{LARGEST_MACHINE_USD_PER_HOUR:,.0f}."
            )

    @property
    def title(self) -> str:
        """What stands on the axis, in a few words."""
        if self.kind == "hosted":
            return f"tokens at {HOSTED_MODEL}'s price"
        return f"machine at {describe_cost(self.machine_usd_per_hour)} per hour"

    @property
    def source(self) -> str:
        """Where the price is from, as a sentence."""
        if self.kind == "hosted":
            return (
                f"Measured tokens at the price of {HOSTED_MODEL} in the list of {prices_date()}; its answers would "
                f"differ. What asks no chat model is priced by this machine's time at "
                f"{describe_cost(self.machine_usd_per_hour)} per hour."
            )
        return (
            f"Measured seconds at {describe_cost(self.machine_usd_per_hour)} per hour of this machine, an assumption "
            "that you can change; tokens of an endpoint at their listed price."
        )


def per_1000_usd(figures: TechniqueFigures, basis: CostBasis) -> float | None:
    """Return what 1,000 requests cost in US dollars; None where a price or a time is not known."""
    if basis.kind == "hosted" and figures.input_tokens is not None:
        thousand = Usage(round(1_000 * figures.input_tokens), round(1_000 * (figures.output_tokens or 0.0)))
        return cost_usd(thousand, HOSTED_MODEL, provider_base_url=HOSTED_URL)
    if figures.token_cost_usd is None:
        return None
    if figures.token_cost_usd > 0:
        return 1_000 * figures.token_cost_usd
    if figures.total_s is None:
        return None
    mean_s = sum(figures.total_s.values) / len(figures.total_s.values)
    return 1_000 * mean_s / _SECONDS_PER_HOUR * basis.machine_usd_per_hour
