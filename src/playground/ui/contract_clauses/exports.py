"""What can be downloaded of a flagged contract. A file is made when its button is clicked, not before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

import streamlit as st

from playground.flagging.report import ReportRow, commented_docx, flag_report_csv, flag_report_html, flag_report_json
from playground.types import FlaggedContract
from playground.ui.contract_clauses.corrections import MIME, corrections_jsonl
from playground.ui.contract_clauses.flagger_choice import measured
from playground.ui.contract_clauses.state import ContractEntry, Judged, Key, labels_of_side, playbook, shift, side
from playground.ui.shared.markup import human_bytes
from playground.ui.shared.sharing import draw_link

_CORRECTIONS_HELP = (
    "Training data for the next adapter: your decisions as JSON lines. A flag beside a decided one that you let stand "
    "counts as right."
)
_DOCX_MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True)
class Export:
    """A file to download; ``make`` is called when its button is clicked."""

    key: str
    label: str
    file_name: str
    mime: str
    make: Callable[[], bytes]


def exports_of(
    entry: ContractEntry, judged: Judged, flagged: FlaggedContract, rows: Sequence[ReportRow]
) -> tuple[Export, ...]:
    """Return the files that a flagged contract can be downloaded as."""
    stem, corrections, labels = PurePath(entry.name).stem[:80] or "contract", entry.corrections, labels_of_side()
    facts, original = provenance(judged, shift()), entry.original_docx

    def as_html() -> bytes:
        return flag_report_html(flagged, labels, provenance=facts, corrections=corrections).encode()

    def as_csv() -> bytes:
        return flag_report_csv(flagged, labels, corrections)

    def as_json() -> bytes:
        return json.dumps(flag_report_json(flagged, labels, corrections), ensure_ascii=False, indent=1).encode()

    def as_docx() -> bytes:
        made = commented_docx(original, flagged, labels, corrections, date=datetime.now(UTC))
        entry.docx_note = made.note
        return made.data

    def as_corrections() -> bytes:
        return corrections_jsonl(flagged.clauses, rows, corrections, entry.name).encode()

    return (
        Export("html", "Report (HTML)", f"{stem}-flags.html", "text/html", as_html),
        Export("csv", "CSV", f"{stem}-flags.csv", "text/csv", as_csv),
        Export("json", "JSON", f"{stem}-flags.json", "application/json", as_json),
        Export("docx", "Word with comments", f"{stem}-flags.docx", _DOCX_MIME, as_docx),
        Export("corrections", f"Corrections ({len(corrections)})", f"{stem}-corrections.jsonl", MIME, as_corrections),
    )


def draw_exports(entry: ContractEntry, judged: Judged, flagged: FlaggedContract, rows: Sequence[ReportRow]) -> None:
    """Draw the row of download buttons."""
    with st.container(horizontal=True, gap="small", key=Key.EXPORTS, vertical_alignment="center"):
        for export in exports_of(entry, judged, flagged, rows):
            is_training_data = export.key == "corrections"
            st.download_button(
                export.label,
                export.make,
                export.file_name,
                export.mime,
                key=f"contract_download_{export.key}",
                icon=":material/download:",
                disabled=is_training_data and not entry.corrections,
                on_click="ignore",
                help=_CORRECTIONS_HELP if is_training_data else None,
            )
        draw_link()
    if entry.docx_note:
        st.caption(entry.docx_note)


def provenance(judged: Judged, at_shift: float) -> dict[str, str]:
    """Return what a reader of an export needs to know of how the flags came about."""
    scored, choice = judged.scored, judged.choice
    facts = {
        "Judged by": choice.title,
        "Judged at": judged.judged_at,
        "Time": f"{judged.read_s + scored.timings['total_s']:.1f} s for {len(scored.clauses):,} clauses",
        "Thresholds": "balanced" if at_shift == 0 else f"moved by {at_shift:+.1f} log-odds",
        "Scores": "calibrated probabilities"
        if choice.gives_probabilities
        else "n / (n + 1) for n keyword patterns found; no probabilities",
        "Where": "on this machine; nothing left it",
    }
    figures = measured(choice)
    point = figures.at(at_shift) if figures else None
    if figures and point and point.recall is not None and point.precision is not None:
        facts["Measured"] = (
            f"recall {point.recall:.0%}, precision {point.precision:.0%} at these thresholds on {figures.measured_on}"
        )
    else:
        facts["Measured"] = "recall and precision at these thresholds were not measured"
    if side():
        facts["Side"] = f"{side()}, by the playbook “{playbook().name}” ({playbook().fingerprint})"
    if choice.stored:
        manifest = choice.stored.manifest
        facts["Trained on"] = f"{manifest.data['name']}, {manifest.data['examples']} examples"
        facts["Adapter size"] = human_bytes(manifest.size_bytes)
    return facts
