"""What one browser session holds, behind typed names. Nothing here is shared with another session.

Two kinds of keys: ``Key`` names the widgets (Streamlit keeps their values, and each is a CSS class ``st-key-…``);
``part_of_session`` is everything else: each page has a part of its own, and ``session()`` is what all pages share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, cast

import streamlit as st

from playground.models.endpoint.settings import EndpointSettings
from playground.models.sources import ModelChoice, default_size
from playground.ui.shared.jobs import Job

Part = TypeVar("Part")


class Key(StrEnum):
    """Keys of the widgets that every page has."""

    MODEL_SOURCE = "model_source"
    MODEL_SIZE = "model_size"
    FETCH_LARGER_MODEL = "fetch_larger_model"
    STOP_LARGER_MODEL = "stop_larger_model"
    USE_LARGER_MODEL = "use_larger_model"
    HUGGING_FACE_NAME = "hugging_face_name"
    ENDPOINT_URL = "endpoint_url"
    ENDPOINT_MODEL = "endpoint_model"
    ENDPOINT_KEY = "endpoint_key"
    ENDPOINT_CONTEXT = "endpoint_context"
    FETCH = "fetch"
    CANCEL_FETCH = "cancel_fetch"


@dataclass(slots=True)
class SharedSession:
    """What all pages share of a session: the model that answers, and the fetching of models."""

    model_choice: ModelChoice = field(default_factory=ModelChoice)
    first_size: str = field(default_factory=default_size)
    """Of the bundled model that answered when the session began: what arrives later is offered, not taken."""
    flagger: str = ""
    """Identity of the adapter that this session flags contracts with; "" for the one that everybody here does."""
    refused: tuple[EndpointSettings, str] | None = None
    """The endpoint that refused its key, and what it said: nothing answers there until something is changed."""
    fetching: Job[bool] | None = None
    fetch_stopped: str | None = None
    """Why fetching does not start by itself any more: "" after a cancel, else the error."""


def part_of_session(key: str, make: Callable[[], Part]) -> Part:
    """Return what this browser session keeps under ``key``, made at its first use."""
    if key not in st.session_state:
        st.session_state[key] = make()
    return cast(Part, st.session_state[key])


def session() -> SharedSession:
    """Return what all pages share of this browser session."""
    return part_of_session("playground_shared_session", SharedSession)
