"""What is drawn on a page beside the lines of text that were found: stamps over the text, and things not read.

The scores of a reading say nothing of its completeness: a line that is never found has no score. So the ink of the page
is compared with the places of the lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

_FAINTEST = 40
"""How much darker than the paper ink is, of 255."""
_SPECK = 0.004
"""Area of the largest speck as a share of a line's height squared: a full stop has some 0.015."""
_MOST_REGIONS = 200


def ink_of(image: np.ndarray) -> np.ndarray:
    """Return the mask [height, width] of what is darker, in any colour, than the paper around it."""

    darkest = image.min(axis=2)
    return np.asarray(_paper(darkest).astype(np.int16) - darkest > _FAINTEST)


def without_specks(image: np.ndarray, height: float) -> np.ndarray:
    """Return the page without specks much smaller than a full stop; they are read as points and hide letters.

    Args:
        image: the page.
        height: of a usual line of text, in pixels.
    """
    import cv2

    ink = ink_of(image).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    specks = stats[:, cv2.CC_STAT_AREA] < _SPECK * height * height
    specks[0] = False
    if not count or not specks.any():
        return image
    paper = _paper(image.max(axis=2))
    mask = cv2.dilate(specks[labels].astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    mask &= ~cv2.dilate((~specks)[labels].astype(np.uint8) & ink, np.ones((3, 3), np.uint8)).astype(bool)
    cleaned = image.copy()
    cleaned[mask] = paper[mask, None]
    return cleaned


def stamps(image: np.ndarray, height: float) -> np.ndarray:
    """Return the mask of see-through stamps and watermarks: ink lighter than that of the text, taller than a line.

    Args:
        image: the page.
        height: of a usual line of text, in pixels.

    Coloured ink is light in its own colour, so that what is dark in every colour (black text under a red stamp) stays
    out of the mask. Coloured words that are no taller than a line are text.
    """
    import cv2

    lightest = image.max(axis=2)
    paper = _paper(lightest)
    ink = ink_of(image)
    dark = paper.astype(np.int16) - lightest
    strokes = dark[ink]
    if not strokes.size:
        return ink
    # Text is the darkest ink there is; half way to the paper its blurred edges begin.
    soft = ink & (dark < 0.55 * float(np.percentile(strokes, 90)))
    # The edges of dark strokes are thin; a stamp's strokes are not.
    opened = cv2.morphologyEx(soft.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    gap = max(3, round(0.5 * height))
    joined = cv2.dilate(opened, np.ones((gap, gap), np.uint8))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    tall = [number for number in range(1, count) if boxes[number, cv2.CC_STAT_HEIGHT] > 1.9 * height + gap]
    inside = np.isin(labels, tall)
    return np.asarray(soft & inside)


def without(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the page with the masked ink, and its edges, in the colour of the paper."""
    import cv2

    paper = np.dstack([_paper(np.ascontiguousarray(image[..., channel])) for channel in range(3)])
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    of_text = image.max(axis=2) < 0.45 * paper.max(axis=2)
    cleaned = image.copy()
    cleaned[wide & ~of_text] = paper[wide & ~of_text]
    return cleaned


def alone(mask: np.ndarray) -> np.ndarray:
    """Return a picture of the masked strokes, black on white, without the fringes of what lay under them."""
    import cv2

    strokes = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.repeat((255 - 255 * strokes)[..., None], 3, axis=2)


THREE_LETTERS, TWO_FIGURES = 0.45, 0.1
"""How much ink they have, as a share of a line's height squared."""


def not_read(
    image: np.ndarray, boxes: Sequence[Box], height: float, skew: float, *, least: float = THREE_LETTERS
) -> list[np.ndarray]:
    """Return where ink stands that no line of text covers, rules and specks apart, from top to bottom.

    Args:
        image: the page.
        boxes: of the lines that were read.
        height: of a usual line of text, in pixels.
        skew: angle of the lines in radians, clockwise.
        least: ink of the smallest thing that counts, as a share of ``height`` squared.

    Returns:
        Quads [4, 2] along the lines, corners clockwise from the upper left one.
    """
    import cv2

    ink = ink_of(image).astype(np.uint8)
    margin = round(0.3 * height)
    for x0, y0, x1, y1 in boxes:
        ink[max(0, y0 - margin) : y1 + margin, max(0, x0 - margin) : x1 + margin] = 0
    ink = _without_rules(ink, height)
    ink = _without_specks_and_edges(ink, height)
    gap = max(3, round(0.9 * height))
    joined = cv2.dilate(ink, np.ones((gap, gap), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    along = np.array([[math.cos(skew), math.sin(skew)], [-math.sin(skew), math.cos(skew)]])
    found: list[np.ndarray] = []
    for number in range(1, min(count, _MOST_REGIONS)):
        x, y, w, h = (int(value) for value in stats[number, :4])
        rows, columns = np.nonzero(ink[y : y + h, x : x + w] * (labels[y : y + h, x : x + w] == number))
        if len(rows) < least * height * height:
            continue
        turned = np.stack([columns + x, rows + y], axis=1) @ along.T
        (left, top), (right, bottom) = turned.min(axis=0), turned.max(axis=0)
        if bottom - top >= 0.4 * height and right - left >= 0.5 * height:
            corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)
            found.append(corners @ along)
    return sorted(found, key=lambda quad: (float(quad[:, 1].min()), float(quad[:, 0].min())))


def _paper(channel: np.ndarray) -> np.ndarray:
    """Return the brightness of the paper behind each pixel: shadows and a grey ground are paper too."""
    import cv2

    small = cv2.resize(channel, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    size = max(3, (min(small.shape) // 24) | 1)
    ground = cv2.medianBlur(cv2.dilate(small, np.ones((size, size), np.uint8)), 5)
    return np.asarray(cv2.resize(ground, (channel.shape[1], channel.shape[0]), interpolation=cv2.INTER_LINEAR))


def _without_rules(ink: np.ndarray, height: float) -> np.ndarray:
    """Take drawn lines away: longer than three lines of text are high, and thin."""
    import cv2

    length = max(15, round(3 * height))
    thick = max(3, round(0.25 * height))
    rules = np.zeros_like(ink)
    for shape, across in (((1, length), (thick, 1)), ((length, 1), (1, thick))):
        long = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        broad = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones(across, np.uint8))
        rules |= long & ~broad
    return np.asarray(ink & ~cv2.dilate(rules, np.ones((5, 5), np.uint8)))


def _without_specks_and_edges(ink: np.ndarray, height: float) -> np.ndarray:
    """Take away what is smaller than a full stop, and the dark edge of a sheet that lay askew."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    rows, columns = ink.shape
    x, y, w, h, area = stats.T[:5]
    speck = area < max(6, 0.012 * height * height)
    edge = (x <= 1) | (y <= 1) | (x + w >= columns - 1) | (y + h >= rows - 1)
    gone = speck | (edge & ((w < 2 * height) | (h < 2 * height) | (w * h > 0.2 * rows * columns)))
    gone[0] = True
    return np.asarray((~gone)[labels].astype(np.uint8)) if count else ink
