"""What the training page loads once for all sessions. A test puts its own in place."""

from __future__ import annotations

import streamlit as st

from playground.annotations import WrittenClauses, load_written_clauses
from playground.paths import CLAUSES
from scenarios.contract_clauses import scenario


@st.cache_resource(max_entries=1, show_spinner=False)
def written_clauses() -> WrittenClauses:
    """Return the project's own clauses.

    Raises:
        AnnotationError: somebody changed the files so that they cannot be read.
    """
    return load_written_clauses(CLAUSES, [label.name for label in scenario.labels()])
