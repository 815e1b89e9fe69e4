"""Labels as people read them. CUAD writes every word with one capital, abbreviations too."""

from __future__ import annotations

import re

_ABBREVIATIONS = re.compile(r"\b(?:Ip)\b")


def label_title(name: str) -> str:
    """Return a label's name for a screen: "IP Ownership Assignment" for "Ip Ownership Assignment"."""
    return _ABBREVIATIONS.sub(lambda match: match[0].upper(), name)
