from __future__ import annotations

import shutil
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from playground.errors import ModelError
from playground.models.embedding import SentenceEmbedder, fit_query, load_embedder
from tests.support.scripted_embedder import ScriptedEmbedder


def test_query_that_fits_is_unchanged(fake_embedder: ScriptedEmbedder) -> None:
    text = "  Can I   return\nboots? "
    assert fit_query(text, fake_embedder) == text


def test_long_query_keeps_as_many_words_as_fit() -> None:
    words = [f"w{i}" for i in range(1000)]
    assert fit_query("  ".join(words), ScriptedEmbedder(max_tokens=10)) == " ".join(words[:10])


class LetterEmbedder(ScriptedEmbedder):
    """A token is a character."""

    def count_tokens(self, text: str) -> int:
        return len(text)


def test_word_longer_than_the_limit_is_cut_inside() -> None:
    assert fit_query("x" * 5_000, LetterEmbedder(max_tokens=10)) == "x" * 10


def test_long_query_is_counted_in_bounded_pieces() -> None:
    counted: list[int] = []

    class Counting(ScriptedEmbedder):
        def count_tokens(self, text: str) -> int:
            counted.append(len(text))
            return super().count_tokens(text)

    assert fit_query("word " * 400_000, Counting(max_tokens=10)) == " ".join(["word"] * 10)
    assert max(counted) <= 10 * 100
    assert fit_query(" " * 400_000, Counting(max_tokens=10)) == ""


def test_folder_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lacks modules.json.*models fetch"):
        load_embedder(tmp_path)


@pytest.mark.models
def test_pickled_weights_are_refused(minilm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(minilm, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        load_embedder(folder)


@pytest.mark.models
def test_damaged_weights_say_what_to_do(minilm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(minilm, folder)
    (folder / "model.safetensors").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="could not be loaded.*models fetch"):
        load_embedder(folder)


@pytest.mark.models
def test_loading_is_silent_and_needs_no_network(
    minilm: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    loaded = load_embedder(minilm)
    assert loaded.embed(["a text"]).shape == (1, 384)
    assert loaded.model_id == "all-minilm-l6-v2"
    assert loaded.max_tokens == 256
    output = capfd.readouterr()
    assert output.out == ""
    assert output.err == ""


@pytest.mark.models
def test_vectors_are_those_of_sentence_transformers(embedder: SentenceEmbedder, minilm: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts = ["Boots", "", "A tent may be pitched once.", "long " * 200, *(f"Text number {i}" for i in range(40))]
    reference = SentenceTransformer(str(minilm), device="cpu", local_files_only=True)
    expected = reference.encode(texts, show_progress_bar=False, normalize_embeddings=True)
    vectors = embedder.embed(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.models
def test_no_text_gives_no_vector(embedder: SentenceEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


@pytest.mark.models
def test_text_over_the_limit_is_an_error_not_a_cut(embedder: SentenceEmbedder) -> None:
    longest = "word " * 254  # and two special tokens
    assert embedder.count_tokens(longest) == 256
    assert embedder.embed([longest]).shape == (1, 384)
    with pytest.raises(ValueError, match="text 1 has 257 tokens"):
        embedder.embed(["short", longest + "word"])


@pytest.mark.models
def test_tokens_count_special_ones_and_are_never_cut(embedder: SentenceEmbedder) -> None:
    assert embedder.count_tokens("") == 2
    assert embedder.count_tokens("word " * 5_000) == 5_002


@pytest.mark.models
def test_long_question_is_fitted_to_the_last_token(embedder: SentenceEmbedder) -> None:
    fitted = fit_query("How long is the return window? " * 2_000, embedder)
    assert embedder.count_tokens(fitted) == 256


@pytest.mark.models
def test_threads_get_the_same_vectors(embedder: SentenceEmbedder) -> None:
    texts = [f"Return number {i} of the day" for i in range(48)]
    expected = embedder.embed(texts)
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(embedder.embed(texts))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)
