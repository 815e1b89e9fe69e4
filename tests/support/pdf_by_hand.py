"""PDFs written object by object, for what fpdf2 cannot write: form fields and odd character maps."""

from __future__ import annotations

from collections.abc import Sequence


def write_pdf(objects: Sequence[bytes], *, root: int = 1) -> bytes:
    """Return a PDF of these objects, numbered from 1; ``root`` is the number of the catalogue."""
    out = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
        + b"trailer\n<</Size %d /Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, root, len(out))
    )


def stream(content: bytes) -> bytes:
    return b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content)


def page_with_fields(content: bytes, fields: Sequence[bytes]) -> bytes:
    """Return a PDF of one page (595 x 842 points, /F1 is Helvetica) with ``fields``: widgets, without their type."""
    numbers = range(7, 7 + len(fields))
    references = b" ".join(b"%d 0 R" % number for number in numbers)
    return write_pdf(
        [
            b"<</Type /Catalog /Pages 2 0 R /AcroForm 6 0 R>>",
            b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
            b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources <</Font <</F1 5 0 R>>>> /Annots [%s]>>" % references,
            stream(content),
            b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding>>",
            b"<</Fields [%s] /DR <</Font <</F1 5 0 R>>>> /DA (/F1 11 Tf 0 g)>>" % references,
            *(b"<</Type /Annot /Subtype /Widget /P 3 0 R /F 4 /DA (/F1 11 Tf 0 g) %s>>" % field for field in fields),
        ]
    )


def text_at(x: float, y: float, text: str, size: float = 11) -> bytes:
    """Return the operators that show a line of text with its base line at a place, y upwards."""
    return b"BT /F1 %g Tf 1 0 0 1 %g %g Tm (%s) Tj ET\n" % (size, x, y, text.encode("cp1252"))
