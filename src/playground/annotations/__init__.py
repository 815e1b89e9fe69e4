"""Annotated clauses from CUAD's JSON, from CSV or JSON lines, and from the project's own files.

``read_annotations`` takes any of the first three and says by number and reason what it could not use; the modules
behind it can be called one by one. Names of labels are always passed in: the library knows none of its own. Titles,
clauses and reasons hold text of the user's file: show them as plain text, never as Markdown or HTML.
"""

from playground.annotations.cuad import read_cuad
from playground.annotations.gold import Split, clauses_from_contracts, gold_labels, split_paragraphs
from playground.annotations.reading import check_usable, read_annotations
from playground.annotations.records import (
    AnnotatedContract,
    AnnotatedSpan,
    AnnotationSet,
    ColumnMapping,
    RejectedRow,
    TablePreview,
    WrittenClauses,
    label_counts,
)
from playground.annotations.sniffing import Format, sniff_format
from playground.annotations.splitting import split_by_contract
from playground.annotations.tables import columns_of, guess_mapping, read_csv, read_json_lines
from playground.annotations.written import load_written_clauses

__all__ = [
    "AnnotatedContract",
    "AnnotatedSpan",
    "AnnotationSet",
    "ColumnMapping",
    "Format",
    "RejectedRow",
    "Split",
    "TablePreview",
    "WrittenClauses",
    "check_usable",
    "clauses_from_contracts",
    "columns_of",
    "gold_labels",
    "guess_mapping",
    "label_counts",
    "load_written_clauses",
    "read_annotations",
    "read_csv",
    "read_cuad",
    "read_json_lines",
    "sniff_format",
    "split_by_contract",
    "split_paragraphs",
]
