"""Measure flagging a contract against the straightforward way: ``make bench``.

Both get the same file of 50,000 characters and the same adapter. The straightforward way puts the clauses, in the order
of the contract, through a transformers pipeline (float32, batches of 8) of the base with its PEFT adapter, averages the
tokens and applies the head. They take turns; the speed is the ratio within a turn, from the file's bytes to its flags.

Writes docs/bench_flagging.json; `make docs` puts it into docs/measurements.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from playground.adapters import AdapterStore
from playground.documents import load_document
from playground.documents.limits import CONTRACT_LIMITS
from playground.flagging.encoder import load_clause_encoder
from playground.flagging.flags import flag_contract, score_contract
from playground.flagging.head import ClauseHead, load_head
from playground.flagging.loading import base_of
from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import ensure_bundle
from playground.paths import CONTRACTS, ROOT, SHIPPED_ADAPTERS
from playground.types import AnnotatedClause
from scenarios.contract_clauses.scenario import labels

CHARACTERS = 50_000
SAMPLES = ("services-agreement.pdf", "software-licence.docx", "lease.docx", "distribution-agreement.pdf", "nda.txt")
Flags = frozenset[tuple[str, str]]


class PipelineModel:
    """The straightforward ``ClauseModel``: transformers' pipeline, clause by clause in the order given."""

    def __init__(self, base: Path, adapter: Path, head: ClauseHead) -> None:
        import torch
        from peft import PeftModel
        from tokenizers.processors import TemplateProcessing
        from transformers import AutoModel, AutoTokenizer, pipeline

        model = PeftModel.from_pretrained(AutoModel.from_pretrained(base, dtype=torch.float32), adapter)
        tokenizer = AutoTokenizer.from_pretrained(base, model_max_length=256)
        marks = [(name, tokenizer.convert_tokens_to_ids(name)) for name in ("[CLS]", "[SEP]")]  # as trained
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
        self._pipeline = pipeline("feature-extraction", model=model.merge_and_unload(), tokenizer=tokenizer, device=-1)
        self.head, self.labels, self.thresholds = head, head.labels, head.thresholds
        self.model_id, self.adapter = base.name, "pipeline"

    def probabilities(
        self, clauses: Sequence[AnnotatedClause], on_share: Callable[[float], None] | None = None
    ) -> np.ndarray:
        """Return calibrated probabilities [clauses, labels]."""
        texts = [" ".join((f"{c.heading}. {c.text}" if c.heading else c.text).split()) or "." for c in clauses]
        states = self._pipeline(texts, batch_size=8, truncation=True, return_tensors=True)
        # Between the two special tokens; the pipeline leaves the padding of a batch behind them.
        ends = [len(ids) - 1 for ids in self._pipeline.tokenizer(texts, truncation=True)["input_ids"]]
        pooled = np.stack([state[0, 1:end].float().mean(0).numpy() for state, end in zip(states, ends, strict=True)])
        logits: np.ndarray = pooled @ self.head.weight.T + self.head.bias
        if self.head.words is not None:
            logits = logits + self.head.words.log_odds(clauses)
        if on_share is not None:
            on_share(1.0)
        return self.head.calibration.probabilities(logits)


def contract_bytes() -> bytes:
    """Return a plain text of 50,000 characters, made of the sample contracts."""
    texts = [load_document((CONTRACTS / name).read_bytes(), name, limits=CONTRACT_LIMITS).text for name in SAMPLES]
    whole = "\n\n".join(texts)
    while len(whole) < CHARACTERS:
        whole += "\n\n" + whole
    return whole[: whole.rindex("\n\n", 0, CHARACTERS)].encode()


def flagged(model: Any, data: bytes) -> tuple[float, Flags, int]:
    """Return seconds from bytes to flags, the flags of all labels, and the number of clauses."""
    catalogue = {label.name: label for label in labels()}
    started = time.perf_counter()
    document = load_document(data, "contract.txt", limits=CONTRACT_LIMITS)
    scored = score_contract(document, model, catalogue)
    result = flag_contract(scored, catalogue, shown=set(scored.labels))
    seconds = time.perf_counter() - started
    return seconds, frozenset((flag.clause_id, flag.label) for flag in result.flags), len(result.clauses)


def measure(adapter: Path, threads: int, repeats: int) -> dict[str, Any]:
    """Let the contenders take turns."""
    import torch

    torch.set_num_threads(threads)
    base = ensure_bundle(base_of(AdapterStore(adapter.parent).get(adapter.name)))
    load = partial(load_clause_encoder, base, adapter, model_id=base.name, adapter=adapter.name, threads=threads)
    contenders = {
        "fast": load(),
        "fast, float32": load(precision="f32"),
        "transformers pipeline": PipelineModel(base, adapter, load_head(adapter)),
    }
    data = contract_bytes()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    flags: dict[str, Flags] = {}
    clauses = 0
    for turn in range(repeats + 1):
        for name, model in contenders.items():
            took, flags[name], clauses = flagged(model, data)
            if turn:  # the first turn warms up
                seconds[name].append(took)
        print(f"turn {turn} of {repeats}", file=sys.stderr)
    plain = seconds["transformers pipeline"]
    ratios = {
        name: [slow / fast for slow, fast in zip(plain, times, strict=True)]
        for name, times in seconds.items()
        if name != "transformers pipeline"
    }
    return {
        "characters": len(data.decode()),
        "clauses": clauses,
        "seconds_p50": {name: statistics.median(times) for name, times in seconds.items()},
        "speed_ratio": {
            name: {"median": statistics.median(r), "low": min(r), "high": max(r)} for name, r in ratios.items()
        },
        "flags": {name: len(found) for name, found in flags.items()},
        "flags_that_differ": {name: len(found ^ flags["transformers pipeline"]) for name, found in flags.items()},
        "turns": repeats,
    }


def as_markdown(run: dict[str, Any]) -> str:
    """Return the results as a section of docs/measurements.md."""
    first = run["results"][0]
    lines = [
        f"`make bench` on {run['date']}, commit {run['commit']}, {run['machine']['cpu']}, {run['threads']} threads.",
        f"A text file of {first['characters']:,} characters ({first['clauses']:,} clauses) from its bytes to its",
        f"flags; {first['turns']} turns, contenders in turn. Speed: times as fast as the pipeline, median (lowest to",
        "highest turn). Differ: flags that only one of contender and pipeline has.",
    ]
    for results in run["results"]:
        lines += [
            "",
            f"`{results['adapter']}`:",
            "",
            "| Contender | Seconds (median) | Speed | Flags | Differ |",
            "| --- | --: | --: | --: | --: |",
        ]
        for name, seconds in results["seconds_p50"].items():
            ratio = results["speed_ratio"].get(name)
            shown = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})" if ratio else "1"
            flags, differ = results["flags"][name], results["flags_that_differ"][name]
            lines.append(f"| {name} | {seconds:.2f} | {shown} | {flags} | {differ} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Run the benchmark and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--adapter", type=Path, nargs="+", default=[SHIPPED_ADAPTERS / "cuad-mpnet", SHIPPED_ADAPTERS / "cuad-minilm"]
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    arguments = parser.parse_args()
    run = {
        "date": utc_now(),
        "commit": commit(),
        "machine": asdict(describe_machine()),
        "threads": arguments.threads,
        "results": [
            {"adapter": adapter.name, **measure(adapter, arguments.threads, arguments.repeats)}
            for adapter in arguments.adapter
        ],
    }
    (arguments.out / "bench_flagging.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(run))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
