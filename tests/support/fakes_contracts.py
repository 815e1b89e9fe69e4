"""The contract page with scripted flaggers in place of the real ones, and ways to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.adapters import AdapterStore
from playground.flagging.baselines import embed_clauses
from playground.flagging.model import OnShare
from playground.types import AnnotatedClause
from playground.ui.contract_clauses import advance, judging
from playground.ui.contract_clauses import resources as contract_resources
from playground.ui.contract_clauses.annotated_index import AnnotatedIndex
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.contract_clauses.state import ContractEntry, ContractSession
from playground.ui.shared import resources
from scenarios.contract_clauses.scenario import labels
from tests.support.fakes import FakeChatModel
from tests.support.fakes_adapters import MANIFEST, writing
from tests.support.fakes_ui import ROOT, run, use_models
from tests.support.scripted_embedder import ScriptedEmbedder

PAGE = "pages/contract_clauses.py"
LABELS = tuple(label.name for label in labels())
SCRIPT = {"unlimited": ("Uncapped Liability", 0.9), "insurance": ("Insurance", 0.7), "assign": ("Anti-Assignment", 0.3)}
"""Word in a clause -> its label and probability."""

ANNOTATED = (
    AnnotatedClause("a1", "The supplier keeps insurance of two million.", ("Insurance",), "train-1"),
    AnnotatedClause("a2", "Liability under this clause is unlimited.", ("Uncapped Liability",), "train-2"),
    AnnotatedClause("a3", "Liability for fraud is not limited.", ("Uncapped Liability",), "train-3"),
)

CONTRACT = """SERVICE AGREEMENT

1. Liability
The liability of the Supplier under this Agreement is unlimited for any breach of the duties of the Supplier.

2. Insurance
The Supplier shall keep insurance of two million pounds in force during the term of this Agreement.

3. Transfer
No party may assign this Agreement to any other person without the written consent of the other party.

4. Notices
Any notice under this Agreement shall be in writing and is given when it reaches the office of the other party.
"""


class ScriptedFlagger:
    """Gives a clause the labels of the words in it; ``judged`` keeps the texts of each call."""

    def __init__(
        self, script: Mapping[str, tuple[str, float]] = SCRIPT, *, adapter: str | None = None, on_call: object = None
    ) -> None:
        self.labels = LABELS
        self.thresholds = np.full(len(LABELS), 0.5)
        self.model_id = "scripted"
        self.adapter = adapter
        self.script = script
        self.judged: list[tuple[str, ...]] = []
        self.on_call = on_call

    def probabilities(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        self.judged.append(tuple(clause.text for clause in clauses))
        if isinstance(self.on_call, Exception):
            raise self.on_call
        if callable(self.on_call):
            self.on_call(on_share)
        scores = np.full((len(clauses), len(LABELS)), 0.001)
        for row, clause in enumerate(clauses):
            for word, (label, probability) in self.script.items():
                if word in clause.text.lower():
                    scores[row, LABELS.index(label)] = probability
        if on_share:
            on_share(1.0)
        return scores


def done(value: object) -> Future[object]:
    """Return a future that has its result, or its error."""
    future: Future[object] = Future()
    if isinstance(value, BaseException):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


def store_with(folder: Path, *names: str, **changes: object) -> AdapterStore:
    """Return a store with adapters of these names; the first is active."""
    store = AdapterStore(folder)
    for number, name in enumerate(names):
        metrics = {
            "measured_on": "12 unseen contracts",
            "operating_points": [
                {"shift": -5.0, "recall": 0.98, "precision": 0.31, "flags": 900},
                {"shift": 0.0, "recall": 0.81, "precision": 0.74, "flags": 300},
            ],
        }
        manifest = replace(MANIFEST, labels=LABELS, metrics=metrics, created_at=f"2026-01-0{number + 1}T00:00:00+00:00")
        store.save(name, writing(manifest=replace(manifest, **changes)))  # type: ignore[arg-type]
    if names:
        store.activate(names[0], "clauses")
    return store


def index() -> AnnotatedIndex:
    """Return a small index of annotated clauses."""
    embedder = ScriptedEmbedder()
    return AnnotatedIndex(ANNOTATED, embed_clauses(ANNOTATED, embedder), 2, embedder)


def open_page(
    monkeypatch: pytest.MonkeyPatch,
    store: AdapterStore,
    flagger: ScriptedFlagger | Callable[[FlaggerChoice], object] | None = None,
    chat: FakeChatModel | None = None,
    *,
    quick_s: float = 30.0,
    **query: str,
) -> AppTest:
    """Open the contract page. ``flagger`` judges, whatever is chosen, or is asked for each choice.

    A run of the page waits ``quick_s`` for the end of a judging: by default as long as one takes.
    """
    use_models(monkeypatch, chat or FakeChatModel(lambda _: "Yes"))
    scripted = flagger or ScriptedFlagger()
    choose = scripted if not isinstance(scripted, ScriptedFlagger) else lambda _choice: scripted
    monkeypatch.setattr(resources, "missing_encoders", lambda *_base: ())
    monkeypatch.setattr(resources, "adapter_store", lambda: store)
    monkeypatch.setattr(contract_resources, "clause_model", lambda choice: done(choose(choice)))
    monkeypatch.setattr(contract_resources, "annotated_index", lambda: done(index()))
    monkeypatch.setattr(advance, "QUICK_SEARCH_S", 30.0)
    monkeypatch.setattr(judging, "QUICK_S", quick_s)
    monkeypatch.setattr(contract_resources, "stored_sample", lambda *_: None)
    monkeypatch.setattr(contract_resources, "forget_clause_model", lambda _choice: None)
    monkeypatch.setattr(contract_resources, "forget_annotated_index", lambda: None)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return run(app.switch_page(PAGE))


def paste(app: AppTest, text: str = CONTRACT, title: str = "Pasted agreement") -> AppTest:
    """Paste a contract and wait until it is judged."""
    app.text_input(key="contract_paste_title").set_value(title)
    app.text_area(key="contract_paste").set_value(text)
    app.button(key="contract_use_paste").click()
    return run(app)


def data(app: AppTest) -> ContractSession:
    """Return what the session holds."""
    found = app.session_state["playground_contract_session"]
    assert isinstance(found, ContractSession)
    return found


def shown(app: AppTest) -> ContractEntry:
    """Return the contract that is shown."""
    return next(entry for entry in data(app).entries if entry.id == data(app).selected)


def cards(app: AppTest) -> list[str]:
    """Return the HTML of the cards of the panel."""
    return [
        element.value
        for element in app.get("html")
        if element.value.startswith('<div class="flag-card') and "Why it matters" in element.value
    ]


def marks(app: AppTest) -> str:
    """Return the HTML of the contract."""
    return next(element.value for element in app.get("html") if element.value.startswith('<div class="contract">'))
