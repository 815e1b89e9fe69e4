"""What measuring Scenario B asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.measuring.request import MeasuringRequest, option


@dataclass(frozen=True, slots=True, kw_only=True)
class ClausesRequest(MeasuringRequest):
    """What is to be measured of Scenario B; the help of each option says what it is."""

    contracts: Path | None = option(
        None,
        "contracts in CUAD's JSON (default: our own test clauses)",
        kind="file",
        metavar="FILE",
        means="examples file",
    )
    train: Path | None = option(
        None, "what the baselines are fitted on (default: our own training clauses)", kind="file", metavar="FILE"
    )
    adapter: str | None = option(
        None,
        "of `lora`, of `language-model-lora`, or A,B (default: the active one, the newest)",
        metavar="NAME",
        adapter_of=("lora", "language-model-lora"),
    )
    clauses: int = option(
        3, "a contract, that chat models are asked (default: 3)", kind="count", metavar="N", means="pairs"
    )
