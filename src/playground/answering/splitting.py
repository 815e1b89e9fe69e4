"""Two questions in one message -> one question each, so that both are answered or declined by themselves."""

from __future__ import annotations

import re

from playground.answering.follow_up import is_follow_up
from playground.text.sentences import sentence_spans

__all__ = ["split_questions"]

_MOST_QUESTIONS = 4
_LEAST_WORDS = 3
_ASKS = (
    r"(?:how|what|when|where|who|which|why|can|could|do|does|did|is|are|will|would|may|must|should|am)"
    r"(?:'?s|'re)?\b"
)
_BEGINS = re.compile(rf"(?:(?:hi|hello|hey|so|and|also|but|ok|okay)[ ,!.]+)*{_ASKS}", re.IGNORECASE)
_JOINT = re.compile(
    r",?\s(?:and(?:\salso)?|also|plus|&)\s(?=(?:how|what|when|where|who|which|why)\b|"
    r"(?:can|could|do|does|is|are|will|must|should)\s(?:i|you|we|it|they|the|there|my|your)\b)",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?:and|also|plus|secondly|then)\b[ ,]*(?:also\b[ ,]*)?", re.IGNORECASE)


def split_questions(message: str) -> tuple[str, ...]:
    """Return the questions of ``message`` in order; the message itself where it has one, or more than four.

    What is told before a sentence that asks stays with it, and with both halves of it. A question that leans on the one
    before keeps its "and".
    """
    parts: list[str] = []
    told = ""
    for start, end in sentence_spans(message, 0, len(message)):
        sentence = message[start:end].strip()
        if not sentence.endswith("?") and not _BEGINS.match(sentence):  # many type no question mark
            told = f"{told} {sentence}".strip()
            continue
        parts += [f"{told} {half}".strip() for half in _halves(sentence)]
        told = ""
    if told and parts:  # what is told at the end belongs to the last
        parts[-1] = f"{parts[-1]} {told}"
    is_split = 2 <= len(parts) <= _MOST_QUESTIONS and all(len(part.split()) >= _LEAST_WORDS for part in parts)
    return (parts[0], *(_alone(part) for part in parts[1:])) if is_split else (message,)


def _halves(sentence: str) -> list[str]:
    if not _BEGINS.match(sentence):
        return [sentence]
    pieces = _JOINT.split(sentence)
    if any(len(piece.split()) < _LEAST_WORDS for piece in pieces):
        return [sentence]
    return [f"{piece[0].upper()}{piece[1:].removesuffix('?')}?" for piece in pieces]


def _alone(question: str) -> str:
    """Return a question without the word that links it, where it makes sense without."""
    link = _LINK.match(question)
    rest = question[link.end() :] if link else question
    if not rest or (link and is_follow_up(rest)):
        return question
    return f"{rest[0].upper()}{rest[1:]}"
