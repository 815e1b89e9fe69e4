"""Notice text in a document that speaks to the model instead of the reader: "ignore the above instructions ...".

Such text is not removed, because a wrong guess would change somebody's policy, and it reaches the model only as text of
the document. The person who presents is told, with the words, so that they can take them out.

Three ways find it: patterns of what only a model is told, the words of a sentence (``instruction_words``), and, where
an embedder is at hand, what it means (``instruction_vectors``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

from playground.documents.instruction_vectors import load_instruction_vectors
from playground.documents.instruction_words import MOST_CHARACTERS, load_instruction_words
from playground.models.embedding import fit_query
from playground.text.sentences import cited_units, sentence_spans
from playground.types import Document, Embedder

_MOST_QUOTED = 80
_BATCH_SENTENCES = 64
_BEGINNING = "The text speaks to the model"
_MODEL_WORDS = r"(?:instructions?|prompts?|rules|guidelines|directions|context|text|policy|above)"
# What is asked of customers has the same words: "tell", "send", "answer the questions". So a pattern wants what only a
# model is told: of all questions and answers, of its prompt, role or mode, or by its name.
_MODEL = (
    r"(?:ais?|a\.i\.|llms?|(?:ai\s+|large\s+)?(?:language\s+)?models?|chat\s?bots?|(?:ai\s+)?assistants?|ai\s+systems?)"
)
_BEGIN = r"(?:^|(?<=[.!?:;]\s)|(?<=[\"\u201c(]))(?:please\s+)?"
_ITS = r"(?:instructions?|directives?|prompts?|guidelines|training|programming|task|role|restrictions)"
_KINDS = (
    # what it was told before counts no more
    rf"\b(?:ignore|disregard|forget|override)\s+(?:(?:all|any|everything|the|your|of|these|those|previous|prior|above|"
    rf"preceding|earlier|system)\s+){{1,4}}{_MODEL_WORDS}\b",
    r"\b(?:ignore|disregard|forget)\s+(?:the\s+|everything\s+)?above\b",
    rf"\b(?:ignore|disregard|forget|override|bypass|(?:do\s+not|don't|stop|never)\s+(?:follow|obey)(?:ing)?)\s+your\s+"
    rf"(?:\w+\s+)?{_ITS}\b",
    rf"\byour\s+(?:new\s+{_ITS}\s+(?:is|are)\s+to\b|(?:\w+\s+)?{_ITS}\s+(?:is|are|has|have)\s+(?:been\s+)?"
    r"(?:void|changed|cancelled|replaced|revoked|updated|over)\b)",
    rf"\b{_ITS}\s+(?:that\s+were\s+)?given\s+to\s+you\b|\brules\s+(?:that\s+)?you\s+were\s+(?:given|told)\b",
    r"\ball\s+(?:earlier|previous|prior)\s+(?:directives|instructions|prompts)\s+are\s+(?:cancelled|void|revoked)\b",
    r"\b(?:ignore|disregard|forget)\s+(?:what|everything|anything)\s+(?:the|you)\b",
    r"\b(?:new|updated|hidden)\s+(?:system\s+)?instructions?\s*:",
    # another role
    r"\byou\s+are\s+(?:now|no\s+longer)\s+(?:an?|the|in|bound)\b",
    r"\byou\s+will\s+now\s+(?:act|answer|behave|speak)\b",
    rf"\b(?:act|behave|answer|respond)\s+as\s+(?:if|though)\b|{_BEGIN}(?:act\s+as\s+an?|pretend\s+(?:that|to))\b",
    r"\byou\s+(?:have\s+been|are|were)\s+(?:reprogrammed|retrained|jailbroken)\b",
    rf"\bas\s+the\s+{_MODEL}\s*,\s*you\b",
    r"\bstop\s+being\b|\b(?:enter|activate|switch\s+to)\s+\w+\s+mode\b",
    # it is spoken to
    r"\b(?:note|notes|attention|message|instructions?|dear|for)\b[\s,]+(?:to\s+|for\s+)?(?:the\s+|all\s+|an?\s+)?"
    r"(?:ai\b|llms?\b|language\s+models?\b|model\b|ai\s+assistants?\b)",
    rf"{_BEGIN}{_MODEL}\s*[:,]\s+\w|\bif\s+you\s+are\s+an?\s+{_MODEL}\b",
    rf"{_BEGIN}(?:the\s+)?{_MODEL}\s+(?:\w+\s+){{0,3}}(?:must|should|shall)\b",
    r"\bas\s+an?\s+(?:ai|language\s+model|chatbot)\b[^.\n]{0,40}\byou\b",
    # its answers are dictated
    r"(?<!will\s)\b(?:answer|reply\s+to|respond\s+to|to)\s+(?:every|all|any|each)\s+(?:\w+\s+)?questions?\b",
    r"\byou\s+(?:will|must|should)\s+(?:only\s+|always\s+|never\s+)?(?:answer|reply|respond)\b",
    r"\b(?:always|never|not)\s+tell\s+(?:the|a|any|every)\s+(?:user|customer)\b|\btell\s+the\s+user\b",
    rf"{_BEGIN}never\s+(?:mention|say|reveal)\b",
    r"\bwhen(?:ever)?\s+(?:asked|(?:somebody|anyone|a\s+user|the\s+user)\s+asks)\s+about\b[^.\n]{0,60},",
    r"\bwhatever\s+the\s+question\b",
    r"\b(?:start|begin|end)\s+(?:your|every|each|all)\s+(?:answer|reply|replies|response)s?\b",
    r"\binstead\s+of\s+answering\b|\bdo\s+not\s+answer\s+(?:any\s+|the\s+)?questions?\b",
    r"\bin\s+(?:your|each|every)\s+(?:answer|reply|response)\b",
    rf"\b(?:just|only)\s+(?:output|print)\b|{_BEGIN}(?:output|print)\s+(?:only|just|nothing|the\s+word)\b",
    r"\b(?:answer|reply|respond)\s+(?:only\s+)?(?:in|with)\s+(?:only\s+)?(?:the\s+word|the\s+letter|capital)\b",
    # its prompt, or what is said to it
    r"\b(?:reveal|print|repeat|show|output)\s+(?:me\s+)?(?:your\s+(?:\w+\s+)?(?:prompt|instructions|configuration)|the\s+"
    r"(?:system|full|whole|hidden)\s+prompt)\b|\brepeat\s+the\s+(?:text|words)\s+above\b",
    r"\bsend\s+(?:the|this)\s+(?:conversation|chat|prompt)\b",
    # marks of a conversation
    r"<\|(?:im_start|im_end|system|user|assistant)\|>|\[/?(?:INST|system)\]|</?system>|^\#{1,6}\s*instructions?\s*:"
    r"|^(?-i:SYSTEM):",
)
_ADDRESSED_TO_A_MODEL = re.compile("|".join(_KINDS), re.IGNORECASE | re.MULTILINE)


def instruction_warning(text: str, pieces: Iterable[tuple[int, int]] | None = None) -> str | None:
    """Return a sentence for the user when ``text`` holds words that read like an instruction to a model, else None.

    Args:
        text: of a document.
        pieces: start and end of its sentences, list items and table rows; None finds sentences in ``text`` itself.
    """
    match = _ADDRESSED_TO_A_MODEL.search(text)
    found = match.span() if match else _first_by_words(text, pieces)
    return None if found is None else _warning(text, *found)


def instruction_warning_by_meaning(
    text: str,
    pieces: Iterable[tuple[int, int]] | None,
    embedder: Embedder,
    on_batch: Callable[[], None] = lambda: None,
) -> str | None:
    """Return what ``instruction_warning`` does, for what patterns and words alone do not find.

    Args:
        text: of a document.
        pieces: as of ``instruction_warning``.
        embedder: of any other model than the weights are for, it finds nothing.
        on_batch: called now and then; what it raises ends the search and reaches the caller.
    """
    by_meaning, words = load_instruction_vectors(), load_instruction_words()
    if embedder.model_id != by_meaning.model_id:
        return None
    scored = ((first, last, words.score(text[first:last])) for first, last in _judged(text, pieces))
    suspects = (one for one in scored if one[2] >= by_meaning.least_words)
    while batch := tuple(islice(suspects, _BATCH_SENTENCES)):
        on_batch()
        vectors = embedder.embed([fit_query(text[first:last], embedder) for first, last, _score in batch])
        scores = by_meaning.scores(vectors, [score for _first, _last, score in batch])
        for (first, last, _score), score in zip(batch, scores, strict=True):
            if score >= by_meaning.threshold:
                return _warning(text, first, last)
    return None


def warned_by_meaning(document: Document, embedder: Embedder, on_batch: Callable[[], None] = lambda: None) -> Document:
    """Return a document with the warning of ``instruction_warning_by_meaning``, where loading it gave none."""
    if any(warning.startswith(_BEGINNING) for warning in document.warnings):
        return document
    pieces = cited_units(document, 0, len(document.text))
    warning = instruction_warning_by_meaning(document.text, pieces, embedder, on_batch)
    return replace(document, warnings=(*document.warnings, warning)) if warning else document


def _warning(text: str, start: int, end: int) -> str:
    words = " ".join(text[start:end].split())
    quoted = words if len(words) <= _MOST_QUOTED else words[:_MOST_QUOTED].rstrip() + "\u2026"
    line = text.count("\n", 0, start) + 1
    return (
        f"{_BEGINNING}, it seems (\u201c{quoted}\u201d, line {line}). It is given to the model as text "
        "of the document, but a small model may follow it: check the answers, or remove the sentence and load the "
        "document again."
    )


def _first_by_words(text: str, pieces: Iterable[tuple[int, int]] | None) -> tuple[int, int] | None:
    """Return start and end of the first sentence whose words are those of an instruction to a model."""
    words = load_instruction_words()
    return next((span for span in _judged(text, pieces) if words.speaks_to_a_model(text[slice(*span)])), None)


def _judged(text: str, pieces: Iterable[tuple[int, int]] | None) -> Iterator[tuple[int, int]]:
    """Yield start and end of what is judged on its own: sentences, long ones in parts."""
    for start, end in sentence_spans(text, 0, len(text)) if pieces is None else pieces:
        for first in range(start, end, MOST_CHARACTERS):
            yield first, min(end, first + MOST_CHARACTERS)
