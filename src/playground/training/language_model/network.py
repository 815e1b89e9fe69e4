"""The frozen language model under a LoRA training: loading, precision, and proof that it did not change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playground.errors import ModelError, TrainingError
from playground.models.hugging_face import read_config, weights_sha256
from playground.training.language_model.batches import CompletionBatch
from playground.training.number_formats import computes_bfloat16

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "bfloat16", "float32"]

# Applied to the logits after the head, which is called here on its own.
_LOGIT_FIELDS = ("final_logit_softcapping", "logit_scale", "logits_scaling")

# Architectures that take the mask and the positions of a packed row as they are given.
_PACKABLE = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3", "phi3", "olmo2"})


@dataclass(frozen=True, slots=True)
class LoraNetwork:
    """A causal language model with LoRA on every linear layer of its decoder; only LoRA's weights are trainable."""

    decoder: Any
    head: Any
    parameters: dict[str, torch.nn.Parameter]
    lora_config: Any
    base_tensors: dict[str, torch.Tensor]

    def token_losses(self, batch: CompletionBatch, device: torch.device) -> torch.Tensor:
        """Return the cross-entropy (nats) of each of the batch's targets, float32 [k].

        The head, a quarter of the arithmetic when it is run everywhere, is run at the batch's ``positions`` only.
        """
        import torch

        input_ids, positions, targets = (
            torch.from_numpy(array).to(device) for array in (batch.input_ids, batch.positions, batch.targets)
        )
        packed: dict[str, torch.Tensor] = {}
        if batch.position_ids is not None and batch.sees is not None:
            packed["position_ids"] = torch.from_numpy(batch.position_ids).to(device)
            packed["attention_mask"] = torch.from_numpy(batch.sees).to(device)
        hidden = self.decoder(input_ids=input_ids, use_cache=False, **packed).last_hidden_state
        chosen = hidden.reshape(-1, hidden.shape[-1]).index_select(0, positions)
        return torch.nn.functional.cross_entropy(self.head(chosen).float(), targets, reduction="none")


def reads_packed_rows(folder: Path, row_tokens: int) -> bool:
    """Whether examples may share a row of that length with this base: known architecture, no shorter window."""
    try:
        config = read_config(folder)
    except ModelError:  # loading it will say so
        return False
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return config.get("model_type") in _PACKABLE and not (isinstance(window, int) and window < row_tokens)


def load_lora_network(
    folder: Path, device: torch.device, *, rank: int, alpha: int, frozen_layers: int, precision: Precision
) -> LoraNetwork:
    """Load a base model and put LoRA on it.

    The whole network is in bfloat16 where the machine has it: letting autocast round float32 weights at every use
    costs more than half of the time.

    Raises:
        TrainingError: it cannot be loaded, is no plain causal language model, or has no layer left to train.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    exact = precision == "float32" or (precision == "auto" and not computes_bfloat16(device))
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=torch.float32 if exact else torch.bfloat16,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            attn_implementation="sdpa",
        )
    except MemoryError as error:
        raise TrainingError(f"{folder} does not fit into this machine's memory. Choose a smaller base.") from error
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:240]
        raise TrainingError(
            f"The base model in {folder} could not be loaded ({reason}). Give a folder with config.json and "
            "safetensors weights of a causal language model."
        ) from error
    config = model.config
    if odd := [field for field in _LOGIT_FIELDS if getattr(config, field, None) not in (None, 1, 1.0)]:
        raise TrainingError(
            f"The base model in {folder} uses {odd[0]}, which is not trained here. Choose another base."
        )
    layer_count = int(config.num_hidden_layers)
    if not 0 <= frozen_layers < layer_count:
        raise TrainingError(f"{frozen_layers} frozen layers leave nothing to train: the base has {layer_count}.")
    head = model.get_output_embeddings()
    decoder = model.base_model
    targets = sorted(
        {name.rpartition(".")[2] for name, module in decoder.named_modules() if isinstance(module, torch.nn.Linear)}
    )
    if head is None or decoder is model or not targets:
        raise TrainingError(f"The base model in {folder} is not built as a decoder with a head. Choose another base.")
    layers = tuple(range(frozen_layers, layer_count)) if frozen_layers else None
    # No dropout: it is slow on a CPU, and the best weights by validation are kept.
    lora_config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=0.0,
        bias="none",
        target_modules=targets,
        layers_to_transform=None if layers is None else list(layers),
        task_type="CAUSAL_LM",
    )
    wrapped = get_peft_model(model, lora_config, autocast_adapter_dtype=False)
    # In evaluation mode, so that a dropout of the base's own is off as well.
    wrapped.to(device).eval()
    base_tensors = {
        _base_name(name): tensor.detach() for name, tensor in _named_tensors(wrapped) if "lora_" not in name
    }
    parameters = {
        name.replace(".default", ""): parameter
        for name, parameter in wrapped.named_parameters()
        if parameter.requires_grad
    }
    return LoraNetwork(decoder, head, parameters, lora_config, base_tensors)


def tensors_sha256(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """Return the hex SHA-256 over tensors by name: name, type, shape and bytes of each."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(tensors, key=lambda pair: pair[0]):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(values.numpy().data)
    return digest.hexdigest()


def base_sha256(folder: Path) -> str:
    """Return the hex SHA-256 over the weights of a Hugging Face folder; see ``hugging_face.weights_sha256``.

    Raises:
        TrainingError: there are none, or they cannot be read.
    """
    try:
        return weights_sha256(folder)
    except ModelError as error:
        raise TrainingError(str(error)) from error


def _named_tensors(model: Any) -> list[tuple[str, torch.Tensor]]:
    return [*model.named_parameters(), *model.named_buffers()]


def _base_name(name: str) -> str:
    return name.removeprefix("base_model.model.").replace(".base_layer", "")
