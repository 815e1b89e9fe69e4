"""Labels as people read them. CUAD writes every word with one capital, abbreviations too."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ABBREVIATIONS = re.compile(r"\b(?:Ip|Rofr|Rofo|Rofn)\b")


def label_title(name: str) -> str:
    """Return a label's name for a screen: "IP Ownership Assignment" for "Ip Ownership Assignment"."""
    return _ABBREVIATIONS.sub(lambda match: match[0].upper(), name)


def label_titles(names: Iterable[str]) -> str:
    """Return the names of labels for a screen, with commas between; "" for none."""
    return ", ".join(map(label_title, names))
