"""Text from outside, fit for a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return ``text`` without control characters: a policy or a model must not be able to steer the terminal."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def one_line(text: str) -> str:
    """Return ``text`` as one printable line."""
    return " ".join(plain(text).split())
