"""Read a questions file, the project's own or one from outside, and check every row before a model is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from playground.answering.answer import MOST_QUESTION_CHARACTERS
from playground.errors import EvaluationError
from playground.files import read_file
from playground.text.bounded_patterns import find_invalid
from playground.types import Example

_MOST_BYTES = 50 << 20
_MOST_PATTERNS = 50
_MOST_PATTERN_CHARACTERS = 5_000
_MOST_REASONS = 5

Row = dict[str, object]


def read_questions(path: Path, policies: Path) -> list[Example]:
    """Return the questions of a JSON-lines file as examples; blank lines are skipped.

    ``input`` is the question, ``metadata`` every other field: ``policy``, ``answerable``, ``expect`` and whatever else
    the row has.

    Args:
        path: the file; each row needs ``id``, ``policy``, ``question``, ``answerable`` and ``expect``.
        policies: the folder in which each row's policy must be a file.

    Raises:
        EvaluationError: the file or a row cannot be used; the message has the line number and the reason.
    """
    if not policies.is_dir():
        raise EvaluationError(f"The folder of policies {policies} does not exist. Check --policies.")
    rows: dict[int, Row] = {}
    reasons: dict[int, str] = {}
    seen: dict[str, int] = {}
    for number, line in _lines(path):
        try:
            row = _checked(_parsed(line), policies)
            if (first := seen.setdefault(str(row["id"]), number)) != number:
                raise ValueError(f"id {row['id']!r} was used in line {first}")
        except ValueError as error:
            reasons[number] = str(error)
        else:
            rows[number] = row
    invalid = find_invalid([pattern for row in rows.values() for pattern in _patterns(row)])
    for number, row in rows.items():
        bad = next((pattern for pattern in _patterns(row) if pattern in invalid), None)
        if bad is not None:
            reasons[number] = f"expect has the invalid regular expression {_shortened(bad)}: {invalid[bad]}"
    if reasons:
        raise _rows_error(path, reasons)
    if not rows:
        raise EvaluationError(f"{path} has no questions. Write one JSON object a line.")
    return [_example(row) for row in rows.values()]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            raise EvaluationError(f"{path} has more than {_MOST_BYTES >> 20} MB. Split it.")
        text = read_file(path, _MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise EvaluationError(f"The questions {path} cannot be read ({error.strerror}). Check --questions.") from error
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path} is not UTF-8 (byte {error.start + 1}). Save it as UTF-8.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _parsed(line: str) -> Row:
    try:
        row = json.loads(line)
        # A lone surrogate cannot be written to a file again.
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("it has half a surrogate pair") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg}, column {error.colno})") from None
    if not isinstance(row, dict):
        raise ValueError("it is not a JSON object")
    return row


def _checked(row: Row, policies: Path) -> Row:
    missing = [name for name in ("id", "policy", "question", "answerable", "expect") if name not in row]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    if isinstance(row["id"], int) and not isinstance(row["id"], bool):
        row = {**row, "id": str(row["id"])}
    for name in ("id", "policy", "question"):
        if not isinstance(row[name], str) or not str(row[name]).strip():
            raise ValueError(f"{name} must be a text that is not empty")
    if len(str(row["question"])) > MOST_QUESTION_CHARACTERS:
        raise ValueError(f"question has more than {MOST_QUESTION_CHARACTERS:,} characters")
    if not isinstance(row["answerable"], bool):
        raise ValueError("answerable must be true or false")
    _check_expect(row["expect"], answerable=row["answerable"])
    _check_policy(str(row["policy"]), policies)
    return row


def _check_expect(expect: object, *, answerable: bool) -> None:
    if not isinstance(expect, list) or not all(isinstance(pattern, str) for pattern in expect):
        raise ValueError("expect must be a list of regular expressions")
    if len(expect) > _MOST_PATTERNS or any(len(pattern) > _MOST_PATTERN_CHARACTERS for pattern in expect):
        raise ValueError(
            f"expect has more than {_MOST_PATTERNS} expressions or one of over {_MOST_PATTERN_CHARACTERS:,} characters"
        )
    if answerable and not expect:
        raise ValueError("expect is empty, so that any answer would be right; an answerable question needs one")


def _check_policy(name: str, policies: Path) -> None:
    # The row names a file of that folder, never one elsewhere.
    if any(character in name for character in "/\\\0") or name in (".", ".."):
        raise ValueError(f"policy {_shortened(name)} must be a file name without a folder")
    try:
        found = (policies / name).is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise ValueError(f"policy {_shortened(name)} is not a file in {policies}")


def _patterns(row: Mapping[str, object]) -> list[str]:
    expect = row["expect"]
    return [str(pattern) for pattern in expect] if isinstance(expect, list) else []


def _example(row: Row) -> Example:
    rest = {name: value for name, value in row.items() if name not in ("id", "question")}
    return Example(
        id=str(row["id"]), input=str(row["question"]), target=str(row.get("example_answer", "")), metadata=rest
    )


def _rows_error(path: Path, reasons: Mapping[int, str]) -> EvaluationError:
    listed = "; ".join(f"line {number}: {reasons[number]}" for number in sorted(reasons)[:_MOST_REASONS])
    more = f"; and {len(reasons) - _MOST_REASONS} more" if len(reasons) > _MOST_REASONS else ""
    rows = "1 row" if len(reasons) == 1 else f"{len(reasons)} rows"
    return EvaluationError(f"{path} has {rows} that cannot be used: {listed}{more}. Correct or remove them.")


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
