"""Train the warning of instructions that are hidden in a document, and measure it.

    python scripts/train_instruction_warning.py            trains and writes the weights
    python scripts/train_instruction_warning.py --measure  measures the weights that are there

Instructions are those of data/instruction_sentences, the sentences that the patterns were worded for, and those that
the reader was trained to withstand. Honest are the ordinary sentences beside them, the sample policies and contracts,
the written clauses, and policies invented of half the fact cards. The threshold lets 3 of 300 policies of a quarter of
the cards be warned of; what is measured are policies of the last quarter and the sentences of tests/data/instructions.
Of those, kept_aside.txt was written before anything was trained; ordinary.txt was looked at between two trainings.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from playground.documents import load_document, load_pasted
from playground.documents.injection import instruction_warning
from playground.documents.instruction_words import WEIGHTS, InstructionWords, load_instruction_words, terms_of
from playground.documents.load import load_generated
from playground.measuring.estimates import proportion
from playground.paths import CLAUSES, CONTRACTS, DATA, ROOT
from playground.text.sentences import cited_units
from playground.types import Document
from scenarios.return_policy.reader.cards import Card, all_cards
from scenarios.return_policy.reader.policies import invent_policy, outside
from scenarios.return_policy.scenario import sample_policies

SENTENCES = DATA / "instruction_sentences"
TESTS = ROOT / "tests" / "data" / "instructions"
ATTACKS = ROOT / "scenarios" / "return_policy" / "reader" / "attacks.json"
POLICIES = 100
FEWEST_TIMES = 2
"""A word or pair that stands in fewer sentences tells nothing."""
REGULARISATION = 4.0
LEAST_WEIGHT = 0.1
THRESHOLD_POLICIES = 300
MOST_WARNED = 3
MARGIN = 0.58
"""Above what lets so few be warned of: a customer's words as a heading ("You sent me the wrong one!") had 0.57 more."""


def main() -> None:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure only")
    if not parser.parse_args().measure:
        trained = train()
        written = {"threshold": trained.threshold, "bias": trained.bias, "weights": trained.weights}
        WEIGHTS.write_text(json.dumps(written, indent=0, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        load_instruction_words.cache_clear()
        print(f"{len(trained.weights):,} words and pairs, {WEIGHTS.stat().st_size / 1000:.0f} kB")
    measure()


def train() -> InstructionWords:
    """Return weights fitted to the training sentences, with a threshold of policies that they were not fitted to."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    instructions = [*lines(SENTENCES / "instructions.txt"), *lines(TESTS / "worded_for.txt"), *outside()["injections"]]
    honest = list(dict.fromkeys(sentence for sentence in honest_sentences() if len(sentence) > 8))
    terms = [terms_of(sentence) for sentence in (*instructions, *honest)]
    times = Counter(term for found in terms for term in found)
    columns = {term: column for column, term in enumerate(sorted(t for t, n in times.items() if n >= FEWEST_TIMES))}
    rarity = {term: math.log((1 + len(terms)) / (1 + times[term])) + 1 for term in columns}
    rows, places, values = [], [], []
    for row, found in enumerate(terms):
        known = [columns[term] for term in sorted(found) if term in columns]
        rows += [row] * len(known)
        places += known
        values += [rarity[term] * len(found) ** -0.5 for term in sorted(found) if term in columns]
    features = csr_matrix((values, (rows, places)), shape=(len(terms), len(columns)))
    labels = np.r_[np.ones(len(instructions)), np.zeros(len(honest))]
    print(f"{len(instructions)} instructions, {len(honest):,} honest sentences")
    fitted = LogisticRegression(C=REGULARISATION, max_iter=5_000).fit(features, labels)
    found_weights = {term: float(fitted.coef_[0, column]) * rarity[term] for term, column in columns.items()}
    weights = {term: round(weight, 2) for term, weight in found_weights.items() if abs(weight) >= LEAST_WEIGHT}
    words = InstructionWords(weights, round(float(fitted.intercept_[0]), 3), 0.0)
    policies = invented("threshold", 1, THRESHOLD_POLICIES)
    highest = sorted(max(map(words.score, sentences_of(policy))) for policy in policies)
    return InstructionWords(weights, words.bias, round(highest[-MOST_WARNED - 1] + MARGIN, 2))


def honest_sentences() -> Iterator[str]:
    """Yield the sentences of documents that speak to no model."""
    yield from lines(SENTENCES / "ordinary.txt")
    for path in (*sample_policies(), *sorted(CONTRACTS.iterdir())):
        if path.suffix in (".md", ".txt", ".html", ".docx", ".pdf") and path.stem not in ("README", "scan-only"):
            yield from sentences_of(load_document(path.read_bytes(), path.name))
    for path in sorted(CLAUSES.glob("*.jsonl")):
        for line in lines(path):
            yield from sentences_of(load_pasted(json.loads(line)["text"], markdown=False))
    for policy in invented("training", 0):
        yield from sentences_of(policy)


def invented(name: str, part: int, count: int = POLICIES) -> Iterator[Document]:
    """Yield policies of one part of the cards: 0 the first half, 1 the third quarter, 2 the last."""
    cards = sorted(all_cards(), key=lambda card: card.id)
    parts: tuple[Sequence[Card], ...] = (cards[::2], cards[1::4], cards[3::4])
    planted = [text[:25] for text in outside()["injections"]]
    for number in range(count):
        text = invent_policy(parts[part], random.Random(f"{name}/{number}")).document.text
        kept = [line for line in text.splitlines() if not any(words in line for words in planted)]
        yield load_generated("\n".join(kept), "Policy")


def sentences_of(document: Document) -> list[str]:
    """Return the sentences, list items and table rows of a document."""
    return [document.text[start:end] for start, end in cited_units(document, 0, len(document.text))]


def lines(path: Path) -> list[str]:
    """Return the lines of a text file."""
    return path.read_text(encoding="utf-8").splitlines()


def measure() -> None:
    """Print what the warning, patterns and words together, does on what it was not made from."""
    attacks = [str(attack["text"]) for attack in json.loads(ATTACKS.read_text(encoding="utf-8"))]
    for name, texts in (
        ("kept_aside.txt", lines(TESTS / "kept_aside.txt")),
        ("unseen.txt", lines(TESTS / "unseen.txt")),
        ("attacks.json", attacks),
        ("ordinary.txt (honest)", lines(TESTS / "ordinary.txt")),
    ):
        report(name, [instruction_warning(text) is not None for text in texts])
    report("invented policies (honest)", [bool(policy.warnings) for policy in invented("measured", 2)])


def report(name: str, warned_of: Sequence[bool]) -> None:
    """Print how many were warned of."""
    warned = sum(warned_of)
    rate = proportion(warned, len(warned_of))
    interval = f" (95 % interval {rate.low:.2f} to {rate.high:.2f})" if rate else ""
    print(f"{name}: {warned} of {len(warned_of)} warned of{interval}")


if __name__ == "__main__":
    main()
