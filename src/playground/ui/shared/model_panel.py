"""The model chooser in the sidebar: one choice, shared by every page of the session."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from playground.errors import PlaygroundError
from playground.models.catalog import LANGUAGE_MODELS
from playground.models.endpoint.settings import DEFAULT_CONTEXT_LIMIT, OPENAI_BASE_URL, EndpointSettings
from playground.models.sources import ModelChoice, Source
from playground.ui.shared import resources
from playground.ui.shared.larger_model import draw_larger_model, megabytes
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.session import Key, session

_TITLES: dict[Source, str] = {
    "bundled": "Bundled model",
    "hugging_face": "Hugging Face or folder",
    "endpoint": "OpenAI-compatible endpoint",
}


def draw_model_panel() -> None:
    """Draw the chooser and keep the session's choice in step with it."""
    source: Source = st.radio(
        "Model that answers",
        get_args(Source),
        format_func=lambda value: _TITLES[value],
        key=Key.MODEL_SOURCE,
        persist_state="session",
    )
    if source == "bundled":
        _draw_bundled()
    elif source == "hugging_face":
        _draw_hugging_face()
    else:
        _draw_endpoint()
    _draw_present_choice()


def _draw_present_choice() -> None:
    choice = session().model_choice
    if problem := _problem_with(choice):
        st.error(escape_markdown(f"{problem} Nothing answers until then."), icon=":material/error:")
        return
    if choice.source == "endpoint" and choice.endpoint:
        where = "this machine" if choice.endpoint.is_loopback else escape_markdown(choice.endpoint.host)
        st.caption(f"**{escape_markdown(choice.label)}** answers. Questions and passages are sent to {where}.")
    elif choice.label:
        st.caption(f"**{escape_markdown(choice.label)}** answers, on this machine. Nothing leaves it.")


def _problem_with(choice: ModelChoice) -> str:
    """Return why the model that was entered cannot answer, before anybody asks it; "" where nothing is known."""
    if choice.source == "hugging_face" and choice.name:
        return resources.hugging_face_problem(choice.name)
    if choice.source == "endpoint" and choice.endpoint:
        refused = session().refused
        if refused and refused[0] == choice.endpoint:
            return refused[1]
        return resources.endpoint_problem(choice.endpoint)
    return ""


def _draw_bundled() -> None:
    size = st.segmented_control(
        "Size",
        list(LANGUAGE_MODELS),
        format_func=str.capitalize,
        default=session().first_size,
        required=True,
        key=Key.MODEL_SIZE,
        persist_state="session",
        help="  \n".join(
            f"{size.capitalize()}: {bundle.title}, {megabytes(size)}" for size, bundle in LANGUAGE_MODELS.items()
        ),
    )
    session().model_choice = ModelChoice("bundled", "" if size == "small" else str(size))
    draw_larger_model()


def _draw_hugging_face() -> None:
    if session().model_choice.source != "hugging_face":
        session().model_choice = ModelChoice("hugging_face")
    name = st.text_input(
        "Hub id or folder",
        key=Key.HUGGING_FACE_NAME,
        placeholder="owner/name or /path/to/model",
        max_chars=500,
        persist_state="session",
        help="Any causal language model with safetensors weights that fits this machine. No remote code is run.",
    )
    session().model_choice = ModelChoice("hugging_face", name.strip())
    if not name.strip():
        st.info("Enter a model's id or folder. Until then no question is answered.", icon=":material/info:")


def _draw_endpoint() -> None:
    found, problem = resources.endpoint_from_environment()
    if problem:
        st.warning(escape_markdown(problem), icon=":material/warning:")
    base_url = st.text_input(
        "Base URL",
        key=Key.ENDPOINT_URL,
        placeholder=found.base_url if found else OPENAI_BASE_URL,
        max_chars=2048,
        persist_state="session",
    )
    model = st.text_input(
        "Model",
        key=Key.ENDPOINT_MODEL,
        placeholder=found.model if found else "name that the endpoint serves",
        max_chars=256,
        persist_state="session",
    )
    key = st.text_input(
        "Key",
        key=Key.ENDPOINT_KEY,
        type="password",
        placeholder="set in the environment" if found and found.api_key else "only where the server asks for one",
        autocomplete="off",
        max_chars=4096,
        persist_state="session",
        help="Kept in this browser session only, and sent to the base URL only.",
    )
    context = st.number_input(
        "Context limit in tokens",
        min_value=256,
        max_value=10_000_000,
        value=found.context_limit if found else DEFAULT_CONTEXT_LIMIT,
        step=1024,
        key=Key.ENDPOINT_CONTEXT,
        persist_state="session",
        help="The protocol has no way to ask for it.",
    )
    settings = _typed_settings(base_url, model, key, int(context), found)
    session().model_choice = ModelChoice("endpoint", endpoint=settings)
    _draw_connection_test(base_url, key, settings, found)


def _typed_settings(
    base_url: str, model: str, key: str, context_limit: int, found: EndpointSettings | None
) -> EndpointSettings | None:
    """Return what was typed, completed from the environment; None, with a sentence, when it is not enough."""
    name = model.strip() or (found.model if found else "")
    if not name:
        st.info("Enter a base URL and a model, or set OPENAI_BASE_URL and OPENAI_MODEL.", icon=":material/info:")
        return None
    try:
        address, secret = _address_and_key(base_url, key, found)
        return EndpointSettings(address, name, secret, context_limit=context_limit)
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return None


def _address_and_key(base_url: str, key: str, found: EndpointSettings | None) -> tuple[str, str | None]:
    """Return address and key. A key from the environment goes only to the address that was set beside it."""
    if base_url.strip():
        return base_url, key or None
    if found:
        return found.base_url, key or found.api_key
    return OPENAI_BASE_URL, key or None


def _draw_connection_test(
    base_url: str, key: str, settings: EndpointSettings | None, found: EndpointSettings | None
) -> None:
    if not st.button("Test connection", key="test_connection", width="stretch"):
        return
    try:
        address, secret = _address_and_key(base_url, key, found)
        with st.spinner("Asking the endpoint…"):
            # Listing needs no model, but settings always have one.
            models = resources.list_endpoint_models(settings or EndpointSettings(address, "none", secret))
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    st.success(f"Connected. Models served: {len(models)}.", icon=":material/check_circle:")
    if models:
        st.code("\n".join(models[:50]), language=None)
