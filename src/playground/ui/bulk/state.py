"""What one browser session holds of the page, and where results are looked for."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

import streamlit as st

from playground import paths
from playground.bulk.reading import BulkResult, read_result
from playground.bulk.tables import TABLES_FOLDER

ROOT_VARIABLE = "PLAYGROUND_BULK"


class Key(StrEnum):
    """Keys of widgets that the tests know by name."""

    RESULT = "bulk_result"
    LABEL = "bulk_label"
    MISSING = "bulk_missing"
    RISK = "bulk_risk"
    STATE = "bulk_state"
    NAME = "bulk_name"
    COPIES = "bulk_copies"
    TABLE = "bulk_table"
    EXPORT = "bulk_export"
    EXPORT_ONE = "bulk_export_one"


def root() -> Path:
    """Return the folder that results are in; nothing outside it can be opened from the page."""
    return Path(os.environ.get(ROOT_VARIABLE) or paths.ROOT / "bulk")


def result(name: str) -> BulkResult:
    """Return the result of that name, as ``results_in`` lists it.

    Raises:
        DocumentError: it cannot be read.
    """
    out = root() / name
    return _read(str(out), (out / TABLES_FOLDER).stat().st_mtime_ns)


@st.cache_resource(max_entries=3, show_spinner="Reading the tables…")
def _read(out: str, changed_ns: int) -> BulkResult:  # noqa: ARG001 - a new table is read anew
    return read_result(Path(out))
