"""Find figures that stand in a document by hand: a figure is generated (see write_documents.py) or it is not there.

A figure is a share, a duration, a speed, a size in bytes, a count out of a count, or a fraction such as an average
precision. What a document may say by hand, such as a limit or a goal, is in docs/allowed_figures.toml with the reason.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALLOWED = "docs/allowed_figures.toml"

_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_UNIT = r"(?:percent|points?|ms|s|seconds?|minutes?|min|hours?|tokens/s|[MGk]B|times)"
FIGURE = re.compile(
    rf"(?<![\w.]){_NUMBER}\s?%"  # 41 %
    rf"|(?<![\w.]){_NUMBER}[ -]{_UNIT}(?![\w])"  # 0.23 s, 4.7 times
    rf"|(?<![\w.]){_NUMBER} (?:of|out of) (?:the )?{_NUMBER}(?![\w])"  # 40 of 40
    r"|(?<![\w.])[01]\.\d{2,}(?![\w.])"  # 0.66
)
_GENERATED = re.compile(r"<!-- \[\[\[cog.*?\[\[\[end\]\]\].*?-->", re.DOTALL)
_CODE = re.compile(r"^```.*?^```|^~~~.*?^~~~|`[^`\n]+`|\]\([^)\s]+\)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """A figure by hand: where it stands and what it says."""

    document: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.text!r} stands by hand"


def figures_by_hand(document: str, text: str) -> list[Found]:
    """Return the figures in ``text`` outside generated blocks and code."""
    for hidden in (_GENERATED, _CODE):
        text = hidden.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return [Found(document, text.count("\n", 0, one.start()) + 1, one[0]) for one in FIGURE.finditer(text)]


def complaints(documents: Mapping[str, str], allowed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for every figure by hand that is not allowed, and for every allowance that nothing needs."""
    unused = {(one["document"], figure): one["reason"] for one in allowed for figure in one["figures"]}
    known = set(unused)
    wrong = []
    for document, text in documents.items():
        for found in figures_by_hand(document, text):
            unused.pop((document, found.text), None)
            if (document, found.text) not in known:
                wrong.append(str(found))
    if wrong:
        wrong.append(
            "Take these figures from a file with a function of scripts/measurements, or say in "
            f"{ALLOWED} why they may stand by hand."
        )
    return wrong + [
        f"{ALLOWED} allows {figure!r} in {document}, where it does not stand. Take it out."
        for document, figure in unused
    ]


def read_allowed(root: Path) -> list[dict[str, Any]]:
    """Return what the documents under ``root`` may say by hand: ``document``, ``figures`` and ``reason``."""
    path = root / ALLOWED
    if not path.is_file():
        return []
    allowed: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["allowed"]
    return allowed
