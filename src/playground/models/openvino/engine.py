"""The fast local engine: the OpenVINO graph of ``openvino_llama``, several cached sequences per adapter.

Chosen by measurement (``make bench``, docs/experiments.md): of the engines tried it is the one that keeps the
weights exactly. It needs half of llama.cpp's time to the first token and decodes at two thirds of its speed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models.openvino.llama import build_llama, import_openvino
from playground.models.openvino.llama_weights import LlamaWeights, load_llama_gguf
from playground.models.openvino.lora_branches import LoraBranch

LoadAdapter = Callable[[str], Mapping[str, LoraBranch]]

_MASKED = np.finfo(np.float32).min
_MOST_DEAD_CELLS = 64
_SETTINGS = {
    # Rounding activations to bfloat16 or int8 is faster but changes the greedy text on about a third of prompts.
    "INFERENCE_PRECISION_HINT": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    "KV_CACHE_PRECISION": "f32",
    "PERFORMANCE_HINT": "LATENCY",
}


_LARGE = {
    # Rounding activations to 8 bits: a prompt of the 0.5B is read four times as fast, with the same first answers. That
    # was one try on a busy machine (docs/experiments.md); what it costs in accuracy is not measured.
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "32",
}
_LARGE_HIDDEN = 896


class EngineUnavailableError(ModelError):
    """This machine cannot run the fast engine; another one can take over."""


class OpenVinoSequence:
    """A ``TokenSequence`` on one infer request, which owns the cache.

    Forgotten tokens stay in the cache as dead cells hidden by the mask, because cutting the cache copies all of it;
    it is cut when many are dead.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        self._tokens: list[int] = []
        self._cells: list[int] = []
        self._size = 0

    @property
    def tokens(self) -> Sequence[int]:
        return self._tokens

    def truncate(self, length: int) -> None:
        del self._tokens[length:]
        del self._cells[length:]
        if not length:
            self._request.reset_state()
            self._size = 0
        elif self._size - length > _MOST_DEAD_CELLS:
            self._compact()

    def _compact(self) -> None:
        ov = import_openvino()
        for state in self._request.query_state():
            kept = np.ascontiguousarray(state.state.data[:, :, self._cells, :])
            state.state = ov.Tensor(kept)
        self._size = len(self._cells)
        self._cells = list(range(self._size))

    def saved(self) -> dict[str, NDArray[np.float32]]:
        """See ``RestorableSequence.saved``."""
        return {
            state.name: np.ascontiguousarray(state.state.data[:, :, self._cells, :], dtype=np.float32)
            for state in self._request.query_state()
        }

    def restore(self, tokens: Sequence[int], cache: Mapping[str, NDArray[np.float32]]) -> None:
        """See ``RestorableSequence.restore``."""
        ov = import_openvino()
        self.truncate(0)
        states = {state.name: state for state in self._request.query_state()}
        fits = states.keys() == cache.keys() and all(
            array.dtype == np.float32 and array.shape == self._shape_of(states[name], len(tokens))
            for name, array in cache.items()
        )
        if not fits:
            raise ValueError("these keys and values are of another network")
        for name, state in states.items():
            state.state = ov.Tensor(np.ascontiguousarray(cache[name]))
        self._tokens, self._cells, self._size = list(tokens), list(range(len(tokens))), len(tokens)

    @staticmethod
    def _shape_of(state: Any, tokens: int) -> tuple[int, ...]:
        one, heads, _cells, size = state.state.shape
        return int(one), int(heads), tokens, int(size)

    def extend(self, ids: Sequence[int], logits_of: int) -> NDArray[np.float32]:
        count, position = len(ids), len(self._tokens)
        mask = np.full((1, 1, count, self._size + count), _MASKED, dtype=np.float32)
        mask[..., self._cells] = 0
        mask[0, 0, :, self._size :] = np.triu(mask[0, 0, :, self._size :], 1)
        try:
            self._request.infer(
                {
                    "input_ids": np.array([ids], dtype=np.int64),
                    "position_ids": np.arange(position, position + count, dtype=np.int64)[None],
                    "mask": mask,
                    "beam_idx": np.zeros(1, dtype=np.int32),
                    "last": np.array([logits_of], dtype=np.int64),
                },
                share_inputs=True,
            )
        except RuntimeError as error:
            self.truncate(0)
            reason = str(error).splitlines()[0][:200]
            raise ModelError(
                f"The local engine failed on a prompt of {position + count} tokens ({reason}). Try a shorter text or "
                "fewer passages."
            ) from error
        self._tokens.extend(ids)
        self._cells.extend(range(self._size, self._size + count))
        self._size += count
        logits: NDArray[np.float32] = self._request.get_output_tensor(0).data[0]
        return logits


class OpenVinoEngine:
    """Compiled networks of one base model, one per adapter in use, sharing the weights that were read."""

    def __init__(self, weights: LlamaWeights, compile_model: Callable[[Any], Any], load_adapter: LoadAdapter) -> None:
        self._weights = weights
        self._compile_model = compile_model
        self._load_adapter = load_adapter

    @property
    def weights(self) -> LlamaWeights:
        """The weights as read from the file."""
        return self._weights

    def load_network(self, adapter: str | None) -> Callable[[], OpenVinoSequence]:
        """Compile the network with ``adapter`` (None: the base model) and return a maker of sequences on it.

        A network of its own for each adapter is what keeps their caches apart: keys and values computed under one
        adapter are never seen by another.
        """
        branches = self._load_adapter(adapter) if adapter else None
        compiled = self._compile_model(build_llama(self._weights, branches))
        return lambda: OpenVinoSequence(compiled.create_infer_request())


def no_adapters(name: str) -> Mapping[str, LoraBranch]:
    """Stand in where no adapter store is connected.

    Raises:
        ModelError: always.
    """
    raise ModelError(f"There is no adapter named {name!r}. Choose the base model or train the adapter first.")


def load_openvino_engine(
    path: Path, *, threads: int | None = None, load_adapter: LoadAdapter = no_adapters
) -> OpenVinoEngine:
    """Read a GGUF file and prepare the engine; ``threads`` defaults to the plugin's choice.

    Raises:
        ModelError: the file cannot be read.
        EngineUnavailableError: OpenVINO does not run on this machine.
    """
    weights = load_llama_gguf(path)
    try:
        core = import_openvino().Core()
    except (ImportError, RuntimeError) as error:
        raise EngineUnavailableError(f"OpenVINO does not run on this machine ({error}).") from error
    large = _LARGE if weights.config.hidden >= _LARGE_HIDDEN else {}
    settings = _SETTINGS | large | ({"INFERENCE_NUM_THREADS": str(threads)} if threads else {})
    return OpenVinoEngine(weights, lambda model: core.compile_model(model, "CPU", settings), load_adapter)
