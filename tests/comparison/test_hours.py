"""Costs of a provider that prices by the hour are not compared across hours without a word."""

from __future__ import annotations

from dataclasses import replace

from playground.comparison.hours import hours_apart
from tests.support.fakes_comparison import row

CHEAP, DEAR = "2026-09-20T12:00:00+00:00", "2026-09-20T02:00:00+00:00"
PAID = replace(row("rag", "q1", right=True), model_id="deepseek-v4-pro", cost_usd=0.01)


def test_rows_that_were_priced_at_other_hours_are_told() -> None:
    (sentence,) = hours_apart([replace(PAID, priced_at=CHEAP), replace(PAID, priced_at=DEAR)])
    assert sentence.startswith("deepseek-v4-pro is priced by the hour")
    assert "2 different prices (hours in UTC: 02, 12)" in sentence


def test_a_row_of_an_older_version_was_priced_when_it_began() -> None:
    assert len(hours_apart([replace(PAID, started_at=CHEAP), replace(PAID, started_at=DEAR)])) == 1


def test_rows_of_one_price_or_of_a_provider_with_one_price_are_not() -> None:
    later = "2026-09-20T13:40:00+00:00"
    assert hours_apart([replace(PAID, priced_at=CHEAP), replace(PAID, priced_at=later)]) == []
    other = replace(PAID, model_id="gpt-4o-mini")
    assert hours_apart([replace(other, priced_at=CHEAP), replace(other, priced_at=DEAR)]) == []
