"""Where lines of text stand on a picture, and what they say: PP-OCRv6 by rapidocr, computed by OpenVINO.

OpenVINO is what the project computes with anyway, and it finds the lines of a page some ten times as fast as
onnxruntime, rapidocr's default. The models are read from rapidocr's own package; nothing is fetched.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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
        """Return the characters of a line from left to right, spaces included."""
        crop, used = _crop(image, quad)
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
        return tuple(characters)

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

    length = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]), 1.0)
    height = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]), 1.0)
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
