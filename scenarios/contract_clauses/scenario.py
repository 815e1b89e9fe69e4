"""Scenario B: a law firm has the risky clauses of a contract flagged. The files beside this one hold the words."""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from pathlib import Path

from playground.errors import AnnotationError
from playground.flagging.playbook import Playbook, load_playbook
from playground.text.label_titles import label_title
from playground.typed_json import typed_json
from playground.types import AnnotatedClause, Label

FOLDER = Path(__file__).parent

_MOST_QUOTED = 60


@lru_cache(maxsize=1)
def labels() -> tuple[Label, ...]:
    """Return CUAD's 41 categories under their own names, in the order of ``labels.json``."""
    return typed_json(tuple[Label, ...], (FOLDER / "labels.json").read_bytes(), only_known=True)


def label(name: str) -> Label:
    """Return the label called ``name``, spelt as CUAD spells it or as screens do.

    Raises:
        AnnotationError: there is none; the message names the nearest one.
    """
    by_name = {label_title(known.name): known for known in labels()} | {known.name: known for known in labels()}
    if name in by_name:
        return by_name[name]
    by_lower = {known.lower(): known for known in by_name}
    near = difflib.get_close_matches(name[:_MOST_QUOTED].lower(), by_lower, n=1)
    hint = f"Did you mean {by_lower[near[0]]!r}?" if near else "Use one of the names in labels.json."
    raise AnnotationError(f"There is no label {name[:_MOST_QUOTED]!r}. {hint}")


def liability_labels() -> tuple[str, ...]:
    """Return the names of the labels that are shown as liabilities by default."""
    return tuple(known.name for known in labels() if known.liability)


def keywords() -> dict[str, tuple[str, ...]]:
    r"""Return, for each label, the regular expressions that a careful lawyer would search a contract with.

    To be searched with ``re.IGNORECASE`` in one clause at a time. A space matches any one white-space character, so a
    line break does no harm; fold longer runs (``" ".join(text.split())``) first. Every repetition is bounded: the time
    is linear in the length of the text.
    """
    return dict(_keywords())


@lru_cache(maxsize=1)
def _keywords() -> tuple[tuple[str, tuple[str, ...]], ...]:
    by_label = typed_json(dict[str, list[str]], (FOLDER / "keywords.json").read_bytes())
    return tuple((name, tuple(p.replace(" ", r"\s") for p in patterns)) for name, patterns in by_label.items())


@lru_cache(maxsize=1)
def few_shot_clauses() -> tuple[AnnotatedClause, ...]:
    """Return the fixed examples for few-shot prompts: one clause for each liability, then clauses without a label.

    They belong to no contract of the training or test data.
    """
    rows = json.loads((FOLDER / "few_shot.json").read_text(encoding="utf-8"))
    return tuple(
        AnnotatedClause(id=f"few-shot-{number}", text=row["text"], labels=tuple(row["labels"]), contract="few-shot")
        for number, row in enumerate(rows, start=1)
    )


@lru_cache(maxsize=1)
def playbook() -> Playbook:
    """Return the playbook that ships with the scenario: what each side thinks of each kind of clause."""
    return load_playbook(FOLDER / "playbook.toml", [known.name for known in labels()])
