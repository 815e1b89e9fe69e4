"""What to expect of a technique on a new shop: what it did on the shops by which nothing was chosen.

    python -m playground evaluate return_policy --strategies rag,rag+lora --out runs/kept-aside --json \\
      --questions scenarios/return_policy/questions_kept_aside.jsonl --policies data/policies_kept_aside

wrote ``docs/evaluation/return_policy-kept-aside.json``; ``--model medium`` the file of that name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from playground.paths import ROOT
from scenarios.return_policy.caution import in_tens

MEASURED = ROOT / "docs" / "evaluation"
_FILES = "return_policy-kept-aside*.json"


@lru_cache(maxsize=1)
def new_shops() -> Mapping[tuple[str, str, str | None], str]:
    """Return what to expect, in words, by technique, model and adapter; nothing where no file is here."""
    files = sorted(MEASURED.glob(_FILES))
    rows = [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))["strategies"]]
    return {
        (row["strategy"], row["model"], row["adapter"]): (
            f"on new shops it {in_tens(row['answerable_accuracy'], row['abstention_accuracy'])} ({row['n']} questions)"
        )
        for row in rows
    }
