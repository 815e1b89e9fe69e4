"""A file and what is known of it as rows of the three tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.bulk.ledger import FileResult
from playground.flagging.report.rows import label_of
from playground.text.normalise import normalise_text
from playground.types import Label, Risk

RISKS: tuple[Risk, ...] = ("high", "medium", "low", "informational")

Row = dict[str, object]


def shown_name(name: bytes) -> str:
    """Return a file's name as text: bytes that are none are spelled out, so that different names stay different."""
    return name.decode("utf-8", "backslashreplace")


def error_of(result: FileResult) -> str:
    """Return why a file has no flags, "" where it was judged."""
    if result.error:
        return result.error
    return "It was not judged. Run the command again." if result.judged is None else result.judged.error


def head(result: FileResult) -> Row:
    """Return what every table begins with: the file, and what joins the tables."""
    return {"file": shown_name(result.name), "contract": "" if result.judged is None else result.judged.content}


def flag_rows(result: FileResult, catalogue: Mapping[str, Label]) -> list[Row]:
    """Return a row a flag, in the order of the contract."""
    rows: list[Row] = []
    for flag in result.judged.flags if result.judged else ():
        label = label_of(flag.label, catalogue)
        row = head(result) | {"label": flag.label, "risk": label.risk, "probability": flag.probability}
        row |= {"number": flag.number, "heading": flag.heading, "page": flag.page or None}
        row |= {"start": flag.start, "end": flag.end, "text": flag.text, "why": label.why, "check": label.check}
        row |= {"rule": flag.rule}
        rows.append(row)
    return rows


def file_row(result: FileResult, flags: Sequence[Row]) -> Row:
    """Return the row of a file with these flags."""
    judged, failed = result.judged, bool(error_of(result))
    row = head(result) | {"same_as": shown_name(result.same_as), "bytes": result.size, "flags": len(flags)}
    row |= {"state": "failed" if failed else "flagged"}
    row |= {risk: sum(flag["risk"] == risk for flag in flags) for risk in RISKS}
    if judged is None:
        return row | {"characters": 0, "clauses": 0, "kind": "", "missing": [], "notes": [], "model": "", "adapter": ""}
    row |= {"characters": judged.characters, "clauses": judged.clauses, "kind": judged.kind}
    row |= {"missing": list(judged.missing), "notes": [normalise_text(note) for note in judged.notes]}
    return row | {"model": judged.model, "adapter": judged.adapter}
