"""The annotated clauses of data/clauses: rows, labels, the split by source contract, and how alike the texts are.

Each check is a function from rows to the problems it finds, run on the files and on rows doctored to break it.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.paths import ROOT

FOLDER = ROOT / "data" / "clauses"
PARTS = ("part-1.jsonl", "part-2.jsonl")
LABELS = json.loads((ROOT / "scenarios" / "contract_clauses" / "labels.json").read_text(encoding="utf-8"))
NAMES = {label["name"] for label in LABELS}
DEFAULT = {label["name"] for label in LABELS if label["liability"]}
FIELDS = {"id", "contract", "split", "heading", "text", "labels", "style"}
STYLES = {"plain", "legalese", "uk", "us", "consumer"}
Row = dict[str, Any]


def load_rows(folder: Path = FOLDER) -> list[Row]:
    return [
        json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]


def row_problems(rows: Sequence[Row]) -> list[str]:
    """Fields, their types and values, each row on its own."""
    found = []
    for row in rows:
        name = row.get("id", "?")
        if set(row) != FIELDS:
            found.append(f"{name}: fields {sorted(set(row) ^ FIELDS)}")
            continue
        if not all(isinstance(row[key], str) for key in FIELDS - {"labels"}):
            found.append(f"{name}: a field that should be text is not")
            continue
        if unknown := set(row["labels"]) - NAMES:
            found.append(f"{name}: unknown labels {sorted(unknown)}")
        if len(set(row["labels"])) != len(row["labels"]):
            found.append(f"{name}: a label twice")
        if row["split"] not in ("train", "test") or row["style"] not in STYLES:
            found.append(f"{name}: split {row['split']!r}, style {row['style']!r}")
        if not 25 <= len(row["text"]) <= 2000:
            found.append(f"{name}: {len(row['text'])} characters")
        if not row["contract"] or row["text"] != " ".join(row["text"].split()):
            found.append(f"{name}: no contract, or white space that should not be there")
    return found


def identity_problems(rows: Sequence[Row]) -> list[str]:
    """Unique ids and texts; a contract is in one split only."""
    found = [f"id {key} twice" for key, n in Counter(row["id"] for row in rows).items() if n > 1]
    found += [f"text twice: {key[:60]}" for key, n in Counter(row["text"].lower() for row in rows).items() if n > 1]
    splits = defaultdict(set)
    for row in rows:
        splits[row["contract"]].add(row["split"])
    return found + [f"{contract} in both splits" for contract, names in splits.items() if len(names) > 1]


def likeness_problems(rows: Sequence[Row]) -> list[str]:
    """Pairs of texts with token Jaccard >= 0.8, or >= 0.6 where one is in train and the other in test."""
    tokens = [set(re.findall(r"\w+", row["text"].lower())) for row in rows]
    column = {token: i for i, token in enumerate(sorted(set().union(*tokens)))}
    has = np.zeros((len(rows), len(column)), dtype=np.float32)
    for i, words in enumerate(tokens):
        has[i, [column[word] for word in words]] = 1
    shared = has @ has.T
    size = has.sum(axis=1)
    jaccard = shared / (size[:, None] + size[None, :] - shared)
    test = np.array([row["split"] == "test" for row in rows])
    limit = np.where(test[:, None] != test[None, :], 0.6, 0.8)
    pairs = np.argwhere(np.triu(jaccard >= limit, k=1))
    return [f"{rows[i]['id']} and {rows[j]['id']}: {jaccard[i, j]:.2f}" for i, j in pairs]


def total_problems(rows: Sequence[Row]) -> list[str]:
    """Enough rows, enough of each default label, enough negatives: what training and measuring live needs."""
    both = Counter(label for row in rows for label in row["labels"])
    test = Counter(label for row in rows if row["split"] == "test" for label in row["labels"])
    found = [
        f"{name}: {both[name]} in all, {test[name]} in test"
        for name in sorted(DEFAULT)
        if both[name] < 15 or test[name] < 4
    ]
    if len(rows) < 600:
        found.append(f"{len(rows)} rows")
    found += [f"{name}: no clause" for name in sorted(NAMES) if not both[name]]
    for split in ("train", "test"):
        kept = [row for row in rows if row["split"] == split]
        share = sum(not row["labels"] for row in kept) / max(len(kept), 1)
        if not 0.15 <= share <= 0.4:
            found.append(f"{split}: {share:.0%} of the rows carry no label")
    return found


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    loaded = load_rows()
    assert len(loaded) >= 400, "data/clauses has no complete part"
    return loaded


def test_the_labels_are_cuads() -> None:
    assert len(NAMES) == 41
    assert len(DEFAULT) == 21


@pytest.mark.parametrize("check", [row_problems, identity_problems, likeness_problems])
def test_the_parts_have_no_problem(check: Callable[[Sequence[Row]], list[str]], rows: list[Row]) -> None:
    assert check(rows) == []


@pytest.mark.skipif(not all((FOLDER / part).exists() for part in PARTS), reason="a part is still to be written")
def test_together_they_are_enough(rows: list[Row]) -> None:
    assert total_problems(rows) == []


def made(**changes: Any) -> Row:
    row: Row = {
        "id": "p9-01-01",
        "contract": "p9-01-lease",
        "split": "train",
        "heading": "",
        "text": "The tenant shall keep the roof of the barn in good repair.",
        "labels": ["Insurance"],
        "style": "uk",
    }
    return row | changes


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labels": ["Insurence"]}, "unknown labels"),
        ({"labels": ["Insurance", "Insurance"]}, "twice"),
        ({"split": "dev"}, "split"),
        ({"style": "baroque"}, "style"),
        ({"text": "Too short."}, "characters"),
        ({"text": "long " * 401}, "characters"),
        ({"text": "The tenant shall  keep the roof of the barn dry."}, "white space"),
        ({"contract": ""}, "no contract"),
        ({"heading": None}, "should be text"),
        ({"note": "x"}, "fields"),
    ],
)
def test_a_bad_row_is_found(changes: Row, says: str) -> None:
    assert row_problems([made()]) == []
    assert any(says in problem for problem in row_problems([made(**changes)]))


def test_a_repeated_id_or_text_and_a_contract_in_both_splits_are_found() -> None:
    first = made()
    assert identity_problems([first, made(id="p9-01-02", text="The tenant pays the rent quarterly.")]) == []
    assert identity_problems([first, made(text="Something else entirely is said here.")]) == ["id p9-01-01 twice"]
    assert "text twice" in identity_problems([first, made(id="b", text=first["text"].upper())])[0]
    other = made(id="b", split="test", text="Something else entirely is said here.")
    assert identity_problems([first, other]) == ["p9-01-lease in both splits"]


def test_texts_that_are_too_alike_are_found() -> None:
    a, b, c = "one two three four five six seven", "one two three four five six eight", "one two three four five"
    pair = [made(text=a), made(id="b", text=b)]  # 6 of 8 words
    assert likeness_problems(pair) == []
    pair[1]["split"] = "test"
    assert likeness_problems(pair) == ["p9-01-01 and b: 0.75"]
    assert likeness_problems([made(text=a), made(id="c", text=c + " six")]) == ["p9-01-01 and c: 0.86"]


def test_too_few_rows_or_labels_are_found(rows: list[Row]) -> None:
    few = [row for row in rows if "Audit Rights" not in row["labels"]][:500]
    found = total_problems(few)
    assert "500 rows" in found
    assert "Audit Rights: 0 in all, 0 in test" in found
    assert any("carry no label" in problem for problem in total_problems([row for row in rows if row["labels"]]))


def test_the_readme_counts_are_those_of_the_files(rows: list[Row]) -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    counts = Counter((label, row["split"]) for row in rows for label in row["labels"] or ["(no label)"])
    table = {
        match[1]: (int(match[2]), int(match[3]))
        for match in re.finditer(r"^\| (.+?) \| (\d+) \| (\d+) \|$", text, re.M)
    }
    names = {label for label, _ in counts}
    wrong = sorted(
        name for name in names | set(table) if table.get(name) != (counts[name, "train"], counts[name, "test"])
    )
    assert wrong == [], "run the command in data/clauses/README.md and paste its table"
