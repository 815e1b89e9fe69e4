"""The records and protocols that carry data between modules. Standard library only.

Offsets are character offsets into ``Document.text``, half open: ``text[start:end]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

Role = Literal["system", "user", "assistant"]
BlockKind = Literal["heading", "paragraph", "list_item", "table_row"]
Risk = Literal["high", "medium", "low", "informational"]
Welcome = Literal["unwelcome", "wanted", "neutral"]
"""What a side thinks of a clause being there at all."""
ContractKind = Literal["nda", "licence", "services", "lease", "distribution", "employment", "general"]
ClauseKind = Literal["body", "heading", "definition", "table_of_contents", "signature"]
StopReason = Literal["end", "length", "repetition"]
"""The model ended by itself, reached ``max_tokens``, or went round in circles and was stopped."""
OnToken = Callable[[str], None]
"""Called with each new piece of text, and with "" now and then while nothing arrives. Raising from it ends the
generation, and the exception reaches the caller."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, as a chat model receives it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Block:
    """A structural unit of a document: never cut by the chunker unless it alone exceeds the limit."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    """Heading level from 1; 0 for everything else."""


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word that was read from a picture by text recognition (OCR): ``document.text[start:end]``.

    ``page`` counts from 1. ``box`` is left, top, right, bottom on the page as it is displayed, each as a share of its
    width or height. ``doubt`` says why the word may be wrong; empty where nothing tells against it.
    """

    start: int
    end: int
    page: int
    box: tuple[float, float, float, float]
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Text extracted from a file or pasted by a user.

    ``blocks`` are in order and do not overlap; the text between them is white space. ``page_starts[i]`` is the
    offset at which page i + 1 begins; empty when the format has no pages. ``warnings`` are sentences for the user
    about what the extraction had to decide (tracked changes, undecodable bytes). ``recognised_pages`` (from 1) were
    read by OCR, with ``recognised_words`` in order.
    """

    id: str
    title: str
    text: str
    source: str
    sha256: str
    blocks: tuple[Block, ...] = ()
    page_starts: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    recognised_pages: tuple[int, ...] = ()
    recognised_words: tuple[RecognisedWord, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Return the 1-based page that holds ``offset``, or None when the format has no pages."""
        page = None
        for number, start in enumerate(self.page_starts, start=1):
            if start > offset:
                break
            page = number
        return page


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document that is retrieved as one: ``text == document.text[start:end]``."""

    id: str
    document_id: str
    text: str
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as retrieved for one question. ``rank`` starts at 1; ``score`` orders the passages.

    ``dense_score`` is the cosine similarity in [-1, 1], ``lexical_score`` the BM25 score (>= 0); None where that
    retriever did not return the chunk.
    """

    chunk: Chunk
    score: float
    rank: int
    dense_score: float | None = None
    lexical_score: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one completion; ``cached_tokens`` of the input were reused from an earlier request."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What a chat model returned, with everything needed to say how.

    ``usage`` is None when an endpoint reported none: unknown is not zero. ``first_token_s`` is None when no token
    arrived.
    """

    text: str
    model_id: str
    messages: tuple[Message, ...]
    usage: Usage | None
    first_token_s: float | None
    duration_s: float
    stop_reason: StopReason
    adapter: str | None = None
    abstain_probability: float | None = None
    """Of beginning with the words asked for by ``complete_guarded``; None where nobody asked."""


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """What was read before anybody asked: so many ``tokens``, whose keys and values take ``size_bytes`` of memory."""

    tokens: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Citation:
    """The stretch of a document that supports an answer. ``score`` is the score of the passage it lies in."""

    document_id: str
    document: str
    start: int
    end: int
    text: str
    score: float
    rank: int
    page: int | None = None
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A part of the prompt for the token bar: system, examples, history, text, question or chat format."""

    name: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """Assembled messages and an account of them. ``omitted`` are sentences: what did not fit, and why.

    ``document_end`` is how many characters of the document's text are in the prompt in whole-document mode, else 0.
    """

    messages: tuple[Message, ...]
    parts: tuple[PromptPart, ...]
    context_limit: int
    passages: tuple[Passage, ...] = ()
    omitted: tuple[str, ...] = ()
    document_end: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of the whole prompt, the chat template's own included."""
        return sum(part.tokens for part in self.parts)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its evidence.

    ``unsupported`` lists the numbers, dates and amounts in the answer that no cited passage contains; ``unstated``
    those that no passage shown to the model contains, cited or not; ``worked_out`` those that none contains but the
    arithmetic done for the model has. What the user stated is in none of them. ``reasoning`` is the chain of thought
    where the mode asks for one, apart from ``text``. ``withheld`` is an answer that was not given because of
    ``unstated`` numbers. ``rule`` names the rule that answered in place of the model, "" where the model did.
    ``read_as`` is the question with its spelling mended, "" where nothing was. ``contradicted_by`` are cited sentences
    that say the opposite.
    """

    text: str
    abstained: bool
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    completion: Completion
    prompt: Prompt
    retrieve_s: float
    reasoning: str = ""
    unsupported: tuple[str, ...] = ()
    cost_usd: float | None = None
    unstated: tuple[str, ...] = ()
    worked_out: tuple[str, ...] = ()
    withheld: str = ""
    rule: str = ""
    read_as: str = ""
    contradicted_by: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One row of an evaluation or training set."""

    id: str
    input: str
    target: str
    metadata: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a strategy made of one example; ``detail`` holds what a reader may want to open (messages, passages)."""

    output: str
    usage: Usage | None
    timings: dict[str, float]
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row per example and strategy. Every aggregate is derived from rows, never stored alone.

    ``fingerprint`` is a hash of what else decides the outcome: settings, document and question. ``priced_at`` is when
    the price of ``cost_usd`` was looked up, ISO 8601 in UTC, as some providers price by the hour; empty where nothing
    was paid, and in rows of older versions.
    """

    run_id: str
    strategy: str
    model_id: str
    adapter: str | None
    example_id: str
    seed: int
    prediction: Prediction | None
    scores: dict[str, float]
    cost_usd: float | None
    error: str | None
    started_at: str
    machine: str
    commit: str
    fingerprint: str = ""
    priced_at: str = ""


class ChatModel(Protocol):
    """A source of completions: the bundled engine, a Hugging Face model or an endpoint."""

    @property
    def model_id(self) -> str: ...

    @property
    def context_limit(self) -> int:
        """Most tokens that prompt and completion may have together."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` alone; an estimate (rounded up) where the model's tokenizer is not at hand."""
        ...

    def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of ``messages`` in the model's chat format; an estimate where ``count_tokens`` is one."""
        ...

    def cost_usd(self, usage: Usage | None) -> float | None:
        """Price of the tokens; 0.0 for a model on this machine, None when the price is not known."""
        ...

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        on_token: OnToken | None = None,
        adapter: str | None = None,
    ) -> Completion:
        """Complete the conversation.

        Raises:
            ModelError: the model could not answer; the message says what to do.
        """
        ...


@runtime_checkable
class GuardedChatModel(Protocol):
    """A chat model whose readiness to abstain can be set: one of this machine, as it takes the model's own logits."""

    def complete_guarded(
        self,
        messages: Sequence[Message],
        *,
        abstention: str,
        abstain_at: float,
        max_tokens: int = 256,
        on_token: OnToken | None = None,
        adapter: str | None = None,
    ) -> Completion:
        """Complete greedily, beginning like ``abstention`` if and only if that is at least ``abstain_at`` probable.

        Its first token decides. Above 1, ``abstain_at`` never abstains.

        Raises:
            ModelError: the model could not answer; the message says what to do.
        """
        ...


@runtime_checkable
class ReadingChatModel(ChatModel, Protocol):
    """A chat model that can read a text before anybody asks about it."""

    def read_ahead(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        adapter: str | None = None,
        on_disk: bool = True,
        on_progress: Callable[[int, int], None] = ...,
    ) -> ReadAhead:
        """Read what ``prompts`` begin with alike, so that each of them later costs only its own tokens.

        ``on_progress`` receives how many of how many tokens are read; what it raises ends the reading and reaches the
        caller. ``on_disk`` lets the model keep it for a restart.

        Raises:
            ModelError: it is too long for the model.
        """
        ...


class Embedder(Protocol):
    """Maps texts to unit vectors."""

    @property
    def model_id(self) -> str: ...

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, special tokens included."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``, special tokens included."""
        ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 unit vectors of shape [len(texts), d].

        Raises:
            ValueError: a text has more than ``max_tokens`` tokens (it would be cut silently otherwise).
        """
        ...


@dataclass(frozen=True, slots=True)
class Stance:
    """What one side of a contract thinks of a kind of clause: a row of a playbook.

    ``clause`` says whether the side wants such a clause in the contract: "unwelcome", "wanted", or "neutral". The
    other texts are for people: the position the side accepts, what it can fall back to, and a note ("" for none).
    """

    side: str
    clause: Welcome
    acceptable: str
    fallback: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A category of clause under its own name, with what a reader needs to judge a clause that carries it.

    ``liability`` says that it is shown as a liability by default, ``expected`` names the kinds of contract that
    usually have such a clause, so that its absence is worth a line.
    """

    name: str
    question: str
    risk: Risk
    why: str
    check: str
    liability: bool = False
    expected: tuple[ContractKind, ...] = ()
    stance: Stance | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a contract that is judged as one: ``text == document.text[start:end]``.

    The clauses of a document cover its text without gap or overlap. ``number`` is the clause's own ("7.2(a)", "" where
    it has none), ``heading_path`` the headings above it, outermost first.
    """

    id: str
    document_id: str
    text: str
    start: int
    end: int
    kind: ClauseKind = "body"
    number: str = ""
    heading_path: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class SimilarClause:
    """An annotated clause that resembles a flagged one: the evidence beside a flag. ``similarity`` is a cosine."""

    text: str
    labels: tuple[str, ...]
    contract: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Flag:
    """A label on a clause; ``score`` is its calibrated probability in [0, 1].

    ``rule`` names the rule by whose plain wording the clause was flagged although the model's ``score`` is below the
    threshold; empty where the model flagged it.
    """

    clause_id: str
    label: str
    score: float
    evidence: tuple[SimilarClause, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class FlaggedContract:
    """A contract with its flags, in the order of the clauses and, within one, of falling score.

    ``kind`` is a guess; ``usual`` are the labels looked for that contracts of this kind usually have, ``missing`` those
    of them that no clause was flagged with (``flag_report.missing_labels`` heeds a reader's decisions too). ``notes``
    are sentences for the reader: this is no contract, not English. ``timings`` are seconds.
    """

    document: Document
    clauses: tuple[Clause, ...]
    flags: tuple[Flag, ...]
    missing: tuple[str, ...]
    model_id: str
    adapter: str | None
    timings: dict[str, float]
    notes: tuple[str, ...] = ()
    kind: ContractKind = "general"
    usual: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnnotatedClause:
    """A clause with the labels that a person gave it; no label means that it carries none (a negative).

    ``contract`` names its source: train and test never share one. ``position`` is the clause's place in its contract
    where the contract was annotated whole, so that neighbours can be read as context; None for a clause on its own.
    """

    id: str
    text: str
    labels: tuple[str, ...]
    contract: str
    heading: str = ""
    position: int | None = None


Strategy = Callable[[Example], Prediction]
Metric = Callable[[Prediction, Example], float]
