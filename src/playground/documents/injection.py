"""Notice text in a document that speaks to the model instead of the reader: "ignore the above instructions ...".

Such text is not removed, because a wrong guess would change somebody's policy, and it reaches the model only as text of
the document. The person who presents is told, with the words, so that they can take them out.

Two ways find it: patterns of what only a model is told, and the words of a sentence (``instruction_words``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from playground.documents.instruction_words import MOST_CHARACTERS, load_instruction_words
from playground.text.sentences import sentence_spans

_MOST_QUOTED = 80
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
    if found is None:
        return None
    words = " ".join(text[slice(*found)].split())
    quoted = words if len(words) <= _MOST_QUOTED else words[:_MOST_QUOTED].rstrip() + "\u2026"
    line = text.count("\n", 0, found[0]) + 1
    return (
        f"The text speaks to the model, it seems (\u201c{quoted}\u201d, line {line}). It is given to the model as text "
        "of the document, but a small model may follow it: check the answers, or remove the sentence and load the "
        "document again."
    )


def _first_by_words(text: str, pieces: Iterable[tuple[int, int]] | None) -> tuple[int, int] | None:
    """Return start and end of the first sentence whose words are those of an instruction to a model."""
    words = load_instruction_words()
    for start, end in sentence_spans(text, 0, len(text)) if pieces is None else pieces:
        for first in range(start, end, MOST_CHARACTERS):
            last = min(end, first + MOST_CHARACTERS)
            if words.speaks_to_a_model(text[first:last]):
                return first, last
    return None
