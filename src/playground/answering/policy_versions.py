"""Versions of a policy: built aside, activated in one step, rolled back.

Everything is immutable. A caller swaps by assigning the new shelf; an answer under way holds its own ``PolicyVersion``
and finishes on it. Each version has an index of its own, so nothing of another version can be retrieved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from playground.documents.diff import DiffLine, DiffSpan, diff_documents
from playground.documents.injection import warned_by_meaning
from playground.retrieval.index import PassageIndex, build_index
from playground.types import Document, Embedder

__all__ = [
    "MOST_VERSIONS",
    "DiffLine",
    "DiffSpan",
    "PolicyShelf",
    "PolicyVersion",
    "diff_versions",
    "prepare_version",
    "swap_summary",
]

MOST_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One indexed version of a policy. ``created_at`` is ISO 8601 in UTC; ``note`` says where it came from."""

    number: int
    document: Document
    index: PassageIndex
    created_at: str
    indexed_s: float
    note: str = ""

    @property
    def chunk_count(self) -> int:
        """Passages in the index."""
        return len(self.index.chunks)

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the extracted text."""
        return self.document.sha256

    @property
    def label(self) -> str:
        """Name for people: number, file and the start of the hash. Show it as plain text: the file's name is in it."""
        return f"v{self.number} · {self.document.source} · {self.sha256[:8]}"


@dataclass(frozen=True, slots=True)
class PolicyShelf:
    """The versions of one session, oldest first, and which one answers."""

    versions: tuple[PolicyVersion, ...] = ()
    active_number: int | None = None

    @property
    def active(self) -> PolicyVersion | None:
        """The version that answers; None on an empty shelf."""
        return None if self.active_number is None else self.get(self.active_number)

    @property
    def next_number(self) -> int:
        """Number for the next version; a number is never used twice."""
        return max((version.number for version in self.versions), default=0) + 1

    def get(self, number: int) -> PolicyVersion:
        """Return the version with ``number``.

        Raises:
            KeyError: the shelf has no such version (any more).
        """
        for version in self.versions:
            if version.number == number:
                return version
        raise KeyError(f"no version {number} on the shelf")

    def same_as_active(self, document: Document) -> PolicyVersion | None:
        """Return the active version if it has the text of ``document``: ask before indexing, and say so."""
        active = self.active
        return active if active is not None and active.sha256 == document.sha256 else None

    def with_version(self, version: PolicyVersion) -> PolicyShelf:
        """Return a shelf with ``version`` added and active; this very shelf when the active one has the same text.

        Beyond ``MOST_VERSIONS`` the oldest version that is not active goes.

        Raises:
            ValueError: the number is taken; use ``next_number``.
        """
        if self.same_as_active(version.document) is not None:
            return self
        if any(version.number <= known.number for known in self.versions):
            raise ValueError(f"version {version.number} is not above those on the shelf; use {self.next_number}")
        # The new version is active, so every older one may go.
        return PolicyShelf((*self.versions, version)[-MOST_VERSIONS:], version.number)

    def activated(self, number: int) -> PolicyShelf:
        """Return a shelf on which version ``number`` answers.

        Raises:
            KeyError: the shelf has no such version (any more).
        """
        return replace(self, active_number=self.get(number).number)


def prepare_version(
    document: Document,
    embedder: Embedder,
    number: int,
    *,
    note: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> PolicyVersion:
    """Index a document as version ``number``, and time it. ``on_progress`` is that of ``index.build_index``.

    The version's document has one warning more where the embedder finds a sentence that speaks to the model.
    """
    tell = on_progress or (lambda _done, _total: None)
    document = warned_by_meaning(document, embedder, lambda: tell(0, 0))
    started = time.perf_counter()
    index = build_index(document, embedder, on_progress=on_progress)
    indexed_s = time.perf_counter() - started
    created_at = datetime.now(UTC).isoformat(timespec="seconds")
    return PolicyVersion(number, document, index, created_at, indexed_s, note)


def swap_summary(version: PolicyVersion) -> str:
    """Say what the swap cost: "37 passages indexed in 0.4 s, no weights changed"."""
    passages = "1 passage" if version.chunk_count == 1 else f"{version.chunk_count:,} passages"
    digits = 1 if version.indexed_s >= 0.1 else 3
    return f"{passages} indexed in {version.indexed_s:.{digits}f} s, no weights changed"


def diff_versions(old: PolicyVersion, new: PolicyVersion) -> tuple[DiffLine, ...]:
    """Compare two versions line by line and word by word; see ``policy_diff``."""
    return diff_documents(old.document, new.document)
