"""What all pages load once and share. What only one page loads is in its own ``resources``.

What ``cache_resource`` returns is shared by all sessions and never changed. The models bring their own locks. Pages
call these functions through the module (``resources.chat_model(...)``), so that a test can put its own in their place.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar, cast

import streamlit as st

from playground import paths
from playground.adapters import (
    AdapterStore,
    branch_loader,
    default_root,
    reader_adapter,
)
from playground.errors import AdapterError, EndpointError, ModelError, PlaygroundError
from playground.models.bundled import bundle_folder, ensure_minilm, has_files, is_present
from playground.models.catalog import ALL_BUNDLES, BUNDLES, MINILM, Bundle
from playground.models.endpoint.settings import EndpointSettings, settings_from
from playground.models.sources import ModelChoice, Source, load_chat_model
from playground.types import ChatModel, Embedder, Message
from playground.ui.shared import jobs

Loaded = TypeVar("Loaded")

_MOST_LOCAL_MODELS = 2
_PRESENCE_TTL_S = 600
_IDENTITY_TTL_S = 5
_ENTRY_TTL_S = 60
_NO_LIST = 404
_MOST_NAMED = 5


def missing_bundles(choice: ModelChoice) -> tuple[Bundle, ...]:
    """Return the bundled models that ``choice`` needs and that are not in the cache folder, verified.

    The embedding model is always needed; the language model only when it is the one chosen.
    """
    needed = (choice.bundle, MINILM) if choice.bundle else (MINILM,)
    return tuple(bundle for bundle in needed if not _present(bundle.id, str(bundle_folder(bundle))))


def missing_encoders(base: Bundle = MINILM) -> tuple[Bundle, ...]:
    """Return what flagging contracts needs and is not in the cache folder, verified: the flagger's base, and the
    encoder that finds similar clauses."""
    needed = dict.fromkeys((MINILM, base))
    return tuple(bundle for bundle in needed if not _present(bundle.id, str(bundle_folder(bundle))))


def forget_presence() -> None:
    """Look at the disk again: something was fetched."""
    _present.clear()


@st.cache_data(ttl=_PRESENCE_TTL_S, max_entries=8, show_spinner=False)
def _present(bundle_id: str, folder: str) -> bool:  # noqa: ARG001 - the folder is part of the key
    bundle = next(bundle for bundle in ALL_BUNDLES if bundle.id == bundle_id)
    return is_present(bundle)


def embedder() -> Embedder:
    """Return the embedding model, loaded.

    Raises:
        ModelError: it cannot be fetched or loaded.
    """
    return _result(embedder_loading(), embedder_loading.clear)


@st.cache_resource(max_entries=1, show_spinner=False)
def embedder_loading() -> Future[Embedder]:
    """Begin to load the embedding model, without waiting for it."""

    def load() -> Embedder:
        from playground.models.embedding import load_embedder

        return load_embedder(ensure_minilm())

    return in_thread(load)


def in_thread(load: Callable[[], Loaded]) -> Future[Loaded]:
    """Load in a thread: a page that waited here would keep the stale parts of its last picture on screen."""
    loading: Future[Loaded] = Future()

    def run() -> None:
        try:
            loading.set_result(load())
        except BaseException as error:  # whoever asks for the result gets it
            loading.set_exception(error)

    jobs.start_thread(run, "load-model")
    return loading


def _result(loading: Future[Loaded], forget: Callable[[], None]) -> Loaded:
    try:
        return loading.result()
    except BaseException:
        forget()  # what failed is tried again the next time
        raise


def chat_model(choice: ModelChoice) -> ChatModel:
    """Return the chosen chat model, loaded. Models of this machine are shared; an endpoint belongs to its session.

    Raises:
        ModelError: it cannot be fetched, loaded or reached; the message says what to do.
    """
    if choice.source != "endpoint":
        return _result(_local_model(choice.source, choice.name), lambda: _local_model.clear(choice.source, choice.name))
    if choice.endpoint is None:
        raise ModelError("The endpoint has no settings. Enter its address and model in the sidebar.")
    return _endpoint_model(choice.endpoint)


def warm_up(choice: ModelChoice) -> None:
    """Begin to load a model of this machine, without waiting for it."""
    if choice.source != "endpoint":
        _local_model(choice.source, choice.name)


def loading_model(choice: ModelChoice) -> Future[ChatModel]:
    """Return a model of this machine as it is being loaded; it is, once somebody asked for it."""
    return _local_model(choice.source, choice.name)


@st.cache_resource(max_entries=_MOST_LOCAL_MODELS, show_spinner=False)
def _local_model(source: str, name: str) -> Future[ChatModel]:
    return in_thread(lambda: _load_local(ModelChoice(cast(Source, source), name)))


def _load_local(choice: ModelChoice) -> ChatModel:
    load_adapter = branch_loader(adapter_store(), choice)
    model = load_chat_model(choice, load_adapter=load_adapter)
    if choice.bundle is not None and (adapter := _identity_for(choice)):
        # Compiling its network belongs to loading, not to the first answer that somebody waits for. Where it fails,
        # the question that asks for the adapter says so.
        with contextlib.suppress(PlaygroundError):
            model.complete([Message("user", "Hello")], max_tokens=1, adapter=adapter)
    return model


def reader_identity() -> str | None:
    """Return the identity of the adapter that reads passages for the bundled model; None where there is none."""
    return _identity_for(ModelChoice())


@st.cache_data(ttl=_IDENTITY_TTL_S, max_entries=8, show_spinner="Looking for an adapter that fits this model…")
def reader_identity_of(name: str) -> str | None:
    """Return the identity of the adapter that reads passages for a Hugging Face model; None where there is none.

    Remembered for seconds, as the page asks several times a run; the weights are compared once, which takes a second
    for each gigabyte.
    """
    return _identity_for(ModelChoice("hugging_face", name))


@st.cache_data(ttl=_IDENTITY_TTL_S, max_entries=8, show_spinner=False)
def reader_identity_of_size(size: str) -> str | None:
    """Return the identity of the adapter that reads passages for a bundled model of this size; None without one."""
    return _identity_for(ModelChoice("bundled", size))


def _identity_for(choice: ModelChoice) -> str | None:
    try:
        return reader_adapter(adapter_store(), None, choice).identity
    except (AdapterError, ModelError):  # none fits, or loading the model will say what is wrong with it
        return None


# Of this session only, because it holds the key that was typed into this session.
@st.cache_resource(
    max_entries=1,
    show_spinner=False,
    scope="session",
    hash_funcs={EndpointSettings: lambda settings: (hash(settings), settings.base_url, settings.model)},
)
def _endpoint_model(settings: EndpointSettings) -> ChatModel:
    return load_chat_model(ModelChoice("endpoint", endpoint=settings))


def list_endpoint_models(settings: EndpointSettings) -> tuple[str, ...]:
    """Return the models that an endpoint serves, asked now.

    Raises:
        EndpointError: it cannot be reached or refuses; the message says what to do.
    """
    from playground.models.endpoint.chat_model import list_models

    return list_models(settings)


@st.cache_data(ttl=_ENTRY_TTL_S, max_entries=32, show_spinner="Looking for the model…")
def hugging_face_problem(name: str) -> str:
    """Return what is wrong with the id or folder of a model, in a sentence; "" where nothing is known to be."""
    from playground.models.hugging_face import entry_problem

    return entry_problem(name)


@st.cache_data(
    ttl=_ENTRY_TTL_S,
    max_entries=8,
    show_spinner="Asking the endpoint…",
    scope="session",
    hash_funcs={EndpointSettings: lambda settings: (hash(settings), settings.base_url, settings.model)},
)
def endpoint_problem(settings: EndpointSettings) -> str:
    """Return what is wrong with an endpoint as it was entered, in a sentence; "" where nothing is known to be.

    It is asked for its models once for each entry. One that keeps no list is not thereby wrong.
    """
    try:
        models = list_endpoint_models(settings)
    except EndpointError as error:
        return "" if error.status == _NO_LIST else str(error)
    if not models or settings.model in models:
        return ""
    shown = ", ".join(models[:_MOST_NAMED])
    more = f" and {len(models) - _MOST_NAMED} more" if len(models) > _MOST_NAMED else ""
    return f"{settings.host} does not list the model {settings.model!r}. It lists: {shown}{more}."


def endpoint_from_environment() -> tuple[EndpointSettings | None, str]:
    """Return the endpoint that the environment or ``.streamlit/secrets.toml`` describes, and what is wrong with it."""
    try:
        secrets = st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
        return settings_from(os.environ, secrets), ""
    except EndpointError as error:
        return None, str(error)


def bundle_states() -> tuple[tuple[Bundle, bool], ...]:
    """Return every bundled model with whether it is present; of a larger one that answers, by the size of its files.

    Hashing a gigabyte takes a second, which the first page does not have.
    """
    return tuple(
        (bundle, _present(bundle.id, str(bundle_folder(bundle))) if bundle in BUNDLES else has_files(bundle))
        for bundle in ALL_BUNDLES
    )


def adapter_store() -> AdapterStore:
    """Return the store of the user's adapters and of those that are shipped. It reads the disk at every call."""
    return AdapterStore(default_root(), shipped=paths.SHIPPED_ADAPTERS)
