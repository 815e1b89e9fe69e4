"""Scenario A's name and techniques, in the order of the charts."""

from __future__ import annotations

from playground.comparison.techniques import Technique

CLOSED_BOOK = "closed-book-lora"

NAME, TITLE = "return_policy", "Return policy"

TECHNIQUES = (
    Technique("no-text", "No text", "#8494a6", "x", "prompting"),
    Technique("whole-document", "Whole document", "#bf8b03", "square", "prompting"),
    Technique("rag", "RAG", "#366797", "circle", "prompting", stands_for_kind=True),
    Technique("rag+few-shot", "RAG + few-shot", "#439bd0", "diamond", "prompting"),
    Technique("rag+cot", "RAG + chain of thought", "#7d65b9", "triangle-up", "prompting"),
    Technique(CLOSED_BOOK, "Closed-book LoRA", "#c55500", "cross", "fine-tuning", "bundled"),
    Technique("rag+lora", "RAG + LoRA", "#029e71", "star", "fine-tuning", "bundled", stands_for_kind=True),
)
