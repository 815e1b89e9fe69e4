"""A rule applied to the numbers of a question yields what a right answer states."""

from __future__ import annotations

import pytest

from playground.answering.derivations import derived_values


@pytest.mark.parametrize(
    ("question", "rule", "value"),
    [
        ("It was delivered on May 3.", "within 60 days of delivery", "07-02"),
        ("It came on 14 June", "35 days from the day it arrives", "07-19"),
        ("delivered 20 December 2025", "14 days", "01-03"),
        ("It came on 03/05/2026", "10 days", "05-13"),
        ("It came on 03/05/2026", "10 days", "03-15"),
        ("arrived February 27", "within 2 days", "03-01"),
        ("arrived February 27", "within 2 days", "02-29"),
        ("received 1 May", "two weeks", "05-15"),
        ("my $640 kayak", "A fee of 10% applies", "64"),
        ("a $200 return", "a bonus of 5% is added", "210"),
        ("I paid 80 euros", "we keep 30 per cent", "56"),
        ("I paid \u00a3850", "Sideboards | \u00a358", "792"),
        ("11 swatches", "\u00a31.50 each", "16.5"),
        ("two armchairs", "Armchairs | \u00a338", "76"),
        ("1,200 pounds", "30%", "360"),
    ],
)
def test_the_value_is_derived(question: str, rule: str, value: str) -> None:
    assert value in derived_values(question, rule)


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        ("How long do I have?", "within 60 days"),
        ("It was delivered on May 3.", "within a reasonable time"),
        ("", ""),
        ("on 31 February", "in 31-31 days"),
        ("on May 3", "in 999999999 days"),
    ],
)
def test_nothing_is_derived_from_nothing(question: str, rule: str) -> None:
    assert not any("-" in value for value in derived_values(question, rule))


def test_a_share_is_not_taken_for_a_difference() -> None:
    assert derived_values("$640", "10%") == {"64", "576", "704"}
    assert derived_values("$640", "$10") == {"630", "6400"}


def test_nothing_below_or_at_zero_is_derived() -> None:
    assert derived_values("$5", "$49") == {"245"}
    assert derived_values("$5", "$5") == {"25"}


def test_the_work_is_bounded() -> None:
    many = " ".join(f"${i}.25" for i in range(1, 400))
    assert len(derived_values(many, many)) <= 12 * 12 * 3
    assert len(derived_values("9" * 400, "9" * 400)) == 0
