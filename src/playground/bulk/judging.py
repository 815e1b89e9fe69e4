"""One content -> what is kept of it: its flags, or the sentence that says why there are none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from playground.bulk.listing import content_of
from playground.documents import CONTRACT_LIMITS, load_document
from playground.errors import PlaygroundError
from playground.files import read_file
from playground.flagging.files import FlagJob, flag_one
from playground.flagging.files.pool import PROCESS_ENDED
from playground.flagging.report import report_rows
from playground.flagging.report.rows import heading
from playground.types import FlaggedContract


@dataclass(frozen=True, slots=True)
class Task:
    """A content to judge, and a file that holds it."""

    content: str
    path: bytes


@dataclass(frozen=True, slots=True)
class KeptFlag:
    """A flag on a clause, ``start`` and ``end`` as offsets into the extracted text; ``page`` is 0 without pages.

    ``rule`` names the rule that flagged it where the model's ``probability`` would not have.
    """

    label: str
    probability: float
    number: str
    heading: str
    page: int
    start: int
    end: int
    text: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a content. ``error`` is a sentence, "" when it was judged.

    ``lasting`` says that the same content fails again: other errors are tried anew by the next run. ``core_seconds`` is
    the processor's time that reading and judging took, which other work on the machine hardly changes.
    """

    content: str
    error: str = ""
    lasting: bool = True
    kind: str = ""
    clauses: int = 0
    characters: int = 0
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    model: str = ""
    adapter: str = ""
    flags: tuple[KeptFlag, ...] = ()
    core_seconds: float = 0.0


Judge = Callable[[Task], Judged]
_JUDGED = TypeAdapter(Judged)


def start_judging(job: FlagJob, threads: int) -> Judge:
    """Load the flagger once and return what judges contents with it.

    Raises:
        ModelError: the flagger cannot be loaded.
    """
    model, evidence = job.load_model(threads), job.evidence

    def judge(task: Task) -> Judged:
        started = _core_seconds()
        path = Path(os.fsdecode(task.path))
        try:
            data = read_file(path, CONTRACT_LIMITS.max_bytes)
            if content_of(data, path) != task.content:
                return Judged(task.content, "The file changed while it was read. Run it again.", lasting=False)
            # A name of its own for all: files with the same content get the same result, whatever they are called.
            document = load_document(data, f"contract{path.suffix.lower()}", limits=CONTRACT_LIMITS)
            result = flag_one(document, model, evidence, job)
        except PlaygroundError as error:
            return Judged(task.content, str(error), core_seconds=_core_seconds() - started)
        except OSError as error:
            reason = error.strerror or error
            sentence = f"The file cannot be read ({reason}). Check its permissions and run it again."
            return Judged(task.content, sentence, lasting=False)
        except Exception as error:  # a defect of ours, or of a library, on one contract must not stop the others
            what = f"{type(error).__name__}: {str(error)[:200]}"
            return Judged(task.content, f"Something went wrong that should not ({what}). Report it.", lasting=False)
        return _kept(task.content, result, job, _core_seconds() - started)

    return judge


def died(task: Task) -> Judged:
    """Return what stands for a content whose process ended."""
    return Judged(task.content, PROCESS_ENDED, lasting=False)


def to_json(judged: Judged) -> bytes:
    """Return a result as JSON."""
    return _JUDGED.dump_json(judged)


def from_json(text: bytes) -> Judged:
    """Read what ``to_json`` wrote.

    Raises:
        ValueError: it is not that.
    """
    return _JUDGED.validate_json(text)


def _kept(content: str, result: FlaggedContract, job: FlagJob, core_seconds: float) -> Judged:
    return Judged(
        content,
        kind=result.kind,
        clauses=len(result.clauses),
        characters=len(result.document.text),
        missing=result.missing,
        notes=result.notes,
        model=result.model_id,
        adapter=result.adapter or "",
        flags=tuple(
            KeptFlag(
                label=row.label.name,
                probability=row.score or 0.0,
                number=row.clause.number,
                heading=heading(row.clause),
                page=row.clause.page or 0,
                start=row.clause.start,
                end=row.clause.end,
                text=_text(row.clause.text),
                rule=row.rule,
            )
            for row in report_rows(result, job.catalogue)
        ),
        core_seconds=core_seconds,
    )


def _core_seconds() -> float:
    """Return the processor's time of this process and of its children that ended, as those that parse documents."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _text(text: str) -> str:
    return text.strip().encode("utf-8", "replace").decode("utf-8")
