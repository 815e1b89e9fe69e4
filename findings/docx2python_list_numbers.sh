#!/bin/sh
# One would guess: docx2python, which writes list numbers into the text ("1)"), writes the numbers that Word prints, so
# that "under clause 1.2" can be looked up in its output.
#
# Found (docx2python 3.7.1, lxml 6.1.3): it writes the level's own counter with a bracket whatever the level's pattern
# (w:lvlText) is, so clause "1.2" becomes "2)"; it counts by list instance (w:num), where Word goes on counting through
# all instances of one definition (w:abstractNum), so Word's clause "3." becomes a second "1)"; and where a definition
# points to a list style (w:numStyleLink) it writes "--" instead of a number. An amount or a cap is then looked up in the
# wrong clause, or in none.
#
# Run: sh findings/docx2python_list_numbers.sh     (exits with 1 when the behaviour is no longer as described)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet docx2python==3.7.1 lxml==6.1.3
cat > "$folder/check.py" <<'PYTHON'
import sys
import zipfile
from importlib.metadata import version

from docx2python import docx2python

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
XMLNS = f'xmlns:w="{W}" xmlns:r="{R}"'


def item(text, list_id, level):
    numbered = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr></w:pPr>'
    return f"<w:p>{numbered}<w:r><w:t>{text}</w:t></w:r></w:p>"


def level(index, pattern):
    return (
        f'<w:lvl w:ilvl="{index}"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="{pattern}"/>'
        '<w:lvlJc w:val="left"/></w:lvl>'
    )


def write(path):
    # Lists 1 and 2 are two instances of definition 0; list 3 is defined by the list style "Legal", which uses list 1.
    items = [("Term", 1, 0), ("Start", 1, 1), ("End", 1, 1), ("Fees", 1, 0), ("Liability", 2, 0), ("Law", 3, 0)]
    body = "".join(item(*entry) for entry in items)
    numbering = (
        '<w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="multilevel"/><w:styleLink w:val="Legal"/>'
        f'{level(0, "%1.")}{level(1, "%1.%2")}</w:abstractNum><w:abstractNum w:abstractNumId="1">'
        '<w:multiLevelType w:val="multilevel"/><w:numStyleLink w:val="Legal"/></w:abstractNum>'
        + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{d}"/></w:num>' for n, d in ((1, 0), (2, 0), (3, 1)))
    )
    style = (
        '<w:style w:type="numbering" w:styleId="Legal"><w:name w:val="Legal"/><w:pPr><w:numPr><w:numId w:val="1"/>'
        "</w:numPr></w:pPr></w:style>"
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + "".join(
            f'<Override PartName="/word/{name}.xml" ContentType="{WORD}.{kind}+xml"/>'
            for name, kind in (("document", "document.main"), ("numbering", "numbering"), ("styles", "styles"))
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{R}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="{kind}" Type="{R}/{kind}" Target="{kind}.xml"/>' for kind in ("numbering", "styles")
        )
        + "</Relationships>",
        "word/document.xml": f"<w:document {XMLNS}><w:body>{body}<w:sectPr/></w:body></w:document>",
        "word/numbering.xml": f"<w:numbering {XMLNS}>{numbering}</w:numbering>",
        "word/styles.xml": f"<w:styles {XMLNS}>{style}</w:styles>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + content)


path = sys.argv[1]
write(path)
with docx2python(path) as read:
    lines = [line.strip().replace("\t", " ") for line in read.text.splitlines() if line.strip()]
printed = ["1. Term", "1.1 Start", "1.2 End", "2. Fees", "3. Liability", "4. Law"]
seen = ["1) Term", "1) Start", "2) End", "2) Fees", "1) Liability", "-- Law"]
print(f"docx2python {version('docx2python')}, lxml {version('lxml')}, Python {sys.version.split()[0]}")
print(f"{'Word prints':<16}docx2python writes")
for word, line in zip(printed, lines):
    print(f"{word:<16}{line}")
if lines != seen:
    print(f"The behaviour has changed; it was {seen}")
    sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/check.py" "$folder/contract.docx"
