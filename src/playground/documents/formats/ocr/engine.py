"""Where lines of text stand on a picture, and what they say: PP-OCRv6 by rapidocr, computed by OpenVINO.

OpenVINO is what the project computes with anyway, and it finds the lines of a page some ten times as fast as
onnxruntime, rapidocr's default. The models are read from rapidocr's own package; nothing is fetched.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from playground.errors import DocumentError

_DETECTION_SIDE = 1600
"""Long side in pixels at which lines are looked for; they are read at the picture's own resolution."""
_LINE_HEIGHT = 48
"""Height in pixels at which a line is read, given by the model."""
_STRETCH = 1.25
"""Lines are read wider than they are: narrow letters side by side ("ed", "ii") get steps of their own."""
_WIDTH_STEP, _LEAST_WIDTH, _MOST_WIDTH = 240, 320, 4_800
"""Widths are rounded up to steps: OpenVINO keeps memory for every shape that it has met."""
_INK_DARKER = 60
"""How much darker than the paper a pixel of a letter is, of 255."""
_NOISE_PIXELS = 1
_LEADER = 3
"""Dots or a rule as long as the line is high, so many times, are a leader to the next column or a line to write on."""
_SPACE_SHARE = 0.7
"""A blank of this share of the line's usual space is a space."""
_MOST_THREADS = 4
_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}


@dataclass(frozen=True, slots=True)
class Character:
    """A character of a line: its middle as a share of the line's length, and the model's probability of it."""

    text: str
    at: float
    probability: float


class Recogniser:
    """The three models, loaded. Pictures are arrays [height, width, 3] of uint8, lines quads [4, 2] in pixels."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def find_lines(self, image: np.ndarray) -> np.ndarray:
        """Return the quads [n, 4, 2] of the lines, corners clockwise from the upper left one of the picture."""
        found = self._engine(image, use_det=True, use_cls=False, use_rec=False)
        boxes = getattr(found, "boxes", None)
        return np.zeros((0, 4, 2)) if boxes is None or not len(boxes) else np.asarray(boxes, dtype=np.float64)

    def read_line(self, image: np.ndarray, quad: np.ndarray) -> tuple[Character, ...]:
        """Return the characters of a line from left to right, spaces included; long dot leaders as five dots."""
        crop, used = _crop(image, quad)
        leader = _leader(crop, used)
        if leader is None:
            return self._read_strip(crop, used)
        start, end, dotted = leader
        # A strip that is mostly dots is read as dots alone.
        parts = []
        for left, right in ((0.0, start), (end, 1.0)):
            if (right - left) * used * crop.shape[1] > _LINE_HEIGHT / 3:
                read = self._read_strip(*_crop(image, _part(quad, left, right)))
                parts.append([Character(c.text, left + c.at * (right - left), c.probability) for c in read])
        middle = (start + end) / 2
        dots = [Character(letter, middle, 1.0) for letter in " ..... "] if dotted else [Character(" ", middle, 1.0)]
        return tuple([*parts[0], *dots, *parts[1]] if len(parts) > 1 else [*parts[0], *dots] if parts else ())

    def _read_strip(self, crop: np.ndarray, used: float) -> tuple[Character, ...]:
        found = self._engine(crop, use_det=False, use_cls=False, use_rec=True, return_word_box=True)
        if not found.txts or not found.txts[0]:
            return ()
        text, info = found.txts[0], found.word_results[0]
        steps = [step for word in info.word_cols for step in word]
        characters: list[Character] = []
        before = 0.0
        for letter, probability in zip(text, info.confs, strict=True):
            at = before if letter.isspace() or not steps else (steps.pop(0) + 0.5) / info.line_txt_len / used
            characters.append(Character(letter, min(at, 1.0), float(probability)))
            before = at
        return tuple(_with_spaces(characters, _blanks(crop, used)))

    def is_upside_down(self, image: np.ndarray, quads: Sequence[np.ndarray]) -> bool:
        """Whether most of the given lines stand on their heads."""
        votes = 0.0
        for quad in quads:
            found = self._engine(_crop(image, quad)[0], use_det=False, use_cls=True, use_rec=False)
            label, probability = found.cls_res[0]
            votes += float(probability) * (1 if label == "180" else -1)
        return votes > 0


def load_recogniser() -> Recogniser:
    """Load the models from rapidocr's package.

    Raises:
        DocumentError: rapidocr is missing, or not the version whose models are known.
    """
    try:
        import rapidocr
        from rapidocr.utils.typings import EngineType
    except ImportError as error:
        raise DocumentError(
            f"Text recognition could not be started ({error.name} is missing). Run "
            "`pip install -r requirements-ocr.txt` and restart."
        ) from error
    folder = Path(rapidocr.__file__).parent / "models"
    parameters: dict[str, object] = {
        "Global.log_level": "critical",
        "Global.max_side_len": 100_000,  # never made smaller before lines are cut out
        "Det.limit_side_len": _DETECTION_SIDE,
        "Det.limit_type": "max",
        "EngineConfig.openvino.inference_num_threads": max(1, min(_MOST_THREADS, os.cpu_count() or 1)),
        "EngineConfig.openvino.performance_hint": "LATENCY",
    }
    for task, name in _MODELS.items():
        if not (folder / name).is_file():  # rapidocr would try to fetch it
            raise DocumentError(
                "Text recognition could not be started: rapidocr has other models than those known. Run "
                "`pip install -r requirements-ocr.txt` and restart."
            )
        parameters |= {f"{task}.engine_type": EngineType.OPENVINO, f"{task}.model_path": str(folder / name)}
    return Recogniser(rapidocr.RapidOCR(params=parameters))


def _crop(image: np.ndarray, quad: np.ndarray) -> tuple[np.ndarray, float]:
    """Cut a line out, upright and stretched, on a strip whose width is a step; also return the share of it used."""
    import cv2

    length = max(float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[2] - quad[3])), 1.0)
    height = max(float(np.linalg.norm(quad[3] - quad[0])), float(np.linalg.norm(quad[2] - quad[1])), 1.0)
    width = int(np.clip(_STRETCH * _LINE_HEIGHT * length / height, _LINE_HEIGHT, _MOST_WIDTH))
    strip = max(_LEAST_WIDTH, -(-width // _WIDTH_STEP) * _WIDTH_STEP)
    corners = np.array([[0, 0], [width, 0], [width, _LINE_HEIGHT], [0, _LINE_HEIGHT]], dtype=np.float32)
    turn = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    method = cv2.INTER_AREA if height > 1.5 * _LINE_HEIGHT else cv2.INTER_CUBIC
    line = cv2.warpPerspective(image, turn, (width, _LINE_HEIGHT), flags=method, borderMode=cv2.BORDER_REPLICATE)
    paper = np.median(line[:, -8:].reshape(-1, 3), axis=0)
    padded = np.full((_LINE_HEIGHT, strip, 3), paper, dtype=np.uint8)
    padded[:, :width] = line
    return padded, width / strip


def _part(quad: np.ndarray, left: float, right: float) -> np.ndarray:
    """Return the part of a line between two shares of its length."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return np.array([quad[0] + left * top, quad[0] + right * top, quad[3] + right * bottom, quad[3] + left * bottom])


def _ink(crop: np.ndarray, used: float) -> np.ndarray:
    """Return the mask of the ink of a strip, its first and last rows apart: there are the ends of other lines."""
    line = crop[4:-4, : max(1, round(crop.shape[1] * used))].min(axis=2).astype(np.int16)
    return np.asarray(line < int(np.percentile(line, 85)) - _INK_DARKER)


def _runs(columns: np.ndarray) -> list[tuple[int, int]]:
    """Return where runs of True begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], columns.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _leader(crop: np.ndarray, used: float) -> tuple[float, float, bool] | None:
    """Return the longest stretch with ink at the foot of the line alone, as shares: dots (True) or a drawn rule."""
    ink = _ink(crop, used)
    middle = ink.shape[0] // 2
    low: np.ndarray = np.asarray(ink[middle:].any(axis=0))
    runs = [run for run in _runs(ink[:middle].sum(axis=0) <= _NOISE_PIXELS) if low[run[0] : run[1]].mean() > 0.15]
    start, end = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    if end - start < _LEADER * _LINE_HEIGHT:
        return None
    return start / ink.shape[1], end / ink.shape[1], bool(low[start:end].mean() < 0.9)


def _blanks(crop: np.ndarray, used: float) -> list[tuple[float, float]]:
    """Return the stretches of a strip without ink, as shares of the line's length."""
    ink = _ink(crop, used)
    return [(start / ink.shape[1], end / ink.shape[1]) for start, end in _runs(ink.sum(axis=0) <= _NOISE_PIXELS)]


def _with_spaces(characters: list[Character], blanks: list[tuple[float, float]]) -> list[Character]:
    """Put a space where the strip is empty between two characters for as long as a space: small ones are overlooked.

    A space is wider than nearly all gaps inside the words of the same line, so that spaced-out letters stay together.
    """
    if len(characters) < 2:
        return characters
    gaps = [
        0.0 if one.text.isspace() or other.text.isspace() else _widest(blanks, one.at, other.at)
        for one, other in pairwise(characters)
    ]
    spaces = [
        _widest(blanks, characters[i - 1].at, characters[i + 1].at)
        for i in range(1, len(characters) - 1)
        if characters[i].text.isspace()
    ]
    inside = sorted(gap for gap in gaps if gap > 0)
    if not spaces or not inside:
        return characters
    usual_space, usual_gap = median(spaces), median(inside)
    least = max(_SPACE_SHARE * usual_space, usual_gap + 0.5 * (usual_space - usual_gap))
    spaced = [characters[0]]
    for character, gap in zip(characters[1:], gaps, strict=True):
        if usual_space > usual_gap and gap >= least and _may_part(spaced[-1].text, character.text):
            spaced.append(Character(" ", spaced[-1].at, 1.0))
        spaced.append(character)
    return spaced


def _may_part(before: str, after: str) -> bool:
    """Whether a space may stand between two characters: figures are wide apart, and points belong to what precedes."""
    return (after.isalnum() or after in "($£€§“") and not (after.isdigit() and not before.isalpha())


def _widest(blanks: list[tuple[float, float]], start: float, end: float) -> float:
    """Return the width of the widest blank that has its middle between two places."""
    return max((right - left for left, right in blanks if start < (left + right) / 2 < end), default=0.0)
