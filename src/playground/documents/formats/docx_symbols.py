# ruff: noqa: RUF001 - a table of signs holds what looks like other letters
"""Letters of symbol fonts as the signs that they are drawn as: a ticked box of Wingdings is no "þ".

From Unicode's mapping of the Wingdings fonts (L2/12-130) and Adobe's encoding of Symbol. Boxes become "[x]" and "[ ]":
what is ticked must be seen by whoever reads, finds or judges the text.
"""

from __future__ import annotations

TICKED, EMPTY = "[x]", "[ ]"

_WINGDINGS = {
    0x28: "☎", 0x2A: "✉", 0x46: "☞", 0x6C: "●", 0x6E: "■", 0x6F: EMPTY, 0x70: EMPTY, 0x71: EMPTY, 0x72: EMPTY,
    0x78: TICKED, 0x76: "❖", 0x9F: "•", 0xA7: "▪", 0xA8: EMPTY, 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE8: "→",
    0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: TICKED, 0xFE: TICKED,
} | {0x80 + n: f"({n})" for n in range(11)} | {0x8B + n: f"({n})" for n in range(11)}  # fmt: skip
_WINGDINGS_2 = {
    0x4F: "✗", 0x50: "✓", 0x51: TICKED, 0x52: TICKED, 0x53: TICKED, 0x54: TICKED,
    0xA2: "■", 0xA3: EMPTY,
}  # fmt: skip
_WEBDINGS = {0x61: "✓", 0x63: EMPTY, 0x67: "■", 0x72: "✗"}
# From 0x40 and from 0xA0 on; a space stands for what has no sign in Unicode or is part of a tall bracket.
_SYMBOL_LETTERS = "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_ αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
_SYMBOL_SIGNS = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…  ↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑           〉∫⌠ ⌡"
_SYMBOL = dict(enumerate(_SYMBOL_LETTERS, 0x40)) | dict(enumerate(_SYMBOL_SIGNS, 0xA0))
_SYMBOL |= {0x22: "∀", 0x24: "∃", 0x27: "∋", 0x2A: "∗", 0x2D: "−"}

_FONTS = {"wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2, "webdings": _WEBDINGS, "symbol": _SYMBOL}
_PRIVATE_USE = 0xF000


def is_symbol_font(font: str | None) -> bool:
    """Whether the letters of a font (its name in lower case) stand for signs."""
    return font in _FONTS or font == "wingdings 3"


def sign(font: str, character: int) -> str:
    """Return what a character code of a font (its name in lower case) is drawn as; empty where we do not know it."""
    code = character - _PRIVATE_USE if _PRIVATE_USE < character < _PRIVATE_USE + 0x100 else character
    known = _FONTS.get(font)
    if known is None:
        return "" if character >= 0xE000 or is_symbol_font(font) else chr(character)
    found = known.get(code, "").strip()
    return found or (chr(code) if font == "symbol" and 0x20 <= code < 0x40 else "")


def signs(font: str, text: str) -> str:
    """Return text that is set in a symbol font as the signs that it is drawn as; white space stays."""
    return "".join(character if character.isspace() else sign(font, ord(character)) for character in text)
