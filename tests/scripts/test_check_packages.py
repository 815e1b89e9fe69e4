"""Licences and advisories of what is installed are checked from files of the repository, and say their date."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from typing import Any

import pytest

from scripts import check_packages
from scripts.check_packages import ADVISORIES, LICENCES, advisory_problems, hits, licence_problems, refused_licences

RULES = tomllib.loads(LICENCES.read_text(encoding="utf-8"))


def advisory(*events: dict[str, str], **more: Any) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}]
    return {"id": "X-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "Some_Name"}, "ranges": ranges} | more]}


def affects(version: str, found: dict[str, Any]) -> bool:
    return any(hits({"some-name": version}, [found]))


def test_the_installed_packages_have_allowed_licences() -> None:
    assert licence_problems() == []


@pytest.mark.parametrize("stated", ["AGPL-3.0-or-later", "GPL-3.0-only", "MIT AND GPL-2.0-only", "MIT; GPLv3", ""])
def test_a_licence_that_is_not_allowed_is_named(stated: str) -> None:
    assert refused_licences(stated, RULES)


@pytest.mark.parametrize(
    "stated",
    ["MIT", "(MIT OR Apache-2.0) AND BSD-3-Clause", "ISC License (ISCL)", "MIT License; Apache Software License"],
)
def test_an_allowed_one_is_not(stated: str) -> None:
    assert refused_licences(stated, RULES) == []


def test_no_advisory_of_the_list_affects_the_lock_unless_it_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert advisory_problems() == []
    assert f"as of {json.loads(ADVISORIES.read_text())['read_on']}" in capsys.readouterr().out


def test_the_list_says_its_date_and_each_entry_its_source() -> None:
    read = json.loads(ADVISORIES.read_text(encoding="utf-8"))
    assert date.fromisoformat(read["read_on"])
    assert all(entry["references"] and entry["affected"] for entry in read["advisories"])
    known = {name for entry in read["advisories"] for name in (entry["id"], *entry["aliases"])}
    assert set(read["accepted"]) <= known
    assert all(len(reason) > 40 for reason in read["accepted"].values())


def test_an_advisory_that_is_not_accepted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_packages, "locked", lambda: {"pillow": "12.0.0"})
    (first, *_others) = advisory_problems()
    assert first.startswith("pillow 12.0.0: ")
    assert "http" in first


def test_versions_are_within_the_events_of_an_advisory() -> None:
    found = advisory({"introduced": "1.2"}, {"fixed": "1.10"}, {"introduced": "2.0rc1"}, {"fixed": "2.0.1"})
    affected = ("1.2", "1.9.5", "2.0rc1", "2.0")
    assert [affects(version, found) for version in affected] == [True] * 4
    assert [affects(version, found) for version in ("1.1", "1.10", "1.11", "2.0.1")] == [False] * 4
    assert affects("0.0.1", advisory({"introduced": "0"}))
    assert affects("3.0", advisory({"introduced": "0"}, {"last_affected": "3.0"}))
    assert not affects("3.0.1", advisory({"introduced": "0"}, {"last_affected": "3.0"}))
    assert affects("7.7", advisory({"introduced": "9"}, versions=["7.7"]))
