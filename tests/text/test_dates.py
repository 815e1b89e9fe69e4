"""Dates and times agree whatever the spelling, and month names that are ordinary words are left alone."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.text.dates import hours_of
from playground.text.quantities import stated_quantities, unsupported_quantities

THIRD_OF_MAY = (
    "3 May",
    "3rd May",
    "3rd of May",
    "the 3rd of May",
    "3rd day of May",
    "May 3",
    "May 3rd",
    "May the 3rd",
    "may 3",
    "3 MAY",
    "3-May",
    "May-03",
    "2026-05-03",
    "2026/05/03",
    "05/03/2026",
    "03/05/2026",
    "3.5.2026",
    "5/3/26",
    "5/3",
    "3/5",
)


@pytest.mark.parametrize("spelling", THIRD_OF_MAY)
def test_a_day_is_recognised_in_every_spelling(spelling: str) -> None:
    source = "It began on 3 May 2026."
    assert unsupported_quantities(f"on {spelling}.", source) == ()
    assert unsupported_quantities("On May 3rd", f"It began on {spelling}.") == ()
    assert unsupported_quantities(f"on {spelling}.", "It began on 4 May 2026, 30 days earlier.") != ()


@pytest.mark.parametrize(
    "form", ["May 3, 2026", "3 May 2026", "3rd of May, 2026", "May 3rd 2026", "3-May-2026", "May 3 of 2026"]
)
def test_the_year_is_compared_apart_and_named_with_its_date(form: str) -> None:
    assert unsupported_quantities(form, "3 May 2026") == ()
    assert unsupported_quantities(form, "3 May, and 2026 in general") == ()
    assert unsupported_quantities(f"by {form}", "3 May 2025") == (form,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3\u20135 May", ["05-03", "05-05"]),
        ("May 3-5", ["05-05", "05-03"]),
        ("3 and 5 May", ["05-03", "05-05"]),
        ("between November 10 and December 24", ["11-10", "12-24"]),
        ("from 31st Jan. to Feb 2nd", ["01-31", "02-02"]),
        ("Sept 8 and Sep. 9", ["09-08", "09-09"]),
        ("3 August 2025", ["08-03", "2025"]),
        ("in May 2026", ["2026"]),
        ("May 45", ["45"]),
        ("May 3.5", ["3.5"]),
        ("31/31/2025", ["31", "31", "2025"]),
        ("10.5.2 of the terms", ["10.5.2"]),
    ],
)
def test_dates_in_context(text: str, expected: list[str]) -> None:
    assert [quantity.value for quantity in stated_quantities(text)] == expected


@pytest.mark.parametrize(("text", "shown"), [("until 29 October.", "29 October"), ("3 Oct. 2025.", "3 Oct. 2025")])
def test_the_full_stop_after_a_date_is_not_part_of_it(text: str, shown: str) -> None:
    assert unsupported_quantities(text, "")[0] == shown


def test_an_ambiguous_date_has_both_readings() -> None:
    day, year = stated_quantities("03/05/2026")
    assert {"03-05", "05-03"} <= day.readings
    assert year.value == "2026"
    (day, _) = stated_quantities("25/12/2026")
    assert "12-25" in day.readings
    assert "25-12" not in day.readings


@pytest.mark.parametrize(
    "text",
    [
        "items within 30 may be returned",
        "Items Over 30 May Be Returned",
        "ITEMS OVER 30 MAY BE RETURNED",
        "the limit is 30. May I help?",
        "you march 30 miles",
    ],
)
def test_a_verb_beside_a_number_leaves_the_number(text: str) -> None:
    assert unsupported_quantities("30", text) == ()
    assert unsupported_quantities(text, "30") == ()


@pytest.mark.parametrize("text", ["You may return it.", "may", "march", "Dec", "in May", "may may may"])
def test_a_month_name_alone_states_nothing(text: str) -> None:
    assert stated_quantities(text) == ()


def test_a_date_is_not_supported_by_its_day_as_a_number() -> None:
    assert unsupported_quantities("November 10", "10 days from November") == ("November 10",)
    assert unsupported_quantities("3rd of May", "3 days") == ("3rd of May",)


@pytest.mark.parametrize(
    "same",
    [
        ("9am", "9 am", "9 a.m.", "9:00", "09:00", "9.00 am", "9 AM", "9 o'clock"),
        ("5.30 pm", "5:30pm", "17:30", "5:30 p.m."),
        ("noon", "12:00", "12pm", "midday"),
        ("midnight", "12am", "00:00"),
        ("8 am to 6 pm", "8am\u20136pm", "8:00 to 18:00"),
        ("9 to 5pm", "9am to 5pm"),
    ],
)
def test_times_agree(same: tuple[str, ...]) -> None:
    for answer in same:
        for source in same:
            assert unsupported_quantities(answer, source) == (), (answer, source)


@pytest.mark.parametrize(
    ("answer", "source"), [("9am", "9pm"), ("9am", "9 days"), ("5pm", "5.30pm"), ("17:00", "5am"), ("6pm", "18 days")]
)
def test_another_time_is_unsupported(answer: str, source: str) -> None:
    assert unsupported_quantities(answer, source) == (answer,)


@pytest.mark.parametrize("text", ["45pm", "10:75", "25 o'clock"])
def test_what_is_no_time_is_read_as_numbers(text: str) -> None:
    assert all(":" not in quantity.value for quantity in stated_quantities(text))
    assert stated_quantities(text)


def test_hours_of_a_full_hour_are_plain_numbers_too() -> None:
    assert hours_of("17:00") == {"17", "5"}
    assert hours_of("00:00") == {"0", "12"}
    assert hours_of("17:30") == set()


@settings(max_examples=100, deadline=None)
@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2060, 12, 31)))
def test_every_date_agrees_with_its_iso_form(day: date) -> None:
    for form in ("%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y"):
        assert unsupported_quantities(day.strftime(form), day.isoformat()) == ()
        assert unsupported_quantities(day.isoformat(), day.strftime(form)) == ()
