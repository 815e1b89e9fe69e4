"""A flagged contract as a file to hand on: HTML report, CSV, JSON, DOCX with comments.

Pure functions from a ``FlaggedContract`` and its labels to text or bytes; whether to write a file is the caller's.
"""

from __future__ import annotations

from playground.flagging.report.docx_comments import CommentedDocx, commented_docx
from playground.flagging.report.html import flag_report_html
from playground.flagging.report.rows import (
    Correction,
    ReportRow,
    Verdict,
    deviates,
    missing_labels,
    missing_wanted,
    report_rows,
    side_of,
    stance_lines,
)
from playground.flagging.report.tables import flag_report_csv, flag_report_json

__all__ = [
    "CommentedDocx",
    "Correction",
    "ReportRow",
    "Verdict",
    "commented_docx",
    "deviates",
    "flag_report_csv",
    "flag_report_html",
    "flag_report_json",
    "missing_labels",
    "missing_wanted",
    "report_rows",
    "side_of",
    "stance_lines",
]
