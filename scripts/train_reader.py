"""Train the reader that ships in data/adapters: it answers from passages in one sentence, or says that it cannot.

    python scripts/train_reader.py --squad squad-train.json

The policies are invented from the cards in scenarios/return_policy/reader (some cards are kept for validation), the
passages are what the real retriever finds in them. No sample policy and no evaluation question is read. `--squad` adds
questions of SQuAD v2 (CC BY-SA 4.0, not in this project). `--only-examples FILE` writes what would be trained on as
JSON lines, to be read. On a GPU nothing else is needed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from playground.adapters import AdapterStore
from playground.lora.completions import PromptCompletion
from playground.lora.language_model import LanguageModelSettings
from playground.lora.progress import TrainingProgress
from playground.models.bundled import ensure_minilm
from scenarios.return_policy.reader.training import ReaderPlan, load_examples, train_reader, unanswerable_share

NAME = "policy-reader"
ADAPTERS = Path(__file__).parents[1] / "data" / "adapters"
POLICIES = 320
SETTINGS = LanguageModelSettings(
    rank=16, alpha=32, learning_rate=1.5e-3, batch_examples=16, epochs=1, frozen_layers=8, max_tokens=640,
    validation_every=0.25, validation_examples=64, checkpoint_every_s=240.0, seed=0,
)  # fmt: skip


def main() -> None:
    """Generate, train and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, help="SQuAD v2 JSON to train on beside the policies")
    parser.add_argument("--policies", type=int, default=POLICIES, help="how many are invented")
    parser.add_argument("--out", type=Path, default=ADAPTERS, help="folder of the shipped adapters")
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--checkpoints", type=Path, help="folder of checkpoints: a killed training continues")
    parser.add_argument("--only-examples", type=Path, metavar="FILE", help="write the examples and stop")
    for field, default in asdict(SETTINGS).items():
        kind = float if default is None else type(default)
        parser.add_argument(f"--{field.replace('_', '-')}", type=kind, default=default)
    arguments = parser.parse_args()
    settings = LanguageModelSettings(**{field: getattr(arguments, field) for field in asdict(SETTINGS)})
    plan = ReaderPlan(arguments.name, arguments.policies, settings, arguments.squad)
    if arguments.only_examples:
        from playground.embedding import load_embedder

        examples = load_examples(plan.policies, plan.squad, settings.seed, load_embedder(ensure_minilm()))
        train = examples.train
        print(f"{len(train)} examples, {unanswerable_share(train):.0%} unanswerable, {examples.from_squad} of SQuAD v2")
        write_examples(train, arguments.only_examples)
        return
    report = train_reader(plan, AdapterStore(arguments.out), print_progress, checkpoint_folder=arguments.checkpoints)
    print(json.dumps({"adapter": report.adapter.identity, **report.adapter.manifest.metrics}, indent=1))
    for effect in report.effects:
        print(json.dumps(asdict(effect), ensure_ascii=False))


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
