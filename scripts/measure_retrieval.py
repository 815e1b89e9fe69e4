"""Measure how often retrieval finds what an answer needs: python scripts/measure_retrieval.py

For every answerable question of the scenario, the passages of its policy are retrieved by the vectors alone, by BM25
alone and by both fused. A question counts as recalled at k when all quotes of its evidence lie inside the union of the
best k passages, white space aside. The settings were chosen on these same questions, so expect a little less on
others; ``--policies`` and ``--questions`` measure those.

Prints a Markdown table and writes docs/retrieval.json.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.documents import load_document
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.estimates import Estimate, proportion
from playground.models.bundled import ensure_minilm
from playground.models.embedding import SentenceEmbedder, load_embedder
from playground.paths import ROOT
from playground.retrieval.index import (
    MAX_CHUNK_TOKENS,
    TARGET_CHUNK_TOKENS,
    Fusion,
    PassageIndex,
    RetrievalSettings,
    build_index,
)
from playground.types import Document, Passage

CUTOFFS = (1, 3, 5)
FUSIONS: tuple[tuple[Fusion, str], ...] = (("dense", "MiniLM alone"), ("lexical", "BM25 alone"), ("hybrid", "hybrid"))


@dataclass(frozen=True, slots=True)
class Question:
    """An answerable question; ``evidence`` holds, for each quote, the spans of the document that read like it."""

    id: str
    policy: str
    text: str
    tags: tuple[str, ...]
    evidence: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One question under one retriever: at each cutoff, whether all and whether any of its quotes were found."""

    question: str
    tags: tuple[str, ...]
    all_found: tuple[bool, ...]
    any_found: tuple[bool, ...]
    passage_tokens: tuple[int, ...]


def read_questions(path: Path, documents: dict[str, Document]) -> list[Question]:
    """Return the answerable questions.

    Raises:
        SystemExit: a quote is not in its policy, so that it could never be found.
    """
    questions = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if not row["answerable"]:
            continue
        spans = tuple(spans_of(quote, documents[row["policy"]].text) for quote in row["evidence"])
        if not spans or not all(spans):
            raise SystemExit(f"question {row['id']}: a quote of its evidence is missing or not in {row['policy']}")
        questions.append(Question(row["id"], row["policy"], row["question"], tuple(row.get("tags", ())), spans))
    return questions


def spans_of(quote: str, text: str) -> tuple[tuple[int, int], ...]:
    """Return where ``quote`` stands in ``text``, any white space matching any other."""
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    return tuple(match.span() for match in re.finditer(pattern, text))


def lies_within(span: tuple[int, int], passages: Sequence[Passage], text: str) -> bool:
    """Tell whether every character of ``span`` that is not white space is in one of the passages."""
    return all(
        any(passage.chunk.start <= position < passage.chunk.end for passage in passages)
        for position in range(*span)
        if not text[position].isspace()
    )


def measure(question: Question, index: PassageIndex, settings: RetrievalSettings, embedder: SentenceEmbedder) -> Row:
    """Retrieve for one question and look for its evidence."""
    passages = index.search(question.text, settings)
    found = [
        [
            any(lies_within(span, passages[:cutoff], index.document.text) for span in spans)
            for spans in question.evidence
        ]
        for cutoff in CUTOFFS
    ]
    tokens = [sum(embedder.count_tokens(p.chunk.text) - 2 for p in passages[:cutoff]) for cutoff in CUTOFFS]
    return Row(question.id, question.tags, tuple(map(all, found)), tuple(map(any, found)), tuple(tokens))


def estimate(outcomes: Sequence[bool]) -> Estimate:
    """Return the share of true outcomes with its Wilson interval."""
    result = proportion(sum(outcomes), len(outcomes))
    if result is None:
        raise SystemExit("no question to measure")
    return result


def summarise(rows: Sequence[Row]) -> dict[str, object]:
    """Return recall at each cutoff (all and any evidence, n, interval) and the mean tokens of the passages."""
    result: dict[str, object] = {}
    for position, cutoff in enumerate(CUTOFFS):
        for name, outcomes in (
            ("recall", [row.all_found[position] for row in rows]),
            ("any_evidence", [row.any_found[position] for row in rows]),
        ):
            share = estimate(outcomes)
            result[f"{name}@{cutoff}"] = {
                "value": round(share.value, 4),
                "ci": [round(share.low, 4), round(share.high, 4)],
                "found": sum(outcomes),
            }
        result[f"passage_tokens@{cutoff}"] = round(sum(row.passage_tokens[position] for row in rows) / len(rows))
    result["missed@3"] = [row.question for row in rows if not row.all_found[CUTOFFS.index(3)]]
    return result


def markdown(report: dict[str, object], rows: dict[Fusion, list[Row]]) -> str:
    """Return the report as a table for the terminal, in Markdown."""
    n = len(rows["hybrid"])
    lines = [
        f"Measured {report['date']} on {report['machine']} at commit {report['commit']}; model {report['model']}, "
        f"n = {n} answerable questions; 95 % Wilson intervals.",
        "",
        "| Retriever | recall@1 | recall@3 | recall@5 | any evidence@3 | tokens in 3 passages |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for fusion, title in FUSIONS:
        cells = [percent(estimate([row.all_found[i] for row in rows[fusion]])) for i in range(len(CUTOFFS))]
        at_3 = CUTOFFS.index(3)
        any_cell = percent(estimate([row.any_found[at_3] for row in rows[fusion]]))
        tokens = round(sum(row.passage_tokens[at_3] for row in rows[fusion]) / n)
        lines.append(f"| {title} | {' | '.join(cells)} | {any_cell} | {tokens} |")
    tags = sorted({tag for row in rows["hybrid"] for tag in row.tags})
    lines += ["", "| Kind of question | n | MiniLM@3 | BM25@3 | hybrid@3 |", "| --- | --- | --- | --- | --- |"]
    for tag in tags:
        of_tag = {fusion: [row.all_found[1] for row in rows[fusion] if tag in row.tags] for fusion, _ in FUSIONS}
        shares = " | ".join(f"{100 * sum(found) / len(found):.0f} %" for found in of_tag.values())
        lines.append(f"| {tag} | {len(of_tag['hybrid'])} | {shares} |")
    return "\n".join(lines)


def percent(share: Estimate) -> str:
    """Return "95.6 % (91.2 to 97.9)"."""
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"


def main() -> None:
    """Read the arguments, measure, print and write."""
    defaults = RetrievalSettings()
    parser = argparse.ArgumentParser(description="Measure recall of the retrievers.")
    parser.add_argument("--policies", type=Path, default=ROOT / "data" / "policies", help="folder of the policies")
    parser.add_argument("--questions", type=Path, default=ROOT / "scenarios" / "return_policy" / "questions.jsonl")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "retrieval.json")
    parser.add_argument("--max-tokens", type=int, default=MAX_CHUNK_TOKENS, help="most tokens of a chunk")
    parser.add_argument("--target-tokens", type=int, default=TARGET_CHUNK_TOKENS, help="size blocks are merged to")
    parser.add_argument("--dense-weight", type=float, default=defaults.dense_weight)
    parser.add_argument("--candidates", type=int, default=defaults.candidates)
    arguments = parser.parse_args()

    named = {json.loads(line)["policy"] for line in arguments.questions.read_text(encoding="utf-8").splitlines()}
    documents = {name: load_document((arguments.policies / name).read_bytes(), name) for name in sorted(named)}
    questions = read_questions(arguments.questions, documents)
    embedder = load_embedder(ensure_minilm())
    embedder.embed(["The first text a model sees takes longer; it is not timed."])
    indices, indexed = {}, {}
    for name, document in documents.items():
        started = time.perf_counter()
        indices[name] = build_index(
            document, embedder, max_tokens=arguments.max_tokens, target_tokens=arguments.target_tokens
        )
        indexed_s = round(time.perf_counter() - started, 3)
        indexed[name] = {"passages": len(indices[name].chunks), "indexed_s": indexed_s}
    rows: dict[Fusion, list[Row]] = {}
    for fusion, _ in FUSIONS:
        settings = RetrievalSettings(max(CUTOFFS), fusion, arguments.dense_weight, arguments.candidates)
        rows[fusion] = [measure(question, indices[question.policy], settings, embedder) for question in questions]
    report: dict[str, object] = {
        "date": utc_now()[:10],
        "machine": describe_machine().label,
        "commit": commit(),
        "model": embedder.model_id,
        "n": len(questions),
        "settings": {
            name: getattr(arguments, name) for name in ("max_tokens", "target_tokens", "dense_weight", "candidates")
        },
        "policies": indexed,
        "retrievers": {fusion: summarise(rows[fusion]) for fusion, _ in FUSIONS},
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(markdown(report, rows) + "\n")


if __name__ == "__main__":
    main()
