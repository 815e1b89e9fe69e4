"""The rules: plain wordings that are certain, near misses that are not, and a time that no text makes long."""

from __future__ import annotations

import re

import pytest

from playground.flagging.rules import MOST_CHARACTERS, RULES, labels_by_rule, searched_sentences

CERTAIN = [
    ("The Consultant shall indemnify the Client against all losses, without any limit.", "Uncapped Liability"),
    ("The carrier's liability is unlimited.", "Uncapped Liability"),
    ("The shop pays for the damage. No cap applies.", "Uncapped Liability"),
    ("The limitation of liability shall not apply to fraud.", "Uncapped Liability"),
    ("Nothing in this contract excludes liability for death or personal injury.", "Uncapped Liability"),
    ("Our total liability shall not exceed the fees paid.", "Cap On Liability"),
    ("Neither party is liable for indirect losses.", "Cap On Liability"),
    ("We are not responsible for any loss.", "Cap On Liability"),
    ("EUR 1,000 for each day of delay", "Liquidated Damages"),
    ("If the boat is late the yard loses 1% of its price per week.", "Liquidated Damages"),
    ("A cancellation fee of $200 is due.", "Liquidated Damages"),
    ("The builder must take out insurance.", "Insurance"),
    ("Either side may end this for any reason on a week's notice.", "Termination For Convenience"),
    ("This plan renews automatically.", "Renewal Term"),
    ("The agent shall not compete with the firm.", "Non-Compete"),
    ("We won\N{RIGHT SINGLE QUOTATION MARK}t solicit your staff.", "No-Solicit Of Employees"),
    ("You may not assign this contract without our consent.", "Anti-Assignment"),
    ("A commission of 10 % is paid.", "Revenue/Profit Sharing"),
    ("The buyer must order at least 50 crates.", "Minimum Commitment"),
]
NO_LABEL = [
    "Costs, including without limitation travel, are repaid.",
    "Acme is an unlimited liability company.",
    "There is no limit on the number of calls.",
    "Late payments bear interest of EUR 5 per day of delay.",
    "The daily rate is EUR 500 per day.",
    "The store does not renew automatically.",
    "You can't end this for any reason.",
    "The firm's liability is not unlimited.",
    "The insurance agency is open on Mondays.",
    "We are responsible for the hiring of staff.",
]


@pytest.mark.parametrize(("text", "label"), CERTAIN)
def test_a_plain_wording_gives_its_label(text: str, label: str) -> None:
    assert label in labels_by_rule(text)


@pytest.mark.parametrize("text", NO_LABEL)
def test_a_near_miss_gives_none(text: str) -> None:
    assert labels_by_rule(text) == {}


def test_line_breaks_inside_a_wording_do_no_harm() -> None:
    assert labels_by_rule("liable\n  without\tany\nlimit") == labels_by_rule("liable without any limit") != {}


def test_what_must_stand_together_is_not_gathered_from_a_long_clause() -> None:
    apart = "The van may be late. " + "The yard is swept on Mondays and nobody minds. " * 8 + "We pay EUR 9 a day."
    assert labels_by_rule(apart) == {}
    assert "Liquidated Damages" in labels_by_rule("If the van is late we pay EUR 9 a day.")


def test_every_repetition_is_bounded() -> None:
    for rule in RULES:
        for pattern in (rule.wording, rule.unless, *rule.beside):
            outside_classes = re.sub(r"\\.|\[[^\]]*\]", "x", pattern)
            assert not re.search(r"[*+]|\{\d+,\}", outside_classes), rule.name


def test_only_the_beginning_of_a_huge_clause_is_searched() -> None:
    assert sum(map(len, searched_sentences("a " * MOST_CHARACTERS))) <= MOST_CHARACTERS
    assert labels_by_rule("x. " * MOST_CHARACTERS + "We are liable without any limit.") == {}


def test_no_two_rules_have_one_name() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
