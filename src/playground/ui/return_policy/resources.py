"""The sample policies, read once for all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from playground.types import Document

_MOST_DOCUMENTS = 16


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
