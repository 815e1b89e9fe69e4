"""Pictures: what is refused before anything is decoded, and how frames become pages."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from playground.documents import Limits, load_document
from playground.documents.formats import picture
from playground.documents.recognition import HOW_TO_INSTALL, HOW_TO_TURN_ON, SWITCH
from playground.errors import DocumentError
from tests.support.document_checks import assert_sound, refusal
from tests.support.scans import needs_ocr

Save = Callable[[Image.Image], bytes]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def page(text: str, size: tuple[int, int] = (1240, 500)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((80, 80), text, fill="black", font=ImageFont.load_default(size=34))
    return image


def png_of_size(width: int, height: int) -> bytes:
    """A whole PNG of a few bytes whose header promises any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


def refused(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(DocumentError) as caught:
        picture.parse(data, limits or Limits(), lambda _done, _pages: None)
    return str(caught.value)


def test_a_picture_of_huge_dimensions_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(Image.Image, "convert", decoded)
    assert "60,000 by 60,000 pixels; at most 80,000,000" in refused(png_of_size(60_000, 60_000))


def test_a_tiff_of_many_frames_is_refused() -> None:
    small = Image.new("1", (20, 20))
    frames = saved(small, "TIFF", save_all=True, append_images=[small] * 5)
    assert "more than 4 pages" in refused(frames, Limits(max_scanned_pages=4))


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"II*\0" + b"\xff" * 60, b"\xff\xd8\xff\xe0" + b"\0" * 9]
)
def test_a_damaged_picture_is_refused(data: bytes) -> None:
    assert "The image is damaged" in refused(data)


def test_turned_off_a_picture_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(page("Text"), "PNG")
    monkeypatch.setenv(SWITCH, "off")
    assert refusal(data, "page.png").endswith(HOW_TO_TURN_ON)


def test_without_the_extra_a_picture_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.documents.recognition.is_installed", lambda: False)
    assert refusal(saved(page("Text"), "JPEG"), "page.jpg").endswith(HOW_TO_INSTALL)


@needs_ocr
def test_the_frames_of_a_tiff_are_pages_and_transparency_is_paper() -> None:
    first, second = page("The Supplier shall pay within 30 days."), page("Notice is given in writing.")
    document = load_document(saved(first, "TIFF", save_all=True, append_images=[second]), "fax.tiff")
    assert document.text == "The Supplier shall pay within 30 days.\n\nNotice is given in writing."
    assert document.page_starts == (0, document.text.index("Notice"))
    assert document.recognised_pages == (1, 2)
    assert_sound(document)
    clear = first.convert("RGBA")
    clear.putalpha(ImageOps.invert(first.convert("L")))
    assert load_document(saved(clear, "PNG"), "clear.png").text == "The Supplier shall pay within 30 days."


@needs_ocr
def test_a_picture_without_text_is_refused() -> None:
    assert "No text was found" in refusal(saved(Image.new("RGB", (400, 400), "white"), "PNG"), "empty.png")
