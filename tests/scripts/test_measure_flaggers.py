"""The table of the flaggers that ship: a new version takes the place of the old one, which stays beside it."""

from __future__ import annotations

from scripts.measure_flaggers import in_place


def one(title: str, adapter: str) -> dict[str, str]:
    return {"title": title, "adapter": adapter}


def test_a_new_version_takes_the_place_and_the_old_one_stays_as_before() -> None:
    columns = [one("`a`", "a@1"), one("`b`", "b@1"), one("`a` before", "a@0")]
    assert in_place(columns, one("`a`", "a@2")) == [one("`a`", "a@2"), one("`b`", "b@1"), one("`a` before", "a@1")]


def test_the_same_version_measured_again_replaces_itself() -> None:
    columns = [one("`a`", "a@1"), one("`a` before", "a@0")]
    assert in_place(columns, one("`a`", "a@1") | {"n": "39"}) == [one("`a`", "a@1") | {"n": "39"}, columns[1]]


def test_a_flagger_that_is_new_comes_last() -> None:
    assert in_place([one("`a`", "a@1")], one("`b`", "b@1")) == [one("`a`", "a@1"), one("`b`", "b@1")]
