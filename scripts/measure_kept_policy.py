"""Measure what a question costs where the whole policy is in the prompt: read for it, read ahead, or kept on the disk.

    python -m scripts.measure_kept_policy --out docs/evaluation/kept_policy.json

Seconds to the first token of one question about a sample policy, for each bundled model that is here.
"cold" reads everything for the question; "kept" asks after the policy was read ahead; "restarted" asks a model that was
loaded anew and finds on the disk what an earlier one read. Rounds take turns; a figure is the median.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playground.answering.answer import BotSettings, answer_question, read_ahead
from playground.answering.prompt import Mode
from playground.documents import load_document
from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import ensure_language_model, ensure_minilm, has_files
from playground.models.catalog import LANGUAGE_MODELS
from playground.models.embedding import load_embedder
from playground.models.kept_prompts import KeptPrompts
from playground.models.openvino.engine import no_adapters
from playground.models.sources import load_gguf_chat
from playground.paths import POLICIES
from playground.retrieval.index import PassageIndex, build_index
from playground.types import ChatModel, ReadAhead, ReadingChatModel
from scenarios.return_policy.scenario import system_prompt

POLICY = "northtrail-outdoor-v1.md"
QUESTION = "How long do I have to return something?"
_MODE: Mode = "whole_document"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the models that are here, print and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=LANGUAGE_MODELS, default=list(LANGUAGE_MODELS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    policy = load_document((POLICIES / POLICY).read_bytes(), POLICY)
    index = build_index(policy, load_embedder(ensure_minilm()))
    models = {}
    for size in options.sizes:
        if not has_files(LANGUAGE_MODELS[size]):
            print(f"{size}: not on this disk")
            continue
        models[size] = figures = measured(ensure_language_model(LANGUAGE_MODELS[size]), index, options.rounds)
        print(
            f"{size}: {figures['tokens']} tokens, {figures['size_bytes'] / 1e6:.0f} MB; first token after "
            f"{figures['cold_s']:.2f} s cold, {figures['kept_s']:.2f} s kept ({figures['kept_ratio']:.3f} of it), "
            f"{figures['restarted_s']:.2f} s after a restart"
        )
    if options.out:
        stamp = {
            "date": utc_now(),
            "commit": commit(),
            "machine": describe_machine().label,
            "command": "python -m scripts.measure_kept_policy",
            "policy": POLICY,
            "n_rounds": options.rounds,
        }
        options.out.write_text(json.dumps(stamp | {"models": models}, indent=1) + "\n", encoding="utf-8")


def measured(gguf: Path, index: PassageIndex, rounds: int) -> dict[str, float]:
    """Return the seconds to the first token of each way, the tokens that are kept, and the memory they take."""
    seconds: dict[str, list[float]] = {"cold": [], "kept": [], "restarted": []}
    with tempfile.TemporaryDirectory() as folder:
        for _round in range(rounds):
            seconds["cold"].append(_first_token_s(_loaded(gguf, None), index))
            model = _loaded(gguf, Path(folder))
            read = _read_ahead(model, index)
            seconds["kept"].append(_first_token_s(model, index))
            seconds["restarted"].append(_first_token_s(_loaded(gguf, Path(folder)), index))
    medians = {f"{way}_s": round(statistics.median(found), 4) for way, found in seconds.items()}
    ratio = statistics.median(kept / cold for kept, cold in zip(seconds["kept"], seconds["cold"], strict=True))
    return {"tokens": read.tokens, "size_bytes": read.size_bytes, **medians, "kept_ratio": round(ratio, 4)}


def _loaded(gguf: Path, kept: Path | None) -> ChatModel:
    prompts = KeptPrompts(kept, gguf.name) if kept else None
    return load_gguf_chat(gguf, gguf.stem, no_adapters, kept_prompts=prompts)


def _read_ahead(model: ChatModel, index: PassageIndex) -> ReadAhead:
    if not isinstance(model, ReadingChatModel):
        raise SystemExit("This engine cannot read ahead.")
    return read_ahead(index.document, model, _settings(), on_disk=True, on_progress=lambda _read, _tokens: None)


def _first_token_s(model: ChatModel, index: PassageIndex) -> float:
    found = answer_question(QUESTION, index, model, _settings()).completion.first_token_s
    if found is None:
        raise SystemExit("The model wrote nothing.")
    return found


def _settings() -> BotSettings:
    return BotSettings(system_prompt(), _MODE, max_tokens=8)


if __name__ == "__main__":
    main()
