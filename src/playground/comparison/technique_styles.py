"""One colour, marker and name for each technique, on every chart and page.

Ten colours, near those of Okabe and Ito (2008, "Color Universal Design") and moved apart in lightness: seen with
deuteranopia or protanopia (simulated after Machado and others, 2009) any two techniques of a scenario are at least 10
apart in CIE Lab, the nearest 10.6, and each has a contrast of 3 : 1 or more with the light and the dark page. A test
holds both. That is apart side by side, not by memory: the markers tell techniques apart without any colour.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TechniqueStyle:
    """How a technique is named and drawn; ``marker`` is a plotly symbol."""

    title: str
    colour: str
    marker: str


_OTHER = ("#8a97a3", "circle-open")
STYLES: dict[str, TechniqueStyle] = {
    # Scenario A
    "no-text": TechniqueStyle("No text", "#8494a6", "x"),
    "whole-document": TechniqueStyle("Whole document", "#bf8b03", "square"),
    "rag": TechniqueStyle("RAG", "#366797", "circle"),
    "rag+few-shot": TechniqueStyle("RAG + few-shot", "#439bd0", "diamond"),
    "rag+cot": TechniqueStyle("RAG + chain of thought", "#7d65b9", "triangle-up"),
    "closed-book-lora": TechniqueStyle("Closed-book LoRA", "#c55500", "cross"),
    "rag+lora": TechniqueStyle("RAG + LoRA", "#029e71", "star"),
    # Scenario B
    "zero-shot": TechniqueStyle("Zero-shot", "#439bd0", "circle"),
    "few-shot": TechniqueStyle("Few-shot", "#366797", "diamond"),
    "few-shot-nearest": TechniqueStyle("Few-shot, nearest", "#6688db", "diamond-tall"),
    "chain-of-thought": TechniqueStyle("Chain of thought", "#7d65b9", "triangle-up"),
    "lora": TechniqueStyle("LoRA, encoder", "#029e71", "star"),
    "language-model-lora": TechniqueStyle("LoRA, language model", "#c55500", "cross"),
    "keywords": TechniqueStyle("Keywords", "#8494a6", "x"),
    "tfidf": TechniqueStyle("TF-IDF + regression", "#bf8b03", "square"),
    "frozen": TechniqueStyle("Frozen embeddings + regression", "#be678e", "hexagon"),
    "nearest": TechniqueStyle("Nearest neighbours", "#7a8f3a", "pentagon"),
}


def style_of(strategy: str) -> TechniqueStyle:
    """Return the style of a technique; one that is not known is grey under its own name."""
    return STYLES.get(strategy) or TechniqueStyle(strategy, *_OTHER)
