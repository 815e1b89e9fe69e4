"""The page of many contracts: what it says without a result, the table, a contract that is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.ui.bulk.state import ROOT_VARIABLE, Key
from tests.support.bulk_jobs import CONTRACT
from tests.support.bulk_jobs import run as flag_in_bulk
from tests.support.fakes_ui import ROOT, run


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the page looks into."""
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "results"))
    return tmp_path / "results"


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page("pages/bulk.py")
    for name, value in query.items():
        app.query_params[name] = value
    return run(app)


def filled(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "*bold* <b>.txt").write_text(CONTRACT.format("<script>1</script>"))
    (folder / "plain.txt").write_text("1. Notices shall be in writing and sent to the party's address.\n")
    (folder / "bad.pdf").write_bytes(b"\x00\x01 no contract")
    flag_in_bulk(folder, results / "first")


def test_without_a_result_the_page_says_how_to_make_one(results: Path) -> None:
    page = open_page()
    assert "There is no result yet" in page.info[0].value
    assert f'bulk flag CONTRACTS --out "{results / "first"}"' in page.code[0].value


def test_a_result_is_shown_filtered_and_a_contract_opened(results: Path, tmp_path: Path) -> None:
    filled(results, tmp_path)
    page = open_page(contract="*bold* <b>.txt")
    assert {metric.label: metric.value for metric in page.metric}["Files"] == "3"
    assert list(page.dataframe[0].value["File"]) == ["*bold* <b>.txt", "plain.txt", "bad.pdf"]
    assert page.subheader[0].value == r"\*bold\* \<b\>\.txt"
    assert any("<script>1</script>" in text.value for text in page.text), "as text, never as HTML"
    page.selectbox(Key.STATE).select("failed").run()
    assert list(page.dataframe[0].value["File"]) == ["bad.pdf"]
    assert not page.subheader


def test_why_a_file_failed_is_said(results: Path, tmp_path: Path) -> None:
    filled(results, tmp_path)
    assert len(open_page(contract="bad.pdf").error) == 1


def test_a_damaged_result_is_said_and_a_name_from_outside_opens_nothing(results: Path, tmp_path: Path) -> None:
    filled(results, tmp_path)
    page = open_page(result="../../etc", contract="../x")
    assert page.selectbox(Key.RESULT).value == "first"
    assert not page.subheader
    (results / "first" / "tables" / "files.parquet").write_bytes(b"no table")
    (results / "first" / "tables").touch()
    assert r"files\.parquet cannot be read" in open_page().error[0].value
