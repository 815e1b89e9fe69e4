"""The label catalogue is complete, the keywords find their own examples, and the prompts keep a clause as text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import get_args

import pytest

from playground.errors import AnnotationError
from playground.paths import CLAUSES, CONTRACTS, SHIPPED_ADAPTERS
from playground.types import AnnotatedClause, ContractKind, Label, Risk
from scenarios.contract_clauses import prompts
from scenarios.contract_clauses.prompts import (
    chain_of_thought_messages,
    choose_examples,
    few_shot_messages,
    parse_decision,
    zero_shot_messages,
)
from scenarios.contract_clauses.scenario import (
    FOLDER,
    few_shot_clauses,
    keywords,
    label,
    labels,
    liability_labels,
)
from scenarios.registry import scenario_names

CUAD_NAMES = (
    """
Document Name|Parties|Agreement Date|Effective Date|Expiration Date|Renewal Term|Notice Period To Terminate Renewal
Governing Law|Most Favored Nation|Competitive Restriction Exception|Non-Compete|Exclusivity|No-Solicit Of Customers
No-Solicit Of Employees|Non-Disparagement|Termination For Convenience|Rofr/Rofo/Rofn|Change Of Control|Anti-Assignment
Revenue/Profit Sharing|Price Restrictions|Minimum Commitment|Volume Restriction|Ip Ownership Assignment
Joint Ip Ownership|License Grant|Non-Transferable License|Affiliate License-Licensor|Affiliate License-Licensee
Unlimited/All-You-Can-Eat-License|Irrevocable Or Perpetual License|Source Code Escrow|Post-Termination Services
Audit Rights|Uncapped Liability|Cap On Liability|Liquidated Damages|Warranty Duration|Insurance|Covenant Not To Sue
Third Party Beneficiary
""".strip()
    .replace("\n", "|")
    .split("|")
)
LIABILITIES = (
    """
Uncapped Liability|Cap On Liability|Liquidated Damages|Covenant Not To Sue|Insurance|Audit Rights
Termination For Convenience|Change Of Control|Anti-Assignment|Non-Compete|Exclusivity|No-Solicit Of Customers
No-Solicit Of Employees|Ip Ownership Assignment|Irrevocable Or Perpetual License|Most Favored Nation
Minimum Commitment|Revenue/Profit Sharing|Post-Termination Services|Warranty Duration|Renewal Term
""".strip()
    .replace("\n", "|")
    .split("|")
)

INSURANCE = Label("Insurance", "Is it about insurance?", "medium", "Why.", "Check.")

# Labels


def test_every_cuad_label_is_there_once() -> None:
    assert len(CUAD_NAMES) == 41
    assert [known.name for known in labels()] == CUAD_NAMES


def test_the_file_has_no_field_too_many_or_too_few() -> None:
    rows = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    fields = {"name", "question", "risk", "why", "check", "liability", "expected"}
    assert all(set(row) == fields for row in rows)
    assert all(isinstance(row["liability"], bool) and isinstance(row["expected"], list) for row in rows)
    assert all(set(row["expected"]) <= set(get_args(ContractKind)) for row in rows)
    assert all(len(row["expected"]) == len(set(row["expected"])) for row in rows)


@pytest.mark.parametrize("known", labels(), ids=lambda known: known.name)
def test_a_label_says_what_a_reader_needs(known: Label) -> None:
    assert known.risk in get_args(Risk)
    assert re.fullmatch(r"Does this clause [^?.]+\?", known.question)
    for sentence in (known.why, known.check):
        assert re.fullmatch(r"[A-Z][^.?!]{30,170}\.", sentence), sentence
    assert "you should" not in f"{known.why} {known.check}".lower()


@pytest.mark.parametrize("field", ["question", "why", "check"])
def test_no_two_labels_share_a_sentence(field: str) -> None:
    assert len({getattr(known, field) for known in labels()}) == len(labels())


def test_exactly_the_21_liabilities_are_shown_by_default() -> None:
    assert len(LIABILITIES) == 21
    assert sorted(liability_labels()) == sorted(LIABILITIES)
    assert all(label(name).risk in ("high", "medium") for name in liability_labels())


def expected_labels(kind: ContractKind = "general") -> tuple[str, ...]:
    """Return the names of the labels whose absence from a contract of a kind is worth a line."""
    return tuple(known.name for known in labels() if kind in known.expected)


def test_a_few_labels_are_expected_and_among_the_commonest() -> None:
    assert len(expected_labels()) == 8
    assert {"Governing Law", "Cap On Liability", "Anti-Assignment", "Expiration Date"} <= set(expected_labels())
    assert not {"Most Favored Nation", "Source Code Escrow", "Parties"} & set(expected_labels())


@pytest.mark.parametrize("kind", get_args(ContractKind))
def test_each_kind_of_contract_has_labels_of_its_own(kind: ContractKind) -> None:
    assert 4 <= len(expected_labels(kind)) <= 9
    assert {"Effective Date", "Governing Law"} <= set(expected_labels(kind))
    assert ("Insurance" in expected_labels(kind)) == (kind in ("services", "lease", "distribution", "general"))


def test_an_unknown_label_is_refused_with_the_nearest_one() -> None:
    assert label("Cap On Liability").name == "Cap On Liability"
    with pytest.raises(AnnotationError, match="Did you mean 'Non-Compete'"):
        label("non compete")
    with pytest.raises(AnnotationError, match=r"labels\.json") as raised:
        label("x" * 10_000)
    assert len(str(raised.value)) < 200


def test_the_folders_lie_in_data() -> None:
    assert [path.name for path in (CLAUSES, CONTRACTS, SHIPPED_ADAPTERS)] == ["clauses", "contracts", "adapters"]
    assert all(path.parent == FOLDER.parents[1] / "data" for path in (CLAUSES, CONTRACTS, SHIPPED_ADAPTERS))


def test_the_command_line_lists_only_scenarios_with_an_evaluation() -> None:
    assert ("contract_clauses" in scenario_names()) == (FOLDER / "evaluation.py").exists()


# Few-shot examples


def test_there_is_one_example_for_each_liability_and_three_without_a_label() -> None:
    examples = few_shot_clauses()
    assert sorted(name for example in examples for name in example.labels) == sorted(LIABILITIES)
    assert [example.labels for example in examples].count(()) == 3
    assert len({example.id for example in examples}) == len({example.text for example in examples}) == len(examples)
    assert all(len(example.text.split()) >= 15 for example in examples)


# Keywords


def found(name: str, text: str) -> bool:
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in keywords()[name])


def test_every_label_has_a_short_list_of_expressions() -> None:
    assert list(keywords()) == CUAD_NAMES
    for name, patterns in keywords().items():
        assert 2 <= len(patterns) <= 8, name
        assert len(set(patterns)) == len(patterns), name
        for pattern in patterns:
            re.compile(pattern, re.IGNORECASE)


def test_changing_what_keywords_returned_changes_nothing() -> None:
    keywords().clear()
    assert keywords()


@pytest.mark.parametrize("pattern", [pattern for patterns in keywords().values() for pattern in patterns])
def test_every_repetition_is_bounded(pattern: str) -> None:
    outside_classes = re.sub(r"\[(?:\\.|[^\]\\])+\]", "", re.sub(r"\\[^bBwWdDsSZA]", "", pattern))
    assert not re.search(r"[*+]|\{\d*,\}", outside_classes)


@pytest.mark.parametrize("example", few_shot_clauses(), ids=lambda example: ",".join(example.labels) or example.id)
def test_keywords_find_their_own_example_and_no_other_liability(example: AnnotatedClause) -> None:
    assert tuple(name for name in LIABILITIES if found(name, example.text)) == example.labels


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Document Name", "SUPPLY AND SERVICES AGREEMENT"),
        ("Parties", "This Lease is made by and between Orrin Ltd and Vale plc."),
        ("Agreement Date", "This Agreement is dated 3 March 2021 and made between the parties below."),
        ("Effective Date", 'This Agreement takes effect on 1 May 2020 (the "Effective Date").'),
        ("Expiration Date", "The term of this Agreement begins today and continues for three years."),
        ("Notice Period To Terminate Renewal", "It renews each year unless either party gives 60 days' notice."),
        ("Governing Law", "This Agreement is governed by the laws of Scotland."),
        (
            "Competitive Restriction Exception",
            "The foregoing shall not apply to owning shares of a competing business.",
        ),
        ("Non-Disparagement", "Neither party shall disparage the other."),
        ("Rofr/Rofo/Rofn", "The Tenant has a right of first refusal on the adjoining unit."),
        ("Price Restrictions", "The fees shall not be increased by more than 3 percent a year."),
        ("Volume Restriction", "Use is limited to 500 users."),
        ("Joint Ip Ownership", "Improvements made together shall be jointly owned."),
        ("License Grant", "Licensor grants Licensee a non-exclusive license to use the Software."),
        ("Non-Transferable License", "The license is limited and non-transferable."),
        ("Affiliate License-Licensor", "Alder, on behalf of itself and its affiliates, hereby grants a license."),
        ("Affiliate License-Licensee", "Alder grants a license to Birch and its affiliates."),
        ("Unlimited/All-You-Can-Eat-License", "The Client receives an enterprise-wide license."),
        ("Source Code Escrow", "The source code shall be placed in escrow with the Agent."),
        ("Third Party Beneficiary", "The Lender is an intended third-party beneficiary of this clause."),
    ],
)
def test_keywords_find_the_other_labels(name: str, text: str) -> None:
    assert found(name, text)
    assert found(name, text.replace(" ", "\n"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Third Party Beneficiary", "There are no third party beneficiaries of this Agreement."),
        ("Termination For Convenience", "Upon termination of this Agreement for any reason the licence ends."),
        ("Governing Law", "12. Governing Law"),
        ("Exclusivity", "The remedies are cumulative and not exclusive."),
        ("Joint Ip Ownership", "The parties form a joint steering committee."),
    ],
)
def test_keywords_pass_over_near_misses(name: str, text: str) -> None:
    assert not found(name, text)


SEARCH_JUNK = """
import random, re, resource
from scenarios.contract_clauses.scenario import keywords

resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
draw = random.Random(0)
words = sorted({w for ps in keywords().values() for p in ps for w in re.findall("[a-z]{3,}", p)})
junk = "a" * 50_000 + "\\n" * 50_000 + '("' * 25_000 + " ".join(draw.choices(words, k=60_000))[:150_000]
assert len(junk) == 300_000
for patterns in keywords().values():
    for pattern in patterns:
        re.search(pattern + "(?!)", junk, re.IGNORECASE)
print("done")
"""


def test_junk_of_300_000_characters_does_not_make_a_search_hang() -> None:
    # (?!) never matches, so every start is tried. It takes seconds; what backtracks without bound would take years,
    # and is killed by the limit on processor time, which a busy machine does not use up.
    run = subprocess.run([sys.executable, "-c", SEARCH_JUNK], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "done", run.stderr


# Prompts

AWKWARD = "The {question} of {clause} and {0} costs {{100}} %s \\1."


def test_zero_shot_is_a_system_prompt_and_one_question() -> None:
    messages = zero_shot_messages("Keep cover in place.", INSURANCE)
    assert [message.role for message in messages] == ["system", "user"]
    assert "Yes or No" in messages[0].content
    assert "Keep cover in place." in messages[1].content
    assert messages[1].content.endswith(INSURANCE.question)


@pytest.mark.parametrize("build", [zero_shot_messages, chain_of_thought_messages])
def test_braces_in_a_clause_stay_text(build: object) -> None:
    assert callable(build)
    content = build(AWKWARD, INSURANCE)[-1].content
    assert AWKWARD in content
    assert content.count(INSURANCE.question) == 1


def test_no_placeholder_is_left() -> None:
    for messages in (
        zero_shot_messages("A clause.", INSURANCE),
        few_shot_messages("A clause.", INSURANCE, few_shot_clauses()),
        chain_of_thought_messages("A clause.", INSURANCE),
    ):
        assert not any("{" in message.content for message in messages)


def test_few_shot_answers_each_example_for_the_label_that_is_asked() -> None:
    examples = few_shot_clauses()
    messages = few_shot_messages(AWKWARD, INSURANCE, examples)
    assert [message.role for message in messages] == ["system", *["user", "assistant"] * len(examples), "user"]
    answers = [message.content for message in messages if message.role == "assistant"]
    assert answers == ["Yes" if "Insurance" in example.labels else "No" for example in examples]
    assert answers.count("Yes") == 1
    assert AWKWARD in messages[-1].content


def test_chain_of_thought_asks_for_two_sentences_and_an_answer_that_can_be_parsed() -> None:
    system = chain_of_thought_messages("A clause.", INSURANCE)[0].content
    assert "two sentences" in system
    assert "Answer: Yes" in system
    assert "Answer: No" in system


def test_the_three_system_prompts_differ() -> None:
    built = (
        zero_shot_messages("A.", INSURANCE),
        few_shot_messages("A.", INSURANCE, ()),
        chain_of_thought_messages("A.", INSURANCE),
    )
    assert len({messages[0].content for messages in built}) == 3
    assert {path.name for path in prompts.FOLDER.iterdir()} == {
        *("zero_shot.txt", "few_shot.txt", "chain_of_thought.txt", "question.txt")
    }


@pytest.mark.parametrize("name", LIABILITIES)
def test_chosen_examples_have_both_answers_and_both_kinds_of_no(name: str) -> None:
    chosen = choose_examples(label(name), few_shot_clauses())
    assert len(chosen) == len(set(chosen)) == 4
    assert [name in example.labels for example in chosen] == [False, True, False, False]
    assert any(not example.labels for example in chosen)
    assert any(example.labels and name not in example.labels for example in chosen)
    assert choose_examples(label(name), few_shot_clauses()) == chosen


def test_choosing_examples_takes_what_there_is() -> None:
    assert choose_examples(INSURANCE, ()) == ()
    positives = [AnnotatedClause(str(n), f"Clause {n}.", ("Insurance",), "c") for n in range(5)]
    assert choose_examples(INSURANCE, positives) == tuple(positives[:2])
    none_has_it = choose_examples(label("Governing Law"), few_shot_clauses())
    assert len(none_has_it) == 4
    assert len(choose_examples(INSURANCE, few_shot_clauses(), count=1)) == 1


@pytest.mark.parametrize(
    ("reply", "decision"),
    [
        ("Yes", True),
        ("no.", False),
        (" **Yes**, it requires cover.", True),
        ("Yes, no doubt about it.", True),
        ("“No”", False),
        ("The supplier keeps cover. Answer: Yes", True),
        ("No party is named here, but cover is required.\nAnswer: yes.", True),
        ("It says nothing of it.\n**Answer:** **No**", False),
        ("The answer is no.", False),
        ("The final answer is: Yes", True),
        ("Answer: Yes. To repeat: Answer: YES", True),
        ("Answer: Yes. On reflection, Answer: No", None),
        ("Answer: Yes or No", None),
        ("Yes or no, it is hard to say.", None),
        ("Answer:", None),
        ("", None),
        ("Nothing in it fits.", None),
        ("No-solicit duties are in it.", None),
        ("Not sure.", None),
        ("It depends; yes on one view.", None),
        ("Yesterday.", None),
        ("x" * 100_000 + " Answer: No", False),
        ("Yes" + " and so on" * 100_000, True),
    ],
)
def test_a_reply_is_read(reply: str, decision: bool | None) -> None:
    assert parse_decision(reply) is decision
