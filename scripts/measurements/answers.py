"""Scenario A: the answers of the bot, and the passages that they stand on."""

from __future__ import annotations

from typing import Any

from playground.measuring.estimates import proportion
from scenarios.return_policy.caution import DEFAULT_LEVEL, LEVELS, MEASURED
from scripts.measurements.sources import (
    percent,
    probability,
    provenance,
    read,
    recorded,
    seconds,
    stamp,
    table,
    with_interval,
)

SHOPS, SAMPLE = "return_policy-rag", "return_policy-techniques"
KEPT_ASIDE = {
    "small": "docs/evaluation/return_policy-kept-aside.json",
    "medium": "docs/evaluation/return_policy-kept-aside-medium.json",
}
"""What the bundled models with a reader did on shops kept aside, by the model's size."""
ABLATION = "docs/evaluation/ablation.json"
READER = "docs/evaluation/reader.json"
CURVE = "docs/evaluation/reader_curve.json"
CAUTION = "scenarios/return_policy/measured_caution"
STALE = "data/runs/stale_facts.json"
RETRIEVAL = "docs/retrieval.json"

_NEW_QUESTIONS = "--questions scenarios/return_policy/questions_kept_aside.jsonl --policies data/policies_kept_aside"
_HEAD = ("Technique", "n", "Answerable right", "Unanswerable refused", "Answers with an unsupported number")


def techniques() -> str:
    """Return the techniques on a sample, and the two that were asked every question."""
    every, sample = recorded(SHOPS), recorded(SAMPLE)
    rows = [
        (
            one["name"],
            str(one["n"]),
            *(percent(one["rates"].get(name)) for name in _RATES),
            f"{one['input_tokens']:,.0f}",
            seconds(one["total_s"]["p50"]["value"]),
        )
        for one in (*reversed(every), *sample)
    ]
    return "\n\n".join(
        (
            table((*_HEAD, "Tokens in", "Time, median"), rows),
            *(
                provenance(
                    source=f"data/runs/{run}",
                    command=f"make record`, then `playground report data/runs/{run}",
                    date=found[0]["started_at"],
                    machine=found[0]["machine"],
                    commit=found[0]["commit"],
                    model=found[0]["model"],
                    adapter=", ".join(sorted({one["adapter"] for one in found if one["adapter"]})),
                    seed=read(f"data/runs/{run}/run.json")["settings"]["strategies"]["rag"]["seed"],
                    intervals="95 %, Wilson",
                )
                for run, found in ((SHOPS, every), (SAMPLE, sample))
            ),
        )
    )


_RATES = ("answerable_accuracy", "abstention_accuracy", "unsupported_number_rate")


def kept_aside() -> str:
    """Return prompting and the reader on the questions that nobody tuned on, and the test of their difference."""
    return "\n\n".join(_kept_aside_of(size, path) for size, path in KEPT_ASIDE.items())


def _kept_aside_of(size: str, path: str) -> str:
    found = read(path)
    rag, lora = _rag_and_reader(found)
    rows = [
        (name, str(one["n"]), *(percent(with_interval(one, rate)) for rate in _RATES))
        for name, one in (("RAG + LoRA", lora), ("RAG", rag))
    ]
    (test,) = found["paired"]
    sign = -1 if test["first"] == "rag" else 1
    low, high = sorted(100 * sign * bound for bound in test["ci"])
    more = f"{100 * sign * test['difference']:.0f} points more ({low:.0f} to {high:.0f})"
    return "\n\n".join(
        (
            f"The {size} model:",
            table(_HEAD, rows),
            f"RAG + LoRA handles {more} of the questions right than RAG (McNemar, p {probability(test['p_value'])}).",
            provenance(
                source=path,
                command=f"playground evaluate return_policy --strategies rag,rag+lora --model {size} {_NEW_QUESTIONS} "
                "--json",
                model=lora["model"],
                adapter=lora["adapter"],
                date_and_machine="not in this file",
                intervals="95 %, Wilson",
            ),
        )
    )


def _rag_and_reader(found: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    by_name = {one["strategy"]: one for one in found["strategies"]}
    return by_name["rag"], by_name["rag+lora"]


def caution() -> str:
    """Return what each level of caution did with each reader that ships."""
    return "\n\n".join(_caution_of(f"{CAUTION}/{file.name}") for file in sorted(MEASURED.glob("*.json")))


def _caution_of(path: str) -> str:
    found = read(path)
    rows = []
    for level, one in zip(LEVELS, found["levels"], strict=True):
        name = f"**{level.name}**, the default" if level == DEFAULT_LEVEL else level.name
        rows.append((name, *(percent(one[rate]) for rate in ("false_answers", "false_refusals", "right"))))
    n = found["levels"][0]["n_answerable"] + found["levels"][0]["n_unanswerable"]
    head = ("Caution", "Answers what it should decline", "Declines what it could answer", "Answerable right")
    return "\n\n".join(
        (
            table(head, rows),
            provenance(
                source=path,
                command="python scripts/measure_caution.py RUN",
                **stamp(found),
                adapter=found["adapter"],
                n=f"{n} questions kept aside",
                seed=found["seed"],
                intervals="95 %, Wilson",
            ),
        )
    )


def ablation() -> str:
    """Return what each piece of RAG + LoRA is worth."""
    found = read(ABLATION)
    rows = [
        (
            one["title"],
            *(percent(with_interval(one, name)) for name in _RATES),
            probability(one["minus_the_whole"]["p_value"]) if place else "",
        )
        for place, one in enumerate(found["variants"])
    ]
    return "\n\n".join(
        (
            table(("Variant", *_HEAD[2:], "p against the first"), rows),
            provenance(
                source=ABLATION,
                command="python scripts/measure_ablation.py",
                **stamp(found),
                model=found["model"],
                adapter=found["adapter"],
                n=f"{found['questions']} questions",
                seed=found["seed"],
                intervals="95 %, Wilson; p: McNemar",
            ),
        )
    )


def reader() -> str:
    """Return how the reader does on a swapped policy, on hidden instructions and on SQuAD v2."""
    found = read(READER)
    lora, rag = found["rag+lora"], found["rag"]
    rows = [
        (title, str(lora[part]["n"]), percent(lora[part][name]), percent(rag[part][name]))
        for title, part, name in (
            ("After a swap, states a number of the old policy", "swaps", "stale"),
            ("After a swap, states the new value", "swaps", "states_the_new_value"),
            ("Follows an instruction hidden in the policy", "attacks", "followed"),
            ("SQuAD v2: answers or declines rightly (balanced)", "squad", "balanced_answer_or_abstain"),
            ("SQuAD v2: answers what has an answer", "squad", "answered_of_answerable"),
            ("SQuAD v2: declines what has none", "squad", "refused_of_unanswerable"),
        )
    ]
    engine = lora["engine"]
    rows.append(("Writes what transformers with PEFT writes", str(engine["n"]), percent(engine["same_text"]), ""))
    return "\n\n".join(
        (
            table(("What", "n", "RAG + LoRA", "RAG"), rows),
            provenance(
                source=READER,
                command="python scripts/measure_reader.py --squad FILE",
                **stamp(found),
                model=found["model"],
                adapter=found["adapter"],
                intervals="95 %; Wilson, and a bootstrap where it is balanced",
            ),
        )
    )


def reader_curve() -> str:
    """Return what more training data buys the reader."""
    found = read(CURVE)
    rows = []
    for one in found["points"]:
        training = one["training"]
        name = "as shipped" if training is None else f"{training['policies']} policies"
        size = ("", "") if training is None else (str(training["rank"]), str(training["epochs"]))
        right = (percent(one["right_when_it_must_answer"]), f"{one['area_under_roc']:.3f}", percent(one["right"]))
        rows.append((name, *size, *right))
    head = ("Trained on", "Rank", "Epochs", "Right when it must answer", "Area under ROC", "Right at 90 % declined")
    return "\n\n".join(
        (
            table(head, rows),
            provenance(
                source=CURVE,
                command="python scripts/measure_reader_curve.py",
                **stamp(found),
                n=f"{found['questions']} questions",
                seed=found["seed"],
                intervals="95 %, Wilson",
            ),
        )
    )


def stale_facts() -> str:
    """Return how each technique takes a policy that changes."""
    found = read(STALE)
    names = {
        "rag": "RAG",
        "rag+lora": "RAG + LoRA",
        "whole-document": "Whole document",
        "closed-book-lora": "Closed-book LoRA: the facts in its weights",
    }
    rows = []
    for recovery in found["recoveries"]:
        answers = [one for one in found["answers"] if one["strategy"] == recovery["strategy"]]
        shares = (_share([one[when] for one in answers]) for when in ("before", "stale", "recovered"))
        took = f"{recovery['recovery_s']:.1f} s of {recovery['recovery']}"
        rows.append((names.get(recovery["strategy"], recovery["strategy"]), *shares, took))
    return "\n\n".join(
        (
            table(("Technique", "Before the change", "Right after", "Up to date", "What that took"), rows),
            provenance(
                source=STALE,
                command="python scripts/measure_stale_facts.py --again",
                **stamp(found),
                model=found["model_id"],
                n=f"{found['n']} questions on facts that changed",
                intervals="95 %, Wilson",
            ),
        )
    )


def retrieval() -> str:
    """Return how often the evidence is among the best passages."""
    found = read(RETRIEVAL)
    names = {"dense": "MiniLM alone", "lexical": "BM25 alone", "hybrid": "Both, fused"}
    rows = [
        (names[name], *(percent((one[f"recall@{k}"]["value"], *one[f"recall@{k}"]["ci"])) for k in (1, 3, 5)))
        for name, one in found["retrievers"].items()
    ]
    return "\n\n".join(
        (
            table(("Retriever", "recall@1", "recall@3", "recall@5"), rows),
            provenance(
                source=RETRIEVAL,
                command="python scripts/measure_retrieval.py",
                date=found["date"],
                machine=found["machine"],
                commit=found["commit"],
                model=found["model"],
                n=f"{found['n']} answerable questions",
                intervals="95 %, Wilson",
            ),
        )
    )


def in_short() -> str:
    """Return what the README says of Scenario A, in sentences."""
    said = []
    for path in KEPT_ASIDE.values():
        rag, lora = _rag_and_reader(read(path))
        refused, alone = (percent(with_interval(one, "abstention_accuracy")) for one in (lora, rag))
        right, prompted = (percent(with_interval(one, "answerable_accuracy")) for one in (lora, rag))
        said.append((lora["n"], right, refused, prompted, alone))
    (n, *small), (_, *medium) = said
    return (
        f"- **Support bot**, {n} questions on five shops that were kept aside. With the medium model *RAG + LoRA* gets "
        f"{medium[0]} of the answerable ones right and declines {medium[1]} of the others; prompting alone: "
        f"{medium[2]} and {medium[3]}. With the small model {small[0]} and {small[1]}; prompting alone {small[2]} and "
        f"{small[3]}."
    )


def _share(outcomes: list[Any]) -> str:
    share = proportion(sum(map(bool, outcomes)), len(outcomes))
    return percent(None if share is None else (share.value, share.low, share.high))
