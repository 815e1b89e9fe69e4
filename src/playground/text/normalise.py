"""Text as every other module may rely on it: one kind of line end, nothing invisible, composed characters."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MAX_NAME_CHARACTERS = 120

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Controls, soft hyphens, zero-width characters, bidi marks and overrides, tag characters and non-characters. All are
# invisible, so they can hide instructions or make the text shown differ from the text searched. The joiners U+200C
# and U+200D stay: Persian and emoji need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_WIDE_SPACES = str.maketrans({"\u00a0": " ", "\u2007": " ", "\u202f": " "})
_MAX_COMBINING_RUN = 30


def normalise_text(text: str) -> str:
    r"""Return ``text`` with ``\n`` line ends, in NFC, without control, bidi or zero-width characters.

    ``\n`` and ``\t`` are the only control characters left; no-break spaces become spaces. Idempotent, linear.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _INVISIBLE.sub("", text).translate(_WIDE_SPACES)
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _bound_combining_runs(text))


def _bound_combining_runs(text: str) -> str:
    """Cut runs of combining marks to 30, as Unicode's Stream-Safe Text Format does (UAX #15, section 13).

    Canonical ordering sorts each run by insertion, so one run of a million marks would take hours.
    """
    marks = sorted(c for c in set(text) if unicodedata.combining(c))
    if not marks:
        return text
    of_marks = f"[{''.join(marks)}]"
    return re.sub(f"({of_marks}{{{_MAX_COMBINING_RUN}}}){of_marks}+", r"\1", text)


def clean_name(name: str, fallback: str) -> str:
    """Return a file name or title as one bounded line: base name only, no control characters, at most 120 characters.

    The end of a long file name is kept when it is a suffix, so that its type stays visible.
    """
    base = re.split(r"[/\\]", normalise_text(name).replace("\n", " ").replace("\t", " "))[-1]
    base = re.sub(r" +", " ", base).strip()
    if not base.strip("."):
        return fallback
    return _bounded(base)


def clean_title(title: str, fallback: str) -> str:
    """Return a title as one bounded line; unlike ``clean_name`` it may contain slashes."""
    line = re.sub(r"\s+", " ", normalise_text(title)).strip()
    return line[:MAX_NAME_CHARACTERS].rstrip() or fallback


def _bounded(base: str) -> str:
    if len(base) <= MAX_NAME_CHARACTERS:
        return base
    suffix = PurePosixPath(base).suffix
    if not 1 < len(suffix) <= 12:
        suffix = ""
    return base[: MAX_NAME_CHARACTERS - len(suffix)].rstrip() + suffix
