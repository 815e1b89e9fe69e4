"""A file of annotations in any of the three formats -> clauses that a flagger can be trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from playground.annotations.cuad import MAX_CUAD_BYTES, read_cuad
from playground.annotations.gold import Split, clauses_from_contracts, repeated_titles, split_paragraphs
from playground.annotations.limits import checked_text
from playground.annotations.records import AnnotationSet, ColumnMapping, present_labels
from playground.annotations.sniffing import refuse_known_others, sniff_format
from playground.annotations.tables import columns_of, columns_sentence, guess_mapping, read_csv, read_json_lines
from playground.errors import AnnotationError
from playground.text.normalise import clean_name

MIN_EXAMPLES = 10


def read_annotations(
    data: bytes,
    name: str,
    known_labels: Sequence[str],
    mapping: ColumnMapping | None = None,
    *,
    split: Split = split_paragraphs,
) -> AnnotationSet:
    """Read a file in whichever of the formats it is; what it contains decides, not its name.

    ``mapping`` is for tables, guessed from the columns' names when it is None; ``split`` cuts CUAD's contracts into
    clauses and should be the one that cuts contracts for flagging.

    Raises:
        AnnotationError: the file is none of the formats or passes a bound, or what is left of it cannot train a
            flagger (see ``check_usable``). The message says what to do.
    """
    name = clean_name(name, "The file")
    refuse_known_others(data, name)
    text, _ = checked_text(data, name, MAX_CUAD_BYTES)
    kind = sniff_format(text, name)
    if kind == "cuad":
        annotations = _whole_contracts(data, name, known_labels, split)
    else:
        if mapping is None:
            columns = columns_of(data, name, rows=0).columns
            mapping = guess_mapping(columns)
            if mapping is None:
                raise AnnotationError(
                    f"Which columns of {name} hold clauses and labels is not clear. {columns_sentence(columns)} "
                    "Choose them, or name them text and labels in the first row."
                )
        read = read_csv if kind == "csv" else read_json_lines
        annotations = read(data, mapping, name, known_labels)
    check_usable(annotations)
    return annotations


def check_usable(annotations: AnnotationSet) -> None:
    """Refuse a set that no flagger can learn from. One label is enough when there are clauses without it.

    Raises:
        AnnotationError: no usable row, fewer than 10, no label at all, or the same labels on every clause.
    """
    count = len(annotations.examples)
    if count < MIN_EXAMPLES:
        usable = f"has only {count} usable example{'s' if count > 1 else ''}" if count else "has no usable row"
        raise AnnotationError(
            f"{annotations.name} {usable}; at least {MIN_EXAMPLES} are needed.{_first_rejection(annotations)} Add "
            "annotated clauses and load the file again."
        )
    kinds = {example.labels for example in annotations.examples}
    if kinds == {()}:
        left_out = _first_rejection(annotations)
        next_step = (
            "Mend what was left out and load the file again."
            if left_out
            else "Fill in the labels, or choose another column for them."
        )
        if annotations.rejected:
            # What was left out is the reason, and not what is left.
            raise AnnotationError(
                f"{annotations.name} cannot be trained on.{left_out} None of the {count:,} clauses that are left "
                f"carries a label. {next_step}"
            )
        raise AnnotationError(f"None of the {count:,} clauses of {annotations.name} carries a label. {next_step}")
    if len(kinds) == 1:
        labels = "; ".join(annotations.labels)
        raise AnnotationError(
            f"All {count:,} clauses of {annotations.name} carry the same label ({labels}), so there is nothing to tell "
            "apart. Add clauses with another label, or clauses with none (leave their labels empty)."
        )


def _whole_contracts(data: bytes, name: str, known_labels: Sequence[str], split: Split) -> AnnotationSet:
    contracts, rejected = read_cuad(data, name, known_labels)
    examples = clauses_from_contracts(contracts, split)
    warnings = [warning for contract in contracts for warning in contract.warnings]
    warnings += [
        f"{title}: left out, because another contract has the same text." for title in repeated_titles(contracts)
    ]
    return AnnotationSet(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        examples=examples,
        labels=present_labels(examples, known_labels),
        rejected=rejected,
        warnings=tuple(warnings),
    )


def _first_rejection(annotations: AnnotationSet) -> str:
    if not annotations.rejected:
        return ""
    first = annotations.rejected[0]
    return f" Rows left out: {len(annotations.rejected):,}; the first is {first.number}: {first.reason}"
