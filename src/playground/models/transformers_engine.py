"""Any causal language model of Hugging Face through plain transformers: the reference, and the fallback.

A model comes from a local folder or by its hub id (``HF_HUB_OFFLINE`` respected), as safetensors only and without
running code from its repository. The bundled model can be read here too, dequantised once and kept in the cache.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models.chat import LocalChatModel
from playground.models.llama_weights import LlamaWeights, load_llama_gguf
from playground.types import Message

_DEFAULT_CONTEXT = 4096


class TransformersSequence:
    """A ``TokenSequence`` on a transformers model, with its dynamic cache cut as needed."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._tokens: list[int] = []
        self._cache: Any = None

    @property
    def tokens(self) -> Sequence[int]:
        return self._tokens

    def truncate(self, length: int) -> None:
        surplus = len(self._tokens) - length
        if not surplus:
            return
        kept = self._tokens[:length]
        if kept and self._cut(surplus):
            self._tokens = kept
            return
        self._tokens, self._cache = [], None
        if kept:
            self.extend(kept, 1)

    def _cut(self, surplus: int) -> bool:
        """Cut the cache; False for the kinds that cannot be cut (sliding windows, state spaces)."""
        try:
            self._cache.crop(-surplus)
        except (AttributeError, NotImplementedError, ValueError, RuntimeError):
            return False
        return bool(self._cache.get_seq_length() == len(self._tokens) - surplus)

    def extend(self, ids: Sequence[int], logits_of: int) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor([list(ids)], device=self._model.device),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=logits_of,
            )
        self._cache = output.past_key_values
        self._tokens.extend(ids)
        logits: NDArray[np.float32] = output.logits[0, -logits_of:].float().cpu().numpy()
        return logits


class TransformersCodec:
    """Prompt encoding by the tokenizer's own chat template, or plain lines where it has none."""

    def __init__(self, tokenizer: Any, end_token_ids: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._end_token_ids = end_token_ids
        self._control = sorted(tokenizer.all_special_tokens, key=len, reverse=True)

    @property
    def end_token_ids(self) -> frozenset[int]:
        return self._end_token_ids

    def encode(self, messages: Sequence[Message]) -> list[int]:
        turns = [{"role": message.role, "content": self._plain(message.content)} for message in messages]
        if self._tokenizer.chat_template:
            text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        else:
            text = "".join(f"{turn['role']}: {turn['content']}\n" for turn in turns) + "assistant:"
        ids: list[int] = self._tokenizer(text, add_special_tokens=not self._tokenizer.chat_template)["input_ids"]
        return ids

    def _plain(self, text: str) -> str:
        """Break up control tokens inside a message, so that a document cannot end its own message."""
        for token in self._control:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        return text

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer(self._plain(text), add_special_tokens=False)["input_ids"])

    def decoder(self) -> Callable[[int], str]:
        ids: list[int] = []
        shown = ""

        def decode(token: int) -> str:
            nonlocal shown
            ids.append(token)
            text = self._tokenizer.decode(ids, skip_special_tokens=True)
            if text.endswith("\ufffd"):  # in the middle of a character
                return ""
            new = text[len(shown) :]
            shown = text
            return str(new)

        return decode


def load_transformers_chat(source: str | Path, *, model_id: str | None = None) -> LocalChatModel:
    """Load a causal language model by hub id or folder as a ``ChatModel``.

    Raises:
        ModelError: it is not there, is no causal language model, has no safetensors, needs its own code, or does not
            fit into memory.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    name = str(source)
    options = {"trust_remote_code": False, "local_files_only": Path(name).is_dir()}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **options)
        model = AutoModelForCausalLM.from_pretrained(name, use_safetensors=True, dtype="auto", **options).eval()
    except MemoryError as error:
        raise ModelError(f"{name} does not fit into this machine's memory. Choose a smaller model.") from error
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:240]
        raise ModelError(
            f"{name} could not be loaded ({reason}). Give the id of a causal language model on the hub, or a folder "
            "with config.json, tokenizer files and safetensors weights. Without a network only models already in the "
            "Hugging Face cache can be used."
        ) from error
    codec = TransformersCodec(tokenizer, _end_token_ids(model, tokenizer))
    limit = getattr(model.config, "max_position_embeddings", None) or _DEFAULT_CONTEXT

    def load_network(adapter: str | None) -> Callable[[], TransformersSequence]:
        if adapter:
            raise ModelError(f"The adapter {adapter!r} cannot be used with {name}. Choose the base model without it.")
        return lambda: TransformersSequence(model)

    return LocalChatModel(model_id or name, codec, load_network, int(limit))


def _end_token_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id if model.generation_config else None
    ends = ends if isinstance(ends, list) else [ends]
    return frozenset(int(end) for end in [*ends, tokenizer.eos_token_id] if end is not None)


def ensure_dequantised(gguf: Path) -> Path:
    """Return a Hugging Face folder with the weights of ``gguf`` in float32, written next to it once (540 MB).

    This is the form that transformers and PEFT read. The values are exactly those the fast engine computes with.
    """
    folder = gguf.parent / "float32"
    if (folder / "model.safetensors").is_file():
        return folder
    weights = load_llama_gguf(gguf)
    staging = Path(tempfile.mkdtemp(dir=gguf.parent, prefix=".convert-"))
    try:
        _write_hugging_face(weights, staging)
        # Another process may have been quicker; either result is the same. What is there without weights is none.
        if folder.exists() and not (folder / "model.safetensors").is_file():
            shutil.rmtree(folder, ignore_errors=True)
        try:
            staging.rename(folder)
        except OSError:
            if not (folder / "model.safetensors").is_file():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _write_hugging_face(weights: LlamaWeights, folder: Path) -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    shape = weights.config
    config = LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context_length,
        rms_norm_eps=shape.norm_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=weights.end_token_id,
        pad_token_id=weights.end_token_id,
    )
    model = LlamaForCausalLM(config)
    state = {f"{name}.weight": torch.from_numpy(matrix.dense()) for name, matrix in weights.matrices.items()}
    state |= {f"{name}.weight": torch.from_numpy(norm) for name, norm in weights.norms.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if set(missing) - {"lm_head.weight"} or unexpected:
        raise ModelError(f"The bundled model's weights do not fit transformers' Llama: {missing or unexpected}.")
    # Not the model's own save_pretrained: of several processes that were started together, it writes in one only.
    config.save_pretrained(folder)
    if model.generation_config is not None:
        model.generation_config.save_pretrained(folder)
    kept = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    control = dict(
        zip(("unk_token", "bos_token", "eos_token"), ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), strict=True)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=weights.tokenizer, **control, pad_token=control["eos_token"])
    tokenizer.chat_template = weights.chat_template
    tokenizer.save_pretrained(folder)
