"""Scans are read in a child process: text, words with places, doubts, progress, Stop, and what is refused."""

from __future__ import annotations

import io
import random

import pytest

from playground.clauses.splitting import split_clauses
from playground.documents import CONTRACT_LIMITS, Limits, load_document, recognition
from playground.errors import DocumentError
from playground.paths import CONTRACTS
from playground.types import Document
from scripts import degraded_pages as pages
from tests.support.document_checks import assert_sound
from tests.support.scans import needs_ocr

SCAN = (CONTRACTS / "scan-only.pdf").read_bytes()


@pytest.fixture(scope="module")
def letter() -> Document:
    return load_document(SCAN, "scan-only.pdf", limits=CONTRACT_LIMITS)


@needs_ocr
def test_the_sample_scan_is_read(letter: Document) -> None:
    assert_sound(letter)
    for sentence in (
        "1. With effect from 1 October 2025 the limit in clause 12.3 of the Agreement is reduced from 125 per cent to "
        "75 per cent of the Charges paid and payable in the Contract Year.",
        "3. The rates in Schedule 4 are reduced by 2 per cent from the same date.",
    ):
        assert sentence in letter.text
    assert letter.recognised_pages == (1,)
    assert letter.warnings[0].startswith("Read by OCR: page 1.")


@needs_ocr
def test_words_keep_their_places_in_text_and_on_the_page(letter: Document) -> None:
    words = letter.recognised_words
    assert [letter.text[word.start : word.end] for word in words] == letter.text.split()
    for word in words:
        left, top, right, bottom = word.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert bottom - top < 0.03
    first, last = (next(w for w in words if letter.text[w.start : w.end] == name) for name in ("LARKFIELD", "Helena"))
    assert first.box[3] < 0.12
    assert last.box[1] > 0.6
    assert all(letter.text[clause.start : clause.end] == clause.text for clause in split_clauses(letter))


@needs_ocr
def test_a_page_on_its_side_is_turned_and_two_columns_are_not_interleaved() -> None:
    clean = pages.rendered((CONTRACTS / "services-agreement.pdf").read_bytes(), 150)[10]
    worn = pages.degraded(clean, random.Random(1), skew_degrees=0.7, noise=6, specks=10)
    sideways = worn.rotate(90, expand=True)
    document = load_document(pages.as_pdf([sideways], 150), "scan.pdf", limits=CONTRACT_LIMITS)
    assert "from day to day. Nothing in this Schedule changes the allocation of risk in the main body" in document.text
    assert (
        document.text.index("beforehand.")
        < document.text.index("Store openings")
        < document.text.index("Major incidents")
    )
    assert "Project engineer | day | £640" in document.text
    assert any("turned upright" in note for note in document.warnings)
    # Boxes are on the page as it lies: what is read first stands at its left, from the bottom upwards.
    first = document.recognised_words[0]
    assert first.box[2] - first.box[0] < first.box[3] - first.box[1]


@needs_ocr
def test_a_stamp_hides_nothing_and_is_told() -> None:
    clean = pages.rendered((CONTRACTS / "services-agreement.pdf").read_bytes(), 200)[3]
    stamped = pages.stamped(clean, "COPY 12.5.2025", (0.5, 0.4))
    opaque = pages.stamped(clean, "COPY 12.5.2025", (0.5, 0.4), colour=(0, 0, 0), opacity=1.0)
    document = load_document(pages.as_pdf([stamped, opaque], 200), "scan.pdf", limits=CONTRACT_LIMITS)
    under = "and initialled by both parties, and shall complete it by 31 May 2025."
    assert under in document.text
    assert "COPY" not in document.text
    assert any(
        "Page 1: a stamp or watermark seems to say" in note and "12.5.2025" in note for note in document.warnings
    )
    start = document.text.index(under)
    doubtful = {
        document.text[word.start : word.end] for word in document.recognised_words if word.doubt and word.page == 1
    }
    assert "parties," in doubtful
    assert start < document.page_starts[1]
    # Ink over ink cannot be parted: it is said that something was not read.
    assert any(note.startswith("Page 2: something") and "was not read" in note for note in document.warnings)


@needs_ocr
def test_pages_with_text_keep_it_and_pages_beyond_the_limit_are_named() -> None:
    import pypdfium2

    merged = pypdfium2.PdfDocument.new()
    for data in ((CONTRACTS / "distribution-agreement.pdf").read_bytes(), SCAN, SCAN):
        merged.import_pages(pypdfium2.PdfDocument(data), pages=[0])
    out = io.BytesIO()
    merged.save(out)
    seen: list[tuple[int, int]] = []
    document = load_document(
        out.getvalue(),
        "mixed.pdf",
        limits=Limits(max_scanned_pages=1),
        on_page=lambda done, of: seen.append((done, of)),
    )
    assert document.recognised_pages == (2,)
    assert any(
        "Not read by OCR, so missing from the text: page 3. At most 1 pages" in note for note in document.warnings
    )
    assert seen[-1] == (1, 1)


class StopError(Exception):
    """What a page's Stop raises."""


@needs_ocr
def test_stop_ends_the_child_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    popen = recognition.subprocess.Popen

    def starting(*arguments: object, **options: object) -> object:
        started.append(popen(*arguments, **options))
        return started[-1]

    def stop(_done: int, _pages: int) -> None:
        raise StopError

    monkeypatch.setattr(recognition.subprocess, "Popen", starting)
    with pytest.raises(StopError):
        load_document(SCAN, "scan.pdf", on_page=stop)
    assert started[0].poll() is not None


@needs_ocr
def test_time_and_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "ocr_limits", lambda limits: Limits(timeout_s=0.1))
    with pytest.raises(DocumentError, match=r"longer than 0.1 s"):
        load_document(SCAN, "scan.pdf")


@pytest.mark.parametrize(("value", "on"), [("", True), ("on", True), ("off", False), ("0", False), (" No ", False)])
def test_the_switch(monkeypatch: pytest.MonkeyPatch, value: str, on: bool) -> None:
    monkeypatch.setenv(recognition.SWITCH, value)
    assert recognition.is_wanted() is on


def test_a_scan_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "is_installed", lambda: False)
    with pytest.raises(DocumentError, match=r"no text layer.*pip install -r requirements-ocr\.txt"):
        load_document(SCAN, "scan.pdf")


def test_whether_ocr_is_there_is_found_out_without_importing_it() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from playground.documents.recognition import is_installed; is_installed()\n"
        "print([name for name in ('rapidocr', 'cv2', 'openvino', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
