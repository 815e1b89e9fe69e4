"""Bytes -> str for the text formats, in whichever encoding they were saved."""

from __future__ import annotations

import codecs
import re

from playground.errors import DocumentError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META_CHARSET = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_\-]+)""", re.I)
_SAMPLE_BYTES = 64 * 1024
# Up to this share of non-ASCII bytes a text is taken for Western: accents, quotes and currency signs. Cyrillic, Greek
# or CJK text has many times more, and only there is guessing worth its errors.
_WESTERN_SHARE = 0.06
_CANDIDATES = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859_2", "iso8859_5", "iso8859_7",
    "koi8_r", "mac_roman", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
]  # fmt: skip


def decode_text(data: bytes, *, html: bool = False) -> tuple[str, tuple[str, ...]]:
    """Decode a text file; return the text and warnings about what had to be guessed.

    In order: byte order mark, UTF-8, a charset that the HTML declares, UTF-16 without a mark, Windows-1252 for mostly
    ASCII text, the best guess of charset-normalizer.

    Raises:
        DocumentError: the bytes are not text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_leniently(data[len(mark) :], encoding)
    wide = _wide_encoding(data)
    if wide:
        return _decode_leniently(data, wide)
    _refuse_binary(data)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        pass
    declared = _declared_encoding(data) if html else None
    if declared:
        return _decode_leniently(data, declared)
    encoding = _guess(data)
    text, warnings = _decode_leniently(data, encoding)
    note = f"The file is not in UTF-8 and was read as {_display(encoding)}: check accented letters and currency signs."
    return text, (note, *warnings)


def _decode_leniently(data: bytes, encoding: str) -> tuple[str, tuple[str, ...]]:
    try:
        return data.decode(encoding), ()
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
        return text, (f"Some characters could not be read as {_display(encoding)} and are shown as \ufffd.",)


def _wide_encoding(data: bytes) -> str | None:
    """Recognise UTF-16 without a mark: mostly ASCII text then has a zero in every second byte."""
    sample = data[: _SAMPLE_BYTES // 2 * 2]
    if len(sample) < 4 or len(data) % 2:
        return None
    half = len(sample) / 2
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    if even > 0.4 and odd < 0.05:
        return "utf-16-be"
    return None


def _refuse_binary(data: bytes) -> None:
    controls = sum(data.count(bytes([c])) for c in range(32) if c not in (9, 10, 11, 12, 13, 27))
    if controls > max(16, len(data) // 20):
        raise DocumentError(
            "The file holds binary data, not text. Load a PDF, DOCX, Markdown, HTML or plain text file."
        )


def _declared_encoding(data: bytes) -> str | None:
    match = _META_CHARSET.search(data[:2048])
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1].decode("ascii")).name
    except LookupError:
        return None
    # Browsers read these labels as Windows-1252 (WHATWG Encoding); codecs such as "hex" or "idna" decode no text.
    if name in ("iso8859-1", "ascii"):
        return "cp1252"
    return name if name.replace("-", "_") in _CANDIDATES or name.startswith(("cp125", "iso8859")) else None


def _guess(data: bytes) -> str:
    foreign = sum(byte >= 0x80 for byte in data[:_SAMPLE_BYTES]) or 1
    if foreign / min(len(data), _SAMPLE_BYTES) <= _WESTERN_SHARE:
        return _western(data)
    from charset_normalizer import from_bytes

    end = data.rfind(b"\n", 0, _SAMPLE_BYTES) + 1 if len(data) > _SAMPLE_BYTES else len(data)
    best = from_bytes(data[: end or _SAMPLE_BYTES], cp_isolation=_CANDIDATES).best()
    return _western(data) if best is None or best.encoding == "cp1252" else best.encoding


def _western(data: bytes) -> str:
    """Windows-1252, or Latin-1 when a byte is undefined there."""
    return "latin-1" if any(data.count(bytes([c])) for c in (0x81, 0x8D, 0x8F, 0x90, 0x9D)) else "cp1252"


def _display(encoding: str) -> str:
    names = {"cp1252": "Windows-1252", "latin-1": "Latin-1", "cp1251": "Windows-1251", "cp1250": "Windows-1250"}
    return names.get(encoding, encoding.upper().replace("_", "-"))
