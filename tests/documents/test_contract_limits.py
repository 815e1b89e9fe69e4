"""What a contract may cost: files over the limits are refused in a sentence, bombs before they are unpacked."""

from __future__ import annotations

import io
import sys
import time
import zipfile
import zlib

import pypdfium2
import pytest

from playground.documents import CONTRACT_LIMITS, load_document, load_pasted
from playground.documents.limits import MIB
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


def inflating_to(size_bytes: int, byte: bytes = b" ") -> bytes:
    """Return a zlib stream of ``size_bytes`` equal bytes, made without compressing them all: one block, repeated."""
    block_bytes = 16 * MIB
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    # A full flush ends at a byte and forgets what came before, so that the block can follow itself.
    block = compressor.compress(byte * block_bytes) + compressor.flush(zlib.Z_FULL_FLUSH)
    low = (1 + size_bytes * byte[0]) % 65_521
    high = (size_bytes + byte[0] * (size_bytes * (size_bytes + 1) // 2)) % 65_521
    return b"\x78\xda" + block * (size_bytes // block_bytes) + b"\x03\x00" + (high << 16 | low).to_bytes(4, "big")


def pdf_of(content: bytes, filters: str, pages: int = 1) -> bytes:
    """Return a PDF whose pages share one content stream."""
    kids = " ".join(f"{number} 0 R" for number in range(4, 4 + pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        f"<< /Length {len(content)} /Filter [{filters}] >>\nstream\n".encode() + content + b"\nendstream",
        *[b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 3 0 R >>"] * pages,
    ]
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(data)}\n"
    )
    return data + end.encode() + b"%%EOF\n"


def test_a_stream_is_as_large_as_the_bombs_say() -> None:
    assert zlib.decompress(inflating_to(48 * MIB)) == b" " * 48 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="the bound on memory is the operating system's")
@pytest.mark.parametrize("pages", [1, 40])
@pytest.mark.parametrize("filters", ["/FlateDecode", "/FlateDecode /FlateDecode"])
def test_a_pdf_that_inflates_to_gigabytes_is_refused_within_its_limits(filters: str, pages: int) -> None:
    import resource

    content = inflating_to(4 * 1024 * MIB)
    if " " in filters:
        content = zlib.compress(content)
    data = pdf_of(content, filters, pages)
    assert len(data) < 5 * MIB
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    started = time.monotonic()
    sentence = refusal(data, "contract.pdf")
    assert time.monotonic() - started < CONTRACT_LIMITS.timeout_s + 5
    assert "could not be read within 1024 MB of memory" in sentence
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert most <= max(before * 1024, CONTRACT_LIMITS.max_memory_bytes)


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
