"""What one browser session holds of Scenario B, behind typed names. Nothing here is shared with another session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Literal, cast

import streamlit as st

from playground.documents.sniffing import is_pdf
from playground.flagging.flags import PartlyJudged, ScoredContract, flag_contract
from playground.flagging.playbook import Playbook, for_side
from playground.flagging.report import Correction, Verdict
from playground.types import Clause, Completion, Document, FlaggedContract, Label, SimilarClause
from playground.ui.contract_clauses.annotated_index import Pair
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.shared.jobs import Job
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import part_of_session
from scenarios.contract_clauses import scenario

DOCX_START = b"PK\x03\x04"
MOST_CONTRACTS = 20
"""Most contracts of one session: each keeps its text and its scores, a DOCX or PDF its bytes too."""

_SHARE_TO_TELL = 0.05
"""Of the judging: before that, the first batch's warm-up would be all that the time left is told from."""

PROMPTING = "Prompting for contrast"
TABS = ("Contracts", "Base against LoRA", PROMPTING)
"""Below the contract; the last is drawn by the page itself, as its work is followed there."""

Source = Literal["sample", "upload", "paste"]


class Key(StrEnum):
    """Keys of widgets and of containers that the tests and the style sheet know by name."""

    OPEN = "contract_open"
    UPLOAD = "contract_upload"
    PASTE = "contract_paste"
    PASTE_TITLE = "contract_paste_title"
    USE_PASTE = "contract_use_paste"
    FLAGGER = "contract_flagger"
    SHOWN = "contract_shown"
    STOP = "contract_stop"
    GO_ON = "contract_go_on"
    NOTICE = "contract_notice"
    STATUS = "contract_status"
    TEXT = "contract_text"
    PART = "contract_part"
    SHOWN_AS = "contract_shown_as"
    PDF = "contract_pdf"
    PDF_PAGE = "contract_pdf_page"
    PANEL = "contract_panel"
    TABS = "contract_tabs"
    SIDE = "contract_side"
    PLAYBOOK_OPEN = "contract_playbook"
    PLAYBOOK_FILE = "contract_playbook_file"
    SHIFT = "contract_shift"
    RISKS = "contract_risks"
    LABELS = "contract_labels"
    LEAST = "contract_least"
    SCOPE = "contract_scope"
    ORDER = "contract_order"
    FLAG_PAGE = "contract_flag_page"
    CLICK = "contract_click"
    ADD_OPEN = "contract_add_open"
    ADD_SEARCH = "contract_add_search"
    ADD_CLAUSE = "contract_add_clause"
    ADD_LABEL = "contract_add_label"
    ADD = "contract_add"
    EXPORTS = "contract_exports"
    COMPARE = "contract_compare"
    PROMPT_CLAUSE = "contract_prompt_clause"
    PROMPT_ONE = "contract_prompt_one"
    PROMPT_FIVE = "contract_prompt_five"
    PROMPT_STOP = "contract_prompt_stop"


def sample_key(number: int) -> str:
    """Return the key of the button that opens the sample contract of that number."""
    return f"contract_sample_{number}"


def flag_key(action: str, clause_id: str, label: str) -> str:
    """Return the key of a button on a flag: "jump", "confirm", "reject" or "undo"."""
    return f"contract_{action}_{clause_id}_{label}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A contract as judged by one flagger. ``read_s`` is what extracting its text took, 0 when it was at hand."""

    scored: ScoredContract
    choice: FlaggerChoice
    read_s: float
    judged_at: str
    is_stored: bool = False
    """True where the result came with the app: this adapter judged this sample on another day."""

    @property
    def clauses_per_s(self) -> float:
        """Clauses judged in a second, the splitting included."""
        return len(self.scored.clauses) / max(self.scored.timings["total_s"], 1e-6)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is no contract we can read, and why."""

    reason: str


@dataclass(slots=True)
class ContractEntry:
    """One contract of the session.

    ``data`` are the file's bytes, kept after reading where it is a DOCX or PDF; ``text`` is pasted text. Results are by
    the flagger's key, and so are ``failed`` (a sentence) and ``wanted`` (asked for beside the chosen flagger).
    """

    id: int
    name: str
    source: Source
    data: bytes | None = None
    text: str = ""
    document: Document | None = None
    clauses: tuple[Clause, ...] = ()
    partly: PartlyJudged | None = None
    """What is found so far, while the contract is judged for the first time."""
    unreadable: str = ""
    results: dict[str, Judged] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, FlaggerChoice] = field(default_factory=dict)
    stopped: bool = False
    show_when_judged: bool = True
    last_key: str = ""
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    evidence: dict[Pair, tuple[SimilarClause, ...]] = field(default_factory=dict)
    docx_note: str = ""
    """What the last Word file said of itself: it is a copy and not the original."""

    @property
    def is_pdf(self) -> bool:
        """True where the bytes of a PDF are kept, to show its pages."""
        return self.data is not None and is_pdf(self.data)

    @property
    def original_docx(self) -> bytes | None:
        """The bytes that a Word export writes into; None where there are none, or those of a PDF."""
        return None if self.is_pdf else self.data

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What the reader decided, in the order of deciding."""
        return tuple(Correction(clause, label, verdict) for (clause, label), verdict in self.verdicts.items())

    def result(self, choice: FlaggerChoice) -> Judged | None:
        """Return what ``choice`` found; until it has, what was shown before."""
        return self.results.get(choice.key) or self.results.get(self.last_key)


@dataclass(slots=True)
class JudgingProgress:
    """How far a judging is. Only its thread writes; the page reads.

    ``share`` in [0, 1] is of the stage; ``began_at`` is when the judging itself began, by ``time.monotonic``.
    """

    stage: str = "Waiting"
    share: float = 0.0
    document: Document | None = None
    clauses: tuple[Clause, ...] = ()
    partly: PartlyJudged | None = None
    began_at: float | None = None

    def left_s(self, now: float) -> float | None:
        """Return the seconds left at the speed so far; None before enough is judged to tell."""
        if self.began_at is None or self.share < _SHARE_TO_TELL:
            return None
        return max(0.0, (now - self.began_at) * (1 - self.share) / self.share)


@dataclass(frozen=True, slots=True)
class Judging:
    """A contract that is being judged."""

    entry: ContractEntry
    choice: FlaggerChoice
    job: Job[Judged | Unreadable]
    progress: JudgingProgress


@dataclass(frozen=True, slots=True)
class Searching:
    """A search for evidence under way."""

    entry: ContractEntry
    job: Job[dict[Pair, tuple[SimilarClause, ...]]]


@dataclass(frozen=True, slots=True)
class PromptedReply:
    """What a chat model said about one clause and label; ``decision`` is None where it said neither Yes nor No."""

    clause_id: str
    place: str
    clause_text: str
    label: str
    technique: Literal["zero-shot", "few-shot"]
    completion: Completion
    decision: bool | None


@dataclass(frozen=True, slots=True)
class Prompting:
    """Clauses put to the chat model. ``job`` reports a ``PromptedReply`` each and returns how many."""

    entry_id: int
    model: str
    job: Job[int]


@dataclass(frozen=True, slots=True)
class Jump:
    """A clause to bring into view; ``number`` tells one jump from the next to the same clause."""

    clause_id: str
    number: int


@dataclass(slots=True)
class ContractSession:
    """Everything of Scenario B that is no widget."""

    entries: list[ContractEntry] = field(default_factory=list)
    next_id: int = 1
    selected: int | None = None
    judging: Judging | None = None
    searching: Searching | None = None
    search_failed: str = ""
    prompting: Prompting | None = None
    prompt_pairs: tuple[tuple[str, str], ...] = ()
    """(clause id, label) to put to the chat model as soon as it is there."""
    replies: tuple[PromptedReply, ...] = ()
    replies_of: tuple[int, str] = (0, "")
    """Entry and model of ``replies``."""
    prompt_error: str = ""
    notice: Notice | None = None
    jump: Jump | None = None
    picked: str = ""
    """The clause that was clicked in the text last: a flag that was missed is added there."""
    opened_at: tuple[int, str] = (0, "")
    """The contract shown and its first flagged clause when it was opened, which is scrolled to once."""
    uploads: int = 0
    linked: str = ""
    """The sample that the page's address named last; a new name is followed once."""
    playbook: Playbook | None = None
    """The reader's own; None: the one that ships with the app."""
    playbook_error: str = ""
    playbook_uploads: int = 0
    followed: str = ""
    """The flagger that this session asked for last on another page: it is followed once."""


def session() -> ContractSession:
    """Return this browser session's data of Scenario B."""
    return part_of_session("playground_contract_session", ContractSession)


def playbook() -> Playbook:
    """Return the playbook in use."""
    return session().playbook or scenario.playbook()


def side() -> str:
    """Return whose side the reader is on, "" for nobody's."""
    chosen = st.session_state.get(Key.SIDE)
    return chosen if chosen in playbook().sides else ""


def labels_of_side() -> Mapping[str, Label]:
    """Return every label by name as the reader's side sees it; the catalogue itself without a side."""
    return for_side(catalogue(), playbook(), side()) if side() else catalogue()


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Label]:
    """Return every label by name, from nobody's side."""
    return {label.name: label for label in scenario.labels()}


def selected() -> ContractEntry | None:
    """Return the contract that is shown."""
    chosen = session().selected
    return next((entry for entry in session().entries if entry.id == chosen), None)


def shift() -> float:
    """Return where the slider stands, in log-odds."""
    return float(st.session_state.get(Key.SHIFT) or 0.0)


def shown_labels() -> frozenset[str]:
    """Return the labels that are flagged: the liabilities, or all."""
    everything = st.session_state.get(Key.SCOPE) == "all"
    return frozenset(name for name, label in catalogue().items() if everything or label.liability)


def flagged(entry: ContractEntry, judged: Judged) -> FlaggedContract:
    """Return the flags of a contract as the page's settings have them, with the evidence found so far."""

    def evidence(pairs: object) -> list[tuple[SimilarClause, ...]]:
        return [entry.evidence.get(pair, ()) for pair in cast("list[Pair]", pairs)]

    return flag_contract(judged.scored, catalogue(), shift=shift(), shown=shown_labels(), evidence=evidence)


def add_entry(name: str, source: Source, *, data: bytes | None = None, text: str = "") -> bool:
    """Take a contract in, to be judged and then shown. A sample that is there already is only shown.

    Returns:
        False when there are too many contracts; a notice says so.
    """
    data_of = session()
    data_of.notice = None
    if source == "sample":
        for entry in data_of.entries:
            if entry.source == "sample" and entry.name == name and not entry.unreadable:
                entry.stopped, entry.show_when_judged = False, True
                if entry.results:
                    show(entry.id)
                return True
    if len(data_of.entries) >= MOST_CONTRACTS:
        data_of.notice = Notice(
            "error", f"{name} was not opened: there are {MOST_CONTRACTS} contracts already. Remove some first."
        )
        return False
    data_of.entries.append(ContractEntry(data_of.next_id, name, source, data, text))
    data_of.next_id += 1
    return True


def show(entry_id: int) -> None:
    """Show a contract."""
    data = session()
    data.selected, data.jump, data.search_failed, data.picked = entry_id, None, "", ""
    for key in (Key.PART, Key.PDF_PAGE, Key.FLAG_PAGE, Key.LABELS, Key.RISKS, Key.LEAST):
        st.session_state.pop(key, None)
    entry = selected()
    if entry is None or entry.source != "sample":
        st.query_params.pop("contract", None)
        data.linked = ""
    else:
        st.query_params["contract"] = data.linked = entry.name


def choose(entry_id: int) -> None:
    """Show a contract that the reader picked: what happened to another one is not said above it."""
    session().notice = None
    show(entry_id)


def remove(entry_id: int) -> None:
    """Forget a contract; one that is being judged is stopped."""
    data = session()
    if data.judging and data.judging.entry.id == entry_id:
        data.judging.job.cancel.set()
        data.judging = None
    data.entries = [entry for entry in data.entries if entry.id != entry_id]
    if data.selected == entry_id:
        data.selected = None
        rest = next((entry for entry in data.entries if entry.results), None)
        if rest:
            show(rest.id)
        else:
            st.query_params.pop("contract", None)


def jump_to(clause_id: str) -> None:
    """Bring a clause into view."""
    data = session()
    data.jump = Jump(clause_id, data.jump.number + 1 if data.jump else 1)
    for key in (Key.PART, Key.PDF_PAGE):
        st.session_state.pop(key, None)


def decide(entry: ContractEntry, clause_id: str, label: str, verdict: Verdict | None) -> None:
    """Keep what the reader decided about a label on a clause; None takes it back."""
    entry.verdicts.pop((clause_id, label), None)
    if verdict is not None:
        entry.verdicts[clause_id, label] = verdict
