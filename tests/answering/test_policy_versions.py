from __future__ import annotations

import threading
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.answering.policy_versions import (
    MOST_VERSIONS,
    PolicyShelf,
    PolicyVersion,
    diff_versions,
    prepare_version,
    swap_summary,
)
from playground.documents import load_document
from playground.models.embedding import SentenceEmbedder
from playground.paths import ROOT
from playground.retrieval.index import RetrievalSettings
from tests.support.scripted_document import scripted_document
from tests.support.scripted_embedder import ScriptedEmbedder

POLICIES = ROOT / "data" / "policies"


def version(number: int, *lines: str, source: str = "policy.md") -> PolicyVersion:
    lines = lines or ("# Returns", f"Items may be returned within {number} days.")
    return prepare_version(scripted_document(*lines, source=source), ScriptedEmbedder(), number)


def shelf_of(count: int) -> PolicyShelf:
    shelf = PolicyShelf()
    for _ in range(count):
        shelf = shelf.with_version(version(shelf.next_number))
    return shelf


def test_version_carries_its_account() -> None:
    prepared = prepare_version(
        scripted_document("# Returns", "Within 60 days.", source="shop.md"), ScriptedEmbedder(), 2, note="pasted"
    )
    assert prepared.label == f"v2 · shop.md · {prepared.document.sha256[:8]}"
    assert prepared.sha256 == prepared.document.sha256
    assert prepared.chunk_count == len(prepared.index.chunks) == 1
    assert prepared.note == "pasted"
    assert prepared.indexed_s > 0
    created = datetime.fromisoformat(prepared.created_at)
    assert created.tzinfo == UTC
    assert abs((datetime.now(UTC) - created).total_seconds()) < 3600


def test_progress_reaches_the_caller_and_may_cancel() -> None:
    seen: list[tuple[int, int]] = []
    document = scripted_document("# Returns", "Within 60 days.")
    prepare_version(document, ScriptedEmbedder(), 1, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 1), (1, 1)]

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_version(document, ScriptedEmbedder(), 1, on_progress=stop)


def test_empty_shelf() -> None:
    shelf = PolicyShelf()
    assert shelf.active is None
    assert shelf.next_number == 1
    assert shelf.same_as_active(scripted_document("Text")) is None
    with pytest.raises(KeyError, match="no version 1"):
        shelf.activated(1)


def test_new_version_is_active_and_the_old_shelf_unchanged() -> None:
    before = shelf_of(1)
    after = before.with_version(version(2))
    assert after.active is not None
    assert after.active.number == 2
    assert [v.number for v in after.versions] == [1, 2]
    assert [v.number for v in before.versions] == [1]
    assert before.active_number == 1
    with pytest.raises(FrozenInstanceError):
        after.active_number = 1  # type: ignore[misc]


def test_roll_back_keeps_later_versions_and_their_numbers() -> None:
    shelf = shelf_of(3).activated(1)
    assert shelf.active is shelf.get(1)
    assert [v.number for v in shelf.versions] == [1, 2, 3]
    assert shelf.next_number == 4
    with pytest.raises(KeyError, match="no version 9"):
        shelf.activated(9)


def test_text_of_the_active_version_is_reported_not_duplicated() -> None:
    shelf = shelf_of(2)
    active = shelf.active
    assert active is not None
    assert shelf.same_as_active(replace(active.document, source="renamed.md")) is active
    assert shelf.with_version(replace(active, number=3)) is shelf
    first = shelf.get(1)
    assert shelf.same_as_active(first.document) is None
    again = shelf.with_version(replace(first, number=3))
    assert [v.number for v in again.versions] == [1, 2, 3]


@pytest.mark.parametrize("number", [1, 2])
def test_number_on_the_shelf_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="use 3"):
        shelf_of(2).with_version(version(number, "Another text"))


def test_shelf_is_bounded_and_drops_the_oldest() -> None:
    shelf = shelf_of(MOST_VERSIONS + 3)
    assert [v.number for v in shelf.versions] == list(range(4, MOST_VERSIONS + 4))
    assert shelf.next_number == MOST_VERSIONS + 4
    rolled_back = shelf.activated(4).with_version(version(MOST_VERSIONS + 4))
    assert len(rolled_back.versions) == MOST_VERSIONS
    assert rolled_back.active_number == MOST_VERSIONS + 4


EVERYTHING = RetrievalSettings(top_k=100, candidates=100)
facts = st.lists(st.sampled_from("boots tents kayaks ropes stoves maps skis lamps".split()), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(old=facts, new=facts, question=st.sampled_from(["boots", "tents and maps", "stoves in days", "anything"]))
def test_nothing_of_an_old_version_is_retrieved_after_a_swap(old: list[str], new: list[str], question: str) -> None:
    def lines(facts: list[str], days: int) -> list[str]:
        return [line for fact in facts for line in (f"# {fact}", f"Return {fact} within {days} days.")]

    shelf = PolicyShelf().with_version(version(1, *lines(old, 60))).with_version(version(2, *lines(new, 45)))
    for expected, other, number in (("45", "60", 2), ("60", "45", 1)):
        shelf = shelf.activated(number)
        assert shelf.active is not None
        for fusion in ("hybrid", "dense", "lexical"):
            passages = shelf.active.index.search(question, replace(EVERYTHING, fusion=fusion))
            assert passages or fusion == "lexical"
            for passage in passages:
                assert expected in passage.chunk.text
                assert other not in passage.chunk.text
                assert passage.chunk.document_id == shelf.active.document.id


def test_answers_under_way_finish_on_the_version_they_began_with() -> None:
    """Threads take the shelf's active version while another swaps: each sees one version from start to end."""
    shelves = [shelf_of(2).activated(1)]
    stop = threading.Event()
    mixed: list[str] = []
    seen: set[int] = set()

    def answer() -> None:
        while not stop.is_set():
            active = shelves[0].active
            assert active is not None
            seen.add(active.number)
            for _ in range(3):
                for passage in active.index.search("How many days?", EVERYTHING):
                    if f"within {active.number} days" not in passage.chunk.text:
                        mixed.append(passage.chunk.text)

    threads = [threading.Thread(target=answer) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(60):
        shelves[0] = shelves[0].activated(1 + turn % 2)
        if turn > 10 and len(seen) == 2:
            break
        threads[0].join(timeout=0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert not mixed
    assert seen == {1, 2}


@pytest.mark.parametrize(
    ("indexed_s", "summary"),
    [
        (0.4321, "1 passage indexed in 0.4 s, no weights changed"),
        (12.04, "1 passage indexed in 12.0 s, no weights changed"),
        (0.0123, "1 passage indexed in 0.012 s, no weights changed"),
    ],
)
def test_summary_of_a_swap(indexed_s: float, summary: str) -> None:
    assert swap_summary(replace(version(1), indexed_s=indexed_s)) == summary


def test_summary_counts_passages() -> None:
    lines = [line for i in range(3) for line in (f"# Part {i}", f"Text {i}.")]
    assert swap_summary(version(1, *lines)).startswith("3 passages indexed in ")


def test_sample_versions_differ_in_their_six_facts_and_the_date() -> None:
    old, new = (
        prepare_version(load_document((POLICIES / name).read_bytes(), name), ScriptedEmbedder(), number)
        for number, name in ((1, "northtrail-outdoor-v1.md"), (2, "northtrail-outdoor-v2.md"))
    )
    lines = diff_versions(old, new)
    assert {line.kind for line in lines} == {"same", "changed"}
    changed = [line for line in lines if line.kind == "changed"]
    assert len(changed) == 7
    words = ["".join(span.text for span in line.new if span.changed) for line in changed]
    assert words[1] == "45"
    assert not any(line.note for line in changed)


@pytest.mark.models
def test_swap_changes_what_the_bundled_model_retrieves(embedder: SentenceEmbedder) -> None:
    shelf = PolicyShelf()
    texts = []
    for name in ("northtrail-outdoor-v1.md", "northtrail-outdoor-v2.md"):
        document = load_document((POLICIES / name).read_bytes(), name)
        shelf = shelf.with_version(prepare_version(document, embedder, shelf.next_number))
        assert shelf.active is not None
        texts.append(" ".join(p.chunk.text for p in shelf.active.index.search("How long do I have to return a pack?")))
    assert "within 60 days" in texts[0]
    assert "within 45 days" in texts[1]
    assert "within 60 days" not in texts[1]
