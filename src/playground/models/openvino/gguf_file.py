"""The header and the tensors of a GGUF file, read in a second whatever the size of its vocabulary.

The package ``gguf`` makes a numpy array of every token and merge, which takes 10 seconds and more for 150,000 of each.
Its table of block sizes is used. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_FIELDS = 10_000
_MOST_TENSORS = 100_000
_MOST_DIMENSIONS = 4
_VERSIONS = (2, 3)
_Info = tuple[str, tuple[int, ...], int, int]  # name, shape, number of the format, offset among the tensors


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor, on the disk until it is read: ``kind`` is GGUF's name of its format."""

    name: str
    kind: str
    path: Path
    offset: int
    """In bytes, from the beginning of the file."""
    shape: tuple[int, ...]
    """Of what is read: of the tensor where it is float32, else [rows, bytes a row]."""

    def read(self) -> NDArray[Any]:
        """Return the data: float32 as shaped, or uint8 [rows, bytes a row]. The file's pages do not stay in memory.

        Raises:
            OSError: the file cannot be read any more.
            ValueError: it has become shorter.
        """
        dtype = np.float32 if self.kind == "F32" else np.uint8
        count = int(np.prod(self.shape, dtype=np.int64))
        return np.fromfile(self.path, dtype, count, offset=self.offset).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class GgufFile:
    """What a file holds: its fields by name, and where its tensors are."""

    fields: Mapping[str, Any]
    tensors: tuple[GgufTensor, ...]


def read_gguf(path: Path) -> GgufFile:
    """Read a GGUF file of version 2 or 3.

    Raises:
        ValueError: it is none, is cut off, or has a tensor of a format that is not known.
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
        try:
            return _read(path, _Cursor(view))
        except struct.error as error:
            raise ValueError("it is cut off") from error


class _Cursor:
    def __init__(self, view: mmap.mmap) -> None:
        self._view = view
        self.position = 0

    def take(self, code: str) -> Any:
        (value,) = struct.unpack_from(f"<{code}", self._view, self.position)
        self.position += struct.calcsize(f"<{code}")
        return value

    def count(self, most: int) -> int:
        number = int(self.take("Q"))
        if number > most:
            raise ValueError(f"it says that it has {number:,} entries where at most {most:,} can be")
        return number

    def string(self) -> str:
        length = self.count(len(self._view) - self.position)
        self.position += length
        return self._view[self.position - length : self.position].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.take(_scalar(kind))
        inner = int(self.take("I"))
        length = self.count(len(self._view) - self.position)
        if inner == _STRING:
            return [self.string() for _ in range(length)]
        code = f"<{length}{_scalar(inner)}"
        values = list(struct.unpack_from(code, self._view, self.position))
        self.position += struct.calcsize(code)
        return values


def _scalar(kind: int) -> str:
    if kind not in _SCALARS:
        raise ValueError(f"it has a field of the unknown type {kind}")
    return _SCALARS[kind]


def _read(path: Path, cursor: _Cursor) -> GgufFile:
    if cursor.take("4s") != b"GGUF":
        raise ValueError("it does not begin as one")
    if (version := cursor.take("I")) not in _VERSIONS:
        raise ValueError(f"it is of version {version}")
    n_tensors, n_fields = cursor.count(_MOST_TENSORS), cursor.count(_MOST_FIELDS)
    fields = {}
    for _ in range(n_fields):
        name = cursor.string()
        fields[name] = cursor.value(int(cursor.take("I")))
    infos = [_tensor_info(cursor) for _ in range(n_tensors)]
    alignment = int(fields.get("general.alignment", 32))
    begin = -(-cursor.position // alignment) * alignment
    size = path.stat().st_size
    return GgufFile(fields, tuple(_tensor(path, size, begin, info) for info in infos))


def _tensor_info(cursor: _Cursor) -> _Info:
    name = cursor.string()
    n_dimensions = int(cursor.take("I"))
    if not 1 <= n_dimensions <= _MOST_DIMENSIONS:
        raise ValueError(f"{name[:60]} has {n_dimensions} dimensions")
    shape = tuple(int(cursor.take("Q")) for _ in range(n_dimensions))[::-1]  # GGUF names the fastest one first
    return name, shape, int(cursor.take("I")), int(cursor.take("Q"))


def _tensor(path: Path, size: int, begin: int, info: _Info) -> GgufTensor:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    name, shape, kind, offset = info
    known = GGMLQuantizationType(kind)  # ValueError where there is none
    block, block_bytes = GGML_QUANT_SIZES[known]
    row_bytes = shape[-1] // block * block_bytes
    rows = int(np.prod(shape[:-1], dtype=np.int64))
    start = begin + offset
    if shape[-1] % block or start + rows * row_bytes > size:
        raise ValueError(f"{name[:60]} does not fit into it")
    read_shape = shape if known is GGMLQuantizationType.F32 else (rows, row_bytes)
    return GgufTensor(name, known.name, path, start, read_shape)
