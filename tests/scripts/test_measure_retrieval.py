from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.types import Chunk, Passage
from scripts import measure_retrieval as script
from tests.support.scripted_document import scripted_document

TEXT = "Boots may come back. Within 60 days, clean.\n\nBoots may come back."


def passage(start: int, end: int) -> Passage:
    return Passage(Chunk("c", "d", TEXT[start:end], start, end), score=1.0, rank=1)


def test_quote_is_found_everywhere_and_across_white_space() -> None:
    assert script.spans_of("Boots  may come\nback.", TEXT) == ((0, 20), (45, 65))
    assert script.spans_of("clean. Boots", TEXT) == ((37, 50),)
    assert script.spans_of("(Boots", TEXT) == ()


def test_quote_may_lie_in_two_passages_together_but_not_in_part() -> None:
    span = (37, 50)  # "clean.", a blank line, "Boots"
    assert script.lies_within(span, [passage(21, 43), passage(45, 65)], TEXT)
    assert not script.lies_within(span, [passage(21, 43)], TEXT)
    assert not script.lies_within(span, [passage(21, 43), passage(46, 65)], TEXT)


def test_quote_that_is_not_in_the_policy_stops_the_measurement(tmp_path: Path) -> None:
    row = {"id": "q1", "policy": "p.md", "question": "?", "answerable": True, "evidence": ["not there"]}
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(SystemExit, match="q1"):
        script.read_questions(path, {"p.md": scripted_document(TEXT)})
