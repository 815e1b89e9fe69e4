"""Scenario A on the home page: its picture, and a demo in five minutes."""

from __future__ import annotations

from playground.comparison.scenario import Box, Demo, DemoStep, HomeCard

CARD = HomeCard(
    "Return-policy support bot",
    "Prompt engineering changes the <b>input</b>",
    (
        Box("Prompt", "system prompt, fitting passages of the policy, question", changed=True),
        Box("Model", "its weights stay as they are"),
        Box("Answer", "with the sentences it stands on"),
    ),
    "Open the return-policy bot",
)

DEMO = Demo(
    "A demo in five minutes",
    (
        DemoStep(
            {"mode": "no_text"},
            "Ask without the policy",
            "Ask *How long do I have to return something?* The model has never seen this shop: it can only guess, and "
            "nothing supports what it says.",
        ),
        DemoStep(
            {"mode": "rag"},
            "Fetch the passages that fit",
            "Ask again. What was given to the model lights up in the policy. A model of this size often misreads it; "
            "where no sentence supports the answer, the page says so.",
        ),
        DemoStep(
            {"mode": "rag_lora"},
            "Let an adapter read them",
            "Ask again. A LoRA layer learned to read passages, and to say that it does not know. Under the chat: the "
            "exact messages, the tokens of each part, time and price.",
        ),
        DemoStep(
            {"mode": "rag_lora"},
            "Swap the policy",
            "Under *Replace*, load NorthTrail version 2, or edit a number in place. Ask again: the new text counts, "
            "and no weights have changed.",
        ),
        DemoStep(
            {"mode": "rag_lora"},
            "Compare and roll back",
            "Under *Compare versions*, put one question to both and read the six differences. Under *Versions*, roll "
            "back.",
        ),
    ),
)
