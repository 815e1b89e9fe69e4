from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from playground.types import Prediction, RunRecord, Usage
from scripts import measure_reader_curve as script


def row(number: int, *, answerable: bool, probability: float, right: bool = False, withheld: bool = False) -> RunRecord:
    """A question put to a reader that must answer; ``probability`` is that of declining."""
    scores = {"answerable": float(answerable), "abstained": float(withheld), "right": float(right)}
    prediction = Prediction("An answer.", Usage(1, 1, 0), {"total_s": 0.1}, {"abstain_probability": probability})
    return RunRecord(
        run_id="run", strategy="rag+lora", model_id="tiny", adapter="reader@1", example_id=f"q{number}", seed=0,
        prediction=prediction, scores=scores, cost_usd=0.0, error=None, started_at="2026-11-27T00:00:00Z",
        machine="here", commit="0", fingerprint="0",
    )  # fmt: skip


ANSWERABLE = ((0.1, True), (0.3, True), (0.7, False), (0.5, True))
UNANSWERABLE = (0.4, 0.6, 0.8, 0.9)
ROWS = [
    *(row(number, answerable=True, probability=p, right=right) for number, (p, right) in enumerate(ANSWERABLE)),
    *(row(number, answerable=False, probability=p) for number, p in enumerate(UNANSWERABLE, start=10)),
    row(20, answerable=False, probability=0.0, withheld=True),
]


def test_the_threshold_declines_the_share_asked_for_and_no_more() -> None:
    # Five have no answer, one of them is withheld anyway: four fifths are declined from 0.6 on, all from 0.4 on.
    assert script.threshold_for(ROWS, 0.8) == 0.6
    assert script.threshold_for(ROWS, 0.9) == 0.4
    assert script.threshold_for(ROWS, 0.2) == 1.0


def test_a_point_says_what_it_knows_and_what_is_left_of_it_where_it_declines() -> None:
    figures = script.figures_of(ROWS)
    assert figures["right_when_it_must_answer"][0] == 0.75
    assert figures["abstain_at"] == 0.4
    assert figures["declined"][0] == 1.0
    assert figures["right"][0] == 0.5
    # Of the pairs of one with and one without an answer: 0.1 and 0.3 are below 4 of 5, 0.5 below 3, 0.7 below 2.
    assert figures["area_under_roc"] == pytest.approx((4 + 4 + 3 + 2) / 20)


def test_every_point_is_trained_once_and_measured_and_the_shipped_reader_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[tuple[object, ...]] = []

    def playground(work: Path | None, *words: object) -> None:
        called.append((work, *words))
        if words[0] == "train":
            assert work is not None
            (work / "adapters" / str(words[words.index("--out") + 1])).mkdir(parents=True)

    def read(_folder: Path, _scenarios: object) -> object:
        class Rows:
            records: Sequence[RunRecord] = ROWS

        return Rows()

    monkeypatch.setattr(script, "_playground", playground)
    monkeypatch.setattr(script, "read_run_rows", read)
    out = tmp_path / "curve.json"
    argv = ["measure_reader_curve.py", "--work", str(tmp_path / "work"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", argv)
    script.main()
    trained = [words for words in called if words[1] == "train"]
    measured = [words for words in called if words[1] == "evaluate"]
    assert len(trained) == len(script.POINTS)
    assert len({words[words.index("--out") + 1] for words in trained}) == len(script.POINTS)
    assert [words[0] is None for words in measured] == [False] * len(script.POINTS) + [True]
    points = json.loads(out.read_text())["points"]
    assert [one["training"] is None for one in points] == [False] * len(script.POINTS) + [True]
    assert capsys.readouterr().out.count("| 75 % (") == len(script.POINTS) + 1
    called.clear()
    script.main()  # what was trained is not trained again
    assert not [words for words in called if words[1] == "train"]
