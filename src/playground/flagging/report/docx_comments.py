"""A flagged contract as a Word file with a comment at each flag: the uploaded file, or its text where it was not Word.

The original itself is commented, so its formatting stays; only runs that a comment begins or ends in are cut in two,
and what it would fetch from outside or run is taken out.
The file was checked when it was loaded, but that was in another process: it is checked again before it is unpacked.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from playground.documents.formats.docx_styles import read_styles
from playground.documents.formats.ooxml import load_part, open_archive
from playground.documents.limits import MIB
from playground.errors import DocumentError
from playground.flagging.report.docx_outside import drop_outside, told
from playground.flagging.report.docx_places import Spot, TextPlaces, mark
from playground.flagging.report.risk_style import RISK_TITLES
from playground.flagging.report.rows import Correction, ReportRow, place, reason, report_rows, stance_lines
from playground.text.label_titles import label_title
from playground.types import Document, FlaggedContract, Label

AUTHOR = "Clause flagger"
INITIALS = "CF"
UNPLACED_TITLE = "Flags that could not be placed"

_MOST_XML_BYTES = 48 * MIB
"""All XML of a file together: 300,000 characters of contract take a tenth of it; a tree takes ten times its text."""
_MOST_UNPACKED_BYTES = 256 * MIB
_MOST_QUOTED_CHARACTERS = 300
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can hold
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Overrides could make a comment read otherwise than it is.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNREADABLE = "The original Word file could not be opened for writing, so the comments are in a copy of its text."


@dataclass(frozen=True, slots=True)
class CommentedDocx:
    """A Word file with comments.

    ``placed`` and ``unplaced`` count flags: at their clause, and in the list at the end. ``from_original`` says that it
    is the uploaded file and not a copy of its text; ``note`` is a sentence for the user, or empty.
    """

    data: bytes
    placed: int
    unplaced: int
    from_original: bool
    note: str = ""


def commented_docx(
    original: bytes | None,
    result: FlaggedContract,
    labels: Mapping[str, Label],
    corrections: Sequence[Correction] = (),
    *,
    date: datetime | None = None,
) -> CommentedDocx:
    """Return a Word file with one comment for each flag that was not rejected.

    Args:
        original: the uploaded file; anything but a DOCX (None, a PDF) gives a new file made of the text.
        result: the contract with its flags, as extracted from ``original``.
        labels: what is known of each label, by name.
        corrections: a reader's decisions.
        date: when the comments were made; None leaves it out. The same arguments give the same bytes.
    """
    rows = [row for row in report_rows(result, labels, corrections) if row.verdict != "rejected"]
    text = result.document.text
    note = ""
    if original is not None and original.startswith(b"PK"):
        try:
            word = _load_original(original)
            outside = told(drop_outside(word))
            data, unplaced = _commented(word, text, rows, date)
            return CommentedDocx(data, len(rows) - unplaced, unplaced, from_original=True, note=outside)
        except Exception:
            # python-docx raises whatever a malformed package leads to (KeyError, AttributeError, XMLSyntaxError ...),
            # at any step; the flags must not be lost with it.
            note = _UNREADABLE
    data, unplaced = _commented(_word_of(result.document, note), text, rows, date)
    return CommentedDocx(data, len(rows) - unplaced, unplaced, from_original=False, note=note)


def _load_original(data: bytes) -> Any:
    """Open a DOCX for writing.

    Raises:
        DocumentError: it is damaged, not a Word document, or unpacks to more than a contract needs.
        Exception: python-docx cannot read it (macros, "strict" files, missing parts).
    """
    import docx

    with open_archive(data) as archive:
        entries = archive.infolist()
        parts = [entry for entry in entries if entry.filename.endswith((".xml", ".rels"))]
        too_large = sum(entry.file_size for entry in entries) > _MOST_UNPACKED_BYTES
        if too_large or sum(entry.file_size for entry in parts) > _MOST_XML_BYTES:
            raise DocumentError("The Word file unpacks to more than a contract needs and was not opened for writing.")
        for entry in parts:  # python-docx's own parser would expand entities in attributes
            load_part(archive, entry.filename)
    return docx.Document(io.BytesIO(data))


def _commented(word: Any, text: str, rows: Sequence[ReportRow], date: datetime | None) -> tuple[bytes, int]:
    """Comment the flags at their clauses, or at the end; return the file and how many are at the end."""
    places = TextPlaces(text, word.element.body, read_styles(_styles_of(word)))
    placed: dict[tuple[int, int], tuple[tuple[Spot, Spot], list[int]]] = {}
    unplaced = []
    for row in rows:
        span = row.clause.start, row.clause.end
        found = places.find(*span)
        if found is None:
            unplaced.append(row)
        else:
            placed.setdefault(span, (found, []))[1].append(_new_comment(word, row, date))
    for (first, last), comment_ids in reversed(placed.values()):
        _mark(first, last, comment_ids)
    if unplaced:
        _append_unplaced(word, unplaced, date)
    return _saved(word), len(unplaced)


def _styles_of(word: Any) -> Any | None:
    from docx.opc.constants import RELATIONSHIP_TYPE

    try:  # word.styles would add python-docx's own styles to a file that has none
        return word.part.part_related_by(RELATIONSHIP_TYPE.STYLES).element
    except KeyError:
        return None


def _mark(first: Spot, last: Spot, comment_ids: Sequence[int]) -> None:
    starts = [_element("commentRangeStart", comment_id) for comment_id in comment_ids]
    mark(first, last, starts, [element for comment_id in comment_ids for element in _end_marks(comment_id)])


def _new_comment(word: Any, row: ReportRow, date: datetime | None) -> int:
    comment = word.comments.add_comment(text=_comment_text(row), author=AUTHOR, initials=INITIALS)
    element = comment._comment_elm
    if date is None:
        element.attrib.pop(_w("date"), None)
    else:
        element.date = date
    return int(comment.comment_id)


def _comment_text(row: ReportRow) -> str:
    label = row.label
    confirmed = ", confirmed by the reader" if row.verdict == "confirmed" else ""
    lines = [f"{label_title(label.name)}: {RISK_TITLES[label.risk].lower()}, {reason(row)}{confirmed}"]
    lines += [f"Why it matters: {label.why}"] if label.why else []
    lines += [f"Check: {label.check}"] if label.check else []
    lines += [f"{title}: {words}" for title, words in stance_lines(label)]
    return "\n".join(_line(line) for line in lines)


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    return _BIDI.sub("", _NOT_XML.sub("", text))


def _append_unplaced(word: Any, rows: Sequence[ReportRow], date: datetime | None) -> None:
    # No style by name: the original may lack it, and python-docx refuses to use one that is not there.
    word.add_paragraph().add_run(UNPLACED_TITLE).bold = True
    for row in rows:
        quoted = _line(row.clause.text)
        if len(quoted) > _MOST_QUOTED_CHARACTERS:
            quoted = f"{quoted[:_MOST_QUOTED_CHARACTERS].rstrip()} …"
        comment = _comment_text(row)
        paragraph = word.add_paragraph()
        run = paragraph.add_run(f"{_line(place(row.clause))}: “{quoted}”")
        for line in comment.split("\n"):
            paragraph.add_run().add_break()
            paragraph.add_run(line)
        comment_id = _new_comment(word, row, date)
        text = run._r.find(_w("t"))
        _mark(Spot(text, 0), Spot(text, len(text.text) - 1), [comment_id])


def _end_marks(comment_id: int) -> list[Any]:
    reference = _element("r")
    properties = _element("rPr")
    style = _element("rStyle")
    style.set(_w("val"), "CommentReference")
    properties.append(style)
    reference.append(properties)
    reference.append(_element("commentReference", comment_id))
    return [_element("commentRangeEnd", comment_id), reference]


def _element(name: str, comment_id: int | None = None) -> Any:
    from docx.oxml import OxmlElement

    return OxmlElement(f"w:{name}", attrs=None if comment_id is None else {_w("id"): str(comment_id)})


def _w(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(f"w:{name}"))


def _word_of(document: Document, note: str) -> Any:
    """Return a new Word document with the text of a contract: headings as headings, all else as paragraphs.

    ``note`` stands at its top: whoever is handed the file sees why it is not the original.
    """
    import docx

    word = docx.Document()
    properties = word.core_properties
    properties.title = _line(document.title)
    properties.author = properties.last_modified_by = AUTHOR
    properties.comments = ""
    origin = f"Text of {_line(document.source)}; its layout is not that of the original. {note}".rstrip()
    word.add_paragraph().add_run(origin).italic = True
    position = 0
    for block in document.blocks:
        _add_paragraphs(word, document.text[position : block.start])
        block_text = _clean(document.text[block.start : block.end])
        if block.kind == "heading":
            word.add_heading(_line(block_text), level=min(max(block.level, 1), 9))
        else:
            word.add_paragraph(block_text)
        position = max(position, block.end)
    _add_paragraphs(word, document.text[position:])
    return word


def _add_paragraphs(word: Any, text: str) -> None:
    for paragraph in re.split(r"\n[ \t]*\n", _clean(text)):
        if paragraph.strip():
            word.add_paragraph(paragraph.strip("\n"))


def _saved(word: Any) -> bytes:
    """Return the file with the same dates in its archive whenever it is made."""
    packed, fixed = io.BytesIO(), io.BytesIO()
    word.save(packed)
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, date_time=_FIXED_DATE)
            member.create_system = 3  # the default differs between Windows and Unix
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return fixed.getvalue()
