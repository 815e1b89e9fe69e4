"""What was read ahead costs nothing again: in memory, on the disk, after a restart."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from playground.errors import ModelError
from playground.models import kept_prompts
from playground.models.chat import ChatMl, LocalChatModel
from playground.models.kept_prompts import KeptPrompts, delete_all, forget_old
from playground.models.openvino.engine import OpenVinoEngine, load_openvino_engine
from playground.models.openvino.lora_branches import LoraBranch
from playground.types import Message
from tests.support.tiny_qwen2 import HIDDEN, write_tiny_qwen2

TEXT = "tin " * 170
QUESTIONS = [[Message("system", "Read."), Message("user", f"{TEXT}\nQuestion: {word}")] for word in ("tin", "in")]
OTHER = [Message("system", "Read."), Message("user", f"{TEXT}\nQuestion: tint?")]


def branches(_name: str) -> Mapping[str, LoraBranch]:
    rng = np.random.default_rng(1)
    a, b = (rng.normal(0, 0.2, shape).astype(np.float32) for shape in ((4, HIDDEN), (HIDDEN, 4)))
    return {"model.layers.0.self_attn.q_proj": LoraBranch(a, b, 2.0)}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> OpenVinoEngine:
    return load_openvino_engine(
        write_tiny_qwen2(tmp_path_factory.mktemp("gguf") / "tiny.gguf", seed=7), load_adapter=branches
    )


def started(engine: OpenVinoEngine, folder: Path | None, weights: str = "these weights") -> LocalChatModel:
    """Return the model as it is after a start of the app, with what an earlier one left in ``folder``."""
    kept = KeptPrompts(folder, weights) if folder else None
    return LocalChatModel("tiny", ChatMl(engine.weights.tokenizer), engine.load_network, 512, kept_prompts=kept)


def answer(model: LocalChatModel, adapter: str | None = None) -> tuple[str, int]:
    """Return a text and how many tokens of its prompt were not read for it."""
    completion = model.complete(OTHER, max_tokens=8, adapter=adapter)
    assert completion.usage is not None
    return completion.text, completion.usage.cached_tokens


def test_a_question_costs_its_own_tokens_only(engine: OpenVinoEngine) -> None:
    model, seen = started(engine, None), []
    read = model.read_ahead(QUESTIONS, on_progress=lambda done, of: seen.append((done, of)))
    text, cached = answer(model)
    assert cached == read.tokens > 300
    assert read.size_bytes == 2 * 2 * 2 * 64 * 4 * read.tokens  # layers, keys and values, heads, size, float32
    assert text == answer(started(engine, None))[0]


def test_it_survives_a_restart_word_for_word(engine: OpenVinoEngine, tmp_path: Path) -> None:
    read = started(engine, tmp_path).read_ahead(QUESTIONS)
    text, cached = answer(started(engine, tmp_path))
    assert (text, cached) == (answer(started(engine, None))[0], read.tokens)


def test_an_adapter_never_sees_what_another_one_read(engine: OpenVinoEngine, tmp_path: Path) -> None:
    started(engine, tmp_path).read_ahead(QUESTIONS, adapter="mine@1")
    expected = {adapter: answer(started(engine, None), adapter)[0] for adapter in (None, "mine@1", "mine@2")}
    model = started(engine, tmp_path)
    for adapter in (None, "mine@1", None, "mine@1", "mine@2"):
        assert answer(model, adapter)[0] == expected[adapter]
    assert [answer(started(engine, tmp_path), adapter)[1] > 0 for adapter in expected] == [False, True, False]
    assert answer(started(engine, tmp_path, "other weights"), "mine@1")[1] == 0


def test_what_is_damaged_or_of_another_shape_is_read_anew(engine: OpenVinoEngine, tmp_path: Path) -> None:
    started(engine, tmp_path).read_ahead(QUESTIONS)
    (path,) = tmp_path.iterdir()
    whole, expected = path.read_bytes(), answer(started(engine, None))[0]
    path.write_bytes(whole[: len(whole) // 2])
    assert answer(started(engine, tmp_path)) == (expected, 0)
    path.unlink(missing_ok=True)
    tokens = ChatMl(engine.weights.tokenizer).encode(OTHER)[:300]
    KeptPrompts(tmp_path, "these weights").keep(None, tokens, {"keys": np.zeros((1, 2, 300, 64), np.float32)})
    assert answer(started(engine, tmp_path)) == (expected, 0)
    assert not list(tmp_path.iterdir())


def test_stopped_half_way_the_rest_is_read_later(engine: OpenVinoEngine, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("playground.models.generation.PREFILL_TOKENS", 100)
    model = started(engine, tmp_path)

    def stop(done: int, _of: int) -> None:
        if done >= 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.read_ahead(QUESTIONS, on_progress=stop)
    assert not list(tmp_path.iterdir())
    assert answer(model) == (answer(started(engine, None))[0], 200)


def test_nothing_goes_to_the_disk_where_that_is_not_wanted(engine: OpenVinoEngine, tmp_path: Path) -> None:
    model = started(engine, tmp_path)
    model.read_ahead(QUESTIONS, on_disk=False)
    assert not list(tmp_path.iterdir())


def test_a_text_longer_than_the_context_is_a_sentence(engine: OpenVinoEngine) -> None:
    with pytest.raises(ModelError, match=r"tiny can read 512\. Use RAG"):
        started(engine, None).read_ahead([[Message("user", TEXT * 2 + word)] for word in ("a", "b")])


def test_the_folder_is_bounded_and_forgets_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts, cache = KeptPrompts(tmp_path, "these weights"), {"keys": np.zeros((1, 1, 300, 64), np.float32)}
    size = cache["keys"].nbytes
    monkeypatch.setattr(kept_prompts, "MOST_BYTES", 3 * size)
    for number in range(4):
        prompts.keep(None, [number, *range(300)], cache)
        for path in tmp_path.iterdir():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * size
    assert prompts.find(None, [0, *range(300), 7]) is None
    newest = prompts.find(None, [3, *range(300), 7])
    assert newest is not None
    old = time.time() - kept_prompts.KEPT_S - 1
    os.utime(newest.path, (old, old))
    assert prompts.find(None, [3, *range(300), 7]) is None
    forget_old(tmp_path)
    assert not newest.path.exists()
    delete_all(tmp_path)
    assert not list(tmp_path.iterdir())
