"""GGML's block formats as groups of 32 codes with a scale; none but Q6_K is rounded a second time.

A formula ``w = q * d + m`` with a minimum ``m`` is rewritten as ``w = (q - z) * d`` with a *fractional* zero point
``z = -m / d``. Rounding ``z`` to an integer, as readers that map Q4_1 to integer zero points do, moves the logits of
SmolLM2 by up to 7.

Formats: https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h (structures ``block_q4_1`` to ``block_q6_K``)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class GroupedMatrix:
    """A matrix in groups along the input: ``w = (codes - zeros) * scales``.

    codes: uint8 (0 to 15) or int8, shape [out, groups, 32]; scales, zeros: float32, shape [out, groups, 1];
    ``zeros`` is None when the codes are symmetric.
    """

    codes: NDArray[np.uint8] | NDArray[np.int8]
    scales: NDArray[np.float32]
    zeros: NDArray[np.float32] | None

    def dense(self) -> NDArray[np.float32]:
        """Return the float32 matrix, shape [out, in]."""
        codes = self.codes.astype(np.float32)
        centred = codes if self.zeros is None else codes - self.zeros
        return (centred * self.scales).reshape(codes.shape[0], -1)


def _half(part: NDArray[np.uint8]) -> NDArray[np.float32]:
    return part.copy().view(np.float16).astype(np.float32)


def _nibbles(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def _with_minima(codes: NDArray[np.uint8], scales: NDArray[np.float32], minima: NDArray[np.float32]) -> GroupedMatrix:
    flat = scales[..., 0] == 0  # a group of equal weights has no scale: any will do once the codes are zero
    scales[flat], codes[flat] = 1, 0
    return GroupedMatrix(codes, scales, -minima / scales)


def q4_1(data: NDArray[np.uint8]) -> GroupedMatrix:
    """Unpack blocks of 20 bytes for 32 weights: float16 scale, float16 minimum, 16 bytes with two codes each."""
    blocks = data.reshape(data.shape[0], -1, 20)
    return _with_minima(_nibbles(blocks[..., 4:]), _half(blocks[..., 0:2]), _half(blocks[..., 2:4]))


def q5_0(data: NDArray[np.uint8]) -> GroupedMatrix:
    """Unpack blocks of 22 bytes for 32 weights: float16 scale, 32 high bits, 16 bytes with two low halves each."""
    blocks = data.reshape(data.shape[0], -1, 22)
    high = np.unpackbits(blocks[..., 2:6], axis=-1, bitorder="little")
    codes = (_nibbles(blocks[..., 6:]) | (high << 4)).astype(np.int8) - np.int8(16)
    return GroupedMatrix(codes, _half(blocks[..., 0:2]), None)


def q8_0(data: NDArray[np.uint8]) -> GroupedMatrix:
    """Unpack blocks of 34 bytes for 32 weights: float16 scale, 32 signed codes."""
    blocks = data.reshape(data.shape[0], -1, 34)
    return GroupedMatrix(np.ascontiguousarray(blocks[..., 2:]).view(np.int8), _half(blocks[..., 0:2]), None)


def q4_k(data: NDArray[np.uint8]) -> GroupedMatrix:
    """Unpack blocks of 144 bytes for 256 weights: eight groups of 32, their scales and minima of 6 bits each."""
    blocks = data.reshape(data.shape[0], -1, 144)
    packed = blocks[..., 4:16]
    low, middle, high = packed[..., 0:4], packed[..., 4:8], packed[..., 8:12]
    factors = np.concatenate([low & 63, (high & 15) | ((low >> 6) << 4)], axis=-1)
    offsets = np.concatenate([middle & 63, (high >> 4) | ((middle >> 6) << 4)], axis=-1)
    scales = _half(blocks[..., 0:2]) * factors
    minima = -_half(blocks[..., 2:4]) * offsets
    # 32 bytes hold two groups: the first in the low halves, the second in the high ones.
    codes = blocks[..., 16:].reshape(*blocks.shape[:2], 4, 32)
    rows = data.shape[0]
    return _with_minima(
        np.stack([codes & 15, codes >> 4], axis=-2).reshape(rows, -1, 32),
        scales.reshape(rows, -1, 1),
        minima.reshape(rows, -1, 1),
    )


def q6_k(data: NDArray[np.uint8]) -> GroupedMatrix:
    """Unpack blocks of 210 bytes for 256 weights, sixteen groups of 16, and join the groups in pairs."""
    blocks = data.reshape(data.shape[0], -1, 210)
    # Half a block is 128 weights: 64 bytes of low halves, 32 bytes of high pairs of bits.
    low = blocks[..., 0:128].reshape(*blocks.shape[:2], 2, 2, 32)
    high = blocks[..., 128:192].reshape(*blocks.shape[:2], 2, 1, 32)
    quarters = np.concatenate([low & 15, low >> 4], axis=-2)
    pairs = np.concatenate([(high >> shift) & 3 for shift in (0, 2, 4, 6)], axis=-2)
    codes = (quarters | (pairs << 4)).astype(np.int8) - np.int8(32)
    scales = _half(blocks[..., 208:210]) * blocks[..., 192:208].copy().view(np.int8)
    sixteens = codes.reshape(*blocks.shape[:2], 16, 16) * scales[..., None]
    return _in_groups_of_32(sixteens.reshape(data.shape[0], -1, 32))


def _in_groups_of_32(weights: NDArray[np.float32]) -> GroupedMatrix:
    """Return float32 ``weights`` [out, groups, 32] as signed codes of 8 bits.

    The plugin multiplies groups of 16 at half the speed. With 8 bits for what had 6, a weight moves by a 254th of the
    largest of its group at most.
    """
    scales = np.abs(weights).max(axis=-1, keepdims=True) / 127
    scales[scales == 0] = 1
    return GroupedMatrix(np.rint(weights / scales).astype(np.int8), scales, None)


_FORMATS: dict[str, Callable[[NDArray[np.uint8]], GroupedMatrix]] = {
    "Q4_1": q4_1,
    "Q5_0": q5_0,
    "Q8_0": q8_0,
    "Q4_K": q4_k,
    "Q6_K": q6_k,
}
FORMATS = tuple(_FORMATS)
"""The formats that are read, by GGUF's name of the type."""
_BAND_BYTES = 4 << 20


def unpack(kind: str, data: NDArray[np.uint8]) -> GroupedMatrix:
    """Return the matrix packed in ``data``, uint8 [out, bytes a row], of a format of ``FORMATS``.

    A band of rows at a time: unpacking takes many times the room of its result.
    """
    rows = max(1, _BAND_BYTES // data.shape[1])
    bands = [_FORMATS[kind](data[start : start + rows]) for start in range(0, data.shape[0], rows)]
    return joined(bands)


def joined(matrices: Sequence[GroupedMatrix]) -> GroupedMatrix:
    """Return matrices that are quantised alike as one, the rows of each after those of the one before."""
    if len(matrices) == 1:
        return matrices[0]
    zeros = [matrix.zeros for matrix in matrices if matrix.zeros is not None]
    return GroupedMatrix(
        np.concatenate([matrix.codes for matrix in matrices]),
        np.concatenate([matrix.scales for matrix in matrices]),
        np.concatenate(zeros) if zeros else None,
    )


def undo_rotary_order(matrix: GroupedMatrix, heads: int) -> GroupedMatrix:
    """Return a query or key matrix in Hugging Face's order of rows; a Llama GGUF interleaves the rotary halves."""

    def ordered(rows: NDArray[Any]) -> NDArray[Any]:
        half = rows.shape[0] // heads // 2
        return np.ascontiguousarray(rows.reshape(heads, half, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape))

    zeros = None if matrix.zeros is None else ordered(matrix.zeros)
    return GroupedMatrix(ordered(matrix.codes), ordered(matrix.scales), zeros)
