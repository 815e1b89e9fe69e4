"""Names of labels as people write them -> the known labels, or a reason that says which one may be meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from playground.text.normalise import clean_title

MAX_LABEL_CHARACTERS = 100
# Each suggestion compares with every known label: a file with 50,000 different wrong names must not take minutes.
_MAX_SUGGESTIONS = 500
_NOT_A_LETTER = re.compile(r"[\W_]+")
_NO_LABEL = {"", "none", "no", "na", "nan", "null", "nil", "negative", "other", "nolabel"}


class LabelNames:
    """Looks names up, whatever their case, spaces, hyphens and slashes: "cap_on_liability" is Cap On Liability."""

    def __init__(self, known_labels: Sequence[str]) -> None:
        self._order = {label: place for place, label in enumerate(known_labels)}
        self._by_key = {_key(label): label for label in reversed(known_labels)}
        self._reasons: dict[str, str] = {}

    def find(self, name: str) -> str | None:
        """Return the known label that ``name`` means, or None."""
        if name in self._order:
            return name
        return self._by_key.get(_key(name)) if len(name) <= MAX_LABEL_CHARACTERS else None

    def ordered(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return known labels once each, in the order of the known labels."""
        return tuple(sorted(set(labels), key=self._order.__getitem__))

    def unknown(self, name: str) -> str:
        """Return the reason for rejecting ``name``, with the nearest known label where one is near."""
        name = name[:MAX_LABEL_CHARACTERS]
        if name not in self._reasons:
            if len(self._reasons) >= _MAX_SUGGESTIONS:
                return f"Unknown label {shown(name)}."
            self._reasons[name] = self._reason(name)
        return self._reasons[name]

    def _reason(self, name: str) -> str:
        key = _key(name)
        if key in _NO_LABEL:
            return f"Unknown label {shown(name)}. Leave the labels empty where a clause carries none."
        parts = [part.strip() for part in name.split(",")]
        if len(parts) > 1 and all(self.find(part) for part in parts):
            return f"Unknown label {shown(name)}. Separate labels with a semicolon."
        near = difflib.get_close_matches(key, self._by_key, n=1, cutoff=0.6)
        hint = f" Did you mean {self._by_key[near[0]]}?" if near else ""
        return f"Unknown label {shown(name)}.{hint}"


def shown(text: str, limit: int = 60) -> str:
    """Return text of the user's file in quotation marks, as one bounded line without invisible characters."""
    line = clean_title(text[: 4 * limit], "")
    return f'"{line[: limit - 1]}…"' if len(line) > limit else f'"{line}"'


def _key(name: str) -> str:
    return _NOT_A_LETTER.sub("", name.casefold())
