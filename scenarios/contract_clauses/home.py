"""Scenario B on the home page: its picture, and the demo with contracts."""

from __future__ import annotations

from playground.comparison.scenario import Box, Demo, DemoStep, HomeCard

CARD = HomeCard(
    "Contract-clause flagger",
    "Fine-tuning (LoRA) changes the <b>weights</b>",
    (
        Box("Contract", "one clause at a time, hardly any prompt"),
        Box("Model + LoRA layer", "a small layer learned from annotated clauses", changed=True),
        Box("Flags", "liabilities marked in the text"),
    ),
    "Open the contract flagger",
    trains=True,
)

DEMO = Demo(
    "Then the contracts",
    (
        DemoStep(
            {"contract": "services-agreement.pdf"},
            "Flag a contract",
            "Twelve pages of a services agreement: its risky clauses are marked, each with why it matters and what to "
            "check. Move the slider from *miss nothing* to *only sure ones*.",
        ),
        DemoStep(
            {"contract": "lease.docx"},
            "Open a Word file with tracked changes",
            "The page says that insertions count. Reject a wrong flag, add a missed one, and hand the file back with "
            "comments in it.",
        ),
        DemoStep(
            {"contract": "distribution-agreement.pdf"},
            "Compare base and LoRA",
            "Below the contract, the untrained base judges the same clauses; *Prompting for contrast* asks the chat "
            "model.",
        ),
    ),
)
