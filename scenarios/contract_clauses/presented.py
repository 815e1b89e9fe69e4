"""What each step of the contracts' demo does in presenter mode, by the step's title."""

from __future__ import annotations

from collections.abc import Mapping

from playground.comparison.scenario import Actions

ACTIONS: Mapping[str, Actions] = {
    "Flag a contract": (("contract", "services-agreement.pdf"), ("flagger", "lora")),
    "Open a Word file with tracked changes": (("contract", "lease.docx"), ("flagger", "lora")),
    "Compare base and LoRA": (("contract", "distribution-agreement.pdf"), ("flagger", "base")),
}
