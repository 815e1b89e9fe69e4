#!/bin/sh
# One would guess: the text that python-docx gives of a paragraph with tracked changes is either the old version or the
# new one.
#
# Found (python-docx 1.2.0): it is neither. Paragraph.text leaves out what was inserted (w:ins) as well as what was deleted
# (w:del), because it takes only runs and links that are direct children of the paragraph. "30 days" changed to "45 days"
# reads "within  days": the number is in no version of the text, and nothing says so. What stands in a content control
# inside a line (w:sdt: a filled-in name, date or amount) is missing in the same way.
#
# Run: sh findings/python_docx_tracked_changes.sh     (exits with 1 when the behaviour is no longer as described)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet python-docx==1.2.0 lxml==6.1.3
cat > "$folder/check.py" <<'PYTHON'
import io
import sys
from importlib.metadata import version

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls


def run(text, tag="t"):
    return f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


WHO = 'w:author="A" w:date="2026-01-01T00:00:00Z"'
REPLACED = (
    run("Return it within ") + f'<w:del w:id="1" {WHO}>{run("30", "delText")}</w:del>'
    f'<w:ins w:id="2" {WHO}>{run("45")}</w:ins>' + run(" days.")
)
FILLED = (
    run("The cap is ") + '<w:sdt><w:sdtPr><w:alias w:val="Cap"/></w:sdtPr><w:sdtContent>' + run("9,000 crowns")
    + "</w:sdtContent></w:sdt>" + run(".")
)

document = docx.Document()
for content in (REPLACED, FILLED):
    document.element.body.insert(-1, parse_xml(f"<w:p {nsdecls('w')}>{content}</w:p>"))
buffer = io.BytesIO()
document.save(buffer)
texts = [paragraph.text for paragraph in docx.Document(io.BytesIO(buffer.getvalue())).paragraphs]
print(f"python-docx {version('python-docx')}, lxml {version('lxml')}, Python {sys.version.split()[0]}")
print(f"before the change:   'Return it within 30 days.'\nafter the change:    'Return it within 45 days.'")
print(f"python-docx:         {texts[0]!r}")
print(f"filled-in control:   'The cap is 9,000 crowns.'\npython-docx:         {texts[1]!r}")
if texts != ["Return it within  days.", "The cap is ."]:
    print("The behaviour has changed.")
    sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/check.py"
