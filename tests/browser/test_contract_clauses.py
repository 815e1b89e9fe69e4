"""Scenario B as a person uses it: real Chromium, the real app, the shipped adapter, a real training."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.models]

CONTRACTS = ROOT / "data" / "contracts"
WAIT_MS = 240_000  # loading and training on a busy machine; nothing is expected to take this long
TRAINING_MS = 600_000
HOSTILE = """Supply terms

1. Insurance. The Supplier shall maintain public liability insurance of at least $2,000,000 during the term.

2. Liability. In no event shall either party's aggregate liability exceed the fees paid in the twelve months before the
claim. <img src=x onerror="document.title='owned'"><script>document.title='owned'</script>

3. Courtesy. The parties will be polite to each other at all times and answer letters within a week.
"""


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A session of its own that may reach nothing but the app."""
    context = browser.new_context(viewport={"width": 1440, "height": 950}, accept_downloads=True)
    allowed = (address, "data:", "blob:", address.replace("http", "ws"))
    outside: list[str] = []
    context.on("request", lambda request: None if request.url.startswith(allowed) else outside.append(request.url))
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()
    assert not outside, "the page asked another host"


def open_page(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    expect(page.get_by_test_id("stApp")).to_be_visible()


def flagged_marks(page: Page) -> int:
    return page.locator(".st-key-contract_text mark").count()


def test_upload_flags_filter_and_export(page: Page, address: str, tmp_path: Path) -> None:
    open_page(page, address, "contract_clauses")
    page.locator(".st-key-contract_upload input[type=file]").set_input_files(str(CONTRACTS / "lease.docx"))
    expect(page.locator(".st-key-contract_status")).to_contain_text("clauses, judged")
    expect(page.locator(".st-key-contract_status")).to_contain_text("nothing leaves it")
    expect(page.locator(".st-key-contract_panel")).to_contain_text("of its flags are right")
    expect(page.get_by_text("The document has tracked changes")).to_be_visible()
    before = flagged_marks(page)
    assert before > 5

    page.locator(".st-key-contract_risks").get_by_text(re.compile("High")).click()
    expect(page.locator(".st-key-contract_panel").get_by_text(re.compile("Medium ·"))).to_have_count(0)
    expect(page.locator(".st-key-contract_panel").get_by_text(re.compile("High ·")).first).to_be_visible()

    with page.expect_download() as download:
        page.locator(".st-key-contract_exports").get_by_role("button", name="JSON").click()
    target = tmp_path / "flags.json"
    download.value.save_as(target)
    row = json.loads(target.read_text(encoding="utf-8"))
    assert row["document"] == "lease.docx"
    assert sum(len(clause["flags"]) for clause in row["clauses"]) >= before - 1
    with page.expect_download() as download:
        page.locator(".st-key-contract_exports").get_by_role("button", name="Report (HTML)").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    offline = page.context.browser.new_context(offline=True)  # type: ignore[union-attr]
    alone = offline.new_page()
    alone.goto(report.as_uri())
    expect(alone.get_by_text("not legal advice", exact=False).first).to_be_visible()
    offline.close()

    page.locator("[class*=st-key-contract_open] button").first.click()
    page.get_by_role("tab", name="Recording").click()
    with page.expect_download() as download:
        page.locator(".st-key-contract_recording_save button").click()
    played = page.locator("[class*=st-key-contract_recording_upload] input[type=file]")
    download.value.save_as(tmp_path / "recording.json")
    played.set_input_files(tmp_path / "recording.json")
    expect(page.locator(".st-key-contract_replay_bar")).to_contain_text("recorded")
    expect(page.locator(".st-key-contract_text mark").first).to_be_visible()
    page.locator(".st-key-contract_replay_end button").click()
    expect(page.locator(".st-key-contract_replay_bar")).to_have_count(0)


def test_a_pasted_contract_is_marked_and_never_run(page: Page, address: str) -> None:
    open_page(page, address, "contract_clauses")
    page.locator(".st-key-contract_paste textarea").fill(HOSTILE)
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Flag this text").click()
    expect(page.locator(".st-key-contract_panel")).to_contain_text("Insurance")
    expect(page.locator(".st-key-contract_panel")).to_contain_text("Cap On Liability")
    expect(page.locator(".st-key-contract_text")).to_contain_text("<script>")
    assert page.title() != "owned"


def test_a_bad_file_leaves_the_contract_before_it(page: Page, address: str, tmp_path: Path) -> None:
    cut_off = tmp_path / "cut-off.pdf"
    cut_off.write_bytes((CONTRACTS / "services-agreement.pdf").read_bytes()[:20_000])
    open_page(page, address, "contract_clauses?contract=nda.txt")
    expect(page.locator(".st-key-contract_status")).to_contain_text("clauses, judged")
    page.get_by_role("button", name="Open", exact=False).first.click()
    page.get_by_role("tab", name="Upload").click()
    page.locator(".st-key-contract_upload input[type=file]").set_input_files(str(cut_off))
    expect(page.get_by_text(re.compile("damaged: its end is missing")).first).to_be_visible()
    expect(page.locator(".st-key-contract_text")).to_contain_text("Halden")


def test_train_stop_train_activate_and_flag_again(page: Page, address: str) -> None:
    open_page(page, address, "training")
    start = page.get_by_role("button", name="Start training")
    start.click()
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    stop.click()
    page.get_by_role("button", name="Yes, stop it").click()
    back = page.get_by_role("button", name=re.compile("Back to the settings|Train another"))
    expect(back).to_be_visible()
    back.click()

    page.locator(".st-key-training_epochs input").fill("1")
    page.keyboard.press("Tab")
    few = page.locator("[class*=st-key-training_examples] input")
    few.fill("150")
    page.keyboard.press("Tab")
    start.click()
    expect(page.get_by_text("Training loss").first).to_be_visible()
    # The time budget of two minutes ends it on the slowest machine; then it is measured against the baselines.
    stored = page.get_by_text(re.compile("Adapter .* is stored"))
    expect(stored).to_be_visible(timeout=TRAINING_MS)
    # On a slow machine the training that was stopped had learnt something, was kept, and has the first name.
    name = re.search(r"Adapter (my-flagger(?:-\d+)?)\b", stored.inner_text())
    assert name is not None
    page.get_by_role("tab", name="Weights").click()
    expect(page.get_by_text(re.compile(r"^Base .*: unchanged$"))).to_be_visible()  # a clause may say "unchanged" too
    page.get_by_role("button", name="Flag contracts with it").click()
    expect(page.get_by_text("flags contracts in this window from now on").first).to_be_visible()

    page.get_by_role("link", name="Contract flagger").first.click()
    page.get_by_role("button", name=re.compile("lease.docx")).click()
    expect(page.locator(".st-key-contract_status")).to_contain_text(f"adapter {name[1]}@")
    assert "Traceback" not in page.content()
