"""Notice text in a document that speaks to the model instead of the reader: "ignore the above instructions ...".

Such text is not removed, because a wrong guess would change somebody's policy, and it reaches the model only as text of
the document. The person who presents is told, with the words, so that they can take them out.
"""

from __future__ import annotations

import re

_MOST_QUOTED = 80
_MODEL_WORDS = r"(?:instructions?|prompts?|rules|guidelines|directions|context|text|policy|above)"
_ADDRESSED_TO_A_MODEL = re.compile(
    rf"\b(?:ignore|disregard|forget|override)\s+(?:(?:all|any|everything|the|your|of|these|those|previous|prior|above|"
    rf"preceding|earlier|system)\s+){{1,4}}{_MODEL_WORDS}\b"
    r"|\b(?:ignore|disregard|forget)\s+(?:the\s+|everything\s+)?above\b"
    r"|\byou\s+are\s+(?:now|no\s+longer)\s+(?:an?|the|in|bound)\b"
    r"|\b(?:reveal|print|repeat|show|output)\s+(?:me\s+)?"
    r"(?:your\s+(?:system\s+)?(?:prompt|instructions)|the\s+system\s+prompt)\b"
    r"|\bas\s+an?\s+(?:ai|language\s+model|chatbot)\b[^.\n]{0,40}\byou\b"
    r"|\b(?:new|updated|hidden)\s+(?:system\s+)?instructions?\s*:"
    r"|<\|(?:im_start|im_end|system|user|assistant)\|>|\[/?INST\]",
    re.IGNORECASE,
)


def instruction_warning(text: str) -> str | None:
    """Return a sentence for the user when ``text`` holds words that read like an instruction to a model, else None."""
    match = _ADDRESSED_TO_A_MODEL.search(text)
    if match is None:
        return None
    words = " ".join(match.group().split())[:_MOST_QUOTED]
    line = text.count("\n", 0, match.start()) + 1
    return (
        f"The text speaks to the model (\u201c{words}\u201d, line {line}). It is given to the model as text of the "
        "document, but a small model may follow it: check the answers, or remove the sentence and load the document "
        "again."
    )
