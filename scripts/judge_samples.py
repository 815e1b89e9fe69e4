"""Judge the sample contracts with the flagger that ships and store what it says, so that the app opens them at once.

    python scripts/judge_samples.py [--adapter NAME]

Writes data/contracts/judged.json: by adapter, by the hash of a contract's clauses. What is stored of adapters that are
not here any more is dropped. Run it again when a flagger, a sample or the splitting changed; until then the app judges
the sample anew, as what is stored is no longer its own.
"""

from __future__ import annotations

import argparse
import json

from playground import machine
from playground.adapters import AdapterStore, default_root
from playground.atomic import replace_file
from playground.documents import CONTRACT_LIMITS, load_document
from playground.flagging.flags import score_contract
from playground.flagging.loading import chosen_adapter, load_flagger
from playground.flagging.stored_results import clauses_sha256, stored_rows
from playground.paths import CONTRACTS, JUDGED_SAMPLES, SHIPPED_ADAPTERS
from scenarios.contract_clauses import scenario


def main() -> None:
    """Judge and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--adapter", help="default: the one that flags when nobody chose")
    arguments = parser.parse_args()
    # A store without adapters of one's own: what ships is judged with, whatever is active on this machine.
    store = AdapterStore(default_root() / "none", shipped=SHIPPED_ADAPTERS)
    active = store.active("clauses")
    adapter, _note = chosen_adapter(SHIPPED_ADAPTERS, arguments.adapter or (active.name if active else None))
    model = load_flagger(adapter)
    catalogue = {label.name: label for label in scenario.labels()}
    results = {}
    for path in sorted(CONTRACTS.iterdir()):
        # A scan is read by an engine that not every machine has: its text is not the same everywhere.
        if path.suffix not in (".pdf", ".docx", ".txt") or path.name.startswith("scan"):
            continue
        scored = score_contract(load_document(path.read_bytes(), path.name, limits=CONTRACT_LIMITS), model, catalogue)
        results[clauses_sha256(scored.clauses)] = {
            "contract": path.name,
            **stored_rows(scored, machine.utc_now(), machine.describe_machine().label),
        }
        print(f"{path.name}: {len(scored.clauses)} clauses in {scored.timings['judge_s']:.1f} s")
    kept = {}
    if JUDGED_SAMPLES.is_file():
        here = {stored.identity for stored in store.list()}
        kept = {name: row for name, row in json.loads(JUDGED_SAMPLES.read_text())["adapters"].items() if name in here}
    found = {"command": "python scripts/judge_samples.py", "adapters": {**kept, adapter.identity: results}}
    replace_file(JUDGED_SAMPLES, (json.dumps(found, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
