"""What a bulk run found, in a page: how many of what risk, what is missing where, and which contracts to read first."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import total_ordering

from playground.bulk.ledger import FileResult
from playground.bulk.rows import RISKS, Row, error_of, shown_name

SUMMARY_FILE = "summary.json"


@total_ordering
@dataclass(frozen=True, slots=True)
class ToRead:
    """A contract and what speaks for reading it; of two, the greater one comes first.

    More flags of high risk come first, then more of medium risk, then more missing clauses, then the name.
    """

    file: str
    high: int
    medium: int
    missing: int
    flags: int

    def _order(self) -> tuple[int, int, int, tuple[int, ...]]:
        # Negated, as of two equal ones the name that is first in the alphabet is the greater.
        return self.high, self.medium, self.missing, tuple(-ord(letter) for letter in self.file)

    def __lt__(self, other: ToRead) -> bool:
        return self._order() < other._order()


@dataclass(slots=True)
class Summary:
    """Counts over all files, filled by ``add`` in the order of the files; bounded by labels and ``most``."""

    most: int = 200
    files: int = 0
    failed: int = 0
    copies: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    files_with: Counter[str] = field(default_factory=Counter)
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    label_files: Counter[tuple[str, str]] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    first: list[ToRead] = field(default_factory=list)

    def add(self, result: FileResult, flags: Sequence[Row]) -> None:
        """Count a file in. Of files with the same content only the first is to be read."""
        self.files += 1
        if error_of(result) or result.judged is None:
            self.failed += 1
            return
        risks = Counter(str(flag["risk"]) for flag in flags)
        labels = Counter((str(flag["label"]), str(flag["risk"])) for flag in flags)
        self.flags += risks
        self.labels += labels
        self.files_with.update(set(risks))
        self.label_files.update(set(labels))
        self.missing.update(result.judged.missing)
        if result.same_as:
            self.copies += 1
            return
        missing = len(result.judged.missing)
        one = ToRead(shown_name(result.name), risks["high"], risks["medium"], missing, len(flags))
        if not (one.flags or one.missing):
            return
        if len(self.first) < self.most:
            heapq.heappush(self.first, one)
        else:
            heapq.heappushpop(self.first, one)

    def as_object(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return {
            "files": self.files,
            "flagged": self.files - self.failed,
            "failed": self.failed,
            "copies": self.copies,
            "risks": [
                {"risk": risk, "flags": self.flags[risk], "files": self.files_with[risk]}
                for risk in RISKS
                if self.flags[risk]
            ],
            "labels": [
                {"label": label, "risk": risk, "flags": count, "files": self.label_files[label, risk]}
                for (label, risk), count in sorted(
                    self.labels.items(), key=lambda one: (RISKS.index(one[0][1]), -one[1], one[0])
                )
            ],
            "missing": [
                {"label": label, "files": count}
                for label, count in sorted(self.missing.items(), key=lambda one: (-one[1], one[0]))
            ],
            "read_first": [
                {"file": one.file, "high": one.high, "medium": one.medium, "missing": one.missing, "flags": one.flags}
                for one in sorted(self.first, reverse=True)
            ],
        }

    def as_json(self) -> bytes:
        """Return it as the content of summary.json."""
        text = json.dumps(self.as_object(), ensure_ascii=False, indent=1)
        return f"{text}\n".encode("utf-8", "replace")
