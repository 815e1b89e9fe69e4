#!/usr/bin/env bash
# One would guess: after `init_forms()`, pypdfium2's text of a page holds the values of its form fields, as the rendered
# page shows them; if not, then after `page.flatten()`, which makes them part of the page.
# Seen: neither. `init_forms()` changes only pictures, and after flatten() the same page object, asked for a new text
# page, still gives the text without the values. Only a page that is closed and opened again after flatten() has them.
# So "shall not exceed the amount of [EUR 9,000] and the Supplier" is read without its amount, with no error and no
# warning, although the page as rendered shows it.
# Exits 0 while this holds, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pypdfium2==5.15.2
cat > look.py <<'PY'
import sys

import pypdfium2
from pypdfium2 import PDFIUM_INFO, PYPDFIUM_INFO

TEXT = b"(The liability shall not exceed the amount of) Tj 330 0 Td (and the Supplier has no other.) Tj"


def stream(content):
    return b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content)


objects = [
    b"<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [6 0 R] /DR <</Font <</F1 5 0 R>>>>>>>>",
    b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
    b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>> "
    b"/Annots [6 0 R]>>",
    stream(b"BT /F1 11 Tf 72 760 Td " + TEXT + b" ET"),
    b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
    b"<</Type /Annot /Subtype /Widget /FT /Tx /T (cap) /V (EUR 9,000) /F 4 /P 3 0 R /Rect [305 755 395 772] "
    b"/DA (/F1 11 Tf 0 g) /AP <</N 7 0 R>>>>",
    b"<</Type /XObject /Subtype /Form /BBox [0 0 90 17] /Resources <</Font <</F1 5 0 R>>>> /Length 47>>\nstream\n"
    b"/Tx BMC BT /F1 11 Tf 2 5 Td (EUR 9,000) Tj ET EMC\nendstream",
]
out, offsets = b"%PDF-1.7\n", []
for number, content in enumerate(objects, start=1):
    offsets.append(len(out))
    out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
end = len(out)
out += b"xref\n0 8\n0000000000 65535 f \n" + table + b"trailer\n<</Size 8 /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % end


def text_of(page):
    return page.get_textpage().get_text_range().replace("\r\n", " ")


seen = {}
seen["as opened"] = text_of(pypdfium2.PdfDocument(out)[0])
document = pypdfium2.PdfDocument(out)
document.init_forms()
page = document[0]
seen["after init_forms"] = text_of(page)
page.flatten()
seen["after flatten, same page"] = text_of(page)
page.close()
seen["after flatten, page opened again"] = text_of(document[0])
print("pypdfium2", PYPDFIUM_INFO, "pdfium", PDFIUM_INFO)
for when, text in seen.items():
    print(f"{when}: {text}")
texts = list(seen.values())
holds = all("9,000" not in text for text in texts[:3]) and "9,000" in texts[3]
print("as described" if holds else "CHANGED")
sys.exit(0 if holds else 1)
PY
venv/bin/python look.py
