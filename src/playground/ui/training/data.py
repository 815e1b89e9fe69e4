"""What to learn from: the project's clauses, CUAD's file, or the user's own table with its columns chosen here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from playground import files
from playground.annotations import (
    AnnotationSet,
    ColumnMapping,
    TablePreview,
    columns_of,
    guess_mapping,
    label_counts,
    read_annotations,
)
from playground.annotations.cuad import MAX_CUAD_BYTES
from playground.annotations.units import contract_units
from playground.errors import AnnotationError, PlaygroundError
from playground.text.counting import counted
from playground.text.label_titles import label_titles
from playground.training.clauses.charts import label_counts_figure
from playground.types import AnnotatedClause
from playground.ui.shared import jobs
from playground.ui.shared.markup import escape_markdown, shortened
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.training import resources
from playground.ui.training.state import Data, DataSource, Key, RawFile, annotations_of, session
from scenarios.contract_clauses import scenario

if TYPE_CHECKING:
    import plotly.graph_objects as go

SOURCES: dict[DataSource, str] = {
    "written": "The project's clauses",
    "cuad": "CUAD JSON",
    "table": "CSV or JSON lines",
}
_NO_COLUMN = "(none)"
_MOST_REJECTED_SHOWN = 500
_EXAMPLES_SHOWN = 3
_MOST_EXAMPLE_CHARACTERS = 420


def draw_data() -> Data | None:
    """Draw the choice of data and return it; None while there is none."""
    source: DataSource = st.segmented_control(
        "Learn from",
        list(SOURCES),
        format_func=lambda value: SOURCES[value],
        default="written",
        required=True,
        key=Key.SOURCE,
        persist_state="session",
    )
    if source == "written":
        return _written()
    if source == "cuad":
        _draw_cuad()
    else:
        _draw_table()
    draw_notice(session().data_notice)
    _follow_reading()
    data = session().loaded.get(source)
    if data is not None:
        st.caption(escape_markdown(f"{data.name}: {len(data.examples):,} clauses are ready."))
        _draw_rejected(data)
    return data


def _written() -> Data | None:
    try:
        return resources.written_clauses()
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return None


# --- CUAD -----------------------------------------------------------------------------------------------------------


def _draw_cuad() -> None:
    st.caption("Expert annotations of 510 contracts. The file stays on this machine.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Path on this machine", key=Key.PATH, placeholder="/path/to/CUADv1.json", max_chars=1000)
        st.button("Load", key=Key.LOAD_PATH, on_click=_take_path)
    _draw_uploader("or upload it", _take_cuad)


def _draw_uploader(label: str, on_change: Callable[[], None]) -> None:
    st.file_uploader(
        label,
        max_upload_size=MAX_CUAD_BYTES // 2**20,
        key=f"{Key.UPLOAD}_{session().uploads}",
        on_change=on_change,
    )


def _take_path() -> None:
    path = files.expanded(str(st.session_state.get(Key.PATH) or "").strip())
    try:
        if not path.is_file():
            raise AnnotationError(f"There is no file {path}. Give the path of CUAD's JSON file.")
        if path.stat().st_size > MAX_CUAD_BYTES:
            raise AnnotationError(f"{path.name} has more than {MAX_CUAD_BYTES >> 20} MB. Load a part of it.")
        data = files.read_file(path, MAX_CUAD_BYTES)
    except PlaygroundError as error:
        session().data_notice = Notice("error", str(error))
        return
    except OSError as error:
        session().data_notice = Notice("error", f"{path.name} cannot be read ({error.strerror}). Check its path.")
        return
    read_file(RawFile(path.name, data), "cuad")


def _uploaded() -> RawFile | None:
    data = session()
    file = st.session_state.get(f"{Key.UPLOAD}_{data.uploads}")
    if file is None:
        return None
    data.uploads += 1
    return RawFile(file.name, file.getvalue())


def _take_cuad() -> None:
    if file := _uploaded():
        read_file(file, "cuad")


def read_file(file: RawFile, source: DataSource, mapping: ColumnMapping | None = None) -> None:
    """Read a file of annotations in the background; what was loaded before stays until it is done."""
    known = [label.name for label in scenario.labels()]
    data = session()
    if data.reading:
        data.reading.cancel.set()
    data.data_notice = None
    data.reading_source = source
    data.reading = jobs.start(
        lambda _report: read_annotations(file.data, file.name, known, mapping, split=contract_units)
    )


def _follow_reading() -> None:
    job = session().reading
    if job is None:
        return
    place = st.empty()

    def draw(job: jobs.Job[AnnotationSet]) -> None:
        place.caption(f"Reading and checking the file… {job.elapsed_s:.0f} s")

    if jobs.follow([jobs.Activity(job, draw, _finish_reading)]):
        st.rerun()


def _finish_reading(job: jobs.Job[AnnotationSet]) -> None:
    data = session()
    data.reading = None
    if job.result is not None:
        data.loaded[data.reading_source] = job.result
        data.data_notice = None
    elif job.error:
        data.data_notice = Notice("error", job.error)


# --- a table --------------------------------------------------------------------------------------------------------


def _draw_table() -> None:
    st.caption("A row a clause, with its labels: CSV, or one JSON object a line. Labels are CUAD's names.")
    _draw_uploader("CSV or JSON lines", _take_table)
    table = session().table
    if table is None:
        return
    try:
        preview = columns_of(table.data, table.name)
    except PlaygroundError as error:
        session().table = None
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    _draw_columns(table, preview)


def _take_table() -> None:
    data = session()
    if file := _uploaded():
        data.table, data.data_notice = file, None
        data.loaded.pop("table", None)
        for key in (Key.COLUMN_TEXT, Key.COLUMN_LABELS, Key.COLUMN_CONTRACT, Key.COLUMN_HEADING):
            st.session_state.pop(key, None)


def _draw_columns(table: RawFile, preview: TablePreview) -> None:
    guess = guess_mapping(preview.columns)
    columns, optional = list(preview.columns), [_NO_COLUMN, *preview.columns]
    left, right = st.columns(2)
    text = left.selectbox("Clause", columns, index=_place(columns, guess.text if guess else None), key=Key.COLUMN_TEXT)
    labels = right.selectbox(
        "Labels", columns, index=_place(columns, guess.labels if guess else None, 1), key=Key.COLUMN_LABELS
    )
    contract = left.selectbox(
        "Contract (keeps training and test apart)",
        optional,
        index=_place(optional, guess.contract if guess else None),
        key=Key.COLUMN_CONTRACT,
    )
    heading = right.selectbox(
        "Heading", optional, index=_place(optional, guess.heading if guess else None), key=Key.COLUMN_HEADING
    )
    rows = [dict(zip(preview.columns, row, strict=True)) for row in preview.rows]
    st.dataframe(rows, hide_index=True, height=150)
    if st.button("Use these columns", key=Key.READ_TABLE, type="primary"):
        mapping = ColumnMapping(str(text), str(labels), _chosen(contract), _chosen(heading))
        read_file(table, "table", mapping)


def _place(columns: list[str], name: str | None, otherwise: int = 0) -> int:
    return columns.index(name) if name in columns else min(otherwise, len(columns) - 1)


def _chosen(column: str | None) -> str | None:
    return None if column in (None, _NO_COLUMN) else column


def _draw_rejected(data: AnnotationSet) -> None:
    for warning in data.warnings[:5]:
        st.warning(escape_markdown(warning), icon=":material/warning:")
    if data.rejected:
        were = "was" if len(data.rejected) == 1 else "were"
        with st.expander(f"{counted(len(data.rejected), 'row')} {were} left out"):
            rows = [{"Row": row.number, "Why": row.reason} for row in data.rejected[:_MOST_REJECTED_SHOWN]]
            st.dataframe(rows, hide_index=True, height=220)


# --- what is in it --------------------------------------------------------------------------------------------------


def draw_contents(data: Data, labels: tuple[str, ...]) -> None:
    """Draw how many clauses carry each of ``labels``, and a few of them."""
    annotations = annotations_of(data)
    counts = label_counts(annotations.examples)
    contracts = len({example.contract for example in annotations.examples})
    negatives = sum(1 for example in annotations.examples if not set(labels).intersection(example.labels))
    of_contracts = counted(contracts, "contract")
    st.markdown(
        f"**{counted(len(annotations.examples), 'clause')}** of {of_contracts}, {negatives:,} of them without any of "
        f"the {len(labels)} labels"
    )
    by_label, read = st.tabs(["Labels", "Examples"], key=Key.CONTENTS, on_change="rerun")
    with by_label, st.container(height=540, border=False):
        if by_label.open:
            st.plotly_chart(
                _label_counts(tuple((label, count) for label, count in counts.items() if label in labels)),
                config={"displayModeBar": False},
                key="training_label_counts",
            )
    with read, st.container(height=540, border=False):
        if read.open:
            _draw_examples(annotations.examples, labels)


@st.cache_resource(max_entries=4, show_spinner=False)
def _label_counts(counts: tuple[tuple[str, int], ...]) -> go.Figure:
    return label_counts_figure(dict(counts))


def _draw_examples(examples: tuple[AnnotatedClause, ...], labels: tuple[str, ...]) -> None:
    positive = [example for example in examples if set(labels).intersection(example.labels)]
    negative = [example for example in examples if not example.labels]
    first = session().shown_examples
    shown = [positive[(first + i * 37) % len(positive)] for i in range(min(_EXAMPLES_SHOWN, len(positive)))]
    shown += [negative[first % len(negative)]] if negative else []
    st.button("Show others", key=Key.SHUFFLE, icon=":material/refresh:", on_click=_turn)
    for example in shown:
        with st.container(border=True):
            if example.heading:
                st.text(example.heading)
            st.text(shortened(example.text, _MOST_EXAMPLE_CHARACTERS))
            st.caption(
                escape_markdown(label_titles(example.labels) or "no label") + f" · {escape_markdown(example.contract)}"
            )


def _turn() -> None:
    session().shown_examples += 1
