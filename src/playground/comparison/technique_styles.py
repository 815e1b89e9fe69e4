"""One colour, marker and name for each technique, on every chart and page.

The colours are told apart by people with the common colour-vision deficiencies and from both backgrounds (after Okabe
and Ito, 2008, "Color Universal Design"); the markers tell techniques apart without any colour.
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
    "no-text": TechniqueStyle("No text", "#8a97a3", "x"),
    "whole-document": TechniqueStyle("Whole document", "#b8860b", "square"),
    "rag": TechniqueStyle("RAG", "#0072b2", "circle"),
    "rag+few-shot": TechniqueStyle("RAG + few-shot", "#56a3d9", "diamond"),
    "rag+cot": TechniqueStyle("RAG + chain of thought", "#a06aa8", "triangle-up"),
    "closed-book-lora": TechniqueStyle("Closed-book LoRA", "#d55e00", "cross"),
    "rag+lora": TechniqueStyle("RAG + LoRA", "#009e73", "star"),
    # Scenario B
    "zero-shot": TechniqueStyle("Zero-shot", "#56a3d9", "circle"),
    "few-shot": TechniqueStyle("Few-shot", "#0072b2", "diamond"),
    "few-shot-nearest": TechniqueStyle("Few-shot, nearest", "#6f7fc4", "diamond-tall"),
    "chain-of-thought": TechniqueStyle("Chain of thought", "#a06aa8", "triangle-up"),
    "lora": TechniqueStyle("LoRA, encoder", "#009e73", "star"),
    "language-model-lora": TechniqueStyle("LoRA, language model", "#d55e00", "cross"),
    "keywords": TechniqueStyle("Keywords", "#8a97a3", "x"),
    "tfidf": TechniqueStyle("TF-IDF + regression", "#b8860b", "square"),
    "frozen": TechniqueStyle("Frozen embeddings + regression", "#cc79a7", "hexagon"),
    "nearest": TechniqueStyle("Nearest neighbours", "#7a8f3c", "pentagon"),
}


def style_of(strategy: str) -> TechniqueStyle:
    """Return the style of a technique; one that is not known is grey under its own name."""
    return STYLES.get(strategy) or TechniqueStyle(strategy, *_OTHER)
