"""The page as a person uses it: real Chromium, the real app, the bundled models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.models]

WAIT_MS = 120_000  # loading models on a busy machine; nothing is expected to take this long
CURSOR, AVATAR = " ▌", "support_agent"  # what the page draws after a text that grows, and before it
QUESTION = "How many days do I have to return an item?"

FIRST = """# Lantern & Loom returns

## Return window

You have 45 days from delivery to return an item.

## Refunds

We refund the original payment method once the parcel has been checked.
"""
SECOND = FIRST.replace("45 days", "21 days")
# Markup goes out of Markdown text; in code it is text, and has to stay text on the page.
_SCRIPT = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
HOSTILE = f"{FIRST}\n\n{_SCRIPT}\n\n`{_SCRIPT}`\n"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The bot's page in a session of its own, ready to answer; it may reach nothing but the app."""
    context = browser.new_context(viewport={"width": 1440, "height": 950})
    outside: list[str] = []
    context.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:", address.replace("http", "ws")))
            else outside.append(request.url)
        ),
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{address}/return_policy")
    expect(page.locator(".st-key-swap_summary")).to_contain_text("passages indexed in", timeout=WAIT_MS)
    yield page
    context.close()
    assert not outside, "the page asked another host"


def upload(page: Page, name: str, text: str) -> None:
    """Replace the policy by a file and wait until it answers."""
    page.get_by_role("tab", name="Replace").click()
    page.get_by_role("radio", name="Upload").click()
    page.locator(".st-key-policy_upload input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/markdown", "buffer": text.encode()}
    )


def ask(page: Page, question: str) -> None:
    page.locator(".st-key-chat_input textarea").fill(question)
    page.keyboard.press("Enter")


def answered(page: Page, number: int) -> str:
    """Wait for the stamp of the ``number``-th answer and return the latest answer's text."""
    expect(page.locator(".st-key-chat .stamp")).to_have_count(number, timeout=WAIT_MS)
    expect(page.locator(".st-key-stop button")).to_have_count(0)
    return page.locator(".st-key-answer [data-testid=stText]").first.inner_text()


def test_an_answer_grows_while_it_is_written(page: Page, address: str) -> None:
    # Prompted without a text the model writes at length; the reader's one sentence may be there at once.
    page.goto(f"{address}/return_policy?mode=no_text")
    expect(page.locator(".st-key-swap_summary")).to_contain_text("passages indexed in", timeout=WAIT_MS)
    # The texts that the chat shows while the answer comes in.
    page.evaluate(
        """() => {
            window.seen = [];
            const look = () => {
                const text = document.querySelector(".st-key-chat")?.innerText ?? "";
                if (window.seen.at(-1) !== text) window.seen.push(text);
            };
            new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    ask(page, "Explain every step of a return in detail, from packing the parcel to the refund.")
    answer = answered(page, 1)
    growing = [
        text.partition(CURSOR)[0].rpartition(AVATAR)[2].strip()
        for text in page.evaluate("window.seen")
        if CURSOR in text
    ]
    assert len(set(growing)) >= 2, "the answer was not streamed"
    assert all(answer.startswith(text) for text in growing)


def test_ask_swap_ask_again_roll_back(page: Page) -> None:
    upload(page, "lantern.md", FIRST)
    summary, stamp = page.locator(".st-key-swap_summary"), page.locator(".st-key-stamp")
    expect(summary).to_contain_text("Version 2")
    expect(summary).to_contain_text("no weights changed")

    ask(page, QUESTION)
    first = answered(page, 1)
    assert "45" in first

    page.get_by_role("tab", name="Policy", exact=True).click()
    mark = page.locator(".st-key-policy_view mark.citation").first
    expect(mark).to_contain_text("45 days from delivery")
    expect(mark).to_be_in_viewport()
    expect(stamp).to_contain_text("version 2")
    old_stamp = stamp.text_content() or ""

    upload(page, "lantern.md", SECOND)
    expect(summary).to_contain_text("Version 3")
    ask(page, QUESTION)
    second = answered(page, 2)
    assert "21" in second and "45" not in second
    expect(stamp).to_contain_text("version 3")
    assert stamp.text_content() != old_stamp

    page.get_by_role("tab", name="Versions", exact=True).click()
    expect(page.locator(".st-key-version_list .version")).to_have_count(3)
    page.locator(".st-key-rollback_2 button").click()
    expect(page.locator(".st-key-version_list .version").nth(1)).to_contain_text("answers now")
    page.locator(".st-key-new_conversation button").click()
    expect(page.locator(".st-key-chat .stamp")).to_have_count(0)
    ask(page, QUESTION)
    assert answered(page, 1) == first
    expect(stamp).to_have_text(old_stamp)

    # Files are made when their button is clicked, outside of the session: what is on the screen is in them.
    with page.expect_download() as download:
        page.locator(".st-key-download_html button").click()
    assert QUESTION in Path(download.value.path()).read_text(encoding="utf-8")
    page.locator(".st-key-recordings button").first.click()
    with page.expect_download() as download:
        page.locator(".st-key-recording_save button").click()
    recorded = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert [turn["question"] for turn in recorded["turns"]] == [QUESTION]


def test_a_policy_cannot_run_anything(page: Page) -> None:
    upload(page, "hostile.md", HOSTILE)
    expect(page.locator(".st-key-swap_summary")).to_contain_text("Version 2")
    page.get_by_role("tab", name="Policy", exact=True).click()
    expect(page.locator(".st-key-policy_view")).to_contain_text("<script>")
    assert page.locator(".st-key-policy_view img, .st-key-policy_view script").count() == 0
    assert page.title() != "owned"


def test_a_bad_file_leaves_the_old_policy_answering(page: Page) -> None:
    upload(page, "empty.pdf", "")
    expect(page.locator(".st-key-swap_summary")).to_contain_text("empty")
    page.get_by_role("tab", name="Versions", exact=True).click()
    expect(page.locator(".st-key-version_list .version")).to_have_count(1)
    expect(page.locator(".st-key-version_list .version")).to_contain_text("answers now")


def test_stop_stops(page: Page) -> None:
    page.get_by_role("radio", name="Whole document").click()
    ask(page, "List everything that the policy says, one rule after another, in full.")
    page.locator(".st-key-stop button").click()
    expect(page.locator(".st-key-answer")).to_contain_text("Stopped")
    expect(page.locator(".st-key-stop button")).to_have_count(0)


def test_home_is_clear_and_leads_to_the_bot(browser: Browser, address: str) -> None:
    for width in (1440, 420):
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(address)
        page.get_by_text("A demo in five minutes").wait_for()
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"the page is {overflow} px wider than a window of {width}"
        page.get_by_role("link", name="Open the return-policy bot").click()
        page.get_by_role("heading", name="Return-policy bot").wait_for()
        expect(page.locator(".st-key-swap_summary")).to_contain_text("passages indexed in", timeout=WAIT_MS)
        context.close()
