"""Every page for everybody: axe-core finds nothing on any page or main state, by day and by night.

WCAG 2.2 A and AA and axe's best practices. One browser and one app serve all pages; what axe cannot know is looked at
beside it: the focus in sight, no movement for who asked for none, a box that the keyboard scrolls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.models]

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    # No rule of WCAG: Streamlit's own place for files is called a presentation and can take the focus.
    "rules": {"presentation-role-conflict": {"enabled": False}},
}
WAIT_MS = 300_000  # loading models on a busy machine; nothing is expected to take this long
SETTLED = """() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true], [data-testid=stSkeleton]')
  && [...document.querySelectorAll('[data-testid=stDataFrame]')].every(
    one => !one.checkVisibility() || one.querySelector('th'))
  && document.getAnimations().every(one => one.playState !== 'running')"""


SMALLEST_PX = """() => {
  const texts = document.createTreeWalker(document.querySelector('[data-testid=stMain]'), NodeFilter.SHOW_TEXT);
  let smallest = Infinity;
  while (texts.nextNode()) {
    const box = texts.currentNode.parentElement;
    const {width, height} = box.getBoundingClientRect();
    const seen = texts.currentNode.textContent.trim() && width > 2 && height > 2;
    if (seen && !box.closest('[data-testid=stIconMaterial], svg')) {
      smallest = Math.min(smallest, parseFloat(getComputedStyle(box).fontSize));
    }
  }
  return smallest;
}"""


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A session of its own, in each theme, for somebody who wants no movement."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 950}, color_scheme=request.param, reduced_motion="reduce", base_url=address
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


def violations(page: Page) -> list[str]:
    """Return what axe finds on the page as it is: rule, element, and of colours the two and their contrast."""
    page.wait_for_function(SETTLED)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", RULES)
    assert found["passes"], "axe looked at nothing"
    lines = []
    for rule in found["violations"]:
        for node in rule["nodes"]:
            seen = [check["data"] for check in node["any"] if isinstance(check["data"], dict)]
            colours = [f"{d['fgColor']} on {d['bgColor']}: {d['contrastRatio']}" for d in seen if "contrastRatio" in d]
            lines.append(f"{rule['id']}: {node['html'][:200]} {colours}")
    return lines


def test_home_and_the_bot_are_for_everybody(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_text("Models on this machine")).to_be_visible(timeout=WAIT_MS)
    assert not violations(page)

    page.goto("/return_policy")
    expect(page.locator(".st-key-swap_summary")).to_contain_text("passages indexed in", timeout=WAIT_MS)
    assert not violations(page)
    page.locator(".st-key-chat_input textarea").fill("How many days do I have to return an item?")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-chat .stamp")).to_have_count(1, timeout=WAIT_MS)
    assert not violations(page)
    for tab in ("Replace", "Versions", "Passages found", "Prompting against LoRA", "Compare versions"):
        page.get_by_role("tab", name=tab, exact=True).click()
        assert not violations(page), tab
    page.get_by_role("button", name="Settings").click()
    assert not violations(page)
    page.keyboard.press("Escape")

    # A reload loses nothing.
    page.reload()
    expect(page.locator(".st-key-chat .stamp")).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator(".st-key-swap_summary")).to_contain_text("are back", timeout=WAIT_MS)

    text = page.get_by_role("region", name="The policy text")
    text.focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    box = page.locator(".st-key-policy_view")
    box.evaluate("box => box.scrollTo(0, 0)")
    page.keyboard.press("PageDown")
    page.wait_for_function("document.querySelector('.st-key-policy_view').scrollTop > 0")
    assert page.locator(".st-key-policy_view [role=heading]").count() > 3
    assert float(page.evaluate("parseFloat(getComputedStyle(document.body).transitionDuration)")) <= 0.001

    page.goto("/return_policy?present=1")
    expect(page.locator(".st-key-presenter_next button")).to_be_visible(timeout=WAIT_MS)
    page.locator(".st-key-every_technique summary").click()
    assert not violations(page)
    small = page.evaluate(SMALLEST_PX)
    assert small >= 18, "the smallest text of a presentation, at 1440"


def test_the_contract_page_is_for_everybody(page: Page) -> None:
    page.goto("/contract_clauses")
    expect(page.get_by_role("heading", name="Open a contract")).to_be_visible(timeout=WAIT_MS)
    assert not violations(page)
    page.goto("/contract_clauses?contract=nda.txt")
    expect(page.locator(".st-key-contract_status")).to_contain_text("clauses, judged", timeout=WAIT_MS)
    expect(page.locator(".flag-evidence").first).to_be_attached(timeout=WAIT_MS)
    assert not violations(page)
    reject = page.locator("[class*=st-key-contract_reject] button").first
    name = reject.evaluate("button => button.innerText.replace(/\\s+/g, ' ')")
    assert name.split("Reject ")[1], "a button that says only Reject"
    page.get_by_role("tab", name="Base against LoRA").click()
    assert not violations(page)


def test_training_and_comparison_are_for_everybody(page: Page) -> None:
    page.goto("/training")
    expect(page.get_by_role("button", name="Start training")).to_be_visible(timeout=WAIT_MS)
    assert not violations(page)
    for tab in ("Compare", "Import"):
        page.get_by_role("tab", name=tab, exact=True).click()
        assert not violations(page), tab
    page.goto("/comparison")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=WAIT_MS)
    assert not violations(page)
    for section, shown in (
        ("The article", ".article-title"),
        ("Which one?", ".verdict"),
        ("Examples", "table, [data-testid=stDataFrame], .example"),
    ):
        page.get_by_role("radio", name=section).click()
        expect(page.locator(shown).first).to_be_attached(timeout=WAIT_MS)
        assert not violations(page), section
