"""Checked arguments of commands: what argparse takes as ``type``, so that all is checked before any model loads."""

from __future__ import annotations

import argparse
import contextlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from playground.files import check_output, check_regular, expanded

if TYPE_CHECKING:
    from playground.measuring.request import Kind

MOST_SEED = 2**63 - 1
"""Of a manifest, and of torch's generators."""


def positive(text: str) -> int:
    """Read a whole number from 1 on, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("it must be a whole number of at least 1")
    return number


def dollars(text: str) -> float:
    """Read an amount of US dollars above 0, for argparse."""
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not math.isfinite(amount) or amount <= 0:
        raise argparse.ArgumentTypeError("it must be an amount of US dollars above 0")
    return amount


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_option(kind: Kind) -> Callable[[str], object]:
    """Return how argparse reads the value of an option of a request (``measuring.request``)."""
    readers: dict[Kind, Callable[[str], object]] = {"file": input_path("the path"), "count": positive, "number": float}
    return readers.get(kind, str)


def seed(text: str) -> int:
    """Read a seed of a random generator, for argparse."""
    with contextlib.suppress(ValueError):
        number = int(text)
        if 0 <= number <= MOST_SEED:
            return number
    raise argparse.ArgumentTypeError(f"it must be a whole number from 0 to {MOST_SEED}")


def words(text: str) -> str:
    """Take text that is shown or put into a prompt, for argparse; bytes that are no text are refused."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("it holds bytes that are no text; type or paste it again") from None
    return text


def input_path(option: str) -> Callable[[str], Path]:
    """Return what reads the path of a file or folder that ``option`` names, for argparse.

    What is not there is left to the command, which knows what it wants; a pipe or a device is refused here.
    """

    def read(text: str) -> Path:
        path = _path(text)
        try:
            if not path.is_dir():
                check_regular(path)
        except OSError as error:
            raise argparse.ArgumentTypeError(
                f"{_short(text)} cannot be read ({error.strerror}). Check {option}"
            ) from None
        return path

    return read


def output_file(text: str) -> Path:
    """Read where a file is to be written, for argparse: one may be there and is replaced, nothing else is."""
    path = _path(text)
    try:
        check_output(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{_short(text)} cannot be written ({error.strerror}). Choose another place"
        ) from None
    return path


def output_folder(text: str) -> Path:
    """Read the folder that results go to, for argparse; it need not be there."""
    path = _path(text)
    try:
        if path.exists() and not path.is_dir():
            raise argparse.ArgumentTypeError(
                f"Results cannot be written to {_short(text)} (it is no folder). Choose another place"
            )
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{_short(text)} cannot be used ({error.strerror}). Choose another") from None
    return path


def _path(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("a path is needed, and it is empty; for the current folder write .")
    if text.startswith("-"):
        raise argparse.ArgumentTypeError(
            f"{_short(text)} looks like an option; if it is a name, write ./{_short(text)}"
        )
    if "\0" in text:
        raise argparse.ArgumentTypeError("no path holds a zero byte")
    words(text)
    return expanded(text)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
