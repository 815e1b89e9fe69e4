"""Measure detectors of prompt injection from PyPI on the sets that the project's own warning is measured on.

    pip install --target FOLDER pyatr==0.3.1 prompt-shield-ai==0.8.1     (or --no-deps, and what they ask for)
    PYTHONPATH=FOLDER python -m scripts.compare_injection_detectors

Each is used as its documentation says, with its defaults, one sentence at a time; a policy is warned of when one of its
sentences is. Only what works without a model from a hub can be measured: prompt-shield-ai without its classifier. What
is not installed is left out.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from functools import cache

from scripts.train_instruction_warning import NEWEST, SENTENCES, TESTS, invented, lines, report, sentences_of

Detector = Callable[[str], bool]


def pyatr() -> Detector:
    """Return the rules of Agent Threat Rules, as ``pyatr.scan`` applies them to what a user says."""
    scan = importlib.import_module("pyatr").scan
    return lambda text: bool(scan(text))


def prompt_shield() -> Detector:
    """Return prompt-shield's pattern detectors, without its classifier and its vault, which need models of a hub."""
    engine = importlib.import_module("prompt_shield.engine")
    off = {"enabled": False}
    detectors = {"d021_vault_similarity": off, "d022_semantic_classifier": off}
    settings = {"prompt_shield": {"vault": off, "feedback": off, "detectors": detectors}}
    shield = engine.PromptShieldEngine(config_dict=settings, data_dir=tempfile.mkdtemp())
    return lambda text: str(shield.scan(text).action.value) in ("block", "flag")


def main() -> None:
    """Print for each detector how many of each set it warns of."""
    policies = [sentences_of(policy) for policy in invented("measured", 2)]
    for name, load in (("pyatr", pyatr), ("prompt-shield-ai", prompt_shield)):
        try:
            warns = cache(load())
        except ImportError as error:
            print(f"{name}: left out ({error})")
            continue
        report(f"{name}: {NEWEST}", [warns(text) for text in lines(SENTENCES / NEWEST)])
        report(f"{name}: ordinary.txt (honest)", [warns(text) for text in lines(TESTS / "ordinary.txt")])
        report(f"{name}: invented policies (honest)", [any(map(warns, policy)) for policy in policies])


if __name__ == "__main__":
    main()
