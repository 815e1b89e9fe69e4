"""A playbook: what each side of a contract thinks of each kind of clause. Risk and checks turn with the side.

The file is TOML, or JSON of the same shape: ``name``, and a list ``rows`` with ``label``, ``side`` (a word, or a list
of them), ``clause`` ("unwelcome", "wanted" or "neutral"), ``risk``, ``acceptable``, ``fallback`` and, if wanted,
``note``. Nothing in it is run, and all of it is shown as plain text.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from playground.errors import AnnotationError
from playground.files import read_file
from playground.types import Label, Risk, Stance, Welcome

MOST_BYTES = 256 << 10
MOST_ROWS = 1_000
MOST_CHARACTERS = 600
_MOST_NAME = 100
_MOST_ERRORS = 5
_MOST_QUOTED = 40
_SIDE = re.compile(r"[a-z][a-z0-9 -]{0,39}")
_FIELDS = ("label", "side", "clause", "risk", "acceptable", "fallback", "note")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Position:
    """One row of a playbook: the risk of a label for a side, and its stance."""

    label: str
    risk: Risk
    stance: Stance


@dataclass(frozen=True, slots=True)
class Playbook:
    """A checked playbook. ``source`` is the text that it was read from, to be handed on as it is."""

    name: str
    positions: tuple[Position, ...]
    source: str

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides it speaks for, in the order of the file."""
        return tuple(dict.fromkeys(position.stance.side for position in self.positions))

    @property
    def fingerprint(self) -> str:
        """The first digits of the SHA-256 of its text."""
        return hashlib.sha256(self.source.encode("utf-8", "replace")).hexdigest()[:8]


def read_playbook(data: bytes, labels: Collection[str], file: str = "The playbook") -> Playbook:
    """Read and check a playbook.

    Args:
        data: the file, TOML or JSON in UTF-8, at most ``MOST_BYTES``.
        labels: the labels that there are, spelt as the flagger spells them.
        file: its name, for the errors.

    Raises:
        AnnotationError: it cannot be used; every fault (the first five of them) is named with its row.
    """
    if len(data) > MOST_BYTES:
        raise AnnotationError(f"{file} has more than {MOST_BYTES >> 10} KB. Leave out what is not needed.")
    content, text = _parsed(data, file)
    name = content.get("name", "")
    rows = content.get("rows")
    if not isinstance(rows, list) or not rows:
        raise AnnotationError(f"{file} has no rows. Each is a [[rows]] with {', '.join(_FIELDS)}.")
    if len(rows) > MOST_ROWS:
        raise AnnotationError(f"{file} has {len(rows):,} rows, more than {MOST_ROWS:,}. Leave some out.")
    faults: list[str] = []
    if unknown := sorted(set(content) - {"name", "rows"}):
        faults.append(f"{_quoted(unknown[0])} is no field of a playbook: use name and rows")
    if not isinstance(name, str) or not name.strip() or len(name) > _MOST_NAME or _CONTROL.search(name):
        faults.append(f"the name must be a text of 1 to {_MOST_NAME} characters")
    positions: dict[tuple[str, str], Position] = {}
    row_of: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, start=1):
        if found := _row_faults(row, labels):
            faults += [f"row {number}: {one}" for one in found]
            continue
        for position in _positions(row):
            key = (position.label, position.stance.side)
            if key in positions:
                faults.append(
                    f"row {number}: {position.label!r} has a position for the {position.stance.side} already, in row "
                    f"{row_of[key]}; leave one out"
                )
            positions.setdefault(key, position)
            row_of.setdefault(key, number)
    if faults:
        more = f" There are {len(faults) - _MOST_ERRORS} more." if len(faults) > _MOST_ERRORS else ""
        raise AnnotationError(f"{file} cannot be used. {'. '.join(_sentence(f) for f in faults[:_MOST_ERRORS])}.{more}")
    return Playbook(" ".join(cast(str, name).split()), tuple(positions.values()), text)


def load_playbook(path: Path, labels: Collection[str]) -> Playbook:
    """Read a playbook's file; errors as for ``read_playbook``, and where the file cannot be read."""
    try:
        data = read_file(path, MOST_BYTES) if path.stat().st_size <= MOST_BYTES else bytes(MOST_BYTES + 1)
    except OSError as error:
        raise AnnotationError(f"{path} cannot be read ({error.strerror or error}). Check its name.") from error
    return read_playbook(data, labels, path.name)


def for_side(catalogue: Mapping[str, Label], playbook: Playbook, side: str) -> dict[str, Label]:
    """Return the catalogue as one side sees it: risk and stance turned; labels without a position stay as they are.

    Raises:
        AnnotationError: the playbook has nothing for this side.
    """
    check_side(playbook, side)
    positions = {one.label: one for one in playbook.positions if one.stance.side == side}
    return {
        name: replace(label, risk=positions[name].risk, stance=positions[name].stance) if name in positions else label
        for name, label in catalogue.items()
    }


def check_side(playbook: Playbook, side: str) -> None:
    """Refuse a side for which the playbook has no row.

    Raises:
        AnnotationError: there is none; the sides that there are, are named.
    """
    if side not in playbook.sides:
        raise AnnotationError(
            f"The playbook has no row for the side {_quoted(side)}. It has: {', '.join(playbook.sides)}."
        )


def _parsed(data: bytes, file: str) -> tuple[dict[str, object], str]:
    try:
        text = data.decode("utf-8-sig")
        content = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{file} is not in UTF-8. Save it as UTF-8 text.") from error
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise AnnotationError(f"{file} is neither TOML nor JSON ({reason}). Mend it at that place.") from error
    return cast("dict[str, object]", content), text


def _row_faults(row: object, labels: Collection[str]) -> list[str]:
    if not isinstance(row, dict):
        return [f"it must have the fields {', '.join(_FIELDS)}"]
    faults = [f"{_quoted(name)} is no field; use {', '.join(_FIELDS)}" for name in sorted(set(row) - set(_FIELDS))]
    for name in ("label", "clause", "risk", "acceptable", "fallback"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            faults.append(f"{name} is missing or no text")
    for name in ("acceptable", "fallback", "note"):
        value = row.get(name, "")
        if not isinstance(value, str):
            faults.append(f"{name} must be a text")
        elif len(value) > MOST_CHARACTERS:
            faults.append(f"{name} has more than {MOST_CHARACTERS} characters; shorten it")
        elif _CONTROL.search(value):
            faults.append(f"{name} has characters that cannot be seen; type it anew")
    faults = list(dict.fromkeys(faults))
    for side in _sides(row) or [None]:
        if not isinstance(side, str) or not _SIDE.fullmatch(side):
            faults.append("side must be a word such as customer, or a list of them, in small letters")
            break
    label = row.get("label")
    if isinstance(label, str) and label.strip() and label not in labels:
        near = difflib.get_close_matches(label[:_MOST_QUOTED], list(labels), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "use a name from the list of labels"
        faults.append(f"there is no label {_quoted(label)}; {hint}")
    for name, allowed in (("clause", get_args(Welcome)), ("risk", get_args(Risk))):
        value = row.get(name)
        if isinstance(value, str) and value.strip() and value not in allowed:
            faults.append(f"{name} is {_quoted(value)}; use {', '.join(allowed[:-1])} or {allowed[-1]}")
    return faults


def _sides(row: Mapping[str, object]) -> Sequence[object]:
    side = row.get("side")
    return side if isinstance(side, list) else [side]


def _positions(row: Mapping[str, str]) -> list[Position]:
    """Return a position for each side of a checked row; a side named twice in it counts once."""
    clause, risk = cast(Welcome, row["clause"]), cast(Risk, row["risk"])
    words = [" ".join(row.get(name, "").split()) for name in ("acceptable", "fallback", "note")]
    sides = dict.fromkeys(cast("Sequence[str]", _sides(row)))
    return [Position(row["label"], risk, Stance(side, clause, *words)) for side in sides]


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".?")
