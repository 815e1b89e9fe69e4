"""GGUF files: read as the package ``gguf`` reads them, in every format of blocks; refused where they are damaged."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from playground.errors import ModelError
from playground.models.openvino.gguf_blocks import FORMATS, unpack
from playground.models.openvino.gguf_file import read_gguf
from playground.models.openvino.llama_weights import load_llama_gguf
from tests.support.tiny_qwen2 import random_blocks, write_tiny_qwen2


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen2(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.mark.parametrize("kind", FORMATS)
def test_blocks_hold_the_weights_that_ggml_reads(kind: str) -> None:
    import gguf
    from gguf.quants import dequantize

    data = random_blocks(kind, (6, 1024), np.random.default_rng(3), 0.01)
    expected = dequantize(data, gguf.GGMLQuantizationType[kind])
    unpacked = unpack(kind, data)
    assert unpacked.codes.shape == (6, 32, 32)
    # Q6_K's groups of 16 are joined in pairs, at 8 bits: half a step of the largest weight in each pair.
    steps = np.abs(expected.reshape(6, 32, 32)).max(axis=-1, keepdims=True) / 254
    allowed = steps * 1.001 if kind == "Q6_K" else np.abs(expected).max() * 1e-5
    assert (np.abs(unpacked.dense() - expected).reshape(6, 32, 32) <= allowed).all()


@pytest.mark.parametrize("kind", FORMATS)
def test_bands_of_rows_make_the_same_matrix(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = random_blocks(kind, (7, 512), np.random.default_rng(4), 0.01)
    whole = unpack(kind, data).dense()
    monkeypatch.setattr("playground.models.openvino.gguf_blocks._BAND_BYTES", 2 * data.shape[1])
    assert np.array_equal(unpack(kind, data).dense(), whole)


def test_loading_leaves_the_matrices_on_the_disk(tiny: Path) -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        weights = load_llama_gguf(tiny)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < sum(matrix.codes.nbytes for matrix in weights.matrices.values()) / 2


def test_a_file_that_has_gone_is_named_when_a_matrix_is_asked_for(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny.read_bytes())
    weights = load_llama_gguf(path)
    assert weights.matrices["model.embed_tokens"].codes.size
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="model.gguf could not be read"):
        weights.matrices["model.embed_tokens"]
    path.unlink()
    with pytest.raises(ModelError, match="model.gguf could not be read"):
        weights.matrices["model.embed_tokens"]


def test_a_group_of_equal_weights_keeps_its_value() -> None:
    block = np.zeros((1, 20), np.uint8)
    block[0, 2:4] = np.array([1.5], np.float16).view(np.uint8)
    assert unpack("Q4_1", block).dense().tolist() == [[1.5] * 32]


def test_fields_and_tensors_are_those_that_the_package_reads(tiny: Path) -> None:
    import gguf

    ours, theirs = read_gguf(tiny), gguf.GGUFReader(tiny)
    expected = {name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert ours.fields == expected
    assert [(tensor.name, tensor.kind) for tensor in ours.tensors] == [
        (tensor.name, tensor.tensor_type.name) for tensor in theirs.tensors
    ]
    for one, other in zip(ours.tensors, theirs.tensors, strict=True):
        assert np.array_equal(one.read(), other.data), one.name


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.5, 0.999])
def test_a_file_that_is_cut_off_is_refused(tiny: Path, tmp_path: Path, share: float) -> None:
    data = tiny.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError, match=r"cut.gguf could not be read as a GGUF file \(.+\). Fetch it again"):
        load_llama_gguf(path)


@pytest.mark.parametrize("at", [0, 4, 8, 16, 24], ids=["magic", "version", "tensors", "fields", "length"])
def test_a_header_with_impossible_numbers_is_refused(tiny: Path, tmp_path: Path, at: int) -> None:
    data = bytearray(tiny.read_bytes())
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    path = tmp_path / "wrong.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelError, match="could not be read as a GGUF file"):
        load_llama_gguf(path)


def test_text_is_split_as_qwen2_does(tiny: Path) -> None:
    tokenizer = load_llama_gguf(tiny).tokenizer
    assert tokenizer.encode("the 60 tins in", add_special_tokens=False).tokens == [
        *("t", "h", "e", "Ġ", "6", "0", "Ġt", "in", "s", "Ġ", "in"),
    ]
    ids = tokenizer.encode("30 days,\r\n it's über 5 €", add_special_tokens=False).ids
    assert tokenizer.decode(ids) == "30 days,\r\n it's über 5 €"
