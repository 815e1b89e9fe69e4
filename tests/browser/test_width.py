"""No page is wider than the window: on a small laptop, at 200 % zoom, and on a telephone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_access import SETTLED

pytestmark = [pytest.mark.browser, pytest.mark.models]

WAIT_MS = 300_000  # loading models on a busy machine; nothing is expected to take this long
WIDTHS = (1024, 720, 420)
"""In CSS pixels: 720 is what a window of 1440 has at 200 % zoom."""
PAGES = {
    "/": "[data-testid=stMain] table.models",
    "/return_policy": ".st-key-policy_view .policy",
    "/contract_clauses?contract=nda.txt": ".st-key-contract_text mark",
    "/bulk": "[data-testid=stMain] h1",
    "/training": ".st-key-training_start, [data-testid=stMain] table, [data-testid=stMain] [data-testid=stDataFrame]",
    "/comparison": ".js-plotly-plot .bars",
    "/comparison?scenario=B+contract+clauses": ".js-plotly-plot .bars",
    "/limits": ".js-plotly-plot .main-svg",
}
STICKING_OUT = """() => {
  const wide = document.documentElement.clientWidth, main = document.querySelector('[data-testid=stMain]');
  const clipped = element => {
    for (let box = element.parentElement; box && box !== main; box = box.parentElement) {
      if (getComputedStyle(box).overflowX !== 'visible') return true;
    }
    return false;
  };
  const out = [...main.querySelectorAll('*')].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width > 2 && box.height > 2 && box.right > wide + 1 && element.checkVisibility() && !clipped(element);
  }).map(element => `${element.tagName} ${element.className} to ${element.getBoundingClientRect().right}`);
  if (document.documentElement.scrollWidth > wide) out.push('the page scrolls sideways');
  if (main.scrollWidth > main.clientWidth) out.push('its main part scrolls sideways');
  return out.slice(0, 5);
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """One session for all pages."""
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 900}, base_url=address)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_the_window(page: Page, path: str) -> None:
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.goto(path)
    expect(page.locator(PAGES[path]).first).to_be_attached(timeout=WAIT_MS)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)  # plots and tables follow the window a moment later
        page.wait_for_function(SETTLED)
        assert page.evaluate(STICKING_OUT) == [], width


def test_a_box_that_sticks_out_is_seen(page: Page) -> None:
    page.goto("/bulk")
    expect(page.locator("h1")).to_be_visible()
    page.evaluate(
        "document.querySelector('h1').insertAdjacentHTML('afterend', '<div style=\"width: 3000px\">wide</div>')"
    )
    assert any("DIV" in line for line in page.evaluate(STICKING_OUT))
