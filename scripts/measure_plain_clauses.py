r"""Measure flaggers, the rules beside them and both together on clauses as people type them, kept aside from training.

    python scripts/measure_plain_clauses.py
    python scripts/measure_plain_clauses.py --contracts cuad-split/test.json --runs runs/cuad-mpnet runs/cuad-minilm

The clauses are data/plain_clauses/kept-aside.jsonl: no flagger was trained or calibrated on them, and no rule was
revised by them. Each clause is judged alone, at the thresholds that the adapter came with. What is counted:

- **found**: of the pairs of a clause and a label that it carries, those that are flagged;
- **clauses found**: of the clauses with a label, those flagged with one of their labels at least;
- **false marks**: of the clauses without a label, those that are flagged at all;
- **right**: of all flags, those whose clause carries the label.

With ``--contracts`` (CUAD's JSON) and ``--runs`` (what ``evaluate contract_clauses --contracts`` of the same file
wrote), the rules are counted on whole contracts: alone, and what they add to each run. Annotators of CUAD passed over
some of what rules find, so "right" is a lower bound there. Intervals are Wilson's, at 95 %.

Prints a table and writes docs/evaluation/plain_clauses.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from playground import paths
from playground.annotations import read_annotations
from playground.annotations.gold import gold_matrix
from playground.flagging.loading import chosen_adapter, load_flagger
from playground.flagging.rules import RULES, labels_by_rule
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.estimates import proportion
from playground.measuring.runs import read_records, read_run
from playground.types import AnnotatedClause
from scenarios.contract_clauses.judges import expanded, model_judge
from scenarios.contract_clauses.measured_contracts import LABELS, contract_of, load_measured_set
from scenarios.contract_clauses.scenario import liability_labels

OUT = paths.ROOT / "docs" / "evaluation" / "plain_clauses.json"
Counts = dict[str, object]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapters", nargs="*", default=["cuad-mpnet", "cuad-minilm"])
    parser.add_argument("--contracts", type=Path, help="CUAD's JSON, for the rules on whole contracts")
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="folders of runs on these contracts")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    path = paths.PLAIN_CLAUSES / "kept-aside.jsonl"
    clauses = read_annotations(path.read_bytes(), path.name, LABELS).examples
    styles = [json.loads(line)["style"] for line in path.read_text(encoding="utf-8").splitlines()]
    gold, by_rule = gold_matrix(clauses, LABELS), rule_matrix(clauses)
    found: dict[str, object] = {
        "command": "python scripts/measure_plain_clauses.py",
        "machine": describe_machine().label,
        "commit": commit(),
        "measured_at": utc_now(),
        "clauses": len(clauses),
        "rules": len(RULES),
        "rules_alone": by_scope(by_rule, gold),
    }
    show("rules alone", found["rules_alone"])
    for name in arguments.adapters:
        stored, _note = chosen_adapter(paths.SHIPPED_ADAPTERS, name)
        judge = model_judge(load_flagger(stored))
        flagged = judge.probabilities(clauses) >= judge.thresholds
        both = flagged | by_rule
        found[name] = {
            "adapter": stored.identity,
            "model": by_scope(flagged, gold),
            "model_and_rules": by_scope(both, gold),
            "by_style": {
                style: counts(both[chosen], gold[chosen])
                for style in sorted(set(styles))
                if (chosen := np.array([one == style for one in styles])).any()
            },
            "by_label": {
                label: {"clauses": int(gold[:, column].sum()), "found": int((both & gold)[:, column].sum())}
                for column, label in enumerate(LABELS)
                if gold[:, column].any()
            },
        }
        show(f"{name}, model", found[name]["model"])  # type: ignore[index]
        show(f"{name}, model and rules", found[name]["model_and_rules"])  # type: ignore[index]
    if arguments.contracts:
        found["contracts"] = on_contracts(arguments.contracts, arguments.runs)
    arguments.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {arguments.out}")


def rule_matrix(clauses: Sequence[AnnotatedClause]) -> np.ndarray:
    """Return which labels the rules give which clauses, bool [clauses, LABELS]."""
    by_clause = [labels_by_rule(clause.text) for clause in clauses]
    return np.array([[name in found for name in LABELS] for found in by_clause], dtype=bool).reshape(-1, len(LABELS))


def by_scope(flagged: np.ndarray, gold: np.ndarray) -> dict[str, Counts]:
    """Return the counts over all labels and over the liabilities, which are what the page shows by default."""
    liabilities = np.array([name in liability_labels() for name in LABELS])
    return {"all_labels": counts(flagged, gold), "liabilities": counts(flagged & liabilities, gold & liabilities)}


def counts(flagged: np.ndarray, gold: np.ndarray) -> Counts:
    """Return rates with intervals; both arguments are bool [clauses, labels]."""
    carries, any_right = gold.any(axis=1), (flagged & gold).any(axis=1)
    rates = {
        "found": (int((flagged & gold).sum()), int(gold.sum())),
        "clauses_found": (int(any_right.sum()), int(carries.sum())),
        "false_marks": (int((flagged.any(axis=1) & ~carries).sum()), int((~carries).sum())),
        "right": (int((flagged & gold).sum()), int(flagged.sum())),
    }
    return {name: {"n": n, "of": of, "rate": _rate(n, of)} for name, (n, of) in rates.items()}


def on_contracts(path: Path, runs: Sequence[Path]) -> dict[str, object]:
    """Return the rules on whole contracts, alone and with the flags of runs on the same contracts."""
    measured = load_measured_set(path, None, 0)
    contracts = {example.id: contract_of(example) for example in measured.examples}
    by_rule = {title: rule_matrix(contract.clauses) for title, contract in contracts.items()}
    gold = np.concatenate([contract.gold for contract in contracts.values()])
    alone = np.concatenate(list(by_rule.values()))
    covered = np.array([any(rule.label == name for rule in RULES) for name in LABELS])
    found: dict[str, object] = {
        "name": measured.name,
        "sha256": measured.sha256,
        "contracts": len(contracts),
        "rules_alone": counts(alone, gold & covered),
        "by_rule_label": {
            name: {"flags": int(alone[:, column].sum()), "right": int((alone & gold)[:, column].sum())}
            for column, name in enumerate(LABELS)
            if alone[:, column].any()
        },
    }
    print(f"rules alone on {len(contracts)} contracts: {json.dumps(found['rules_alone'])}")
    for folder in runs:
        rows = {row.example_id: row for row in read_records(folder) if row.strategy == "lora" and row.prediction}
        parts = []
        for title, contract in contracts.items():
            detail = rows[title].prediction.detail  # type: ignore[union-attr]
            scores = expanded(detail["scores"], len(contract.clauses))  # type: ignore[arg-type]
            parts.append(scores >= np.asarray(detail["thresholds"], dtype=float))
        flagged = np.concatenate(parts)
        found[folder.name] = {
            "run_id": read_run(folder).run_id,
            "model": counts(flagged, gold),
            "model_and_rules": counts(flagged | alone, gold),
            "added_by_rules": counts(alone & ~flagged, gold & covered)["right"],
        }
        print(f"{folder.name}: {json.dumps(found[folder.name])}")
    return found


def show(name: str, scopes: object) -> None:
    """Print the rates of one judge, a line a scope."""
    if not isinstance(scopes, dict):
        raise TypeError("scopes")
    for scope, rates in scopes.items():
        said = ", ".join(f"{key} {one['n']}/{one['of']}" for key, one in rates.items())
        print(f"{name:<30} {scope:<12} {said}")


def _rate(n: int, of: int) -> list[float] | None:
    estimate = proportion(n, of)
    return None if estimate is None else [round(value, 4) for value in asdict(estimate).values()]


if __name__ == "__main__":
    main()
