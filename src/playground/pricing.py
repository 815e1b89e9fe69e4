"""What a completion cost, from the price list that genai-prices carries inside itself. Nothing is fetched."""

from __future__ import annotations

import importlib.metadata
from datetime import datetime

from playground.types import Usage

# The package records no date of its list, so the day it was published stands for it. Change both with the pin.
_PRICES_VERSION = "0.2.3"
_PRICES_PUBLISHED = "2026-11-10"


def cost_usd(usage: Usage | None, model_id: str, *, provider_base_url: str | None, local: bool = False) -> float | None:
    """Return the price in US dollars of the tokens in ``usage``, or None when it is not known.

    The provider is recognised by ``provider_base_url`` and never guessed from the model's name: the same open model has
    another price at each provider, and none on the user's own server. ``cached_tokens`` are priced as cache reads.
    Batch discounts, service tiers and taxes are not in the figure.

    With ``local=True`` the result is 0.0: tokens of a model on one's own machine have no price. That machine's
    cost (hardware, electricity, time) is not counted here.

    None means unknown, never free: no usage was reported, the provider or model is not in the list, the list has no
    price for input or for output tokens, or the counts contradict each other.
    """
    if local:
        return 0.0
    if usage is None or provider_base_url is None:
        return None
    import genai_prices

    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if usage.cached_tokens:
        counts["cache_read_tokens"] = usage.cached_tokens
    try:
        price = genai_prices.calc_price(
            genai_prices.Usage(**counts), model_ref=model_id, provider_api_url=provider_base_url
        )
    except (LookupError, ValueError):
        return None
    # A model without token prices (free variants, speech models) would be summed up to zero.
    if price.model_price.input_mtok is None or price.model_price.output_mtok is None:
        return None
    return float(price.total_price)


def price_by_hour(model_id: str, at: datetime) -> str | None:
    """Return the token prices of a model at a time of day, as text to be compared; None where the hour does not matter.

    Rows do not say who the provider was, so the first provider of the list that prices this model by the hour counts.
    """
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import TimeOfDateConstraint

    for provider in get_snapshot().providers:
        model = provider.find_model(model_id)
        if model is None or not isinstance(model.prices, list):
            continue
        if any(isinstance(price.constraint, TimeOfDateConstraint) for price in model.prices):
            return str(model.get_prices(at))
    return None


def prices_date() -> str:
    """Return the date of the bundled price list and its version, for instance ``2026-01-31 (genai-prices 1.2.3)``.

    With another version installed than the pinned one, only the version is known.
    """
    version = importlib.metadata.version("genai-prices")
    source = f"genai-prices {version}"
    return f"{_PRICES_PUBLISHED} ({source})" if version == _PRICES_VERSION else source


def describe_cost(cost_usd: float | None) -> str:
    """Return a cost for display: ``unknown price``, or dollars, with two significant digits below ten cents."""
    if cost_usd is None:
        return "unknown price"
    if cost_usd == 0:
        return "$0"
    if cost_usd >= 0.1:
        return f"${cost_usd:,.2f}"
    if cost_usd < 1e-8:
        return "less than $0.00000001"
    # Rounded to two significant digits first, then written without an exponent and with cents at least.
    whole, _, fraction = f"{float(f'{cost_usd:.1e}'):.9f}".partition(".")
    return f"${whole}.{fraction.rstrip('0').ljust(2, '0')}"
