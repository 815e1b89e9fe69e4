"""Numbers, amounts and times are found in every usual spelling; the work stays linear whatever the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.text import quantities
from playground.text.quantities import stated_quantities, unsupported_quantities


def values(text: str) -> list[str]:
    return [quantity.value for quantity in stated_quantities(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("within 30 days", ["30"]),
        ("a 14-day window", ["14"]),
        ("a 75-inch television", ["75"]),
        ("2\u20133 days", ["2", "3"]),
        ("2 to 3 days", ["2", "3"]),
        ("10%", ["10"]),
        ("10 %", ["10"]),
        ("10 percent", ["10"]),
        ("$6.95", ["6.95"]),
        ("6.95 USD", ["6.95"]),
        ("US$20", ["20"]),
        ("A$ 5", ["5"]),
        ("EUR 25.00", ["25"]),
        ("£9", ["9"]),
        ("€4.50", ["4.5"]),
        ("4,50 €", ["4.5"]),
        ("1,000", ["1000"]),
        ("$1,299.00", ["1299"]),
        ("1299", ["1299"]),
        ("1.000,50 €", ["1000.5"]),
        ("1\u00a0000 €", ["1000"]),
        ("1'000", ["1000"]),
        ("ending in .97", ["0.97"]),
        ("0.97", ["0.97"]),
        ("007", ["7"]),
        ("0", ["0"]),
        ("delivery.30 days", ["30"]),
        ("Version 2.0", ["2"]),
        ("release 1.2.3", ["1.2.3"]),
        ("order NT-12345, #678", ["12345", "678"]),
        ("code NT12345 and A4 paper", []),
        ("m² and CO2", []),
        ("1-800-555-0142", ["1", "800", "555", "142"]),
        ("\uff13\uff10 days", ["30"]),
        ("\u0663\u0660 days", ["30"]),
        ("in 2025", ["2025"]),
        ("the 30th day", ["30"]),
        ("2/3 of the bag", ["2/3"]),
        ("two thirds", ["2/3"]),
        ("two-thirds", ["2/3"]),
        ("half", ["1/2"]),
        ("½", ["1/2"]),
        ("9" * 31, []),
        ("", []),
    ],
)
def test_number_is_read(text: str, expected: list[str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    "same",
    [
        ("1,299.00", "$1,299", "1 299 EUR", "1.299,00", "1299"),
        ("6.95", "6,95", "$6.95", "6.950"),
        ("half", "½", "1/2", "50%"),
        ("half", "0.5"),
        ("two weeks", "14 days", "a 14-day window"),
        ("2 years", "24 months", "two years"),
        ("48 hours", "two days"),
        ("thirty", "30", "30 (thirty)"),
        ("1.000", "1000"),
        ("1.000.000", "1,000,000"),
    ],
)
def test_spellings_of_one_value_support_each_other(same: tuple[str, ...]) -> None:
    for answer in same:
        for source in same:
            assert unsupported_quantities(answer, source) == (), (answer, source)


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("31 days", "30 days"),
        ("$6.95", "$6.59"),
        ("1,000", "100"),
        ("1.5", "15"),
        ("15", "1.5"),
        ("2 business days", "48 hours"),
        ("twenty-one", "20 or 1"),
        ("$0.97", "97"),
        ("one week", "two weeks"),
        ("the 15th", "May 3"),
    ],
)
def test_another_value_is_unsupported(answer: str, source: str) -> None:
    assert unsupported_quantities(answer, source) != ()


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("The fee is $48.", "within 48 hours"),
        ("The fee is 48 dollars.", "within 48 hours"),
        ("You have 15 days.", "a fee of 15 %"),
        ("You have fifteen days.", "a fee of $15.00"),
        ("15 per cent", "15 calendar days"),
        ("The answer is: 4 weeks.", "It takes 4 to 6 business days to arrive."),
        ("4 weeks", "between 4 and 6 working days"),
        ("6 weeks", "It takes 4 to 6 business days to arrive."),
        ("You have 3 weeks.", "Attach 3 photos."),
        ("12 weeks", "within 12 months"),
        ("18 days", "valid for 18 months"),
        ("5 days", "two to five per cent"),
        ("You have four weeks.", "4. Keep the carrier's receipt."),
        ("within 4 weeks", "Return slips\n\n4. Keep the carrier's receipt."),
    ],
)
def test_a_number_of_another_kind_is_unsupported(answer: str, source: str) -> None:
    assert unsupported_quantities(answer, source) != ()


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("You have 15 days.", "day 15 is the last"),
        ("You have 15 days.", "between 10 and 15 business days"),
        ("You have 14 days.", "two weeks"),
        ("The fee is $15.", "15 USD or 20 %"),
        ("The fee is 15 euros.", "EUR 15.00, within 15 days"),
        ("0 dollars", "free of charge"),
        ("15", "15 %"),
        ("4 weeks", "It takes 3 to 4 weeks."),
        ("four days", "It takes 4 to 6 business days."),
        ("4 weeks", "Repair time in weeks: 4"),
        ("30 days", "30 (thirty) days"),
        ("30 days", "sleep on it for 30 nights"),
        ("14 days", "innerhalb von 14 Tagen"),
        ("1 week or 7 days", "within a week"),
        ("10 %", "a fee of 10 to 15 percent"),
        ("4. Keep the carrier's receipt.", "3. Print it.\n4. Keep the carrier's receipt."),
    ],
)
def test_a_number_of_the_same_or_an_unnamed_kind_is_supported(answer: str, source: str) -> None:
    assert unsupported_quantities(answer, source) == ()


def test_text_is_what_was_written_and_named_once() -> None:
    source = "Returns within 60 days."
    assert unsupported_quantities("45 days, EUR 25.00, 10 %, 45 days, twenty-one", source) == (
        "45",
        "EUR 25.00",
        "10 %",
        "twenty-one",
    )


def test_quantities_come_in_reading_order() -> None:
    text = "ten, then 20%, then 3 May 2026, then 9am, then half, then thirty"
    assert values(text) == ["10", "20", "05-03", "2026", "09:00", "1/2", "30"]


def test_long_text_is_shortened_for_display() -> None:
    (quantity,) = stated_quantities(".".join(["123456789"] * 10))
    assert len(quantity.text) == 60
    assert quantity.text.endswith("…")
    assert len(quantity.value) == 99


# Numbers that point at something


@pytest.mark.parametrize(
    "answer",
    [
        "1. Open the page\n2. Pick the items\n3. Print the label",
        "1) Open the page\n2) Pick the items",
        "(1) Open the page\n(2) Pick the items",
        "  1. Open the page\n  2. **Pick** the items",
        "Do this: 1. Open the page. 2. Pick the items. 3. Print.",
        "1. Open the page.",
        "See clause 2.1 and section 3.",
        "Step 1: open the page. Steps 2 and so on follow.",
        "§ 4 applies.",
        "According to paragraph 5(a), yes.",
    ],
)
def test_markers_and_references_claim_nothing(answer: str) -> None:
    assert stated_quantities(answer) == ()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("60.", ["60"]),
        ("60. That is the window.", ["60"]),
        ("You have 30. After that, no.", ["30"]),
        ("1. Send it within 14 days.\n2. Wait 3 weeks.", ["14", "3"]),
        ("It costs $5.\nIt takes 6 days.", ["5", "6"]),
    ],
)
def test_a_number_that_ends_a_sentence_is_no_marker(answer: str, expected: list[str]) -> None:
    assert values(answer) == expected


def test_the_markers_of_a_source_support_nothing() -> None:
    source = "4. Hydration bladders once opened.\n5. Climbing skins.\n\n17. Refund\nClause 8 applies."
    assert unsupported_quantities("4 days, 5 days, 17 days, 8 days", source) == ("4", "5", "17", "8")


# What a source says in other words


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("1 business day", "within one business day"),
        ("1 week", "a week before"),
        ("7 days", "a week before"),
        ("12 months", "once a year"),
        ("1 time", "replaced once"),
        ("2 times", "twice"),
        ("$0", "The label is free."),
        ("$0", "at no charge"),
        ("the 3 photos", "the third photo"),
        ("0491570156", "text 0491 570 156"),
        ("9 to 5", "9am to 5pm"),
    ],
)
def test_sources_are_taken_generously(answer: str, source: str) -> None:
    assert unsupported_quantities(answer, source) == ()


@pytest.mark.parametrize(
    "text", ["the blue one", "one of them", "no one", "opened ones", "once", "both", "free", "first"]
)
def test_what_is_generous_in_a_source_is_no_claim_in_an_answer(text: str) -> None:
    assert stated_quantities(text) == ()


# Bounds


def pathological() -> Iterator[str]:
    pieces = (
        "1|9|  |\n|may |May 3 |3 may |3 to |1. a\n|1) |(1|1,000,|1.000.|0.|1:|9-|a |$|10:00 |two |one hundred and |"
    )
    pieces += "one half |clause 1.1.1 |§|½|\u0663| 1 000|1/|and |st |9am-|\0|free |weeks "
    yield from pieces.split("|")


@pytest.mark.parametrize("piece", list(pathological()), ids=repr)
def test_pathological_text_is_read_to_its_bound(piece: str) -> None:
    # Backtracking that grows with the square of the text would take minutes here.
    text = (piece * 20_000)[:20_000]
    assert unsupported_quantities(text, text) == ()


def test_no_more_than_the_bound_is_read() -> None:
    before = "x" * (quantities.MOST_CHARACTERS - 3)
    assert values(f"{before} 30") == ["30"]
    assert values(f"{before}xx 30") == []
    before = "x" * (quantities.MOST_SOURCE_CHARACTERS - 3)
    assert unsupported_quantities("30", f"{before} 30") == ()
    assert unsupported_quantities("30", f"{before}xx 30") == ("30",)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_supports_itself(text: str) -> None:
    assert unsupported_quantities(text, text) == ()


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0, max_value=10**9))
def test_grouping_does_not_matter(number: int) -> None:
    assert values(f"costs {number:,} in all") == values(f"costs {number} in all") == [str(number)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["30 days", "3 May", "$4.50", "9am", "half", "one", "1.", "ten", ", ", "\n", "may "])))
def test_readings_are_plain_strings_of_the_known_shapes(pieces: list[str]) -> None:
    shape = re.compile(r"\d+(\.\d+)*|\d\d-\d\d|\d\d:\d\d|\d+/\d+|\d+([./-])\d+\2\d+")
    for quantity in stated_quantities(" ".join(pieces)):
        assert all(shape.fullmatch(reading) for reading in quantity.readings), quantity
