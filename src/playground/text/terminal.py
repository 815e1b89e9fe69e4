"""Text from outside, fit for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def plain(text: str) -> str:
    """Return ``text`` without control characters: a policy or a model must not be able to steer the terminal."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def one_line(text: str) -> str:
    """Return ``text`` as one printable line."""
    return " ".join(plain(text).split())


def text_table(
    rows: Sequence[Sequence[str]], *, label_width: int = 0, cell_width: int = 0, is_even: bool = False
) -> str:
    """Return rows of one length as a table, a line a row: the first column stands left, the others right.

    Args:
        rows: of cells, each of which is shown as one printable line.
        label_width: characters that the first column has at least.
        cell_width: characters that every other column has at least; two more than its longest cell in any case.
        is_even: all columns but the first are as wide as the widest of them.
    """
    shown = [[one_line(cell) for cell in row] for row in rows]
    label, *widths = (max(map(len, column)) for column in zip(*shown, strict=True))
    cells = [max(cell_width, width + 2) for width in widths]
    if is_even and cells:
        cells = [max(cells)] * len(cells)
    label = max(label_width, label)
    return "\n".join(
        f"{name:<{label}}{''.join(f'{cell:>{width}}' for cell, width in zip(row, cells, strict=True))}"
        for name, *row in shown
    )
