"""What a contract may cost: files over the limits are refused in a sentence, bombs before they are unpacked."""

from __future__ import annotations

import io
import zipfile

import pypdfium2
import pytest

from playground.documents import CONTRACT_LIMITS, load_document, load_pasted
from playground.errors import DocumentError

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>'
)


def pdf(pages: int) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(100, 100)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def docx(body: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>')
    return buffer.getvalue()


def refusal(data: bytes, name: str) -> str:
    with pytest.raises(DocumentError) as caught:
        load_document(data, name, limits=CONTRACT_LIMITS)
    return str(caught.value)


def test_limits_are_those_promised() -> None:
    assert CONTRACT_LIMITS.max_bytes == 25 * 1024 * 1024
    assert CONTRACT_LIMITS.max_characters == 300_000
    assert CONTRACT_LIMITS.max_pages == 1_000


def test_a_pdf_of_more_than_a_thousand_pages_is_refused() -> None:
    assert "1,001 pages; at most 1,000" in refusal(pdf(1_001), "contract.pdf")


def test_an_archive_bomb_is_refused_before_unpacking() -> None:
    data = docx(" " * 60_000_000)
    assert len(data) < 1_000_000
    assert "archive bomb" in refusal(data, "contract.docx")


def test_a_text_of_300_000_characters_loads_and_a_longer_one_is_refused() -> None:
    longest = "Tenant pays. " * 23_076 + "Tenant pays."
    assert len(longest) == 300_000
    assert load_document(longest.encode(), "contract.txt", limits=CONTRACT_LIMITS).text == longest
    assert "more than 300,000 characters" in refusal(longest.encode() + b"!", "contract.txt")
    with pytest.raises(DocumentError, match="more than 300,000 characters"):
        load_pasted(longest + "!", limits=CONTRACT_LIMITS)
    paragraph = f"<w:p><w:r><w:t>{longest[:200_000]}</w:t></w:r></w:p>"
    assert "more than 300,000 characters" in refusal(docx(paragraph * 2), "contract.docx")


def test_a_file_over_25_mb_is_refused() -> None:
    assert "25 MB" in refusal(b"x" * (25 * 1024 * 1024 + 1), "contract.txt")
