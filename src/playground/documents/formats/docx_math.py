"""Formulas of a DOCX (Office Math) on one line: a fraction is "1/2" and a power "10^6", never "12" and "106"."""

from __future__ import annotations

from typing import Any

from playground.documents.formats.ooxml import M

_TEXT = M + "t"
_PARTS = {M + name: (tuple(M + part for part in parts), signs) for name, parts, signs in (
    ("f", ("num", "den"), ("", "/")),
    ("sSup", ("e", "sup"), ("", "^")),
    ("sSub", ("e", "sub"), ("", "_")),
    ("sSubSup", ("e", "sub", "sup"), ("", "_", "^")),
)}  # fmt: skip


def math_text(formula: Any) -> str:
    """Return a formula or a part of it as one line of text."""
    tag = formula.tag
    if tag == _TEXT:
        return formula.text or ""
    if tag in _PARTS:
        names, signs = _PARTS[tag]
        return "".join(sign + _grouped(formula.find(name)) for name, sign in zip(names, signs, strict=True))
    inside = "".join(math_text(child) for child in formula if isinstance(child.tag, str))
    if tag == M + "rad":
        degree, base = formula.find(M + "deg"), formula.find(M + "e")
        return f"{'' if degree is None else math_text(degree)}√{_grouped(base)}"
    if tag == M + "d":
        opening, closing = (formula.find(f"{M}dPr/{M}{name}") for name in ("begChr", "endChr"))
        parts = ", ".join(math_text(part) for part in formula.iterfind(M + "e"))
        return f"{_mark(opening, '(')}{parts}{_mark(closing, ')')}"
    if tag == M + "nary":
        low, high, base = (formula.find(M + name) for name in ("sub", "sup", "e"))
        limits = "".join(
            f"{mark}{_grouped(part)}"
            for mark, part in (("_", low), ("^", high))
            if part is not None and math_text(part)
        )
        return f"{_mark(formula.find(f'{M}naryPr/{M}chr'), '∫')}{limits} {'' if base is None else math_text(base)}"
    return inside


def _grouped(part: Any | None) -> str:
    text = "" if part is None else math_text(part).strip()
    return text if text.replace(".", "").replace(",", "").isalnum() or len(text) < 2 else f"({text})"


def _mark(character: Any | None, usual: str) -> str:
    return usual if character is None else str(character.get(M + "val", ""))
