"""The table of experiments: every record is whole, and what was recorded of it can be read and agrees with its rule."""

from __future__ import annotations

import re

import pytest

from playground.errors import EvaluationError
from playground.limits.experiment import Experiment
from playground.limits.finding import by_condition
from playground.limits.recorded import recorded_rows
from scenarios.experiments import EXPERIMENTS, experiment


def test_names_are_unique_and_one_that_is_not_known_is_refused() -> None:
    names = [one.name for one in EXPERIMENTS]
    assert len(names) == len(set(names))
    assert experiment(names[0]) is EXPERIMENTS[0]
    with pytest.raises(EvaluationError, match=f"There is no experiment 'sideways'. Use one of: {names[0]}, "):
        experiment("sideways")


@pytest.mark.parametrize("one", EXPERIMENTS, ids=lambda one: one.name)
def test_a_record_says_everything_a_reader_needs(one: Experiment) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one.name)
    assert all(text.strip().endswith(".") for text in (one.claim, one.method, one.source, one.rule))
    assert 0 < one.live_takes_s < 120  # what a demo can wait
    assert set(one.live.conditions) <= set(one.load().conditions)
    assert one.live.examples <= one.full.examples


@pytest.mark.parametrize("one", EXPERIMENTS, ids=lambda one: one.name)
def test_what_was_recorded_is_whole_and_gives_a_finding(one: Experiment) -> None:
    rows = recorded_rows(one)
    if rows is None:
        pytest.skip(f"not recorded yet: {one.command}")
    if one.beside_recorded and len({row.model_id for row in rows.rows}) < 2:
        pytest.skip("one condition of several was recorded")
    finding = one.load().found(rows.rows)
    assert finding.headline and finding.sentence and finding.points
    assert not finding.is_small
    assert not [row.error for row in rows.rows if row.error]
    if not one.beside_recorded:
        assert len({len(own) for own in by_condition(rows.rows).values()}) == 1  # the same examples under each
