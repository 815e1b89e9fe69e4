"""Clause labelling as a task for a language model: one word for each label, all read off one forward pass.

Every label has a code of one token, so that the probabilities of the first token of the answer are those of the
labels. Words of the label's own name serve as codes where they are one token (as in pattern-verbalizer training,
Schick and Schuetze, 2021, arXiv 2001.07676): the model knows something of them before it is trained.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.errors import TrainingError
from playground.flagging.model import ScoringModel, undecided
from playground.models.completion_codec import CompletionCodec
from playground.models.generation import PREFILL_TOKENS, TokenSequence, common_prefix
from playground.types import AnnotatedClause, Message

SYSTEM = "Name what the contract clause is about in one word. Say None if it is about nothing of interest."
NONE = " None"
"""With its space: as a single token, most words exist only as they stand within a sentence."""

_WORD = re.compile(r"[A-Za-z]{3,}")
_LETTERS = [f" {letter}" for letter in string.ascii_letters]
_LEFT_OUT = " ... "
_MOST_CHARACTERS_A_TOKEN = 40


@dataclass(frozen=True, slots=True)
class LabelCodes:
    """A word of one token for each label, and one for a clause without any.

    They follow from the labels' names, their order and the tokenizer: an adapter need only keep its labels.
    """

    labels: tuple[str, ...]
    words: tuple[str, ...]
    token_ids: tuple[int, ...]
    none_word: str
    none_token_id: int


def label_codes(labels: Sequence[str], codec: CompletionCodec) -> LabelCodes:
    """Choose a code for each label: of the words of its name that fewest labels share the longest, else a letter.

    Raises:
        TrainingError: no label, a label twice, or more labels than codes.
    """
    if not labels or len(set(labels)) != len(labels):
        raise TrainingError("The labels must be given, each once. Check the list of labels.")

    def token_of(word: str) -> int | None:
        ids = codec.encode_completion(word)[:-1]
        return ids[0] if len(ids) == 1 else None

    candidates = {
        label: [spelt for word in _WORD.findall(label) for spelt in (f" {word}", f" {word.lower()}") if token_of(spelt)]
        for label in labels
    }
    shared_by = Counter(word for words in candidates.values() for word in set(words))
    none_word = next((word for word in (NONE, *_LETTERS) if token_of(word) is not None), None)
    none_token_id = None if none_word is None else token_of(none_word)
    if none_word is None or none_token_id is None:
        raise TrainingError("The tokenizer has no single token for a clause without a label. Choose another base.")
    taken = {none_token_id}
    chosen: dict[str, str] = {}

    def take(label: str, words: Sequence[str]) -> bool:
        for word in words:
            token = token_of(word)
            if token is not None and token not in taken:
                taken.add(token)
                chosen[label] = word
                return True
        return False

    # Those with the fewest words of their own first, as the others can give way.
    for label in sorted(labels, key=lambda name: len(candidates[name])):
        words = sorted(dict.fromkeys(candidates[label]), key=lambda word: (shared_by[word], -len(word)))
        if not take(label, words) and not take(label, _LETTERS):
            raise TrainingError(f"There are more labels ({len(labels)}) than codes of one token. Choose fewer labels.")
    token_ids = tuple(codec.encode_completion(chosen[label])[0] for label in labels)
    return LabelCodes(tuple(labels), tuple(chosen[label] for label in labels), token_ids, none_word, none_token_id)


def clause_messages(clause: AnnotatedClause, codec: CompletionCodec, max_tokens: int = 400) -> tuple[Message, ...]:
    """Return the conversation that asks about a clause, its heading in front.

    A prompt of more than ``max_tokens`` tokens has the middle of the clause left out: what a clause is about mostly
    stands at its beginning, and exceptions at its end.

    Raises:
        TrainingError: ``max_tokens`` leaves no room for the clause.
    """
    text = f"{clause.heading}\n{clause.text}" if clause.heading else clause.text

    def ask(shown: str) -> tuple[Message, ...]:
        return (Message("system", SYSTEM), Message("user", shown))

    # Far more characters than fit, so that a text without end is not encoded whole.
    most = _MOST_CHARACTERS_A_TOKEN * max_tokens
    if len(text) <= most and len(codec.encode(ask(text))) <= max_tokens:
        return ask(text)
    low, high = 0, min(len(text), most)
    while low < high:  # the most characters that fit
        middle = (low + high + 1) // 2
        if len(codec.encode(ask(_shortened(text, middle)))) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    if not low:
        raise TrainingError(f"max_tokens is {max_tokens}, which leaves no room for a clause. Raise it.")
    return ask(_shortened(text, low))


def language_model_scorer(
    sequence_factory: Callable[[], TokenSequence],
    codec: CompletionCodec,
    labels: Sequence[str],
    *,
    model_id: str = "language model",
    adapter: str | None = None,
    max_tokens: int = 400,
) -> ScoringModel:
    """Return a model that gives each clause's probability of each label, float64 [n, n_labels].

    The probabilities are those of the labels' codes among all codes and "none" at the first place of the answer, from
    one pass over each clause: ``OpenVinoEngine.load_network`` and ``TransformersSequence`` make sequences. A sequence
    serves one thread; so does the model returned. Thresholds are one half.

    Raises:
        TrainingError: no code can be given to a label.
    """
    codes = label_codes(labels, codec)
    token_ids = np.array([*codes.token_ids, codes.none_token_id])
    sequence = sequence_factory()

    def score(clauses: Sequence[AnnotatedClause]) -> NDArray[np.float64]:
        scores = np.zeros((len(clauses), len(codes.labels)))
        for row, clause in enumerate(clauses):
            prompt = codec.encode(clause_messages(clause, codec, max_tokens))
            # The instruction in front is the same for all and stays in the cache.
            reused = min(common_prefix(sequence.tokens, prompt), len(prompt) - 1)
            sequence.truncate(reused)
            for start in range(reused, len(prompt), PREFILL_TOKENS):
                logits = sequence.extend(prompt[start : start + PREFILL_TOKENS], 1)
            chosen = logits[-1][token_ids].astype(np.float64)
            weights = np.exp(chosen - chosen.max())
            scores[row] = weights[:-1] / weights.sum()
        return scores

    return ScoringModel(tuple(labels), score, undecided(labels), model_id, adapter)


def _shortened(text: str, characters: int) -> str:
    """Return three quarters of ``characters`` from the beginning of ``text`` and the rest from its end."""
    if characters >= len(text):
        return text
    tail = characters // 4
    return text[: characters - tail] + _LEFT_OUT + (text[-tail:] if tail else "")
