"""The comparison page as a person uses it: real Chromium, the real app, the bundled models, the shipped runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.models]

WAIT_MS = 240_000  # loading models and six answers on a busy machine; nothing is expected to take this long
CHART = ".st-key-chart_accuracy-cost .js-plotly-plot"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page in a session of its own; it may reach nothing but the app."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    outside: list[str] = []
    allowed = (address, "data:", "blob:", address.replace("http", "ws"))
    context.on("request", lambda request: None if request.url.startswith(allowed) else outside.append(request.url))
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{address}/comparison")
    expect(page.locator(CHART)).to_be_visible(timeout=WAIT_MS)
    yield page
    context.close()
    assert not outside, "the page asked another host"


def legend(page: Page) -> list[str]:
    """Return the names on the chart of accuracy against cost."""
    return page.locator(f"{CHART} .legendtext").all_text_contents()


def test_open_measure_one_cell_download_the_report_and_read_it_offline(
    page: Page, browser: Browser, tmp_path: Path
) -> None:
    before = legend(page)
    assert "No text" in before and not any("here" in name for name in before)
    expect(page.locator(".st-key-comparison_stamp")).to_contain_text("recorded")

    page.locator(".st-key-measure_return_policy_no-text button:visible").click()
    status = page.locator(".st-key-comparison_status")
    expect(status).to_contain_text("Measured 6 of 6 rows", timeout=WAIT_MS)
    expect(page.locator(f"{CHART} .legendtext", has_text="here")).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator(f"{CHART} .legendtext")).to_have_count(len(before) + 1, timeout=WAIT_MS)
    expect(page.locator(".st-key-comparison_stamp")).to_contain_text("measured here")
    expect(page.locator(".st-key-comparison_table")).to_contain_text("answers identical")

    with page.expect_download(timeout=WAIT_MS) as download:
        page.locator(".st-key-comparison_download_html button").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)

    offline = browser.new_context(offline=True)
    asked: list[str] = []
    offline.on("request", lambda request: asked.append(request.url))
    reader = offline.new_page()
    reader.goto(report.as_uri())
    expect(reader.locator(".chart .main-svg").first).to_be_visible(timeout=WAIT_MS)
    assert reader.locator(".chart .js-plotly-plot, .chart.js-plotly-plot").count() >= 4
    expect(reader.locator("table.measured")).to_contain_text("measured here and now")
    expect(reader.locator("table.measured")).to_contain_text("recorded run")
    offline.close()
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


def test_the_address_opens_the_same_comparison(page: Page, browser: Browser) -> None:
    page.get_by_text("latency", exact=True).click()
    expect(page.locator(f"{CHART} .xtitle", has_text="median seconds per question")).to_have_count(1, timeout=WAIT_MS)
    expect(page).to_have_url(re.compile("across=latency"), timeout=WAIT_MS)

    other = browser.new_context(viewport={"width": 1440, "height": 1000})
    second = other.new_page()
    second.set_default_timeout(WAIT_MS)
    second.goto(page.url)
    expect(second.locator(f"{CHART} .xtitle")).to_have_text("median seconds per question", timeout=WAIT_MS)
    other.close()


def test_a_narrow_screen_scrolls_in_one_direction_only(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 420, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{address}/comparison")
    expect(page.locator(CHART)).to_be_visible(timeout=WAIT_MS)
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    context.close()
    assert width <= 420
