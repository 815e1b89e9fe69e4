"""What measuring Scenario A asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.measuring.request import MeasuringRequest, option
from playground.paths import POLICIES
from scenarios.return_policy.caution import DEFAULT_LEVEL
from scenarios.return_policy.techniques import CLOSED_BOOK

QUESTIONS = Path(__file__).with_name("questions.jsonl")


_GUARD = "what stands around the reader of rag+lora; each can be measured without"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest(MeasuringRequest):
    """What is to be measured of Scenario A; the help of each option says what it is."""

    policies: Path = option(POLICIES, "folder of the policies (default: the samples)", kind="file", metavar="DIR")
    questions: Path = option(QUESTIONS, "questions, JSON lines (default: our own)", kind="file", metavar="FILE")
    adapter: str | None = option(
        None, "of `rag+lora` (default: the active one that fits)", metavar="NAME", adapter_of=("rag+lora",)
    )
    closed_book_adapter: str | None = option(
        None, f"of `{CLOSED_BOOK}` (default: the active one)", metavar="NAME", adapter_of=(CLOSED_BOOK,)
    )
    top_k: int | None = option(None, "passages in a prompt (default: 3; rag+lora: 1)", kind="count", metavar="N")
    no_arithmetic: bool = option(False, "work nothing out for it", kind="switch", group=_GUARD)
    keep_unsupported: bool = option(False, "give answers with numbers no passage states", kind="switch", group=_GUARD)
    abstain_at: float | None = option(
        None,
        f"abstain from this probability on (above 1: never; default: {DEFAULT_LEVEL.abstain_at:g})",
        kind="number",
        metavar="P",
        group=_GUARD,
    )
