"""The language model that an adapter is trained on: a bundled one, or one of a folder or the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.errors import ModelError
from playground.models.bundled import OnProgress, ensure_language_model
from playground.models.catalog import LANGUAGE_MODELS, SMOLLM2
from playground.models.completion_codec import ChatFormat
from playground.models.hugging_face import fetch_model_folder, model_identity, read_config, weight_files
from playground.models.sources import BaseWeights, ModelChoice, base_weights, choice_from

BUNDLED_BASE = "language_model"
"""The smallest bundled model's name in a plan; larger ones go by their size."""


@dataclass(frozen=True, slots=True)
class LanguageBase:
    """A base on disk: ``folder`` is in Hugging Face's layout, ``layers`` its depth, ``title`` its name for people.

    ``weights`` are what an adapter is bound to, ``choice`` is how the model is loaded to answer.
    """

    title: str
    folder: Path
    layers: int
    weights: BaseWeights
    choice: ModelChoice

    @property
    def is_bundled(self) -> bool:
        """Whether it is one of the models that the app brings with it."""
        return self.choice.source == "bundled"

    @property
    def is_smallest(self) -> bool:
        """Whether it is the bundled model by which the trainings' settings were chosen."""
        return self.choice.bundle is SMOLLM2

    @property
    def chat_format(self) -> ChatFormat:
        """How a conversation is written for it, in training as in use."""
        return "chatml" if self.is_bundled else "template"


def load_language_base(name: str = BUNDLED_BASE, on_progress: OnProgress | None = None) -> LanguageBase:
    """Find a base by a bundled model's size, a folder or an id, fetching what is not here yet.

    Raises:
        ModelError: it is not there, or is no language model with safetensors weights.
    """
    if name == BUNDLED_BASE or name in LANGUAGE_MODELS:
        from playground.models.transformers_engine import ensure_dequantised

        choice = ModelChoice() if name == BUNDLED_BASE else choice_from(name)
        bundle = choice.bundle or SMOLLM2
        folder = ensure_dequantised(ensure_language_model(bundle, on_progress))
        return LanguageBase(bundle.title, folder, _layers(folder), base_weights(choice), choice)
    folder = fetch_model_folder(name, "bundled")
    layers = _layers(folder)
    weight_files(folder)
    choice = ModelChoice("hugging_face", name)
    return LanguageBase(model_identity(name), folder, layers, base_weights(choice), choice)


def _layers(folder: Path) -> int:
    config = read_config(folder)
    layers = config.get("num_hidden_layers")
    if not isinstance(layers, int) or isinstance(layers, bool) or layers < 1 or config.get("model_type") == "bert":
        raise ModelError(
            f"{folder.name} is a model of the kind {str(config.get('model_type'))[:40]!r}, which is no causal language "
            "model with layers to train. Choose one such as SmolLM2-360M-Instruct or Qwen2.5-0.5B-Instruct."
        )
    return layers
