"""What judges clauses, and the annotated clauses beside it: loaded once for all sessions."""

from __future__ import annotations

from concurrent.futures import Future

import streamlit as st

from playground.adapters import (
    StoredAdapter,
)
from playground.flagging.loading import load_flagger
from playground.flagging.model import ClauseModel
from playground.flagging.stored_results import StoredResult, stored_result
from playground.paths import CLAUSES, JUDGED_SAMPLES
from playground.types import Clause, Document
from playground.ui.contract_clauses.annotated_index import AnnotatedIndex, load_annotated_index
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.shared import resources as shared
from scenarios.contract_clauses import scenario as contract_clauses

_MOST_ADAPTERS = 2


def clause_model(choice: FlaggerChoice) -> Future[ClauseModel]:
    """Begin to load what judges clauses, without waiting for it. A result that is an error is to be forgotten."""
    if choice.kind == "keywords":
        return _keyword_model()
    if choice.stored is None:
        return _zero_shot_model()
    return _adapter_model(choice.key, choice.stored)


def forget_clause_model(choice: FlaggerChoice) -> None:
    """Load it again the next time: it failed."""
    if choice.stored is not None:
        _adapter_model.clear(choice.key, choice.stored)
    elif choice.kind == "zero_shot":
        _zero_shot_model.clear()
        annotated_index.clear()
        shared.embedder_loading.clear()


def stored_sample(choice: FlaggerChoice, document: Document, clauses: tuple[Clause, ...]) -> StoredResult | None:
    """Return what an adapter said of a sample on another day; None where nothing that still holds is stored."""
    return stored_result(JUDGED_SAMPLES, choice.key, document, clauses) if choice.stored else None


@st.cache_resource(max_entries=1, show_spinner=False)
def annotated_index() -> Future[AnnotatedIndex]:
    """Begin to embed the project's own annotated clauses, without waiting."""
    embedding = shared.embedder_loading()
    names = [label.name for label in contract_clauses.labels()]
    return shared.in_thread(lambda: load_annotated_index(CLAUSES, names, embedding.result()))


def forget_annotated_index() -> None:
    """Embed the annotated clauses again the next time: it failed."""
    annotated_index.clear()
    shared.embedder_loading.clear()


# The identity holds a hash of the adapter's files, so that it alone is the key.
@st.cache_resource(max_entries=_MOST_ADAPTERS, show_spinner=False)
def _adapter_model(identity: str, _stored: StoredAdapter) -> Future[ClauseModel]:  # noqa: ARG001 - the key
    return shared.in_thread(lambda: load_flagger(_stored))


@st.cache_resource(max_entries=1, show_spinner=False)
def _zero_shot_model() -> Future[ClauseModel]:
    loading = annotated_index()

    def load() -> ClauseModel:
        from playground.flagging.untrained import fit_zero_shot

        index = loading.result()
        return fit_zero_shot(
            index.train, contract_clauses.labels(), index.embedder, vectors=index.vectors[: index.n_train]
        )

    return shared.in_thread(load)


@st.cache_resource(max_entries=1, show_spinner=False)
def _keyword_model() -> Future[ClauseModel]:
    def load() -> ClauseModel:
        from playground.flagging.untrained import keyword_model

        return keyword_model(contract_clauses.keywords(), [label.name for label in contract_clauses.labels()])

    return shared.in_thread(load)
