"""Measure how long the script of each page takes, against that of an empty Streamlit page.

    python -m scripts.measure_page_scripts --out docs/evaluation/page_scripts.json

Every page is opened once, so that models and files are there, and then drawn again: the empty page and each page take
turns in one process, and each round gives a ratio. What is told is the median ratio with the lowest and highest. The
pages run as they are without a browser (``streamlit.testing``); what the browser draws is not in it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest

from playground.machine import commit, describe_machine, utc_now
from playground.paths import ROOT

PAGES = ("app.py", *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py")))
_OPENING_S = 300
_EMPTY_RUNS = 5
"""Runs of the empty page in a round: one is too short for the clock of a busy machine."""


def seconds(run: Callable[[], object]) -> float:
    """Return how long ``run`` takes, in seconds."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def opened(page: str) -> AppTest:
    """Return a page that was opened and drawn.

    Raises:
        RuntimeError: its script failed.
    """
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=_OPENING_S)
    if page != "app.py":
        app.switch_page(page)
    app.run()
    if app.exception:
        raise RuntimeError(f"{page} failed: {app.exception[0].message}")
    return app


def measure(pages: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Return for each page its median seconds, and its ratio to an empty page: median, lowest and highest."""
    empty = AppTest.from_string("import streamlit", default_timeout=_OPENING_S)
    empty.run()
    apps = {page: opened(page) for page in pages}
    for app in apps.values():
        app.run()  # what only a second run fills is there as well
    taken: dict[str, list[tuple[float, float]]] = {page: [] for page in pages}
    for _round in range(rounds):
        for page, app in apps.items():
            nothing = seconds(lambda: [empty.run() for _ in range(_EMPTY_RUNS)]) / _EMPTY_RUNS
            taken[page].append((seconds(app.run), nothing))
    found = {}
    for page, pairs in taken.items():
        ratios = [own / nothing for own, nothing in pairs]
        found[page] = {
            "seconds": statistics.median(own for own, _nothing in pairs),
            "empty_seconds": statistics.median(nothing for _own, nothing in pairs),
            "ratio": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
        }
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the pages, print and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES), metavar="PAGE")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    pages = measure(options.pages, options.rounds)
    for page, figures in pages.items():
        spread = f"{figures['lowest']:.1f} to {figures['highest']:.1f}"
        print(f"{page}: {figures['ratio']:.1f} times an empty page ({spread}), {figures['seconds'] * 1000:.0f} ms")
    if options.out:
        row = {
            "measured_at": utc_now(),
            "machine": describe_machine().label,
            "commit": commit(),
            "rounds": options.rounds,
            "pages": pages,
        }
        options.out.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
