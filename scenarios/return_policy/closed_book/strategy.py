"""Closed-book LoRA as a way of answering: no text, and an adapter that has the policy in its weights.

It is asked about the policies that its adapter was trained on and about no others: on a policy that it never saw it
could only guess, and would look worse than the technique is. Its rows say how many questions that leaves.
"""

from __future__ import annotations

from playground.adapters import StoredAdapter
from playground.answering.answer import BotSettings
from playground.errors import AdapterError
from playground.types import Example
from scenarios.return_policy.scenario import adapter_store, system_prompt
from scenarios.return_policy.techniques import CLOSED_BOOK

_TRAIN = "python scripts/measure_stale_facts.py --save-adapter"


def closed_book_adapter(name: str | None = None) -> StoredAdapter:
    """Return the adapter that answers from memory: ``name``, else the active one.

    Raises:
        AdapterError: there is none, it was trained for something else, or it does not say on which policies.
    """
    store = adapter_store()
    stored = store.get(name) if name is not None else store.active("closed_book")
    if stored is None:
        raise AdapterError(f"{CLOSED_BOOK} needs an adapter that was trained on a policy, and there is none: {_TRAIN}")
    if stored.manifest.task != "closed_book" or not trained_policies(stored):
        raise AdapterError(
            f"The adapter {stored.name!r} was not trained on the facts of a policy ({stored.manifest.task}). Name "
            f"another with --closed-book-adapter, or train one: {_TRAIN}"
        )
    return stored


def trained_policies(stored: StoredAdapter) -> tuple[str, ...]:
    """Return the file names of the policies that a closed-book adapter was trained on."""
    policies = stored.manifest.data.get("policies")
    return tuple(str(name) for name in policies) if isinstance(policies, list) else ()


def closed_book_settings(stored: StoredAdapter, seed: int) -> BotSettings:
    """Return how the bot answers from memory: as without any text, but for the adapter."""
    return BotSettings(system_prompt(), "no_text", seed=seed, adapter=stored.identity)


def is_trained_on(stored: StoredAdapter, example: Example) -> bool:
    """Whether the adapter was trained on the policy that a question is about."""
    return str(example.metadata["policy"]) in trained_policies(stored)
