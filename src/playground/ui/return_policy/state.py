"""What one browser session holds of the bot: ``Key`` names its widgets, ``session()`` is everything else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, cast

import streamlit as st

from playground.answering.answer import BotSettings
from playground.answering.policy_versions import PolicyShelf, PolicyVersion
from playground.answering.prompt import Mode
from playground.answering.splitting import split_questions
from playground.errors import AdapterError
from playground.models.catalog import SMOLLM2
from playground.models.sources import ModelChoice
from playground.retrieval.index import Fusion, RetrievalSettings
from playground.types import Answer, Document, ReadAhead
from playground.ui.return_policy.conversation import ChatTurn, Stamp
from playground.ui.shared import resources
from playground.ui.shared.jobs import Job
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import part_of_session
from playground.ui.shared.session import session as shared_session
from scenarios.return_policy.caution import level_named
from scenarios.return_policy.scenario import MODES, READER_MODE, reader_retrieval, system_prompt, with_reader

PROMPTING_MODE: Mode = "rag"
DEFAULT_MAX_TOKENS = 160
POLICY_TAB = "Policy"


class Key(StrEnum):
    """Keys of widgets and of containers that the tests and the style sheet know by name."""

    CHAT_INPUT = "chat_input"
    STOP = "stop"
    ANSWER = "answer"
    STAMP = "stamp"
    METRICS = "metrics"
    NEW_CONVERSATION = "new_conversation"
    MODE = "mode"
    CAUTION = "caution"
    TOP_K = "top_k"
    FUSION = "fusion"
    DENSE_WEIGHT = "dense_weight"
    HISTORY_TURNS = "history_turns"
    MAX_TOKENS = "max_tokens"
    SYSTEM_PROMPT = "system_prompt"
    RESET_SYSTEM_PROMPT = "reset_system_prompt"
    POLICY_TABS = "policy_tabs"
    POLICY_VIEW = "policy_view"
    POLICY_SHOWN_AS = "policy_shown_as"
    POLICY_PAGE = "policy_page"
    POLICY_READING_REPORT = "policy_reading_report"
    POLICY_SAMPLE = "policy_sample"
    POLICY_LOAD_SAMPLE = "policy_load_sample"
    POLICY_UPLOAD = "policy_upload"
    POLICY_PASTE = "policy_paste"
    POLICY_PASTE_TITLE = "policy_paste_title"
    POLICY_USE_PASTE = "policy_use_paste"
    POLICY_SAVE_EDIT = "policy_save_edit"
    CANCEL_SWAP = "cancel_swap"
    SWAP_SUMMARY = "swap_summary"
    VERSION_LIST = "version_list"
    DIFF = "diff"
    TECHNIQUES_QUESTION = "techniques_question"
    ASK_TECHNIQUES = "ask_techniques"
    BOTH_QUESTION = "both_question"
    BOTH_OLD = "both_old"
    BOTH_NEW = "both_new"
    ASK_BOTH = "ask_both"
    BOTH_ANSWERS = "both_answers"


def rollback_key(number: int) -> str:
    """Return the key of the button that makes version ``number`` answer again."""
    return f"rollback_{number}"


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """A policy that somebody wants loaded: a document, bytes with a file name, or pasted text with a title."""

    name: str
    note: str
    document: Document | None = None
    data: bytes | None = None
    text: str = ""
    markdown: bool | None = None


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version of the policy as it was kept on disk, to be indexed again."""

    number: int
    document: Document
    created_at: str
    indexed_s: float
    note: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with everything that was set when it was asked; ``version`` is the one it will be answered on."""

    question: str
    settings: BotSettings
    stamp: Stamp
    version: PolicyVersion
    asked_at: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer under way."""

    asked: Asked
    job: Job[Answer]


ComparisonKind = Literal["versions", "techniques"]
"""What the two sides of a comparison differ in: the policy's version, or the technique."""


@dataclass(frozen=True, slots=True)
class Side:
    """One half of a comparison: what it is called, and all that decides its answer."""

    title: str
    stamp: Stamp
    version: PolicyVersion
    settings: BotSettings
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class PendingComparison:
    """A comparison that is asked for: for each side its title, the version's number and the technique."""

    kind: ComparisonKind
    question: str
    sides: tuple[tuple[str, int, Mode], tuple[str, int, Mode]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question answered in two ways. ``job`` is set while it runs; ``error`` when it failed or was stopped."""

    kind: ComparisonKind
    question: str
    left: Side
    right: Side
    job: Job[tuple[Answer, Answer]] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class WantedReading:
    """What decides what is to be read: another policy, model or system prompt is read anew."""

    sha256: str
    model: ModelChoice
    system_prompt: str


@dataclass(slots=True)
class Reading:
    """A policy being read ahead, or read: ``job`` until then, ``read`` from then on; neither where it could not be."""

    wanted: WantedReading
    job: Job[ReadAhead | None] | None = None
    read: ReadAhead | None = None


@dataclass(slots=True)
class Session:
    """Everything of the bot's page that is no widget."""

    shelf: PolicyShelf = field(default_factory=PolicyShelf)
    turns: tuple[ChatTurn, ...] = ()
    next_turn: int = 1
    pending_question: str | None = None
    queued: tuple[str, ...] = ()
    """Further questions of one message, each asked when the one before is answered."""
    note: str = ""
    """What is said above the answer to the pending question."""
    pending_both: PendingComparison | None = None
    answering: Answering | None = None
    comparison: Comparison | None = None
    notice_both: tuple[ComparisonKind, str] | None = None
    """Why a comparison that was asked for could not begin."""
    selected_turn: int | None = None
    changed_from: int | None = None
    """The version that answered before the present one: what changed since is shown, with the first answer too."""
    turn_to_policy: bool = False
    """The panel beside the chat shows the policy when it is drawn next, whatever tab is open there."""
    wanted_policy: PolicyRequest | None = None
    preparing: Job[PolicyVersion] | None = None
    reading: Reading | None = None
    """The policy as it is read before anybody asks."""
    kept_versions: tuple[KeptVersion, ...] = ()
    kept_active: int | None = None
    """Versions to be put back as soon as the embedding model is there, and which of them answers."""
    restoring: Job[PolicyShelf] | None = None
    preparing_pdf: bytes | None = None
    """The file being read, where it is a PDF."""
    pdfs: dict[str, bytes] = field(default_factory=dict)
    """Of the versions on the shelf that are PDFs the file, by the hash of the text: its pages can be shown."""
    notice: Notice | None = None
    uploads: int = 0
    """How many files were taken; part of the uploader's identity, so that it is empty again after each."""
    linked_mode: str = ""
    linked_policy: str = ""
    """The mode and the sample that the page's address named last; a new name is followed once."""


def session() -> Session:
    """Return this browser session's data of Scenario A."""
    return part_of_session("playground_session", Session)


def mode() -> Mode:
    """Return the mode that is selected."""
    return cast(Mode, st.session_state.get(Key.MODE) or default_mode())


def default_mode() -> Mode:
    """Return RAG + LoRA where there is an adapter for the chosen model, and else RAG."""
    return PROMPTING_MODE if reader_problem() else READER_MODE


def reader_identity() -> str | None:
    """Return the identity of the adapter that reads passages for the chosen model; None where there is none."""
    choice = shared_session().model_choice
    if choice.source == "bundled":
        return resources.reader_identity_of_size(choice.name) if choice.name else resources.reader_identity()
    return resources.reader_identity_of(choice.name) if choice.source == "hugging_face" and choice.name else None


def reader_problem() -> str:
    """Return why RAG + LoRA cannot answer with the model that is chosen, in a sentence; "" when it can."""
    if reader_identity() is not None:
        return ""
    choice = shared_session().model_choice
    if choice.bundle is SMOLLM2:
        return "There is no adapter that reads passages yet. Train one, or choose another technique."
    if choice.bundle is not None:
        return (
            f"No adapter for RAG + LoRA was trained on {choice.bundle.title} yet; those of other models do not fit. "
            "Choose Small or Medium in the sidebar, or another technique here."
        )
    if choice.source == "endpoint":
        return (
            "RAG + LoRA was trained on the bundled model and fits no other. Choose the bundled model in the sidebar, "
            "or another technique here."
        )
    return (
        "RAG + LoRA needs an adapter that was trained on this very model, and there is none. Train one (python -m "
        "playground train reader --base FOLDER_OR_ID), choose the bundled model in the sidebar, or another technique "
        "here."
    )


def mode_title(mode: Mode) -> str:
    """Return the name of a mode for people."""
    return next(description.title for description in MODES if description.mode == mode)


def bot_settings(technique: Mode | None = None) -> BotSettings:
    """Return how the bot answers, as set on the page; ``technique`` takes the place of the one selected.

    Raises:
        AdapterError: RAG + LoRA is asked for and cannot answer; the message says what to do.
    """
    technique = technique or mode()
    if technique != READER_MODE:
        return _settings(technique)
    if problem := reader_problem():
        raise AdapterError(problem)
    settings = _settings(technique)
    level = level_named(str(st.session_state.get(Key.CAUTION) or ""))
    settings = replace(settings, retrieval=reader_retrieval(settings.retrieval), abstain_at=level.abstain_at)
    return with_reader(settings, reader_identity())


def _settings(technique: Mode) -> BotSettings:
    get = st.session_state.get
    default = RetrievalSettings()
    return BotSettings(
        system_prompt=str(get(Key.SYSTEM_PROMPT) or system_prompt()),
        mode=technique,
        retrieval=RetrievalSettings(
            top_k=int(get(Key.TOP_K) or default.top_k),
            fusion=cast(Fusion, get(Key.FUSION) or default.fusion),
            dense_weight=float(default.dense_weight if (weight := get(Key.DENSE_WEIGHT)) is None else weight),
        ),
        max_tokens=int(get(Key.MAX_TOKENS) or DEFAULT_MAX_TOKENS),
        history_turns=int(2 if (turns := get(Key.HISTORY_TURNS)) is None else turns),
        english_only=bundle.title if (bundle := shared_session().model_choice.bundle) and bundle.english_only else "",
    )


def stamp_for(version: PolicyVersion, technique: Mode) -> Stamp:
    """Return the stamp of an answer given now on ``version``."""
    adapter = reader_identity() if technique == READER_MODE else None
    return Stamp(
        model=shared_session().model_choice.label,
        mode=technique,
        mode_title=f"{mode_title(technique)} ({adapter})" if adapter else mode_title(technique),
        policy=version.document.title,
        version=version.number,
        sha256=version.sha256,
        local=shared_session().model_choice.source != "endpoint",
    )


def latest_answered() -> ChatTurn | None:
    """Return the newest turn that has an answer."""
    return next((turn for turn in reversed(session().turns) if turn.answer), None)


def selected_turn() -> ChatTurn | None:
    """Return the turn whose evidence is shown: the one picked, else the newest with an answer."""
    chosen = session().selected_turn
    return next((turn for turn in session().turns if turn.id == chosen), None) or latest_answered()


def evidence_is_marked(turn: ChatTurn) -> bool:
    """Tell whether the policy shown is the version that ``turn`` was answered on: the active one, or as picked."""
    data = session()
    return turn.id == data.selected_turn or turn.stamp.version == data.shelf.active_number


def new_conversation() -> None:
    """Empty the chat and stop the answer under way; policy and settings stay."""
    data = session()
    if data.answering:
        data.answering.job.cancel.set()
    data.turns, data.answering, data.pending_question, data.selected_turn = (), None, None, None
    data.queued, data.note = (), ""


def ask(question: str) -> None:
    """Ask ``question`` as soon as policy and model are there; several in one message one after the other.

    What was asked before and is not answered yet keeps its turn.
    """
    data = session()
    first, *others = split_questions(question)
    data.selected_turn = None
    if data.pending_question is None and not data.queued:
        data.pending_question, data.queued = first, tuple(others)
        data.note = f"Your message has {len(others) + 1} questions; each is answered by itself." if others else ""
    else:
        data.queued = (*data.queued, first, *others)
    show_policy()
    if any(turn.stamp.version == data.shelf.active_number for turn in data.turns):
        data.changed_from = None


def load_policy(request: PolicyRequest) -> None:
    """Load a policy beside the present one; a load under way gives way to it."""
    data = session()
    if data.preparing:
        data.preparing.cancel.set()
        data.preparing = None
    data.wanted_policy, data.notice = request, None


def show_policy() -> None:
    """Turn the panel beside the chat back to the policy when it is drawn next, whatever tab is open there."""
    session().turn_to_policy = True


def activate(number: int) -> None:
    """Let version ``number`` answer from now on."""
    data = session()
    data.changed_from, data.shelf = data.shelf.active_number, data.shelf.activated(number)
    show_policy()
    data.notice = Notice("success", f"Version {number} answers again. Nothing had to be indexed.")
    data.selected_turn = None
