"""Whole annotated contracts are cut for training as contracts are cut for flagging, headings included."""

from __future__ import annotations

from playground.annotations.gold import Unit
from playground.clauses.splitting import split_clauses
from playground.types import Document


def contract_units(text: str) -> tuple[Unit, ...]:
    """Cut a contract's text into (start, end, heading): the ``split`` for ``annotations.read_annotations``.

    The heading is the innermost one above the clause, which is what ``flagging.as_examples`` gives a model to read.
    """
    clauses = split_clauses(Document(id="contract", title="", text=text, source="", sha256=""))
    return tuple(
        (clause.start, clause.end, clause.heading_path[-1] if clause.heading_path else "") for clause in clauses
    )
