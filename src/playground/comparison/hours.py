"""Costs of rows that were priced at other hours of the day, by a provider whose prices depend on the hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from playground.pricing import price_by_hour
from playground.types import RunRecord


def hours_apart(records: Iterable[RunRecord]) -> list[str]:
    """Return a sentence for each model whose rows were priced at hours with different prices."""
    times: dict[str, set[datetime]] = {}
    for record in records:
        at = _priced_at(record)
        if at is not None:
            times.setdefault(record.model_id, set()).add(at.replace(second=0, microsecond=0))
    sentences = []
    for model_id, found in times.items():
        if price_by_hour(model_id, min(found)) is None:
            continue
        prices = {price_by_hour(model_id, at) for at in found}
        if len(prices) > 1:
            hours = ", ".join(sorted({f"{at:%H}" for at in found}))
            sentences.append(
                f"{model_id} is priced by the hour, and these rows were paid at {len(prices)} different prices (hours "
                f"in UTC: {hours}). Costs differ by the hour, too, and not by the technique alone: measure again "
                "within one of them to compare costs."
            )
    return sentences


def _priced_at(record: RunRecord) -> datetime | None:
    """Return when a row was priced; rows of older versions say only when they began."""
    try:
        at = datetime.fromisoformat(record.priced_at or record.started_at)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
