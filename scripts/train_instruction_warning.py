"""Train the warning of instructions that are hidden in a document, and measure it.

    python scripts/train_instruction_warning.py               trains and writes both sets of weights
    python scripts/train_instruction_warning.py --left-out    trains without each older set, counts what is found of it
    python scripts/train_instruction_warning.py --measure     measures the weights that are there

Two models, both logistic regressions: one on the words of a sentence, used wherever a document is loaded, and one on
its vector (the bundled embedder's) and its words' score, used where a policy is indexed. The second one is fitted to
words' scores of sentences that the words were not fitted to (five folds).

Instructions are those of data/instruction_sentences/instructions.txt, those of tests/data/instructions, the attacks of
scenarios/return_policy/reader, and those that the reader was trained to withstand. Honest are the ordinary sentences
beside them, the sample policies and contracts, the written clauses, and policies invented of half the fact cards. The
thresholds let 3 of 300 policies of a quarter of the cards be warned of; what is measured are policies of the last
quarter, honest sentences that were trained on by nothing (tests/data/instructions/ordinary.txt), and
kept_aside_2026_12.txt: written before the second model was begun, by somebody who had not read the other sentences.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from playground.cli.loading import load_embedder
from playground.documents import instruction_vectors, instruction_words, load_document, load_pasted
from playground.documents.injection import instruction_warning, instruction_warning_by_meaning, warned_by_meaning
from playground.documents.instruction_vectors import InstructionVectors
from playground.documents.instruction_words import MOST_CHARACTERS, InstructionWords, terms_of
from playground.documents.load import load_generated
from playground.measuring.estimates import proportion
from playground.models.embedding import fit_query
from playground.paths import CLAUSES, CONTRACTS, DATA, ROOT
from playground.text.sentences import cited_units
from playground.types import Document, Embedder
from scenarios.return_policy.reader.cards import Card, all_cards
from scenarios.return_policy.reader.policies import invent_policy, outside
from scenarios.return_policy.scenario import sample_policies

if TYPE_CHECKING:
    import numpy as np

SENTENCES = DATA / "instruction_sentences"
TESTS = ROOT / "tests" / "data" / "instructions"
ATTACKS = ROOT / "scenarios" / "return_policy" / "reader" / "attacks.json"
NEWEST = "kept_aside_2026_12.txt"
OLDER_SETS = ("kept_aside.txt", "unseen.txt", ATTACKS.name)
POLICIES = 100
FEWEST_TIMES = 2
"""A word or pair that stands in fewer sentences tells nothing."""
REGULARISATION = 4.0
LEAST_WEIGHT = 0.1
THRESHOLD_POLICIES = 300
MOST_WARNED = 3
MARGIN = 0.58
"""Of words above what lets so few be warned of, as vectors warn of as many again."""

VECTOR_SCALE = 3.0
VECTOR_REGULARISATION = 0.3
"""Both chosen by what --left-out finds."""
LEAST_WORDS = -3.5
"""Of the older sets nothing that is found has fewer; 96 in 100 honest sentences have."""
FOLDS = 5


def main() -> None:
    """Train or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--measure", action="store_true", help="measure only")
    what.add_argument("--left-out", action="store_true", help="train without each older set, and count what is found")
    given = parser.parse_args()
    embedder = load_embedder()
    if given.left_out:
        left_out(embedder)
        return
    if given.measure:
        measure(embedder)
    else:
        words, vectors = train(instructions(), embedder)
        words_row = {"threshold": words.threshold, "bias": words.bias, "weights": words.weights}
        write_json(instruction_words.WEIGHTS, words_row, indent=0)
        write_json(instruction_vectors.WEIGHTS, asdict(vectors), indent=None)
        print(f"{len(words.weights):,} words and pairs, threshold {words.threshold}")
        print(f"{len(vectors.weights):,} numbers of a vector, threshold {vectors.threshold}")


def write_json(path: Path, row: object, indent: int | None) -> None:
    """Write weights."""
    path.write_text(json.dumps(row, indent=indent, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def instructions(without: str = "") -> list[str]:
    """Return the instructions that are trained on, those of the older set ``without`` left out."""
    found = [*lines(SENTENCES / "instructions.txt"), *lines(TESTS / "worded_for.txt"), *outside()["injections"]]
    for name in OLDER_SETS:
        found += older_set(name) if name != without else []
    return found


def older_set(name: str) -> list[str]:
    """Return the instructions of a set that was measured with before it was trained on."""
    if name == ATTACKS.name:
        return [str(attack["text"]) for attack in json.loads(ATTACKS.read_text(encoding="utf-8"))]
    return lines(TESTS / name)


def train(instructed: Sequence[str], embedder: Embedder) -> tuple[InstructionWords, InstructionVectors]:
    """Return both models, with thresholds of policies that they were not fitted to."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    honest = list(dict.fromkeys(sentence for sentence in honest_sentences() if len(sentence) > 8))
    print(f"{len(instructed)} instructions, {len(honest):,} honest sentences")
    sentences, is_instruction = [*instructed, *honest], np.r_[np.ones(len(instructed)), np.zeros(len(honest))]
    words = fit_words(instructed, honest)
    policies = [sentences_of(policy) for policy in invented("threshold", 1, THRESHOLD_POLICIES)]
    words = replace(words, threshold=round(threshold(words.score, policies) + MARGIN, 2))

    features = np.c_[VECTOR_SCALE * embedded(sentences, embedder), scores_by_others(sentences, is_instruction)]
    fitted = LogisticRegression(C=VECTOR_REGULARISATION, max_iter=5_000).fit(features, is_instruction)
    vectors = InstructionVectors(
        model_id=embedder.model_id,
        weights=tuple(round(float(weight) * VECTOR_SCALE, 4) for weight in fitted.coef_[0, :-1]),
        words_weight=round(float(fitted.coef_[0, -1]), 4),
        bias=round(float(fitted.intercept_[0]), 4),
        threshold=0.0,
        least_words=LEAST_WORDS,
    )

    def score(sentence: str) -> float:
        by_words = words.score(sentence)
        if by_words < LEAST_WORDS:
            return -math.inf
        return float(vectors.scores(embedded([sentence], embedder), [by_words])[0])

    return words, replace(vectors, threshold=round(threshold(score, policies), 2))


def fit_words(instructed: Sequence[str], honest: Sequence[str]) -> InstructionWords:
    """Return the weights of words and pairs; the threshold is 0."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    terms = [terms_of(sentence) for sentence in (*instructed, *honest)]
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
    labels = np.r_[np.ones(len(instructed)), np.zeros(len(honest))]
    fitted = LogisticRegression(C=REGULARISATION, max_iter=5_000).fit(features, labels)
    found_weights = {term: float(fitted.coef_[0, column]) * rarity[term] for term, column in columns.items()}
    weights = {term: round(weight, 2) for term, weight in found_weights.items() if abs(weight) >= LEAST_WEIGHT}
    return InstructionWords(weights, round(float(fitted.intercept_[0]), 3), 0.0)


def scores_by_others(sentences: Sequence[str], is_instruction: np.ndarray) -> np.ndarray:
    """Return each sentence's score, [n], by words that were fitted to the other folds."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    scores = np.zeros(len(sentences))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for others, fold in folds.split(np.zeros(len(sentences)), is_instruction):
        instructed = [sentences[place] for place in others if is_instruction[place]]
        words = fit_words(instructed, [sentences[place] for place in others if not is_instruction[place]])
        scores[fold] = [words.score(sentences[place]) for place in fold]
    return scores


def threshold(score: Callable[[str], float], policies: Sequence[Sequence[str]]) -> float:
    """Return the score above which ``MOST_WARNED`` of some honest policies have a sentence."""
    return sorted(max(map(score, policy)) for policy in policies)[-MOST_WARNED - 1]


def embedded(sentences: Sequence[str], embedder: Embedder) -> np.ndarray:
    """Return vectors, [n, d], of what is judged of each sentence."""
    return embedder.embed([fit_query(sentence[:MOST_CHARACTERS], embedder) for sentence in sentences])


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


def left_out(embedder: Embedder) -> None:
    """Print how many of each older set, and how many honest policies, models trained without that set warn of."""
    measured = list(invented("measured", 2))
    for name in OLDER_SETS:
        words, vectors = train(instructions(without=name), embedder)

        def is_warned_of(text: str, words: InstructionWords = words, vectors: InstructionVectors = vectors) -> bool:
            score = words.score(text)
            means = score >= LEAST_WORDS and vectors.scores(embedded([text], embedder), [score])[0] >= vectors.threshold
            return score >= words.threshold or bool(means)

        report(f"{name}, not trained on", [is_warned_of(text) for text in older_set(name)])
        policies = [any(map(is_warned_of, sentences_of(policy))) for policy in measured]
        report("  invented policies (honest)", policies)


def measure(embedder: Embedder) -> None:
    """Print what the warning does on what it was not made from: when a document is loaded, and when it is indexed."""
    for name, texts in (
        (NEWEST, lines(SENTENCES / NEWEST)),
        ("ordinary.txt (honest)", lines(TESTS / "ordinary.txt")),
    ):
        by_words = [instruction_warning(text) is not None for text in texts]
        by_meaning = [instruction_warning_by_meaning(text, None, embedder) is not None for text in texts]
        report(f"{name}, loaded", by_words)
        report(f"{name}, indexed", [one or other for one, other in zip(by_words, by_meaning, strict=True)])
    policies = list(invented("measured", 2))
    report("invented policies (honest), loaded", [bool(policy.warnings) for policy in policies])
    report("invented policies (honest), indexed", [bool(warned_by_meaning(p, embedder).warnings) for p in policies])


def report(name: str, warned_of: Sequence[bool]) -> None:
    """Print how many were warned of."""
    warned = sum(warned_of)
    rate = proportion(warned, len(warned_of))
    interval = f" (95 % interval {rate.low:.2f} to {rate.high:.2f})" if rate else ""
    print(f"{name}: {warned} of {len(warned_of)} warned of{interval}")


if __name__ == "__main__":
    main()
