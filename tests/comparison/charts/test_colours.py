"""The techniques' colours are apart for people with the common colour-vision deficiencies, and from both pages."""

from __future__ import annotations

import itertools
import re
import tomllib
from importlib import resources

import numpy as np
import pytest

from playground.comparison.charts.over_time import WAY_COLOURS
from playground.comparison.claims.stale_facts import read_stale_facts
from playground.paths import ROOT
from tests.support.evidence_samples import TECHNIQUES as STYLES

NAMES = list(STYLES)
SCENARIO_A, SCENARIO_B = NAMES[: NAMES.index("zero-shot")], NAMES[NAMES.index("zero-shot") :]
SIMULATIONS = {
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}
"""What is seen of linear RGB: Machado, Oliveira and Fernandes, 2009, "A Physiologically-based Model for Simulation of
Color Vision Deficiency", IEEE TVCG 15(6), the authors' matrices for severity 1.0."""
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
FEWEST_APART = 10.0
"""CIE Lab distance; the nearest two of Scenario B's ten reach 10.6."""


def linear_rgb(colour: str) -> np.ndarray:
    """Return linear RGB of a colour in sRGB (IEC 61966-2-1), float [3] in [0, 1]."""
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(linear: np.ndarray) -> np.ndarray:
    """Return CIE 1976 L*a*b* of linear RGB under D65, float [3]."""
    ratios = XYZ @ linear.clip(0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), ratios / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(first: str, second: str, simulation: str) -> float:
    """Return how far two colours are apart in CIE Lab as a dichromat sees them.

    The matrices work on linear RGB and are Machado's (2009), see ``SIMULATIONS``.
    """
    matrix = np.array(SIMULATIONS[simulation])
    one, other = (lab(matrix @ linear_rgb(colour)) for colour in (first, second))
    return float(np.linalg.norm(one - other))


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted(float(XYZ[1] @ linear_rgb(colour)) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


def test_the_simulation_finds_two_colours_that_only_look_different() -> None:
    assert distance("#b8860b", "#d55e00", "deuteranopia") == pytest.approx(3.2, abs=0.05)
    assert distance("#000000", "#ffffff", "protanopia") == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("simulation", SIMULATIONS)
@pytest.mark.parametrize("names", [SCENARIO_A, SCENARIO_B], ids=["A", "B"])
def test_techniques_of_a_scenario_stay_apart_without_red_and_green(names: list[str], simulation: str) -> None:
    apart = {
        pair: distance(STYLES[pair[0]].colour, STYLES[pair[1]].colour, simulation)
        for pair in itertools.combinations(names, 2)
    }
    nearest = min(apart, key=lambda pair: apart[pair])
    assert apart[nearest] >= FEWEST_APART, nearest


def test_the_charts_over_time_use_techniques_of_one_scenario() -> None:
    stale = read_stale_facts(ROOT / "data" / "runs" / "stale_facts.json")
    assert stale is not None
    assert {one.strategy for one in stale.figures} <= set(SCENARIO_A)
    assert {"prompting": STYLES["rag"].colour, "fine-tuning": STYLES["lora"].colour} == WAY_COLOURS


def test_every_colour_stands_out_from_the_light_and_the_dark_page() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    pages = [theme[kind]["backgroundColor"] for kind in ("light", "dark")]
    style = resources.files("playground.comparison.report") / "templates" / "report.css"
    pages += re.findall(r"--page:(#\w{6})\b", style.read_text(encoding="utf-8"))
    assert len(pages) == 3  # the report's white is written #fff, the same as the light page
    for name, style in STYLES.items():
        for page in pages:
            assert contrast(style.colour, page) >= 3, (name, page)
