"""Any causal language model of Hugging Face through plain transformers: the reference, and the fallback.

A model comes from a local folder or by its hub id (``HF_HUB_OFFLINE`` respected), as safetensors only and without
running code from its repository. The bundled model can be read here too, dequantised once and kept in the cache. LoRA
adapters are added to the linear layers while a request runs; the base's weights are never changed.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models.chat import LocalChatModel
from playground.models.openvino.engine import LoadAdapter, no_adapters
from playground.models.openvino.llama_weights import LlamaWeights, load_llama_gguf
from playground.models.openvino.lora_branches import LoraBranch
from playground.types import Message

if TYPE_CHECKING:
    import torch

_DEFAULT_CONTEXT = 4096
_CONTROL_TOKENS = {
    architecture: {"unk_token": "<|endoftext|>", "bos_token": begin, "eos_token": "<|im_end|>"}
    for architecture, begin in (("llama", "<|im_start|>"), ("qwen2", "<|endoftext|>"))
}
"""Of the bundled models' tokenizers, by GGUF's architecture."""
_PROBE = "Probe-7351"


class TransformersSequence:
    """A ``TokenSequence`` on a transformers model, with its dynamic cache cut as needed.

    ``applied`` gives a context in which the model has an adapter on; by default it has none.
    """

    def __init__(self, model: Any, applied: Callable[[], Any] = contextlib.nullcontext) -> None:
        self._model = model
        self._applied = applied
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

        with torch.inference_mode(), self._applied():
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
    """Prompt encoding by the tokenizer's own chat template, or plain lines where it has none.

    Some templates refuse a system prompt and others drop it: there it stands at the beginning of the first question.
    """

    def __init__(self, tokenizer: Any, end_token_ids: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._end_token_ids = end_token_ids
        self._control = sorted(tokenizer.all_special_tokens, key=len, reverse=True)
        self._takes_system = not tokenizer.chat_template or self._shows_system()

    @property
    def end_token_ids(self) -> frozenset[int]:
        return self._end_token_ids

    def encode(self, messages: Sequence[Message]) -> list[int]:
        turns: list[Mapping[str, str]] = [
            {"role": message.role, "content": self._plain(message.content)} for message in messages
        ]
        if not self._takes_system:
            turns = _without_system(turns)
        if self._tokenizer.chat_template:
            try:
                text = self._rendered(turns)
            except Exception as error:  # a template is a program of whoever made the model
                raise ModelError(
                    f"The model's chat template cannot write this conversation ({str(error)[:200]}). Choose another "
                    "model, or an instruct version of this one."
                ) from error
        else:
            text = "".join(f"{turn['role']}: {turn['content']}\n" for turn in turns) + "assistant:"
        ids: list[int] = self._tokenizer(text, add_special_tokens=not self._tokenizer.chat_template)["input_ids"]
        return ids

    def _rendered(self, turns: Sequence[Mapping[str, str]]) -> str:
        # Models that think first would spend the whole answer on it; templates of others ignore the word.
        text: str = self._tokenizer.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return text

    def _shows_system(self) -> bool:
        try:
            return _PROBE in self._rendered(
                [{"role": "system", "content": _PROBE}, {"role": "user", "content": "Hello"}]
            )
        except Exception:  # "System role not supported"
            return False

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


def _without_system(turns: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the turns with each system prompt at the beginning of the turn after it, as a user's."""
    kept: list[Mapping[str, str]] = []
    waiting = ""
    for number, turn in enumerate(turns, start=1):
        if turn["role"] == "system" and number < len(turns):
            waiting += f"{turn['content']}\n\n"
            continue
        role = "user" if turn["role"] == "system" else turn["role"]
        kept.append({"role": role, "content": waiting + turn["content"]})
        waiting = ""
    return kept


def load_transformers_chat(
    source: str | Path, *, model_id: str | None = None, load_adapter: LoadAdapter = no_adapters
) -> LocalChatModel:
    """Load a causal language model by hub id or folder as a ``ChatModel``; ``load_adapter`` finds its adapters.

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
        if not adapter:
            return lambda: TransformersSequence(model)
        placed = _placed(model, load_adapter(adapter))
        return lambda: TransformersSequence(model, lambda: _applied(placed))

    return LocalChatModel(model_id or name, codec, load_network, int(limit))


_Placed = tuple[Any, "torch.Tensor", "torch.Tensor", float]
"""A linear layer with the matrices A and B of its branch, and the branch's scale."""


def _placed(model: Any, branches: Mapping[str, LoraBranch]) -> list[_Placed]:
    """Return each branch with the layer that it belongs to.

    Raises:
        ModelError: the model has no such linear layer, or one of another size.
    """
    import torch

    layers = dict(model.named_modules())
    placed = []
    for name, branch in branches.items():
        layer = layers.get(name)
        if not isinstance(layer, torch.nn.Linear):
            raise ModelError(
                f"The adapter does not fit this model, which has no linear layer {name}. Choose an adapter that was "
                "trained on this base model."
            )
        if branch.a.shape[1] != layer.in_features or branch.b.shape[0] != layer.out_features:
            raise ModelError(
                f"The adapter's {name} has shapes {branch.a.shape} and {branch.b.shape}, but the base model's matrix "
                f"is [{layer.out_features}, {layer.in_features}]. Choose an adapter that was trained on this base "
                "model."
            )
        a, b = (torch.from_numpy(matrix).to(layer.weight.device) for matrix in (branch.a, branch.b))
        placed.append((layer, a, b, branch.scale))
    return placed


@contextlib.contextmanager
def _applied(placed: Sequence[_Placed]) -> Iterator[None]:
    """Add the branches to their layers' outputs for as long as the context lasts.

    A ``LocalChatModel`` runs one request at a time, so that no other one sees them. In float32, as PEFT does.
    """
    handles = [layer.register_forward_hook(_adding(a, b, scale)) for layer, a, b, scale in placed]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _adding(a: torch.Tensor, b: torch.Tensor, scale: float) -> Callable[..., torch.Tensor]:
    def add(_layer: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        return (output + inputs[0].float() @ a.T @ b.T * scale).to(output.dtype)

    return add


def _end_token_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id if model.generation_config else None
    ends = ends if isinstance(ends, list) else [ends]
    return frozenset(int(end) for end in [*ends, tokenizer.eos_token_id] if end is not None)


def ensure_dequantised(gguf: Path) -> Path:
    """Return a Hugging Face folder with the weights of ``gguf`` in float32, written next to it once.

    This is the form that transformers and PEFT read. The values are exactly those the fast engine computes with. It
    takes four bytes a weight: 540 MB for SmolLM2-135M, 2 GB for Qwen2.5 0.5B, 6.2 GB for 1.5B.
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
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    shape = weights.config
    is_qwen2 = shape.architecture == "qwen2"
    config_class, model_class = (Qwen2Config, Qwen2ForCausalLM) if is_qwen2 else (LlamaConfig, LlamaForCausalLM)
    control = _CONTROL_TOKENS[shape.architecture]
    config = config_class(
        architectures=[model_class.__name__],
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context_length,
        rms_norm_eps=shape.norm_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings="lm_head" not in weights.matrices,
        bos_token_id=weights.tokenizer.token_to_id(control["bos_token"]),
        eos_token_id=weights.end_token_id,
        pad_token_id=weights.end_token_id,
    )
    # Made without memory of its own: the arrays of the file become the model's.
    with torch.device("meta"):
        model = model_class(config)
    state = {f"{name}.weight": torch.from_numpy(matrix.dense()) for name, matrix in weights.matrices.items()}
    state |= {f"{name}.weight": torch.from_numpy(norm) for name, norm in weights.norms.items()}
    state |= {f"{name}.bias": torch.from_numpy(bias) for name, bias in weights.biases.items()}
    missing, unexpected = model.load_state_dict(state, strict=False, assign=True)
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    if set(missing) - tied or unexpected:
        raise ModelError(f"The bundled model's weights do not fit {model_class.__name__}: {missing or unexpected}.")
    # Not the model's own save_pretrained: of several processes that were started together, it writes in one only.
    config.save_pretrained(folder)
    if model.generation_config is not None:
        model.generation_config.save_pretrained(folder)
    save_file(
        {name: tensor.contiguous() for name, tensor in state.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=weights.tokenizer, **control, pad_token=control["eos_token"])
    tokenizer.chat_template = weights.chat_template
    tokenizer.save_pretrained(folder)
