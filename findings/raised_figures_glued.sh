#!/usr/bin/env bash
# One would guess: text extractors that know the size and base line of every glyph keep a raised footnote sign or the
# raised cents of a price apart from the number before it, or at least agree with each other.
# Seen: "30" with a raised 1 comes out as "301 days" and "$49" with raised 99 as "$4999", from pypdf and from pdfium
# alike, without a mark or a space: another number that is as plausible as the right one. pypdf's layout mode, which
# looks at positions, glues the price too, takes the raised 1 for the line above, and so reads the end of the sentence
# before its beginning: "1 days, for $4999 a lamp. Return it within 30".
# Exits 0 while this holds, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pypdfium2==5.15.2 pypdf==7.1.1
cat > look.py <<'PY'
import io
import sys

import pypdf
import pypdfium2


def stream(content):
    return b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content)


LINE = (
    b"BT /F1 11 Tf 72 760 Td (Return it within 30) Tj /F1 7 Tf 4 Ts (1) Tj /F1 11 Tf 0 Ts ( days, for $49) Tj "
    b"/F1 7 Tf 4 Ts (99) Tj /F1 11 Tf 0 Ts ( a lamp.) Tj ET"
)
objects = [
    b"<</Type /Catalog /Pages 2 0 R>>",
    b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
    b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>",
    stream(LINE),
    b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
]
out, offsets = b"%PDF-1.7\n", []
for number, content in enumerate(objects, start=1):
    offsets.append(len(out))
    out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
end = len(out)
out += b"xref\n0 6\n0000000000 65535 f \n" + table + b"trailer\n<</Size 6 /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % end

page = pypdf.PdfReader(io.BytesIO(out)).pages[0]
seen = {
    "pypdfium2 " + pypdfium2.version.PYPDFIUM_INFO.version: pypdfium2.PdfDocument(out)[0].get_textpage().get_text_range(),
    "pypdf " + pypdf.__version__ + " plain": page.extract_text(),
    "pypdf " + pypdf.__version__ + " layout": page.extract_text(extraction_mode="layout"),
}
for who, text in seen.items():
    print(f"{who}: {' '.join(text.split())}")
texts = [" ".join(text.split()) for text in seen.values()]
holds = (
    all("within 301 days, for $4999" in text for text in texts[:2])
    and texts[2].startswith("1 days, for $4999")
    and texts[2].endswith("Return it within 30")
)
print("as described" if holds else "CHANGED")
sys.exit(0 if holds else 1)
PY
venv/bin/python look.py
