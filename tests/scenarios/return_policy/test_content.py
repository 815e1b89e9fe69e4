"""The sample policies, their questions, the few-shot examples and the suggested questions fit each other.

What a question must be holds for the kept-aside questions too; what only they must be: test_kept_aside_questions.py.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from playground.documents import load_document
from playground.paths import ROOT
from playground.types import Document
from scripts import build_sample_policies as script

POLICIES = ROOT / "data" / "policies"
KEPT_ASIDE_POLICIES = ROOT / "data" / "policies_kept_aside"
SCENARIO = ROOT / "scenarios" / "return_policy"
NAMES = (
    "northtrail-outdoor-v1.md",
    "northtrail-outdoor-v2.md",
    "voltara-electronics.pdf",
    "maison-lune-fashion.docx",
    "hearth-and-oak-furniture.html",
    "pawsome-pantry.txt",
)
KEPT_ASIDE_NAMES = (
    "brindlemere-instruments.txt",
    "corvane-cycles.html",
    "dogear-and-dropneedle.md",
    "thudwell-tools.txt",
    "wendlemoss-nursery.md",
)
TAGS = {
    *("single", "two-passages", "paraphrase", "date", "amount", "yes-no", "excluded-goods", "unanswerable", "table"),
    # The answer is worked out (a last day, a sum), so its number stands nowhere in the policy.
    "computed",
}
ABSTENTIONS = (
    "",
    "I don't know.",
    "I don\u2019t know",
    "I do not know.",
    "Sorry, I don't know.",
    "The text does not say.",
)
SYSTEM_PROMPT = (
    "You are a helpful assistant. Use the provided text to answer the user. "
    "If the answer is not in the text, say 'I don't know.'"
)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


MAIN = read_jsonl(SCENARIO / "questions.jsonl")
KEPT_ASIDE = read_jsonl(SCENARIO / "questions_kept_aside.jsonl")
ROWS = [*MAIN, *KEPT_ASIDE]
ANSWERABLE = [row for row in ROWS if row["answerable"]]
PHRASINGS = [
    phrasing
    for name in ("return_policy_phrasings.jsonl", "return_policy_kept_aside_phrasings.jsonl")
    for phrasing in read_jsonl(ROOT / "tests" / "data" / name)
]
EXPECT = {row["id"]: row["expect"] for row in ROWS}


@cache
def policy(name: str) -> Document:
    folder = KEPT_ASIDE_POLICIES if name in KEPT_ASIDE_NAMES else POLICIES
    return load_document((folder / name).read_bytes(), name)


def folded(text: str) -> str:
    return " ".join(text.split())


def is_right(expect: list[str], answer: str) -> bool:
    return all(re.search(pattern, answer, re.IGNORECASE) for pattern in expect)


def numbers(text: str) -> set[float]:
    return {float(found.replace(",", "")) for found in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)}


def by_id(row: object) -> str:
    return row["id"] if isinstance(row, dict) else ""


# Rows


@pytest.mark.parametrize("row", ROWS, ids=by_id)
def test_row_has_the_fields_of_its_kind(row: dict[str, Any]) -> None:
    fields = {"id", "policy", "question", "answerable", "expect", "tags", "evidence"}
    assert set(row) == (fields | {"example_answer"} if row["answerable"] else fields)
    assert row["policy"] in (KEPT_ASIDE_NAMES if row in KEPT_ASIDE else NAMES)
    assert row["question"] == row["question"].strip() != ""
    assert set(row["tags"]) <= TAGS
    assert len(set(row["tags"])) == len(row["tags"])
    for field in ("expect", "evidence"):
        assert all(isinstance(entry, str) and entry for entry in row[field])
        assert bool(row[field]) is row["answerable"]
    kinds = {"single", "two-passages", "unanswerable"} & set(row["tags"])
    assert len(kinds) == 1
    assert ("unanswerable" in kinds) is not row["answerable"]
    if "two-passages" in kinds:
        assert len(row["evidence"]) >= 2


def test_ids_and_questions_are_unique() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    # The two versions of one policy may be asked the same.
    assert len({(row["policy"], row["question"]) for row in ROWS}) == len(ROWS)


def test_there_are_enough_questions_of_every_kind() -> None:
    tags = Counter(tag for row in MAIN for tag in row["tags"])
    assert len(MAIN) >= 160
    assert tags["unanswerable"] * 3 >= len(MAIN)
    assert tags["two-passages"] >= 20
    assert tags["paraphrase"] >= 30
    assert tags["computed"] >= 20
    assert tags["table"] >= 10
    per_policy = Counter(row["policy"] for row in MAIN)
    assert all(per_policy[name] >= (12 if name.endswith("v2.md") else 35) for name in NAMES)


def test_count_table_adds_up() -> None:
    head, *body = script.count_table(MAIN).splitlines()
    assert head.split()[0] == "all"
    assert [line.split()[0] for line in body] == [*NAMES, "total"]
    per_policy = [[int(cell) for cell in line.split()[1:]] for line in body]
    assert [sum(column) for column in zip(*per_policy[:-1], strict=True)] == per_policy[-1]
    assert per_policy[-1][0] == len(MAIN)


# Regular expressions


@pytest.mark.parametrize("row", ANSWERABLE, ids=by_id)
def test_expect_takes_the_example_answer_and_no_abstention(row: dict[str, Any]) -> None:
    for pattern in row["expect"]:
        assert re.search(pattern, row["example_answer"], re.IGNORECASE), pattern
    for text in ABSTENTIONS:
        assert not is_right(row["expect"], text), text


@pytest.mark.parametrize("phrasing", PHRASINGS, ids=by_id)
def test_expect_takes_other_wordings_and_refuses_wrong_facts(phrasing: dict[str, Any]) -> None:
    expect = EXPECT[phrasing["id"]]
    assert phrasing["wrong"]
    for answer in phrasing["right"]:
        assert is_right(expect, answer), answer
    for answer in phrasing["wrong"]:
        assert not is_right(expect, answer), answer


def test_every_answerable_question_has_wrong_answers_to_refuse() -> None:
    assert [row["id"] for row in ANSWERABLE] == [phrasing["id"] for phrasing in PHRASINGS]


NUMERIC = [
    row
    for row in ANSWERABLE
    if {"date", "amount"} & set(row["tags"]) and "yes-no" not in row["tags"] and numbers(row["example_answer"])
]


@pytest.mark.parametrize("row", NUMERIC, ids=by_id)
@pytest.mark.parametrize("shift", [1, 10])
def test_expect_refuses_the_answer_with_other_numbers(row: dict[str, Any], shift: int) -> None:
    changed = re.sub(r"\d+", lambda found: str(int(found[0]) + shift), row["example_answer"])
    assert not is_right(row["expect"], changed), changed


YES_NO = [row for row in ANSWERABLE if re.match(r"(yes|no)\b", row["example_answer"], re.IGNORECASE)]


@pytest.mark.parametrize("row", [row for row in YES_NO if "yes-no" in row["tags"]], ids=by_id)
def test_expect_refuses_the_opposite(row: dict[str, Any]) -> None:
    says_yes = row["example_answer"].lower().startswith("yes")
    opposites = ("No.", "No, you can't.") if says_yes else ("Yes.", "Yes, you can.", "You can return it.")
    for answer in opposites:
        assert not is_right(row["expect"], answer), answer


# Policies


@pytest.mark.parametrize("row", ANSWERABLE, ids=by_id)
def test_evidence_is_in_the_policy(row: dict[str, Any]) -> None:
    text = folded(policy(row["policy"]).text)
    for quote in row["evidence"]:
        assert folded(quote) in text, quote


@pytest.mark.parametrize("row", [row for row in ANSWERABLE if "computed" not in row["tags"]], ids=by_id)
def test_expected_numbers_come_from_the_evidence(row: dict[str, Any]) -> None:
    evidence = numbers(" ".join(row["evidence"]))
    for pattern in row["expect"]:
        found = re.search(pattern, row["example_answer"], re.IGNORECASE)
        assert found is not None
        assert numbers(found[0]) <= evidence, found[0]


@pytest.mark.parametrize("name", [*NAMES, *KEPT_ASIDE_NAMES])
def test_policy_is_long_enough_and_loads_without_warnings(name: str) -> None:
    document = policy(name)
    assert 900 <= len(document.text.split()) <= 1800
    assert document.warnings == ()


def test_versions_differ_in_the_six_listed_facts_and_the_version_line() -> None:
    facts = [
        (r"within 60 days of delivery", r"within 45 days of delivery"),
        (r"returned within 21 days of delivery, for store credit only", r"worn outdoors cannot be returned"),
        (r"restocking fee of 10%", r"restocking fee of 15%"),
        (r"above \$75\.", r"above \$120\."),
        (r"within 5 business days after inspection", r"within 8 business days after inspection"),
        (r"bonus of 5%", r"bonus of 8%"),
    ]
    version = (r"Version 1\.0 \| Effective March 3, 2025", r"Version 2\.0 \| Effective September 8, 2025")
    old, new = ((POLICIES / name).read_text(encoding="utf-8").splitlines() for name in NAMES[:2])
    changes = [
        code for code in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"
    ]
    assert all(tag == "replace" and i2 - i1 == j2 - j1 == 1 for tag, i1, i2, j1, j2 in changes)
    assert len(changes) == 7
    for (_, i1, _, j1, _), (before, after) in zip(changes, [version, *facts], strict=True):
        assert re.search(before, old[i1])
        assert re.search(after, new[j1])
    table = (POLICIES / "README.md").read_text(encoding="utf-8").partition("## The two versions")[2]
    assert len(re.findall(r"^\| (?!Fact|---)", table, re.MULTILINE)) == len(facts)


def test_each_changed_fact_is_asked_of_the_new_version() -> None:
    new, old = policy(NAMES[1]).text, policy(NAMES[0]).text
    changed = {line for line in new.splitlines() if line not in old.splitlines()}
    quotes = [quote for row in ANSWERABLE if row["policy"] == NAMES[1] for quote in row["evidence"]]
    assert len(changed) == 7
    assert all(any(quote in line for quote in quotes) for line in changed)


@pytest.mark.parametrize("name", ["voltara-electronics.pdf", "maison-lune-fashion.docx"])
def test_built_policy_is_current_and_the_same_on_every_build(name: str) -> None:
    assert script.stale_files() == []
    assert script.build(name) == script.build(name)


def test_pdf_has_running_heads_and_page_numbers() -> None:
    import pypdfium2

    pdf = pypdfium2.PdfDocument((POLICIES / "voltara-electronics.pdf").read_bytes())
    pages = [page.get_textpage().get_text_range() for page in pdf]
    assert len(pages) >= 3
    for number, text in enumerate(pages, start=1):
        assert "Voltara Electronics B.V. - Terms of Return" in text
        assert f"Page {number} of {len(pages)}" in text


def test_docx_has_a_table_lists_and_headings() -> None:
    import docx

    document = docx.Document(str(POLICIES / "maison-lune-fashion.docx"))
    styles = Counter(paragraph.style.name for paragraph in document.paragraphs)
    assert [cell.text for cell in document.tables[0].rows[0].cells] == [
        "Category",
        "Window",
        "Condition",
        "Refund form",
    ]
    assert min(styles["List Bullet"], styles["List Number"], styles["Heading 1"]) >= 5


# Prompts


def test_system_prompt_is_verbatim() -> None:
    assert (SCENARIO / "system_prompt.txt").read_text(encoding="utf-8") == SYSTEM_PROMPT + "\n"


def test_few_shot_examples_are_complete_and_of_another_policy() -> None:
    examples = json.loads((SCENARIO / "few_shot.json").read_text(encoding="utf-8"))
    assert 3 <= len(examples) <= 5
    assert [example["answer"] for example in examples].count("I don't know.") == 1
    policies = folded(" ".join(policy(name).text for name in NAMES))
    for example in examples:
        assert set(example) == {"passages", "question", "answer", "reasoning"}
        assert all(isinstance(example[field], str) and example[field] for field in ("question", "answer", "reasoning"))
        assert example["passages"]
        assert all(passage not in policies for passage in example["passages"])
        shown = numbers(" ".join([*example["passages"], example["question"], example["reasoning"]]))
        assert numbers(example["answer"]) <= shown


def test_suggested_questions_exist_for_every_policy() -> None:
    suggested = json.loads((SCENARIO / "suggested.json").read_text(encoding="utf-8"))
    assert set(suggested) == set(NAMES)
    for rows in suggested.values():
        questions = [row["question"] for row in rows]
        assert 4 <= len(questions) <= 5
        assert len(set(questions)) == len(questions)
        assert all(question.endswith("?") and len(question) <= 80 for question in questions)


YES_NO = [row for row in ROWS if re.match(r"(?:Yes|No)\b", row.get("example_answer", ""))]


@pytest.mark.parametrize("lead", ["The answer is: ", "The answer to this question is ", "The answer is **"])
@pytest.mark.parametrize("row", YES_NO, ids=by_id)
def test_a_lead_in_does_not_change_a_yes_or_no(row: dict[str, Any], lead: str) -> None:
    assert is_right(row["expect"], lead + row["example_answer"])
    word = row["example_answer"].split(",")[0].rstrip(".")
    other = {"Yes": "No", "No": "Yes"}[word]
    assert not is_right(row["expect"], f"{lead}{other}.")
