"""Contracts on disk -> flagged contracts on disk: one file, or a folder of them, resumable and on several cores."""

from playground.flagging.files.contract import FlagJob, FlagSettings, flag_one, read_contract, report_html
from playground.flagging.files.folder import FileOutcome, Progress, contract_paths, default_workers, flag_folder

__all__ = [
    "FileOutcome",
    "FlagJob",
    "FlagSettings",
    "Progress",
    "contract_paths",
    "default_workers",
    "flag_folder",
    "flag_one",
    "read_contract",
    "report_html",
]
