"""Scenario B: flagging clauses, on CUAD's contracts and on the project's own."""

from __future__ import annotations

from typing import Any

from scripts.measurements.sources import (
    percent,
    provenance,
    read,
    recorded,
    score,
    seconds,
    stamp,
    table,
    with_interval,
)

CUAD = "docs/evaluation/contract_clauses.json"
SHIPPED = "docs/evaluation/flaggers.json"
PLAIN = "docs/evaluation/plain_clauses.json"
CURVE = "data/runs/learning_curve.json"
OWN = ("contract_clauses-techniques", "contract_clauses-cuad-mpnet", "contract_clauses-cuad-minilm")

_GOALS = {"cuad_aupr": 0.43, "precision_at_80_recall": 0.31, "micro_ap": 0.75}
"""The first two are what Hendrycks et al. (arXiv 2103.06268) report for RoBERTa-base."""
_NAMES = {
    "tfidf": "TF-IDF + regression",
    "frozen": "Frozen MiniLM + regression",
    "nearest": "Nearest neighbours",
    "keywords": "Keywords",
}
_FIGURES = (
    ("Micro average precision, clauses", "micro_ap"),
    ("Macro average precision, clauses", "macro_ap"),
    ("AUPR, CUAD's span metric", "cuad_aupr"),
    ("Precision at 80 % recall, spans", "precision_at_80_recall"),
    ("Micro F1 at the thresholds", "micro_f1"),
    ("Which labels a contract has, F1", "contract_presence_f1"),
)
_TITLES = {name: title for title, name in _FIGURES}


def shipped() -> str:
    """Return the flaggers that ship now, before and after they learned plain clauses, on the same contracts."""
    found = read(SHIPPED)
    columns = found["flaggers"]
    rows = [
        (title, *(score(with_interval(one, name)) for one in columns))
        for title, name in (*_FIGURES, ("The project's 12 contracts, micro average precision", "own_micro_ap"))
    ]
    pages = [
        "-" if one.get("pages_at_80_recall") is None else f"{one['pages_at_80_recall']:.1f} of {one['pages']:.1f}"
        for one in columns
    ]
    rows.append(("Pages of a contract to read to find 80 %", *pages))
    return "\n\n".join(
        (
            table(("", *(one["title"] for one in columns)), rows),
            provenance(
                source=SHIPPED,
                command=found["command"],
                **stamp(found),
                n=f"{columns[0]['n']} contracts, {columns[0]['clauses']:,} clauses, {columns[0]['spans']} spans",
                intervals="95 %, bootstrap over contracts",
            ),
        )
    )


def flaggers() -> str:
    """Return the flaggers that shipped until 2026-11 and what they had to beat, on contracts no training saw."""
    found = read(CUAD)
    columns = sorted(found["strategies"], key=lambda one: -one["micro_ap"])
    names = [
        f"LoRA, `{one['adapter'].split('@')[0]}`" if one["adapter"] else _NAMES[one["strategy"]] for one in columns
    ]
    rows = [(title, *(score(with_interval(one, name)) for one in columns)) for title, name in _FIGURES]
    rows.append(("Clauses a second", *(f"{one['clauses_per_s']:,.0f}" for one in columns)))
    first = columns[0]
    goals = [
        f"{_TITLES[name]}, {goal}: {'reached' if first[name] >= goal else 'missed'}" for name, goal in _GOALS.items()
    ]
    (tfidf,) = (one for one in columns if one["strategy"] == "tfidf")
    ahead = [
        f"{difference['difference']:.3f} in {_TITLES[name]} ({difference['ci'][0]:.3f} to {difference['ci'][1]:.3f})"
        for name, difference in tfidf["lora_minus_this"].items()
    ]
    return "\n\n".join(
        (
            table(("", *names), rows),
            f"Goals for the flagger in use: {'; '.join(goals)}. It is above TF-IDF by {' and '.join(ahead)}, paired.",
            provenance(
                source=CUAD,
                command=found["command"],
                date=found["run"]["started_at"],
                machine=found["run"]["machine"],
                commit=f"{found['run']['commit']}, {found['run_cuad_minilm']['commit']} for cuad-minilm",
                n=f"{first['n']} contracts, {first['clauses']:,} clauses, {first['spans']} spans",
                intervals="95 %, bootstrap over contracts",
            ),
        )
    )


def plain_clauses() -> str:
    """Return how the shipped flaggers and the rules do on clauses as people type them."""
    found = read(PLAIN)
    rows = [("Rules alone", *_plain_cells(found["rules_alone"]))]
    for name in ("cuad-mpnet", "cuad-minilm"):
        rows.append((f"`{name}`", *_plain_cells(found[name]["model"])))
        rows.append((f"`{name}` and rules, as shown", *_plain_cells(found[name]["model_and_rules"])))
    contracts = found["contracts"]
    alone = contracts["rules_alone"]["right"]
    cuad = [
        f"On CUAD's {contracts['contracts']} test contracts the rules alone mark {alone['of']:,} pairs of a clause "
        f"and a label, of which {percent(alone['rate'])} are annotated"
    ]
    for name in ("cuad-mpnet", "cuad-minilm"):
        one = contracts[name]["added_by_rules"]
        cuad.append(f"beside `{name}` they add {one['of']} marks, {one['n']} of them annotated")
    return "\n\n".join(
        (
            table(
                ("", "Labels found", "Liabilities found", "Clauses without a label marked", "Marks that are right"),
                rows,
            ),
            f"{'; '.join(cuad)}.",
            provenance(
                source=PLAIN,
                command=f"{found['command']} --contracts test.json --runs RUNS",
                **stamp(found),
                n=f"{found['clauses']} clauses, {found['rules']} rules",
                intervals="95 %, Wilson",
            ),
        )
    )


def _plain_cells(scopes: Any) -> tuple[str, ...]:
    every, liabilities = scopes["all_labels"], scopes["liabilities"]
    return tuple(
        percent(one["rate"]) for one in (every["found"], liabilities["found"], every["false_marks"], every["right"])
    )


def techniques() -> str:
    """Return ten techniques and the two shipped flaggers on the project's own test contracts."""
    found = sorted(recorded(*OWN), key=lambda one: -one["rates"].get("micro_ap", {"value": 0})["value"])
    rows = [
        (
            one["name"],
            score(one["rates"].get("micro_ap")),
            percent(one["accuracy"]),
            f"{_milliseconds(one['total_s']['p50']['value'])} a {'clause' if 'all' in one['request'] else 'pair'}",
        )
        for one in found
    ]
    dates = sorted({one["started_at"][:10] for one in found})
    return "\n\n".join(
        (
            table(("Technique", "Micro average precision", "Sampled pairs right", "Time, median"), rows),
            provenance(
                source="data/runs",
                command=f"make record`, then `playground report {' '.join(f'data/runs/{run}' for run in OWN)}",
                date=", ".join(dates),
                machine=found[0]["machine"],
                commit=", ".join(sorted({one["commit"] for one in found})),
                n=f"{found[0]['sample']}, {found[0]['requests']} clauses",
                intervals="95 %, bootstrap over contracts",
            ),
        )
    )


def learning_curve() -> str:
    """Return how many examples prompting and LoRA need."""
    found = read(CURVE)
    sizes = sorted({row["examples"] for row in found["rows"]})
    rows = []
    for size in sizes:
        cells = []
        for strategy in ("few-shot", "lora"):
            of_size = [row for row in found["rows"] if row["strategy"] == strategy and row["examples"] == size]
            shares = [f"{100 * row['right'] / row['n']:.0f} %" for row in sorted(of_size, key=lambda row: row["seed"])]
            cells.append(" and ".join(shares) or "-")
        rows.append((str(size), *cells))
    return "\n\n".join(
        (
            table(("Labelled clauses", "Few-shot prompting", "LoRA, by seed"), rows),
            provenance(
                source=CURVE,
                command="python scripts/measure_learning_curve.py --seeds 2",
                **stamp(found),
                model=found["model_id"],
                n=f"{found['n']} pairs of a clause and a label, half of them right",
                intervals="none in the file",
            ),
        )
    )


def keywords() -> str:
    """Return what the keyword baseline reaches, for the README of the scenario."""
    (one,) = (one for one in read(CUAD)["strategies"] if one["strategy"] == "keywords")
    return (
        f"On the {one['n']} contracts by which the flagger is measured they reach a micro F1 of "
        f"{score(with_interval(one, 'micro_f1'))}, and an F1 of {score(with_interval(one, 'contract_presence_f1'))} in "
        "telling which contract has which label. Some of these contracts may be among those by which the expressions "
        "were revised, so this may flatter a little."
    )


def in_short() -> str:
    """Return what the README says of Scenario B, in sentences."""
    found = {one["title"]: one for one in read(SHIPPED)["flaggers"]}
    large, small, tfidf = (found[title] for title in ("`cuad-mpnet`", "`cuad-minilm`", "TF-IDF + regression"))
    plain = read(PLAIN)["cuad-mpnet"]["model_and_rules"]["all_labels"]["found"]
    bench = read("docs/bench_flagging.json")
    flagging = {one["adapter"]: one for one in bench["results"]}
    times = {name: seconds(one["seconds_p50"]["fast"]) for name, one in flagging.items()}
    return (
        f"- **Contract flagger**, {large['n']} contracts of companies that no training saw. Micro average precision "
        f"{score(with_interval(large, 'micro_ap'))} with `cuad-mpnet`, {score(with_interval(small, 'micro_ap'))} with "
        f"`cuad-minilm`, {score(with_interval(tfidf, 'micro_ap'))} with TF-IDF. Of what people type in plain words, "
        f"{plain['of']} labels of clauses kept aside, `cuad-mpnet` finds {percent(plain['rate'])}. A contract of "
        f"{flagging['cuad-mpnet']['characters']:,} characters takes {times['cuad-mpnet']} and {times['cuad-minilm']} "
        f"from its bytes to its flags ({bench['machine']['cpu']}, {bench['threads']} threads)."
    )


def _milliseconds(value: float) -> str:
    return f"{1000 * value:.3g} ms" if value < 1 else f"{1000 * value:,.0f} ms"
