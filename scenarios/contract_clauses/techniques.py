"""Scenario B's name and techniques, in the order of the charts."""

from __future__ import annotations

from playground.comparison.techniques import Technique

NAME, TITLE = "contract_clauses", "Contract clauses"

TECHNIQUES = (
    Technique("zero-shot", "Zero-shot", "#439bd0", "circle", "prompting"),
    Technique("few-shot", "Few-shot", "#366797", "diamond", "prompting", stands_for_kind=True),
    Technique("few-shot-nearest", "Few-shot, nearest", "#6688db", "diamond-tall", "prompting", learns_from_labels=True),
    Technique("chain-of-thought", "Chain of thought", "#7d65b9", "triangle-up", "prompting"),
    Technique(
        *("lora", "LoRA, encoder", "#029e71", "star", "fine-tuning", "none"),
        stands_for_kind=True,
        learns_from_labels=True,
    ),
    Technique(
        *("language-model-lora", "LoRA, language model", "#c55500", "cross", "fine-tuning", "none"),
        learns_from_labels=True,
    ),
    Technique("keywords", "Keywords", "#8494a6", "x", chat_model="none"),
    Technique("tfidf", "TF-IDF + regression", "#bf8b03", "square", chat_model="none", learns_from_labels=True),
    Technique(
        *("frozen", "Frozen embeddings + regression", "#be678e", "hexagon"), chat_model="none", learns_from_labels=True
    ),
    Technique("nearest", "Nearest neighbours", "#7a8f3a", "pentagon", chat_model="none", learns_from_labels=True),
)
