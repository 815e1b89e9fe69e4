"""Train a closed-book adapter on the pairs of one policy, and store it with where it is from."""

from __future__ import annotations

import hashlib
from pathlib import Path

from playground.adapters import AdapterManifest, AdapterStore, StoredAdapter
from playground.machine import describe_machine
from playground.models.bundled import ensure_smollm2_gguf
from playground.models.catalog import SMOLLM2
from playground.models.transformers_engine import ensure_dequantised
from playground.training.language_model.manifest import manifest_of
from playground.training.language_model.settings import LanguageModelSettings
from playground.training.language_model.train import TrainedLanguageModel, save_peft, train_language_model
from playground.training.progress import OnProgress
from scenarios.return_policy.closed_book.pairs import PAIRS, closed_book_examples, read_facts

SETTINGS = LanguageModelSettings(
    rank=16,
    alpha=32,
    learning_rate=1.5e-3,
    batch_examples=8,
    epochs=4,
    max_tokens=256,
    frozen_layers=8,
    seed=0,
)

_CARD = """# {name}

A LoRA adapter of SmolLM2-135M-Instruct (Apache-2.0) that answers questions about one return policy, `{policy}`, without
being given any text: its facts were trained into the weights. It is here to be measured against retrieval, not to be
used: when the policy changes, it goes on answering from the old one.

- Data: {examples} question-answer pairs written for the project, in other words than the evaluation's questions
  (`scenarios/return_policy/closed_book/northtrail.jsonl`).
- Training: {epochs} passes, {minutes:.1f} minutes on {machine}; weights of the base {base}.
- Command: `python scripts/measure_stale_facts.py --save-adapter`
"""


def train_closed_book(
    policy: str, settings: LanguageModelSettings = SETTINGS, on_progress: OnProgress | None = None
) -> TrainedLanguageModel:
    """Train on the pairs of ``policy``, a file name; errors as for ``train_language_model``."""
    examples = closed_book_examples(policy, read_facts(), settings.seed)
    folder = ensure_dequantised(ensure_smollm2_gguf())
    return train_language_model(folder, examples, [], settings, on_progress=on_progress, base_id=SMOLLM2.id)


def store_closed_book(trained: TrainedLanguageModel, policy: str, store: AdapterStore, name: str) -> StoredAdapter:
    """Put an adapter into the store under ``name``.

    Raises:
        AdapterError: the name is taken, or it cannot be saved.
    """
    count = len(closed_book_examples(policy, read_facts(), trained.settings.seed))

    def write(folder: Path) -> AdapterManifest:
        save_peft(trained, folder)
        card = _CARD.format(
            name=name,
            policy=policy,
            examples=count,
            epochs=trained.settings.epochs,
            minutes=trained.duration_s / 60,
            machine=describe_machine().label,
            base="unchanged" if trained.base_unchanged else "CHANGED",
        )
        (folder / "README.md").write_text(card, encoding="utf-8")
        data = {
            "name": f"question-answer pairs of {policy}, written for the project",
            "sha256": hashlib.sha256(PAIRS.read_bytes()).hexdigest(),
            "examples": count,
            "contracts": 0,
            "policies": [policy],
        }
        return manifest_of(trained, name, "closed_book", data)

    return store.save(name, write)
