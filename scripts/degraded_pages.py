"""Pages of a PDF made to look like scans, for measuring and testing text recognition. Seeded, so that they come again.

pages = rendered(pdf_bytes, dpi=200)
scan = as_pdf([degraded(page, random.Random(7), skew_degrees=0.8, noise=12) for page in pages], dpi=200)
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw, ImageFilter, ImageFont

RED, BLUE, GREY = (200, 30, 40), (40, 60, 190), (130, 130, 130)


def rendered(pdf: bytes, dpi: int) -> list[Image.Image]:
    """Return the pages of a PDF as pictures of so many dots an inch."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=dpi / 72).to_pil().convert("RGB") for page in document]


def degraded(
    page: Image.Image,
    chooser: random.Random,
    *,
    skew_degrees: float = 0.0,
    noise: float = 0.0,
    blur: float = 0.0,
    specks: float = 0.0,
    jpeg_quality: int = 70,
) -> Image.Image:
    """Return a page as a scanner gives it.

    Args:
        page: the clean page.
        chooser: what the noise is drawn from.
        skew_degrees: how far the sheet lay askew, counter-clockwise.
        noise: standard deviation of the grey values' noise, of 255.
        blur: radius in pixels.
        specks: black specks of one or two pixels, a million pixels of the page.
        jpeg_quality: as it is stored, 1 to 95.
    """
    page = page.convert("L").rotate(skew_degrees, Image.Resampling.BICUBIC, fillcolor=255)
    if blur:
        page = page.filter(ImageFilter.GaussianBlur(blur))
    values = np.asarray(page, dtype=np.float64)
    randoms = np.random.default_rng(chooser.getrandbits(32))
    if noise:
        values = values * 0.94 + 6 + randoms.normal(0, noise, values.shape)
    for _ in range(int(specks * values.size / 1_000_000)):
        row, column = int(randoms.integers(values.shape[0] - 2)), int(randoms.integers(values.shape[1] - 2))
        values[row : row + int(randoms.integers(1, 3)), column : column + int(randoms.integers(1, 3))] = 0
    return _stored(Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB"), jpeg_quality)


def stamped(
    page: Image.Image,
    text: str,
    place: tuple[float, float],
    *,
    colour: tuple[int, int, int] = RED,
    opacity: float = 0.55,
    size: float = 0.03,
    degrees: float = 12.0,
) -> Image.Image:
    """Return a page with a see-through stamp: text in a frame.

    Args:
        page: the page under it.
        text: what the stamp says.
        place: of its middle, as shares of width and height.
        colour: of its ink.
        opacity: in (0, 1]; below 1 the text under it shines through.
        size: height of its letters as a share of the page's height.
        degrees: how far it is turned, counter-clockwise.
    """
    letters = max(8, round(size * page.height))
    font = ImageFont.load_default(size=letters)
    left, top, right, bottom = font.getbbox(text)
    width, height = int(right - left), int(bottom - top)
    pad, line = letters // 2, max(2, letters // 8)
    mask = Image.new("L", (width + 2 * pad, height + 2 * pad), 0)
    pen = ImageDraw.Draw(mask)
    pen.rectangle((0, 0, mask.width - 1, mask.height - 1), outline=255, width=line)
    pen.text((pad - left, pad - top), text, fill=255, font=font, stroke_width=max(1, letters // 20))
    mask = mask.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    whole = Image.new("L", page.size, 0)
    whole.paste(mask, (round(place[0] * page.width - mask.width / 2), round(place[1] * page.height - mask.height / 2)))
    share = np.asarray(whole, dtype=np.float32)[..., None] / 255 * opacity
    paper = np.asarray(page, dtype=np.float32)
    # Ink over ink: both take their part of the light.
    tinted = paper * np.array(colour, dtype=np.float32) / 255
    return Image.fromarray((paper * (1 - share) + tinted * share).astype(np.uint8))


def as_pdf(pages: Sequence[Image.Image], dpi: int) -> bytes:
    """Return pictures as a PDF without text, a page each."""
    out = io.BytesIO()
    pages[0].save(out, "PDF", resolution=dpi, save_all=True, append_images=list(pages[1:]), quality=90)
    return out.getvalue()


def _stored(page: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    page.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")
