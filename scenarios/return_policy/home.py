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
            "Ask *How long do I have to return something?* The model has never seen this shop: it guesses or gives "
            "up, and nothing supports what it says.",
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
            "Ask again: *60 days*, with its sentence. A LoRA layer learned to read passages, and to decline: ask *What "
            "does a Summit Club membership cost per year?*",
        ),
        DemoStep(
            {"mode": "rag_lora"},
            "Swap the policy",
            "Under *Replace*, load NorthTrail version 2 and ask again: *45 days*. What changed is marked in the "
            "policy. No weights have changed.",
        ),
        DemoStep(
            {"mode": "rag_lora"},
            "Edit a number",
            "Under *Replace*, *Edit*, write another number of days, for example *14*, and save. Ask again: it counts.",
        ),
        DemoStep(
            {"mode": "rag_lora"},
            "Compare and roll back",
            "Under *Compare versions*, put one question to both and read what differs. Under *Versions*, roll back to "
            "version 1 and ask again: *60 days*.",
        ),
    ),
)
