r"""Sum up what each level of caution did with the reader: false answers, false refusals, right answers.

    python -m playground evaluate return_policy --strategies rag+lora --abstain-at 1.01 --out runs/caution \
      --questions scenarios/return_policy/questions_kept_aside.jsonl --policies data/policies_kept_aside
    python scripts/measure_caution.py runs/caution

In that run the reader never abstains, and every row has the probability with which it would have begun to: so one run
tells what any threshold does. Prints a Markdown table and writes what the page shows beside its control.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from playground.comparison.rows import read_run_rows
from scenarios.registry import scenario_names
from scenarios.return_policy.caution import LEVELS, CautionRates, measured_file, percent, rates_at


def main() -> None:
    """Read the run, print the table and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument("--out", type=Path, help="default: the file that the page reads for that adapter")
    arguments = parser.parse_args()
    run = read_run_rows(arguments.run, scenario_names())
    rows = [row for row in run.records if row.strategy == "rag+lora"]
    adapters = {row.adapter for row in rows}
    if len(adapters) != 1:
        raise SystemExit(f"{arguments.run} has rows of {len(adapters)} adapters with rag+lora; one is needed.")
    measured = [rates_at(rows, level.abstain_at) for level in LEVELS]
    print(markdown(measured))
    (adapter,) = adapters
    content = {
        "adapter": adapter,
        "machine": rows[0].machine,
        "commit": rows[0].commit,
        "measured_at": rows[0].started_at,
        "seed": rows[0].seed,
        "levels": [as_json(rates) for rates in measured],
    }
    out = arguments.out or measured_file(str(adapter))
    out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def markdown(measured: list[CautionRates]) -> str:
    """Return a table for the terminal, in Markdown."""
    lines = [
        "| Caution | abstains from P | false answers | false refusals | right |",
        "| --- | --- | --- | --- | --- |",
    ]
    for level, rates in zip(LEVELS, measured, strict=True):
        shares = " | ".join(percent(share) for share in (rates.false_answers, rates.false_refusals, rates.right))
        lines.append(f"| {level.name} | {level.abstain_at} | {shares} |")
    return "\n".join(lines)


def as_json(rates: CautionRates) -> dict[str, object]:
    """Return a level as the file holds it: a rate is [value, low, high]."""
    return {
        name: [round(one, 4) for one in value.values()] if isinstance(value, dict) else value
        for name, value in asdict(rates).items()
    }


if __name__ == "__main__":
    main()
