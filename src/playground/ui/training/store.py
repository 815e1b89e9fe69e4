"""The adapters of this machine: which one flags, how they compare, export, import, delete."""

from __future__ import annotations

import streamlit as st

from playground.adapters import AdapterStore, StoredAdapter, Task
from playground.adapters.archive import MAX_ARCHIVE_BYTES
from playground.adapters.quality import below_base
from playground.errors import PlaygroundError
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.shared.session import session as shared_session
from playground.ui.shared.words import NOTHING
from playground.ui.training.reliability import draw_reliability, reliability_of
from playground.ui.training.report import activate, use_here
from playground.ui.training.state import Key, session
from scenarios.contract_clauses import scenario

STORE_TABS = ("Use, export, delete", "Compare", "Import")
_MOST_COMPARED = 4
_EACH_ON_ITS_OWN = "On each adapter's own test data, see its card: rows measured on other data do not compare."


def draw_store(store: AdapterStore, task: Task = "clauses") -> None:
    """Draw the adapters of a task with everything that can be done with them."""
    st.header("Adapters on this machine", anchor=False)
    draw_notice(session().store_notice)
    activation = store.activation(task)
    active = activation.adapter.identity if activation.adapter else None
    if activation.note:
        st.warning(escape_markdown(activation.note), icon=":material/warning:")
    for problem in store.problems():
        st.warning(escape_markdown(problem), icon=":material/warning:")
    adapters = [stored for stored in store.list() if stored.manifest.task == task]
    adapters.sort(key=lambda stored: below_base(stored.manifest) is not None)
    if adapters:
        st.dataframe(
            [_row(stored, active) for stored in adapters],
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%.3f", help=_EACH_ON_ITS_OWN)
                for name in ("Micro AP", "Validation loss")
            },
        )
    else:
        st.caption("There is none yet. Train one above, or import one.")
    # Only what is open is drawn: hidden tables and charts would be most of the page's time.
    chosen, compared, imported = st.tabs(STORE_TABS, key=Key.STORE_TABS, on_change="rerun")
    with chosen:
        if chosen.open:
            _draw_actions(store, adapters, active)
    with compared:
        if compared.open:
            _draw_comparison(store, adapters)
    with imported:
        if imported.open:
            _draw_import(store)


def _row(stored: StoredAdapter, active: str | None) -> dict[str, object]:
    manifest = stored.manifest
    test = manifest.metrics.get("test")
    score = test.get("micro_ap") if isinstance(test, dict) else None
    score = score[0] if isinstance(score, list) else score  # with its interval, in that of the shipped flagger
    loss = manifest.metrics.get("validation_loss")
    stopped = manifest.hyper_parameters.get("stopped_early") is True
    worse = below_base(manifest) is not None
    remarks = [
        *(["worse than its untrained base"] if worse else []),
        *(["shipped"] if stored.shipped else []),
        *(["stopped early"] if stopped else []),
    ]
    measured: dict[str, object] = {
        "Labels": len(manifest.labels),
        "Clauses": manifest.data["examples"],
        "Micro AP": float(score) if isinstance(score, (int, float)) else None,
    }
    if manifest.task == "reader":
        measured = {
            "Questions": manifest.data["examples"],
            "Validation loss": float(loss) if isinstance(loss, (int, float)) else None,
        }
    return {
        "In use": "● for everybody" if stored.identity == active else "",
        "Adapter": stored.identity,
        "Base": manifest.base_id,
        **measured,
        "MB": round(manifest.size_bytes / 1e6, 1),
        "Trained": manifest.created_at[:16].replace("T", " "),
        "Remarks": ", ".join(remarks),
    }


def _draw_actions(store: AdapterStore, adapters: list[StoredAdapter], active: str | None) -> None:
    if not adapters:
        st.caption("Nothing to choose from.")
        return
    by_name = {stored.name: stored for stored in adapters}
    name = st.selectbox("Adapter", list(by_name), key=Key.STORE_PICK, width=420)
    stored = by_name.get(str(name)) or adapters[0]
    is_usable = stored.manifest.task == "reader" or stored.manifest.base_kind == "encoder"
    with st.container(horizontal=True, vertical_alignment="center"):
        if stored.manifest.task == "clauses":
            st.button(
                "Use in this window",
                key=Key.STORE_USE,
                disabled=not is_usable or stored.identity == (shared_session().flagger or active),
                on_click=use_here,
                args=(store, stored.name),
            )
        st.button(
            "Use for everybody on this machine",
            key=Key.STORE_ACTIVATE,
            disabled=stored.identity == active or not is_usable,
            on_click=activate,
            args=(store, stored.name),
        )
        _draw_export(store, stored)
        if not stored.shipped:
            confirmed = st.checkbox("Delete it for good", key=f"{Key.STORE_CONFIRM}_{stored.identity}")
            st.button(
                "Delete", key=Key.STORE_DELETE, disabled=not confirmed, on_click=_delete, args=(store, stored.name)
            )
    draw_notice(session().use_notice)
    if not stored.shipped:
        _draw_rename(store, stored)
    if not is_usable:
        st.caption("Contracts are flagged with encoders; adapters of language models are for comparison.")
    if stored.manifest.task == "clauses":
        reliability = st.expander("Reliability of its probabilities", key=Key.STORE_RELIABILITY, on_change="rerun")
        if reliability.open:
            measured_on = stored.manifest.metrics.get("measured_on")
            with reliability:
                draw_reliability(reliability_of(stored), measured_on, f"store_reliability_{stored.identity}")
    if stored.card_path is not None:
        card = st.expander("Model card", key=Key.STORE_CARD, on_change="rerun")
        if card.open:
            # A stranger's words: shown letter for letter.
            card.code(_card(stored), language=None, wrap_lines=True, height=320)


def _card(stored: StoredAdapter) -> str:
    try:
        return stored.card_path.read_text(encoding="utf-8")[:50_000] if stored.card_path else ""
    except OSError as error:
        return f"It cannot be read ({error.strerror})."


def _draw_export(store: AdapterStore, stored: StoredAdapter) -> None:
    # Packed when it is clicked: every redraw would pack megabytes otherwise.
    st.download_button(
        "Export zip",
        lambda: store.export_zip(stored.name),
        f"{stored.name}.zip",
        "application/zip",
        key=Key.STORE_EXPORT,
        on_click="ignore",
    )


def _draw_rename(store: AdapterStore, stored: StoredAdapter) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"{Key.STORE_NAME}_{stored.identity}"
        st.text_input("Another name", stored.name, max_chars=64, key=key, width=260)
        st.button("Rename", key=Key.STORE_RENAME, on_click=_rename, args=(store, stored.name, key))


def _rename(store: AdapterStore, name: str, key: str) -> None:
    data = session()
    try:
        renamed = store.rename(name, str(st.session_state.get(key) or "").strip())
        data.use_notice = Notice("success", f"{name} is called {renamed.name} from now on.")
    except PlaygroundError as error:
        data.use_notice = Notice("error", str(error))


def _delete(store: AdapterStore, name: str) -> None:
    try:
        store.delete(name)
        session().store_notice = Notice("success", f"{name} is deleted.")
    except PlaygroundError as error:
        session().store_notice = Notice("error", str(error))


def _draw_comparison(store: AdapterStore, adapters: list[StoredAdapter]) -> None:
    names = [stored.name for stored in adapters]
    if len(names) < 2:
        st.caption("Train or import a second adapter to compare.")
        return
    chosen = st.multiselect("Adapters", names, default=names[:2], max_selections=_MOST_COMPARED, key=Key.STORE_COMPARE)
    if len(chosen) < 2:
        st.caption("Choose at least two.")
        return
    try:
        rows = [row for row in store.compare(chosen) if row.differs]
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)))
        return
    st.dataframe(
        [
            {"Group": row.group.replace("_", " "), "Property": row.name}
            | {name: _cell(value) for name, value in zip(chosen, row.values, strict=True)}
            for row in rows
        ],
        hide_index=True,
        height=420,
    )
    st.caption("What differs. Compare scores only where both were measured on the same contracts.")


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _draw_import(store: AdapterStore) -> None:
    st.text_input(
        "Under this name", key=f"{Key.STORE_IMPORT}_name", max_chars=64, placeholder="its own", width=260,
        help="For an archive whose own name is taken here.",
    )  # fmt: skip
    st.file_uploader(
        "A zip that this app exported",
        max_upload_size=MAX_ARCHIVE_BYTES // 2**20,
        key=f"{Key.STORE_IMPORT}_{session().uploads}",
        on_change=_take_import,
        args=(store,),
    )
    st.caption("Safetensors and JSON only, every file checked against its manifest. Nothing in it is executed.")


def _take_import(store: AdapterStore) -> None:
    data = session()
    file = st.session_state.get(f"{Key.STORE_IMPORT}_{data.uploads}")
    if file is None:
        return
    data.uploads += 1
    known = {label.name for label in scenario.labels()}
    try:
        wanted = str(st.session_state.get(f"{Key.STORE_IMPORT}_name") or "").strip()
        stored = store.import_zip(file.getvalue(), wanted or None, known_labels=known)
        data.store_notice = Notice("success", f"{stored.identity} is imported.")
    except PlaygroundError as error:
        data.store_notice = Notice("error", str(error))
