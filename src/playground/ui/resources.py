"""Everything that is loaded once and shared: every ``st.cache_*`` of the app is here.

What ``cache_resource`` returns is shared by all sessions and never changed. The models bring their own locks. Pages
call these functions through the module (``resources.chat_model(...)``), so that a test can put its own in their place.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import cast

import streamlit as st

from playground.errors import EndpointError, ModelError
from playground.models.bundled import bundle_folder, ensure_minilm, is_present
from playground.models.catalog import BUNDLES, MINILM, SMOLLM2, Bundle
from playground.models.endpoint_settings import EndpointSettings, settings_from
from playground.models.sources import ModelChoice, Source, load_chat_model
from playground.types import ChatModel, Document, Embedder

_MOST_LOCAL_MODELS = 2
_MOST_DOCUMENTS = 16
_PRESENCE_TTL_S = 600


def missing_bundles(choice: ModelChoice) -> tuple[Bundle, ...]:
    """Return the bundled models that ``choice`` needs and that are not in the cache folder, verified.

    The embedding model is always needed; the language model only when it is the one chosen.
    """
    needed = BUNDLES if choice.source == "bundled" else (MINILM,)
    return tuple(bundle for bundle in needed if not _present(bundle.id, str(bundle_folder(bundle))))


def forget_presence() -> None:
    """Look at the disk again: something was fetched."""
    _present.clear()


@st.cache_data(ttl=_PRESENCE_TTL_S, max_entries=8, show_spinner=False)
def _present(bundle_id: str, folder: str) -> bool:  # noqa: ARG001 - the folder is part of the key
    bundle = next(bundle for bundle in BUNDLES if bundle.id == bundle_id)
    return is_present(bundle)


@st.cache_resource(max_entries=1, show_spinner=False)
def embedder() -> Embedder:
    """Return the embedding model, loaded.

    Raises:
        ModelError: it cannot be fetched or loaded.
    """
    from playground.embedding import load_embedder

    return load_embedder(ensure_minilm())


def chat_model(choice: ModelChoice) -> ChatModel:
    """Return the chosen chat model, loaded. Models of this machine are shared; an endpoint belongs to its session.

    Raises:
        ModelError: it cannot be fetched, loaded or reached; the message says what to do.
    """
    if choice.source != "endpoint":
        try:
            return _local_model(choice.source, choice.name).result()
        except BaseException:
            _local_model.clear(choice.source, choice.name)  # what failed is tried again at the next question
            raise
    if choice.endpoint is None:
        raise ModelError("The endpoint has no settings. Enter its address and model in the sidebar.")
    return _endpoint_model(choice.endpoint)


def warm_up(choice: ModelChoice) -> None:
    """Begin to load a model of this machine, without waiting for it."""
    if choice.source != "endpoint":
        _local_model(choice.source, choice.name)


@st.cache_resource(max_entries=_MOST_LOCAL_MODELS, show_spinner=False)
def _local_model(source: str, name: str) -> Future[ChatModel]:
    """Load in a thread: a page that waited here would keep the stale parts of its last picture on screen."""
    loading: Future[ChatModel] = Future()

    def load() -> None:
        try:
            loading.set_result(load_chat_model(ModelChoice(cast(Source, source), name)))
        except BaseException as error:  # whoever asks for the model gets it
            loading.set_exception(error)

    threading.Thread(target=load, daemon=True, name="load-model").start()
    return loading


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
    from playground.models.endpoint import list_models

    return list_models(settings)


def endpoint_from_environment() -> tuple[EndpointSettings | None, str]:
    """Return the endpoint that the environment or ``.streamlit/secrets.toml`` describes, and what is wrong with it."""
    try:
        secrets = st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
        return settings_from(os.environ, secrets), ""
    except EndpointError as error:
        return None, str(error)


@st.cache_resource(max_entries=_MOST_DOCUMENTS, show_spinner=False)
def _document_of(path: str, modified_ns: int) -> Document:  # noqa: ARG001 - a changed file is read again
    from playground.documents import load_document

    file = Path(path)
    return load_document(file.read_bytes(), file.name)


def sample_document(path: Path) -> Document:
    """Return a policy that ships with the project, parsed.

    Raises:
        DocumentError: somebody changed the file so that it cannot be read.
    """
    return _document_of(str(path), path.stat().st_mtime_ns)


def bundle_states() -> tuple[tuple[Bundle, bool], ...]:
    """Return every bundled model with whether it is present."""
    missing = missing_bundles(ModelChoice())
    return tuple((bundle, bundle not in missing) for bundle in (SMOLLM2, MINILM))
