"""What a rule answers in place of the model: a greeting, thanks, the wish for a person, a language it cannot read.

A model that was told to answer from a text alone says "I don't know." to "hello". The rules are few, match a whole
message only, and what they answer says that a rule answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from playground.text.language import ENGLISH, language_of
from playground.text.sentences import cited_units
from playground.types import Citation, Document

__all__ = ["RuledAnswer", "answer_by_rule", "contact_of"]

_MOST_WORDS = 16
_MOST_CONTACTS = 3
_MOST_CHARACTERS = 200_000

_YOU = r"(?: (?:there|all|everyone|everybody|you|team|guys|friend|sir|madam))?"
_GREETING = rf"(?:hi+|hello+|hey+|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)){_YOU}"
_HOW = r"(?:how are you|how is it going|how's it going|how do you do|what's up)(?: (?:doing|today))*"
_OK = r"(?:(?:ok|okay|great|perfect|cool|super|alright|all right|got it|no|nice|wonderful|excellent|that's all)[ ,]*)*"
_THANKS = (
    rf"{_OK}(?:many )?(?:thanks|thank you|thx|ty|cheers|much appreciated|i appreciate it)"
    r"(?: (?:so|very) much| a lot| a million| again| anyway| for (?:the|your|all your) (?:help|time|answer|info\w*))*"
)
_BYE = r"(?:(?:good ?)?bye|see you|have a (?:nice|good|great) (?:day|one|evening|weekend))(?: now| later| then| bye)*"
_PERSON = (
    r"(?:a |an |some |the |your )?(?:real |live |actual |human |customer (?:service|support) )?"
    r"(?:human(?: being)?|person|people|someone|somebody|agent|representative|rep|operator|employee|staff|advisor|"
    r"manager|supervisor|customer (?:service|support|care))"
)
_TAIL = (
    r"(?: (?:please|pls|plz|now|instead|here|directly|on the phone|on chat|from your team|"
    r"about (?:this|it|that|my \w+)))*"
)
_WISH = (
    r"(?:(?:please |hi |hello )?(?:can|could|may|might) (?:i|you|we) (?:please )?|i(?: would|'d)? (?:really )?"
    r"(?:want|need|like|wish|have|wanna)(?: to)? |let me |please |is there (?:a way|any way) to |how (?:can|do) i )?"
)
_HAND_OVER = (
    rf"{_WISH}(?:speak|talk|chat|connect(?: me)?|transfer(?: me)?|put me through|get(?: me)?|forward(?: me)?|reach)"
    rf"(?: (?:to|with|through to))? {_PERSON}{_TAIL}"
    rf"|(?:please )?(?:i (?:want|need) )?{_PERSON}(?: (?:please|pls|plz)){_TAIL}|{_PERSON}{_TAIL}"
)
_RULES = (
    ("greeting", re.compile(rf"{_GREETING}(?:[ ,]*{_HOW})?|{_HOW}")),
    ("thanks", re.compile(rf"{_THANKS}(?:[ ,]*{_BYE})?|{_BYE}")),
    ("hand-over", re.compile(rf"(?:{_GREETING}[ ,]*)?(?:{_HAND_OVER})")),
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}")
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)")
_CONTACT_HEADING = re.compile(r"\b(?:contact|reach us|get in touch|talk to us|customer (?:service|care)|questions)\b")


@dataclass(frozen=True, slots=True)
class RuledAnswer:
    """What a rule answers: its name for people, the text, what it points at, and whether it declines."""

    rule: str
    text: str
    citations: tuple[Citation, ...] = ()
    declines: bool = False


def answer_by_rule(question: str, document: Document, *, english_only: str = "") -> RuledAnswer | None:
    """Return what a rule answers to ``question`` on ``document``; None where the model is to be asked.

    ``english_only`` is the name of a model that reads English alone: what is not in English is declined for it.
    """
    said = " ".join(re.sub(r"[^\w\s']", " ", question.lower().replace("\u2019", "'")).split())
    if len(said.split()) <= _MOST_WORDS:
        rule = next((name for name, pattern in _RULES if pattern.fullmatch(said)), "")
        if rule == "greeting":
            return RuledAnswer(
                rule, "Hello! Ask me about the policy: how long you have, what it costs, what is excluded."
            )
        if rule == "thanks":
            return RuledAnswer(rule, "You're welcome. Ask again whenever you like.")
        if rule == "hand-over":
            return _hand_over(document)
    return _language(question, document, english_only) if english_only else None


def _hand_over(document: Document) -> RuledAnswer:
    contacts = contact_of(document)
    if not contacts:
        return RuledAnswer(
            "hand-over",
            "I cannot put you through, and this policy names no phone number or email address. Please look for a "
            "contact on the shop's website.",
        )
    lines = "\n".join(" ".join(contact.text.split()) for contact in contacts)
    return RuledAnswer("hand-over", f"I cannot put you through. The policy names this contact:\n{lines}", contacts)


def _language(question: str, document: Document, model: str) -> RuledAnswer | None:
    asked, written = language_of(question), language_of(document.text)
    if asked == written == ENGLISH:
        return None
    what = "The policy" if written != ENGLISH else "Your question"
    language = written if written != ENGLISH else asked
    return RuledAnswer(
        "language",
        f"{what} is in {language}, and {model} reads English only. Use an English text and question, or choose Medium "
        "or Large in the sidebar: those models read more languages and may answer.",
        declines=True,
    )


def contact_of(document: Document) -> tuple[Citation, ...]:
    """Return up to three sentences or list items with a phone number or an email address, those under a heading such
    as "Contact" first."""
    under_heading: list[Citation] = []
    others: list[Citation] = []
    for start, end, heading in _units(document):
        text = document.text[start:end]
        if _EMAIL.search(text) or _PHONE.search(text):
            path = (heading,) if heading else ()
            page = document.page_at(start)
            cited = Citation(document.id, document.source, start, end, text, 0.0, 0, page=page, heading_path=path)
            (under_heading if _CONTACT_HEADING.search(heading.lower()) else others).append(cited)
    return tuple((under_heading or others)[:_MOST_CONTACTS])


def _units(document: Document) -> Iterator[tuple[int, int, str]]:
    headings = [block for block in document.blocks if block.kind == "heading"]
    number, heading = 0, ""
    for start, end in cited_units(document, 0, min(len(document.text), _MOST_CHARACTERS)):
        while number < len(headings) and headings[number].start <= start:
            heading = document.text[headings[number].start : headings[number].end].strip("# \n")
            number += 1
        yield start, end, heading
