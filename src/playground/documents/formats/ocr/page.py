"""One picture of a page -> its lines, upright and in reading order, with what must be said of the reading."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.documents.formats.ocr import ink
from playground.documents.formats.ocr.engine import Character, Recogniser
from playground.documents.formats.ocr.order import reading_order

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_TALL = 1.5
"""A line of upright text is wider than high; one higher than wide by this factor runs up or down."""
_LEAST_OF_OVERLOOKED = 0.8
"""The same of what was not found as a line, but only as ink."""
_VOTES = 15
_LONG = 8
"""Lines this many times as long as high say how the page is skewed."""
_LEAST_PROBABILITY = 0.35
"""A line whose characters are less probable than this on average is no text but a drawing."""
_COVERED = 0.12
"""A word of whose box a stamp covers this share is doubtful."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word as it was read.

    ``x0``, ``x1``: along the line in the upright page, in pixels. ``box``: on the picture as it came, each side as a
    share of its width or height. ``least``: the lowest probability of its characters. ``covered``: a stamp lies on it.
    """

    text: str
    x0: float
    x1: float
    box: Box
    least: float
    covered: bool = False


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line as it was read: its words and its box in the upright page, in pixels with y downwards."""

    words: tuple[ReadWord, ...]
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        """On the picture as it came, as that of a word."""
        boxes = [word.box for word in self.words]
        left, top, right, bottom = zip(*boxes, strict=True)
        return min(left), min(top), max(right), max(bottom)


@dataclass(frozen=True, slots=True)
class ReadPage:
    """One page as it was read.

    ``width`` and ``height`` are those of the upright page in pixels, ``quarter_turns`` how often it was turned
    counter-clockwise to stand upright, ``stamps`` what see-through stamps say, ``unread`` where something stands that
    was not read (boxes as shares of the picture as it came).
    """

    lines: tuple[ReadLine, ...]
    width: int
    height: int
    quarter_turns: int
    stamps: tuple[str, ...]
    unread: tuple[Box, ...]


def read_page(image: np.ndarray, recogniser: Recogniser) -> ReadPage:
    """Read a picture [height, width, 3] of uint8, in any quarter turn and somewhat skewed."""
    upright, turns, quads = _turned_upright(image, recogniser)
    if len(quads):
        upright = ink.without_specks(upright, float(np.median([_thickness(quad) for quad in quads])))
    place = _Placing(upright.shape[1], upright.shape[0], turns, _skew(quads))
    lines = _read_lines(upright, quads, recogniser, place)
    usual = usual_height(lines)
    said: tuple[str, ...] = ()
    shown = upright
    if usual:
        mask = ink.stamps(upright, usual)
        if mask.sum() > 0.5 * usual * usual:
            shown = ink.without(upright, mask)
            lines = _covered(_read_lines(shown, recogniser.find_lines(shown), recogniser, place), mask, place)
            drawn = ink.alone(mask)
            said = tuple(line.text for line in _read_lines(drawn, recogniser.find_lines(drawn), recogniser, place))
    height = usual or _guessed_height(upright)
    # A number that stands alone ("4.1") has too little ink to be called unread, but it can be read.
    specks = ink.not_read(shown, _pixels(lines, place), height, place.skew, least=ink.TWO_FIGURES)
    lines = [*lines, *_read_lines(shown, _as_lines(specks, height), recogniser, place, _LEAST_OF_OVERLOOKED)]
    regions = ink.not_read(shown, _pixels(lines, place), height, place.skew)
    return ReadPage(
        lines=tuple(reading_order(_joined(lines))),
        width=place.width,
        height=place.height,
        quarter_turns=turns,
        stamps=said,
        unread=tuple(place.share_box(quad) for quad in regions),
    )


def usual_height(lines: Sequence[ReadLine]) -> float:
    """Return the height in pixels of the line in which the middle character of the page stands; 0 without lines."""
    heights = sorted((line.y1 - line.y0, len(line.text)) for line in lines)
    half = sum(count for _height, count in heights) / 2
    for height, count in heights:
        half -= count
        if half <= 0:
            return height
    return 0.0


@dataclass(frozen=True, slots=True)
class _Placing:
    """How the upright page lies: its size in pixels, how often it was turned, and its skew in radians."""

    width: int
    height: int
    turns: int
    skew: float

    def straight(self, points: np.ndarray) -> np.ndarray:
        """Return points [n, 2] of the upright page as if it were not skewed."""
        middle = np.array([self.width / 2, self.height / 2])
        cos, sin = math.cos(-self.skew), math.sin(-self.skew)
        return np.asarray((points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle)

    def share_box(self, points: np.ndarray) -> Box:
        """Return the box around points [n, 2] of the upright page, on the picture as it came, as shares."""
        x, y = points[:, 0] / self.width, points[:, 1] / self.height
        # A picture turned counter-clockwise once has its right side on top.
        x, y = ((x, y), (1 - y, x), (1 - x, 1 - y), (y, 1 - x))[self.turns]
        sides = (x.min(), y.min(), x.max(), y.max())
        left, top, right, bottom = (round(float(min(max(side, 0.0), 1.0)), 5) for side in sides)
        return left, top, right, bottom

    def pixels(self, box: Box) -> ink.Box:
        """Return a box of shares of the picture as it came in pixels of the upright page."""
        x = np.array([box[0], box[2]])
        y = np.array([box[1], box[3]])
        x, y = ((x, y), (y, 1 - x), (1 - x, 1 - y), (1 - y, x))[self.turns]
        return (
            int(x.min() * self.width),
            int(y.min() * self.height),
            math.ceil(x.max() * self.width),
            math.ceil(y.max() * self.height),
        )


def _turned_upright(image: np.ndarray, recogniser: Recogniser) -> tuple[np.ndarray, int, np.ndarray]:
    """Return the page upright, how many quarter turns counter-clockwise that took, and its lines."""
    quads = recogniser.find_lines(image)
    turns = 0
    tall = sum(_length(quad) for quad in quads if _is_tall(quad))
    if 2 * tall > sum(_length(quad) for quad in quads):
        turns = 1
        quads = recogniser.find_lines(np.ascontiguousarray(np.rot90(image)))
    upright = np.ascontiguousarray(np.rot90(image, turns))
    longest = sorted((quad for quad in quads if not _is_tall(quad)), key=_length, reverse=True)[:_VOTES]
    if longest and recogniser.is_upside_down(upright, longest):
        turns += 2
        upright = np.ascontiguousarray(np.rot90(image, turns))
        quads = recogniser.find_lines(upright)
    return upright, turns, quads


def _is_tall(quad: np.ndarray) -> bool:
    width, height = np.ptp(quad[:, 0]), np.ptp(quad[:, 1])
    return bool(height > _TALL * width)


def _thickness(quad: np.ndarray) -> float:
    return float(min(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[1] - quad[0])))


def _length(quad: np.ndarray) -> float:
    return float(max(np.ptp(quad[:, 0]), np.ptp(quad[:, 1])))


def _pixels(lines: Sequence[ReadLine], place: _Placing) -> list[ink.Box]:
    return [place.pixels(line.box) for line in lines]


def _as_lines(regions: Sequence[np.ndarray], usual: float) -> np.ndarray:
    """Return those regions that are as high as a line and longer, with the room around letters that lines have."""
    quads = []
    for quad in regions:
        down, right = quad[3] - quad[0], quad[1] - quad[0]
        height, length = float(np.linalg.norm(down)), float(np.linalg.norm(right))
        if 0.4 * usual < height < 1.3 * usual and length > 0.7 * usual:
            v, u = 0.15 * usual * down / height, 0.15 * usual * right / length
            quads.append(quad + np.array([-u - v, u - v, u + v, v - u]))
    return np.array(quads)


def _skew(quads: np.ndarray) -> float:
    """Return the angle in radians, clockwise, of the longest lines."""
    angles = []
    for quad in quads:
        along = quad[1] + quad[2] - quad[0] - quad[3]
        height = max(float(np.linalg.norm(quad[3] - quad[0])), 1.0)
        if np.linalg.norm(along) / 2 > _LONG * height:
            angles.append(math.atan2(along[1], along[0]))
    return float(np.median(angles)) if angles else 0.0


def _read_lines(
    image: np.ndarray, quads: np.ndarray, recogniser: Recogniser, place: _Placing, least: float = _LEAST_PROBABILITY
) -> list[ReadLine]:
    read = []
    for quad in quads:
        if _is_tall(quad):
            continue  # text that runs up a margin is no line of this page; its ink is reported as not read
        characters = recogniser.read_line(image, quad)
        # The dots that lead to a page number are read with little certainty.
        letters = [character for character in characters if character.text.isalnum()] or characters
        if letters and sum(letter.probability for letter in letters) >= least * len(letters):
            read.append(_line(characters, quad, place))
    return read


def _line(characters: Sequence[Character], quad: np.ndarray, place: _Placing) -> ReadLine:
    straight = place.straight(quad)
    x0, x1 = float(straight[[0, 3], 0].mean()), float(straight[[1, 2], 0].mean())
    words = []
    for word in _words(characters):
        # A character's middle is known; its sides lie half way to its neighbours.
        width = 1 / (len(characters) + 2)
        start, end = max(0.0, word[0].at - 0.6 * width), min(1.0, word[-1].at + 0.6 * width)
        corners = np.array([_between(quad, start), _between(quad, end)]).reshape(-1, 2)
        words.append(
            ReadWord(
                text="".join(character.text for character in word),
                x0=x0 + start * (x1 - x0),
                x1=x0 + end * (x1 - x0),
                box=place.share_box(corners),
                least=min(character.probability for character in word),
            )
        )
    return ReadLine(tuple(words), x0, float(straight[:2, 1].mean()), x1, float(straight[2:, 1].mean()))


def _between(quad: np.ndarray, share: float) -> np.ndarray:
    """Return the points above and below at a share of a line's length."""
    return np.array([quad[0] + share * (quad[1] - quad[0]), quad[3] + share * (quad[2] - quad[3])])


def _words(characters: Sequence[Character]) -> list[list[Character]]:
    words: list[list[Character]] = [[]]
    for character in characters:
        if character.text.isspace():
            words.append([])
        else:
            words[-1].append(character)
    return [word for word in words if word]


def _joined(lines: Sequence[ReadLine]) -> list[ReadLine]:
    """Join what was found as two lines but stands side by side without a gap."""
    joined: list[ReadLine] = []
    for line in sorted(lines, key=lambda line: line.x0):
        height = line.y1 - line.y0
        for position, before in enumerate(joined):
            level = abs(line.y0 + line.y1 - before.y0 - before.y1) < 0.6 * height
            if level and -0.5 * height < line.x0 - before.x1 < 0.6 * height:
                joined[position] = ReadLine(
                    before.words + line.words, before.x0, min(before.y0, line.y0), line.x1, max(before.y1, line.y1)
                )
                break
        else:
            joined.append(line)
    return joined


def _covered(lines: Sequence[ReadLine], mask: np.ndarray, place: _Placing) -> list[ReadLine]:
    """Mark the words over which a stamp lies."""
    marked = []
    for line in lines:
        words = []
        for word in line.words:
            share = _share_of(mask, place.pixels(word.box))
            words.append(ReadWord(word.text, word.x0, word.x1, word.box, word.least, covered=share > _COVERED))
        marked.append(ReadLine(tuple(words), line.x0, line.y0, line.x1, line.y1))
    return marked


def _share_of(mask: np.ndarray, box: ink.Box) -> float:
    x0, y0, x1, y1 = box
    part = mask[max(0, y0) : y1, max(0, x0) : x1]
    return float(part.mean()) if part.size else 0.0


def _guessed_height(image: np.ndarray) -> float:
    return max(12.0, float(image.shape[0]) / 70)
