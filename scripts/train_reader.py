"""Train the reader that ships in data/adapters: it answers from passages in one sentence, or says that it cannot.

    python scripts/train_reader.py --squad squad-train.json
    python scripts/train_reader.py --squad squad-train.json --base medium --policies 170

The policies are invented from the cards in scenarios/return_policy/reader (some cards are kept for validation), the
passages are what the real retriever finds in them. No sample policy and no evaluation question is read. `--squad` adds
questions of SQuAD v2 (CC BY-SA 4.0, not in this project). `--only-examples FILE` writes what would be trained on as
JSON lines, to be read. On a GPU nothing else is needed.

The same as `python -m playground train reader`, but for where the adapter goes: those of bundled models to those that
ship, that of another base (`--base`, a Hugging Face folder or id) to your own. `python -m playground evaluate
return_policy --strategies rag,rag+lora --model FOLDER_OR_ID` finds it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from playground.adapters import AdapterStore, default_root
from playground.cli import train_reader as command
from playground.errors import PlaygroundError
from playground.models.bundled import ensure_minilm
from playground.models.catalog import LANGUAGE_MODELS
from playground.models.completion_codec import PromptCompletion
from playground.models.hugging_face import model_identity
from playground.paths import SHIPPED_ADAPTERS
from playground.training.progress import TrainingProgress
from scenarios.return_policy.reader.training import load_examples, train_reader, unanswerable_share

NAME = "policy-reader"


def main() -> None:
    """Generate, train and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_arguments(parser)
    parser.add_argument("--out", type=Path, help="folder of the adapters (default: the shipped ones, or your own)")
    parser.add_argument("--name", help=f"of the adapter (default: {NAME}, with the name of a larger base)")
    parser.add_argument("--checkpoints", type=Path, help="folder of checkpoints: a killed training continues")
    parser.add_argument("--only-examples", type=Path, metavar="FILE", help="write the examples and stop")
    arguments = parser.parse_args()
    try:
        run(arguments)
    except PlaygroundError as error:
        sys.exit(f"train_reader: {error}")


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line says; raises what ``train_reader`` raises."""
    is_bundled = arguments.base in ("bundled", *LANGUAGE_MODELS)
    plan = command.plan_from(arguments, arguments.name or name_for(arguments.base))
    if arguments.only_examples:
        from playground.models.embedding import load_embedder

        examples = load_examples(plan.policies, plan.squad, plan.settings.seed, load_embedder(ensure_minilm()))
        train = examples.train
        print(f"{len(train)} examples, {unanswerable_share(train):.0%} unanswerable, {examples.from_squad} of SQuAD v2")
        write_examples(train, arguments.only_examples)
        return
    store = AdapterStore(arguments.out or (SHIPPED_ADAPTERS if is_bundled else default_root()))
    report = train_reader(plan, store, print_progress, checkpoint_folder=arguments.checkpoints)
    print(json.dumps({"adapter": report.adapter.identity, **report.adapter.manifest.metrics}, indent=1))
    for effect in report.effects:
        print(json.dumps(asdict(effect), ensure_ascii=False))


def name_for(base: str) -> str:
    """Return a name for the reader of a base, such as policy-reader-medium."""
    if base in ("bundled", "small"):
        return NAME
    if base in LANGUAGE_MODELS:
        return f"{NAME}-{base}"
    words = re.sub(r"[^a-z0-9]+", "-", model_identity(base).rpartition("/")[2].lower()).strip("-")
    return f"{NAME}-{words}"[:64].rstrip("-")


def write_examples(examples: Iterable[PromptCompletion], path: Path) -> None:
    """Write examples as JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            row = {"messages": [asdict(message) for message in example.messages], "completion": example.completion}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


_last_told = [-1.0]


def print_progress(progress: TrainingProgress) -> None:
    """Print where the training is, four times a minute."""
    if progress.stage != "training" or progress.elapsed_s - _last_told[0] >= 15:
        _last_told[0] = progress.elapsed_s
        loss = "" if progress.loss is None else f" loss {progress.loss:.4f}"
        score = "" if progress.score is None else f" score {progress.score:.4f} best {progress.best_score or 0:.4f}"
        print(
            f"{progress.stage} step {progress.step} {progress.fraction:.1%}{loss}{score} "
            f"{progress.examples_per_s or 0:.2f} examples/s {progress.elapsed_s:.0f} s",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    main()
