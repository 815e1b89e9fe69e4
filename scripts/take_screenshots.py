"""Take the screenshots of the README: start the app, drive it in Chromium with the bundled models, save PNG files.

    python scripts/take_screenshots.py [--out docs/screenshots] [--browser /usr/bin/chromium]

What is shown is what the bundled model answers, right or wrong. The app runs on a free port with an empty home folder,
so that nobody's settings, keys or secrets are in a picture; only the model cache is the usual one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from playground.models.bundled import CACHE_VARIABLE, cache_folder, ensure_all
from playground.paths import ROOT

QUESTION = "How long do I have to return something?"
_START_TIMEOUT_S = 60
_STEP_TIMEOUT_MS = 120_000
_SETTLE_MS = 900  # charts, fonts and scrolling
_HIGHEST_PX = 2_600
_COMPARISON_SECTIONS = (
    *("Overview", "Time and tokens", "By policy or label", "Break-even"),
    *("Learning and change", "Examples", "The article", "Which one?"),
)


def main() -> None:
    """Take all screenshots; the files present before are replaced."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--browser", default=shutil.which("chromium"), help="Chromium; default: the one on the path")
    parser.add_argument(
        "--only", choices=("bot", "contracts", "comparison"), help="one scenario's screenshots (default: all)"
    )
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    ensure_all()
    with _app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.browser, args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": 1440, "height": 900},
                color_scheme=scheme,
            )
            for name, tour in (("bot", _tour), ("contracts", _tour_contracts), ("comparison", _tour_comparison)):
                if arguments.only in (None, name):
                    tour(context.new_page(), address, arguments.out, scheme)
            context.close()
        narrow = browser.new_context(viewport={"width": 420, "height": 900}, color_scheme="light")
        if arguments.only in (None, "bot"):
            _narrow(narrow.new_page(), address, arguments.out)
        browser.close()
    for path in sorted(arguments.out.glob("*.png")):
        print(f"{path.stat().st_size / 1000:6.0f} kB  {path.name}")


@contextmanager
def _app() -> Iterator[str]:
    """Run the app until the block ends; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        environment = kept | {"HOME": home, "USERPROFILE": home, CACHE_VARIABLE: str(cache_folder())}
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += ["--server.port", str(port), "--server.headless", "true"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit("The app ended before it was up. Run `streamlit run app.py` to see why.")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"The app was not up after {_START_TIMEOUT_S} s.")


def _tour(page: Page, address: str, out: Path, scheme: str) -> None:
    page.set_default_timeout(_STEP_TIMEOUT_MS)

    def shoot(name: str) -> None:
        page.wait_for_timeout(_SETTLE_MS)
        page.screenshot(path=out / f"{name}-{scheme}.png")

    page.goto(address)
    page.get_by_text("Models on this machine").wait_for()
    shoot("home")

    page.goto(f"{address}/return_policy")
    page.get_by_text("Version 1: ").wait_for()
    page.wait_for_timeout(_SETTLE_MS)
    page.get_by_text("Loading").wait_for(state="detached")
    shoot("bot-first-screen")

    _ask(page, QUESTION, answers=1)
    shoot("bot-answer")
    page.get_by_text("Exact messages").click()
    page.get_by_role("tab", name="What the model saw").scroll_into_view_if_needed()
    _scroll_to(page, "What the model saw")
    shoot("what-the-model-saw")

    page.get_by_role("tab", name="Replace").click()
    page.locator(".st-key-policy_load_sample button").click()
    page.get_by_text("Version 2: ").wait_for()
    page.get_by_role("tab", name="Policy", exact=True).click()
    _ask(page, QUESTION, answers=2)
    _scroll_to(page, "Policy")
    shoot("bot-after-swap")

    page.get_by_role("tab", name="Compare versions").click()
    page.locator(".st-key-ask_both button").click()
    page.locator(".st-key-both_answers_versions .stamp").nth(1).wait_for(state="attached")
    _scroll_to(page, "Compare versions")
    shoot("compare-versions")


def _tour_contracts(page: Page, address: str, out: Path, scheme: str) -> None:
    page.set_default_timeout(_STEP_TIMEOUT_MS)
    page.goto(f"{address}/contract_clauses?contract=services-agreement.pdf")
    page.get_by_text("of its flags are right").wait_for()
    page.get_by_text("Looking for similar").first.wait_for(state="detached")
    page.locator(".st-key-contract_panel").get_by_role("button", name="Jump").first.click()
    page.wait_for_timeout(_SETTLE_MS)
    page.screenshot(path=out / f"contract-flags-{scheme}.png")
    page.goto(f"{address}/training")
    page.get_by_role("button", name="Start training").wait_for()
    page.wait_for_timeout(_SETTLE_MS)
    page.screenshot(path=out / f"training-{scheme}.png")


def _tour_comparison(page: Page, address: str, out: Path, scheme: str) -> None:
    page.set_default_timeout(_STEP_TIMEOUT_MS)
    for scenario in ("A return policy", "B contract clauses"):
        for section in _COMPARISON_SECTIONS:
            page.set_viewport_size({"width": 1440, "height": 900})
            page.goto(f"{address}/comparison?scenario={quote(scenario)}&section={quote(section)}")
            page.locator(".st-key-comparison_stamp").wait_for()
            page.get_by_role("button", name="Report (HTML)").or_(page.get_by_text("No run of this scenario")).wait_for()
            page.wait_for_timeout(_SETTLE_MS)
            height = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
            page.set_viewport_size({"width": 1440, "height": min(max(height + 40, 900), _HIGHEST_PX)})
            page.wait_for_timeout(_SETTLE_MS)
            words = section.lower().replace("?", "").replace(" ", "-")
            page.screenshot(path=out / f"comparison-{scenario[0].lower()}-{words}-{scheme}.png")


def _ask(page: Page, question: str, *, answers: int) -> None:
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelectorAll('.st-key-chat .stamp').length === {answers}")


def _scroll_to(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab, exact=True).evaluate(
        """tab => {
            const main = document.querySelector('[data-testid="stMain"]');
            main.scrollTo({top: main.scrollTop + tab.getBoundingClientRect().top - 24});
        }"""
        if tab != "Policy"
        else "() => document.querySelector('[data-testid=\"stMain\"]').scrollTo({top: 0})"
    )


def _narrow(page: Page, address: str, out: Path) -> None:
    page.set_default_timeout(_STEP_TIMEOUT_MS)
    page.goto(f"{address}/return_policy")
    page.get_by_text("Version 1: ").wait_for()
    _ask(page, QUESTION, answers=1)
    page.wait_for_timeout(_SETTLE_MS)
    page.screenshot(path=out / "bot-answer-narrow.png")


if __name__ == "__main__":
    main()
