"""What one browser session holds of the training page, behind typed names. The training itself is the machine's."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from playground.annotations import AnnotationSet, WrittenClauses
from playground.ui.shared.jobs import Job
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import part_of_session

DataSource = Literal["written", "cuad", "table"]


class Key(StrEnum):
    """Keys of widgets and of containers that the tests and the style sheet know by name."""

    TASK = "training_task"
    SOURCE = "training_source"
    BASE = "training_base"
    BASE_NAME = "training_base_name"
    PATH = "training_path"
    LOAD_PATH = "training_load_path"
    UPLOAD = "training_upload"
    COLUMN_TEXT = "training_column_text"
    COLUMN_LABELS = "training_column_labels"
    COLUMN_CONTRACT = "training_column_contract"
    COLUMN_HEADING = "training_column_heading"
    READ_TABLE = "training_read_table"
    LABELS = "training_labels"
    EXAMPLES = "training_examples"
    RANK = "training_rank"
    EPOCHS = "training_epochs"
    MINUTES = "training_minutes"
    RATE = "training_rate"
    WINDOW = "training_window"
    SEED = "training_seed"
    NAME = "training_name"
    SHUFFLE = "training_shuffle"
    READER_MINUTES = "training_reader_minutes"
    READER_NAME = "training_reader_name"
    START = "training_start"
    STOP = "training_stop"
    AGAIN = "training_again"
    ACTIVATE_NEW = "training_activate_new"
    EVERYBODY_NEW = "training_everybody_new"
    MORE = "training_more"
    GO_ON = "training_go_on"
    THROW_AWAY = "training_throw_away"
    SHIFT = "training_shift"
    LIVE = "training_live"
    CONTENTS = "training_contents"
    STORE_TABS = "training_store"
    STORE_RELIABILITY = "training_store_reliability"
    STORE_CARD = "training_store_card"
    STORE_PICK = "training_store_pick"
    STORE_USE = "training_store_use"
    STORE_ACTIVATE = "training_store_activate"
    STORE_NAME = "training_store_name"
    STORE_RENAME = "training_store_rename"
    STORE_EXPORT = "training_store_export"
    STORE_CONFIRM = "training_store_confirm"
    STORE_DELETE = "training_store_delete"
    STORE_IMPORT = "training_store_import"
    STORE_COMPARE = "training_store_compare"


@dataclass(frozen=True, slots=True)
class RawFile:
    """An uploaded table whose columns are being chosen."""

    name: str
    data: bytes


@dataclass(slots=True)
class TrainingSession:
    """Everything of a session that is no widget. ``id`` tells whose training is running."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    loaded: dict[DataSource, AnnotationSet] = field(default_factory=dict)
    """What was read from files, by where it came from."""
    table: RawFile | None = None
    reading: Job[AnnotationSet] | None = None
    reading_source: DataSource = "cuad"
    data_notice: Notice | None = None
    start_notice: Notice | None = None
    store_notice: Notice | None = None
    use_notice: Notice | None = None
    """What became of putting an adapter to use, said beside the button."""
    uploads: int = 0
    """How many files were taken; part of the uploaders' identities, so that they are empty again after each."""
    shown_examples: int = 0
    """Turns the few examples that are shown."""


def session() -> TrainingSession:
    """Return this browser session's data."""
    return part_of_session("playground_training_session", TrainingSession)


Data = AnnotationSet | WrittenClauses


def annotations_of(data: Data) -> AnnotationSet:
    """Return the annotated clauses, whichever kind of data it is."""
    return data.annotations if isinstance(data, WrittenClauses) else data
