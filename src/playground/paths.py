"""Where the project's own files stand: the sample data, the shipped adapters and the recorded runs.

What a user makes goes elsewhere: adapters to ``playground.adapters.default_root``, models to the cache folder of
``playground.models.bundled``.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
SCENARIOS = ROOT / "scenarios"
DATA = ROOT / "data"

POLICIES = DATA / "policies"
POLICIES_KEPT_ASIDE = DATA / "policies_kept_aside"
CONTRACTS = DATA / "contracts"
JUDGED_SAMPLES = CONTRACTS / "judged.json"
CLAUSES = DATA / "clauses"
PLAIN_CLAUSES = DATA / "plain_clauses"
SHIPPED_ADAPTERS = DATA / "adapters"
RECORDED_RUNS = DATA / "runs"
