"""CUAD's own JSON: the SQuAD 2 layout with one question a category and contract.

The dataset and its layout: Hendrycks, Burns, Chen, Ball, "CUAD: An Expert-Annotated NLP Dataset for Legal Contract
Review", NeurIPS 2021 (arXiv 2103.06268).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from playground.annotations.label_names import LabelNames, shown
from playground.annotations.limits import checked_text
from playground.annotations.records import AnnotatedContract, AnnotatedSpan, RejectedRow
from playground.errors import AnnotationError
from playground.text.normalise import normalise_text

MAX_CUAD_BYTES = 200 * 1024 * 1024
MAX_CONTRACTS = 2_000
MAX_CONTRACT_CHARACTERS = 1_000_000
_MAX_TITLE_CHARACTERS = 300
# A parsed value costs up to some hundred bytes whatever its size in the file; CUAD itself has under a million of these.
_MAX_JSON_VALUES = 10_000_000
# Looking for a text that is not at its offset reads the whole contract.
_MAX_REPAIRS = 1_000
_MAX_REASONS_PER_CONTRACT = 50
_QUOTED = re.compile('["“]([^"“”]{1,100})["”]')
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_cuad(
    data: bytes, name: str, known_labels: Sequence[str]
) -> tuple[tuple[AnnotatedContract, ...], tuple[RejectedRow, ...]]:
    """Read contracts and their spans; every kept span has ``text[start:end]`` as its annotated text.

    A span whose text is not at its offset but occurs exactly once is moved there (a warning of the contract says so);
    every other bad span, question or contract is left out, with the contract's number and the reason. Paragraphs of
    one contract are joined by a blank line. Texts are kept as they are, so that offsets stay valid.

    Raises:
        AnnotationError: the bytes are not such a file, pass a bound, or hold no contract with a known label's question.
    """
    text, _ = checked_text(data, name, MAX_CUAD_BYTES)
    entries = _entries(text, name)
    names = LabelNames(known_labels)
    reader = _ContractReader(names)
    contracts: list[AnnotatedContract] = []
    rejected: list[RejectedRow] = []
    seen: dict[str, set[str]] = {}
    for number, entry in enumerate(entries, start=1):
        reasons: list[str] = []
        contract = reader.read(entry, number, reasons)
        if contract is not None:
            texts = seen.setdefault(contract.title, set())
            if contract.text in texts:
                reasons.append(f"The contract {shown(contract.title)} is in the file twice; the first is used.")
            else:
                contracts.append(_with_unique_title(contract, seen))
            texts.add(contract.text)
        rejected += _rows(number, reasons)
    if not contracts:
        first = f" The first: contract {rejected[0].number}: {rejected[0].reason}" if rejected else ""
        raise AnnotationError(
            f"{name} has the layout of CUAD but no contract that can be used.{first} Load CUADv1.json or a file of the "
            'same layout, whose questions name a category in quotes or have ids that end in "__Category".'
        )
    return tuple(contracts), tuple(rejected)


def _entries(text: str, name: str) -> list[object]:
    if text.count(",") + text.count("[") + text.count("{") > _MAX_JSON_VALUES:
        raise AnnotationError(f"{name} holds too many values for a file of annotated contracts. Load a part of it.")
    try:
        layout = json.loads(text)
    except RecursionError as error:
        raise AnnotationError(f"{name} is nested too deeply for a file of annotated contracts.") from error
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise AnnotationError(
            f"{name} is not valid JSON{where}; it may have been cut off. Download or export it again."
        ) from error
    entries = layout.get("data") if isinstance(layout, dict) else None
    if not isinstance(entries, list) or not entries:
        raise AnnotationError(
            f'{name} is JSON but not in CUAD\'s layout: it has no list "data" of contracts. Load CUADv1.json, or '
            "write one JSON object a line with the fields text and labels."
        )
    if len(entries) > MAX_CONTRACTS:
        raise AnnotationError(
            f"{name} holds {len(entries):,} contracts; at most {MAX_CONTRACTS:,} are read. Load a part of it."
        )
    return entries


class _ContractReader:
    """Reads entries of ``data``; the number of texts that may still be searched for is shared by all."""

    def __init__(self, names: LabelNames) -> None:
        self._names = names
        self._repairs_left = _MAX_REPAIRS

    def read(self, entry: object, number: int, reasons: list[str]) -> AnnotatedContract | None:
        """Return the contract, or None; what was left out of it, or why it was, goes to ``reasons``."""
        if not isinstance(entry, dict) or not isinstance(entry.get("paragraphs"), list):
            reasons.append('The contract has no list "paragraphs".')
            return None
        title = entry.get("title")
        title = " ".join(normalise_text(title[: 2 * _MAX_TITLE_CHARACTERS]).split()) if isinstance(title, str) else ""
        title = title[:_MAX_TITLE_CHARACTERS] or f"contract-{number}"
        texts: list[str] = []
        spans: list[AnnotatedSpan] = []
        known = moved = base = 0
        for paragraph in entry["paragraphs"]:
            context = paragraph.get("context") if isinstance(paragraph, dict) else None
            if not isinstance(context, str) or not isinstance(paragraph.get("qas"), list):
                reasons.append('A paragraph has no text "context" or no list "qas".')
                return None
            if base + len(context) > MAX_CONTRACT_CHARACTERS:
                reasons.append(f"The contract is longer than {MAX_CONTRACT_CHARACTERS:,} characters.")
                return None
            for question in paragraph["qas"]:
                label = self._label(question, reasons)
                if label is None:
                    continue
                known += 1
                for start, end, was_moved in self._answers(question, label, context, reasons):
                    spans.append(AnnotatedSpan(label, base + start, base + end))
                    moved += was_moved
            texts.append(context)
            base += len(context) + 2
        text = "\n\n".join(texts)
        if not text.strip() or _SURROGATE.search(text):
            reasons.append(
                "The contract has no text." if not text.strip() else "The contract's text is broken Unicode."
            )
            return None
        if not known:
            reasons.append("The contract has no question about a known label.")
            return None
        warning = f"{title}: {moved} span(s) were not at their offset and were moved to where their text occurs once."
        # Spans marked twice stay: the dataset's own metric counts them.
        spans.sort(key=lambda span: (span.start, span.end, span.label))
        return AnnotatedContract(title, text, tuple(spans), (warning,) if moved else ())

    def _label(self, question: object, reasons: list[str]) -> str | None:
        """Return the category: what follows the last "__" of the id, else the first quoted words of the question."""
        if not isinstance(question, dict):
            reasons.append("A question is not a JSON object.")
            return None
        candidates = []
        if isinstance(question.get("id"), str) and "__" in question["id"]:
            candidates.append(question["id"].rsplit("__", 1)[1].strip())
        if isinstance(question.get("question"), str) and (match := _QUOTED.search(question["question"][:1_000])):
            candidates.append(match[1].strip())
        for candidate in candidates:
            if label := self._names.find(candidate):
                return label
        if candidates:
            reasons.append(self._names.unknown(candidates[0]))
        else:
            reasons.append('A question names no category: neither in quotes nor after "__" in its id.')
        return None

    def _answers(
        self, question: dict[str, object], label: str, context: str, reasons: list[str]
    ) -> Iterator[tuple[int, int, bool]]:
        """Yield start, end and whether the span had to be moved."""
        answers = _answer_list(question.get("answers", []))
        if isinstance(answers, str):
            reasons.append(f"{label}: {answers}")
            return
        if answers and question.get("is_impossible") is True:
            reasons.append(f"{label}: marked as impossible but has answers; neither is used.")
            return
        for answer in answers:
            text = answer.get("text") if isinstance(answer, dict) else None
            start = answer.get("answer_start") if isinstance(answer, dict) else None
            if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool):
                reasons.append(f'{label}: an answer has no "text" or no whole number "answer_start".')
            elif not text.strip():
                reasons.append(f"{label}: an answer is empty.")
            elif start >= 0 and context.startswith(text, start):
                yield start, start + len(text), False
            elif (found := self._only_place(text, context)) is not None:
                yield found, found + len(text), True
            elif start >= 0 and start + len(text) <= len(context):
                reasons.append(f"{label}: the text {shown(text)} is not at offset {start}.")
            else:
                reasons.append(f"{label}: the offset {_short(start)} of {shown(text)} lies outside the contract.")

    def _only_place(self, text: str, context: str) -> int | None:
        if not self._repairs_left:
            return None
        self._repairs_left -= 1
        first = context.find(text)
        return first if first >= 0 and context.find(text, first + 1) < 0 else None


def _answer_list(answers: object) -> list[object] | str:
    """Return answers one by one, or the reason why not.

    SQuAD's own files hold a list of objects; the Hugging Face data sets of it, CUAD's among them, one object of lists.
    """
    if isinstance(answers, list):
        return answers
    if not isinstance(answers, dict):
        return '"answers" is not a list.'
    texts, starts = answers.get("text"), answers.get("answer_start")
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        return '"answers" is an object whose "text" and "answer_start" are not lists of the same length.'
    return [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]


def _with_unique_title(contract: AnnotatedContract, seen: dict[str, set[str]]) -> AnnotatedContract:
    if not seen[contract.title]:
        return contract
    count = len(seen[contract.title]) + 1
    while (title := f"{contract.title} ({count})") in seen:
        count += 1
    seen[title] = {contract.text}
    warning = f"{title}: another contract of the file has the same title but other text; this one was renamed."
    return AnnotatedContract(title, contract.text, contract.spans, (*contract.warnings, warning))


def _rows(number: int, reasons: list[str]) -> list[RejectedRow]:
    """One row a reason, repeated ones counted, and a bound on them."""
    counts = Counter(reasons)
    rows = [
        RejectedRow(number, reason if count == 1 else f"{reason} ({count} times)")
        for reason, count in list(counts.items())[:_MAX_REASONS_PER_CONTRACT]
    ]
    left = sum(counts.values()) - sum(list(counts.values())[:_MAX_REASONS_PER_CONTRACT])
    return [*rows, RejectedRow(number, f"{left:,} more of its spans cannot be used.")] if left else rows


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**12 else "given"
