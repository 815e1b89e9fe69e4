"""The trainable side of the clause encoder: a frozen transformer with LoRA branches, mean pooling and a linear head.

Mean pooling is how all-MiniLM-L6-v2 was trained to be read (Reimers and Gurevych, 2019, arXiv 1908.10084); a
classification head on its untrained first-token pooler hardly learns.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import TrainingError
from playground.flagging.windows import WindowBatch
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.number_formats import computes_bfloat16

if TYPE_CHECKING:
    import torch

_LINEARS: dict[str, tuple[str, ...]] = {
    "bert": ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"),
    "mpnet": ("attn.q", "attn.k", "attn.v", "attn.o", "intermediate.dense", "output.dense"),
}
"""The linear layers of a layer, by the kind of the base; the pooler above them is not read."""
_WITHOUT_SDPA = frozenset({"mpnet"})
"""Kinds whose attention transformers computes step by step only."""
HEAD_PREFIX = "head."


class EncoderWithHead:
    """Holds the adapted model and its head. What is trained of them: ``branches`` and ``head_parameters``, by name.

    The base is kept in bfloat16 where the processor computes in it, 1.6 times as fast as autocast over float32
    (docs/experiments.md).
    """

    def __init__(self, model: Any, n_labels: int, device: Any) -> None:
        import torch

        self.model = model
        self.device = device
        self.head = torch.nn.Linear(model.config.hidden_size, n_labels).to(device)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)
        self.branches = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.head_parameters = {HEAD_PREFIX + name: p for name, p in self.head.named_parameters()}

    def pooled(self, batch: WindowBatch) -> torch.Tensor:
        """Return the mean token of every clause, float32 [b, u, hidden]."""
        import torch

        ids = torch.from_numpy(batch.input_ids).to(self.device)
        attention = torch.from_numpy(batch.attention).to(self.device)
        # Without a mask the attention kernel is faster, and full windows need none.
        hidden = self.model(
            input_ids=ids, attention_mask=None if batch.attention.all() else attention
        ).last_hidden_state
        return torch.bmm(torch.from_numpy(batch.pooling).to(self.device), hidden.float())

    def logits(self, batch: WindowBatch) -> torch.Tensor:
        """Return float32 [b, u, labels]."""
        result: torch.Tensor = self.head(self.pooled(batch))
        return result

    def base_sha256(self) -> str:
        """Return the hex SHA-256 over the frozen tensors in memory, in the order of their names."""
        import torch

        digest = hashlib.sha256()
        for name, parameter in sorted(self.model.named_parameters()):
            if name not in self.branches:
                digest.update(name.encode())
                digest.update(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def load_encoder_with_head(base_folder: Path, n_labels: int, settings: EncoderSettings, device: Any) -> EncoderWithHead:
    """Load a base, freeze it and put branches of rank ``settings.rank`` on all linear layers that are not frozen.

    Raises:
        TrainingError: the base cannot be loaded, or has no layer to adapt.
    """
    import torch
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers import AutoConfig, AutoModel

    dtype = torch.bfloat16 if computes_bfloat16(device) else torch.float32
    try:
        kind = AutoConfig.from_pretrained(base_folder, trust_remote_code=False).model_type
        base = AutoModel.from_pretrained(
            base_folder,
            attn_implementation="eager" if kind in _WITHOUT_SDPA else "sdpa",
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"The base model in {base_folder.name} cannot be loaded ({error}). Fetch it again."
        ) from error
    for module in base.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # dropout costs a third of the time on a CPU and did not help (docs/experiments.md)
    layers = int(base.config.num_hidden_layers)
    if not 0 <= settings.frozen_layers < layers:
        raise TrainingError(f"{settings.frozen_layers} frozen layers leave nothing to adapt: the base has {layers}.")
    config = LoraConfig(
        task_type=TaskType.FEATURE_EXTRACTION,
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules=list(_LINEARS[kind]) if kind in _LINEARS else "all-linear",
        layers_to_transform=list(range(settings.frozen_layers, layers)) if settings.frozen_layers else None,
    )
    torch.manual_seed(settings.seed)
    model = get_peft_model(base, config, autocast_adapter_dtype=False).to(device)
    model.train()
    return EncoderWithHead(model, n_labels, device)


def read_trained_state(folder: Path, network: EncoderWithHead) -> dict[str, torch.Tensor]:
    """Return what ``save_encoder`` wrote into ``folder``, under the names of the network's parameters.

    Raises:
        TrainingError: the files are missing, or are of another base, rank or set of labels.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        branches = load_file(folder / "adapter_model.safetensors")
        head = load_file(folder / "head.safetensors")
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"The adapter {folder.name} to start from cannot be read ({error}).") from error
    state = {name.removesuffix(".weight") + ".default.weight": value for name, value in branches.items()}
    state |= {HEAD_PREFIX + name: head[name] for name in ("weight", "bias") if name in head}
    wanted = {name: value.shape for name, value in (network.branches | network.head_parameters).items()}
    if {name: value.shape for name, value in state.items()} != wanted:
        raise TrainingError(
            f"The adapter {folder.name} to start from has another base, rank or number of labels. Choose the same ones."
        )
    return state
