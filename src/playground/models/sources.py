"""The one place that turns a choice of model into a loaded ``ChatModel``. Every page and command goes through it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from playground.errors import ModelError
from playground.machine import free_memory_bytes
from playground.models.bundled import OnProgress, ensure_language_model, has_files
from playground.models.catalog import LANGUAGE_MODELS, SMOLLM2, Bundle
from playground.models.endpoint.settings import EndpointSettings, settings_from
from playground.models.kept_prompts import KeptPrompts, prompts_folder
from playground.models.openvino.engine import EngineUnavailableError, LoadAdapter, load_openvino_engine, no_adapters
from playground.types import ChatModel, Message

Source = Literal["bundled", "hugging_face", "endpoint"]

MODEL_VARIABLE = "PLAYGROUND_MODEL"
"""Environment variable with the size of the bundled model that the app begins with."""
_BEST_FIRST = ("medium", "small")
"""Sizes of the bundled models by what they answer by default on new shops (docs/measurements.md)."""
MOST_CONTEXT = 8_192
"""Tokens that a bundled model reads at most, whatever it was trained for: its cache takes memory for each of them."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model answers. ``name`` is a hub id or a folder, or the size of a bundled model ("" is the small one)."""

    source: Source = "bundled"
    name: str = ""
    endpoint: EndpointSettings | None = None

    @property
    def bundle(self) -> Bundle | None:
        """The bundled model that is chosen; None where it is another one."""
        return LANGUAGE_MODELS[self.name or "small"] if self.source == "bundled" else None

    @property
    def command_line_name(self) -> str:
        """What ``choice_from`` reads this choice from, save an endpoint's address; runs note it."""
        if self.source == "endpoint":
            return f"endpoint:{self.label}"
        return self.name or "bundled" if self.source == "bundled" else self.name

    @property
    def label(self) -> str:
        """A short name for headers and stamps."""
        if bundle := self.bundle:
            return bundle.title
        return self.endpoint.model if self.endpoint else self.name

    @property
    def is_private(self) -> bool:
        """True when no text leaves this machine."""
        return self.source != "endpoint"


def wanted_size(environment: Mapping[str, str] | None = None) -> str:
    """Return the size of a bundled model that ``PLAYGROUND_MODEL`` names; "" where it names none."""
    named = (os.environ if environment is None else environment).get(MODEL_VARIABLE, "").strip()
    return named if named in LANGUAGE_MODELS else ""


def default_size(environment: Mapping[str, str] | None = None) -> str:
    """Return the size of the bundled model that the app begins with where nobody chose.

    It is the one that ``PLAYGROUND_MODEL`` names, else the one that answers best, of those that are on this disk and
    fit into free memory. The small one is for all others.
    """
    wanted = wanted_size(environment)
    return next((size for size in ((wanted,) if wanted else _BEST_FIRST) if _can_begin(LANGUAGE_MODELS[size])), "small")


def _can_begin(bundle: Bundle) -> bool:
    return has_files(bundle) and free_memory_bytes() >= bundle.memory_bytes


def choice_from(text: str, environment: Mapping[str, str] | None = None) -> ModelChoice:
    """Read a model from a command line: ``bundled``, a size, ``endpoint``, ``endpoint:MODEL``, a hub id or a folder.

    Raises:
        ModelError: an endpoint is asked for and the environment does not describe one, or the text is empty.
    """
    text = text.strip()
    if not text:
        raise ModelError(
            "No model was named. Use `bundled`, `small`, `medium`, `large`, `endpoint`, a Hugging Face id or a folder."
        )
    if text in ("bundled", "small"):
        return ModelChoice()
    if text in LANGUAGE_MODELS:
        return ModelChoice("bundled", text)
    kind, _, model = text.partition(":")
    if kind != "endpoint":
        return ModelChoice("hugging_face", text)
    settings = dict(os.environ if environment is None else environment)
    if model:
        settings["OPENAI_MODEL"] = model
    endpoint = settings_from(settings, {})
    if endpoint is None:
        raise ModelError(
            "No endpoint is set. Set OPENAI_BASE_URL and OPENAI_MODEL, and OPENAI_API_KEY where the server asks for "
            "a key."
        )
    return ModelChoice("endpoint", endpoint=endpoint)


@dataclass(frozen=True, slots=True)
class BaseWeights:
    """What an adapter is bound to: a model's weights. ``sha256`` is "" while they are not on this disk."""

    id: str
    sha256: str


def base_weights(choice: ModelChoice) -> BaseWeights:
    """Return the weights of a model of this machine, without loading it; a large one takes seconds the first time.

    Raises:
        ModelError: it is an endpoint, whose weights nobody here sees, or what is on this disk cannot be read.
    """
    from playground.models.hugging_face import find_model_folder, model_identity, weights_sha256

    if bundle := choice.bundle:
        return BaseWeights(bundle.id, bundle.main_file.sha256)
    name = choice.name.strip()
    if choice.source == "endpoint" or not name:
        raise ModelError("Only the weights of a model on this machine can be compared. Choose one.")
    folder = find_model_folder(name)
    return BaseWeights(model_identity(name), "" if folder is None else weights_sha256(folder))


def load_chat_model(
    choice: ModelChoice, on_progress: OnProgress | None = None, load_adapter: LoadAdapter = no_adapters
) -> ChatModel:
    """Load the chosen model; the bundled one is fetched first when it is not in the cache.

    ``load_adapter`` finds the LoRA adapter that a request names; an endpoint finds its adapters itself.

    The bundled model runs on the fast engine. Where OpenVINO does not run, plain transformers takes over: slower, the
    same text.

    Raises:
        ModelError: the model cannot be fetched, loaded or reached; the message says what to do.
    """
    if choice.source == "endpoint":
        from playground.models.endpoint.chat_model import load_endpoint

        if choice.endpoint is None:
            raise ModelError("The endpoint has no settings. Enter its address and model.")
        return load_endpoint(choice.endpoint)
    if choice.source == "hugging_face":
        from playground.models.transformers_engine import load_transformers_chat

        if not choice.name.strip():
            raise ModelError("No Hugging Face model was named. Enter its id, for example owner/name, or a folder.")
        return load_transformers_chat(choice.name.strip(), load_adapter=load_adapter)
    return _load_bundled(choice.bundle or SMOLLM2, on_progress, load_adapter)


def check_memory(bundle: Bundle) -> None:
    """Say before anything is fetched or loaded that a model would not fit.

    Raises:
        ModelError: this machine has less free memory than loading ``bundle`` takes.
    """
    free = free_memory_bytes() if bundle.memory_bytes else 0
    if free < bundle.memory_bytes:
        raise ModelError(
            f"{bundle.title} needs {bundle.memory_bytes / 1e9:.1f} GB of free memory and {free / 1e9:.1f} GB are free. "
            "Close other programs, or choose a smaller model."
        )


def load_gguf_chat(
    path: Path, model_id: str, load_adapter: LoadAdapter, *, kept_prompts: KeptPrompts | None = None
) -> ChatModel:
    """Load a GGUF file of SmolLM2's or Qwen2's architecture that this program fetched and verified, or wrote itself.

    The file is needed as long as the model: each network, one an adapter, is built from it. ``kept_prompts`` is where
    it finds and keeps what was read ahead; None keeps that in memory only.

    Raises:
        EngineUnavailableError: the fast engine does not run here.
        ModelError: the file cannot be read.
    """
    from playground.models.chat import DEFAULT_SYSTEMS, ChatMl, LocalChatModel

    engine = load_openvino_engine(path, load_adapter=load_adapter)
    weights = engine.weights
    codec = ChatMl(weights.tokenizer, default_system=DEFAULT_SYSTEMS[weights.config.architecture])
    limit = min(weights.config.context_length, MOST_CONTEXT)
    model = LocalChatModel(model_id, codec, engine.load_network, limit, kept_prompts=kept_prompts)
    # Compiling the network belongs to loading it, not to the first answer that somebody waits for.
    model.complete([Message("user", "Hello")], max_tokens=1)
    return model


def _load_bundled(bundle: Bundle, on_progress: OnProgress | None, load_adapter: LoadAdapter) -> ChatModel:
    check_memory(bundle)
    gguf = ensure_language_model(bundle, on_progress)
    try:
        # The engine's version is part of it: another one may compute keys and values in another way.
        kept = KeptPrompts(prompts_folder(), f"{bundle.main_file.sha256} openvino {version('openvino')}")
        return load_gguf_chat(gguf, bundle.id, load_adapter, kept_prompts=kept)
    except EngineUnavailableError:
        if bundle is not SMOLLM2:
            raise
        from playground.models.transformers_engine import ensure_dequantised, load_transformers_chat

        return load_transformers_chat(ensure_dequantised(gguf), model_id=bundle.id, load_adapter=load_adapter)
