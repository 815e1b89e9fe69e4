"""Measure a policy change: accuracy before it, right after it, and when each technique is up to date again.

    python scripts/measure_stale_facts.py [--save-adapter] [--techniques rag,whole-document,rag+lora,closed-book-lora]

Writes data/runs/stale_facts.json, after each technique, and goes on where it was interrupted. Takes about 12 minutes on
two cores, most of them the two trainings of the closed-book model. ``--save-adapter`` puts the closed-book adapter of
the old policy into data/adapters, for `python -m playground evaluate return_policy --strategies closed-book-lora`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from playground.adapters import AdapterStore, reader_adapter
from playground.comparison.claims.provenance import Provenance
from playground.comparison.claims.stale_facts import COMMAND, FILE, StaleFacts, read_stale_facts, write_stale_facts
from playground.errors import PlaygroundError
from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import ensure_minilm
from playground.models.embedding import load_embedder
from playground.models.openvino.lora_branches import load_lora_branches
from playground.models.sources import ModelChoice, load_chat_model
from playground.paths import RECORDED_RUNS, SHIPPED_ADAPTERS
from playground.training.trained import TrainedAdapter
from playground.types import ChatModel, Embedder
from scenarios.return_policy.closed_book.training import store_closed_book
from scenarios.return_policy.record import SCENARIO
from scenarios.return_policy.scenario import adapter_store
from scenarios.return_policy.stale_facts import (
    OLD,
    ChangingTechnique,
    closed_book_technique,
    document_technique,
    measure_change,
    read_changed_questions,
)

OUT = RECORDED_RUNS / FILE
ADAPTER_NAME = "closed-book-northtrail"
TECHNIQUES = ("rag", "whole-document", "rag+lora", "closed-book-lora")


def main() -> None:
    """Measure what is not in the file yet, technique by technique."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--techniques", default=",".join(TECHNIQUES), metavar="A,B")
    parser.add_argument("--reader", metavar="NAME", help="adapter of rag+lora (default: the one that ships)")
    parser.add_argument("--save-adapter", action="store_true", help=f"as {ADAPTER_NAME} in data/adapters")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N questions, to try it out")
    parser.add_argument("--again", action="store_true", help="measure all again, whatever the file holds")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    try:
        measure(arguments)
    except PlaygroundError as error:
        sys.exit(f"error: {error}")


def measure(arguments: argparse.Namespace) -> None:
    """Measure and write."""
    questions = read_changed_questions()[: arguments.limit]
    found = None if arguments.again else read_stale_facts(arguments.out, SCENARIO.techniques)
    kept = [one for one in (found.recoveries if found else ()) if _whole(found, one.strategy, len(questions))]
    recoveries = {one.strategy: one for one in kept}
    answers = [one for one in (found.answers if found else ()) if one.strategy in recoveries]
    wanted = [name.strip() for name in arguments.techniques.split(",") if name.strip()]
    missing = [name for name in wanted if name not in recoveries]
    if unknown := [name for name in missing if name not in TECHNIQUES]:
        sys.exit(f"error: There is no technique {unknown[0]!r}. Use one or more of: {', '.join(TECHNIQUES)}.")
    if not missing:
        print(f"All of it is in {arguments.out} already; --again measures anew.")
        return
    model = load_chat_model(ModelChoice(), load_adapter=lambda name: load_lora_branches(Path(name)))
    embedder = load_embedder(ensure_minilm())
    with tempfile.TemporaryDirectory(prefix="closed-book-") as work:
        techniques = [_technique(name, model, embedder, Path(work), arguments) for name in missing]
        for recovery, of_technique in measure_change(questions, techniques, _show):
            recoveries[recovery.strategy] = recovery
            answers += of_technique
            order = [name for name in TECHNIQUES if name in recoveries]
            stamp = Provenance(utc_now(), describe_machine().label, commit(), len(questions), model.model_id, COMMAND)
            facts = StaleFacts(stamp, tuple(answers), tuple(recoveries[name] for name in order), SCENARIO.techniques)
            write_stale_facts(arguments.out, facts)
            _print(facts, recovery.strategy)


def _technique(
    name: str, model: ChatModel, embedder: Embedder, work: Path, arguments: argparse.Namespace
) -> ChangingTechnique:
    if name == "closed-book-lora":

        def keep(policy: str, trained: object) -> None:
            if arguments.save_adapter and policy == OLD and isinstance(trained, TrainedAdapter):
                stored = store_closed_book(trained, policy, AdapterStore(SHIPPED_ADAPTERS), ADAPTER_NAME)
                print(f"stored {stored.identity}, {stored.manifest.size_bytes / 1e6:.1f} MB", flush=True)

        return closed_book_technique(model, embedder, work, keep)
    if name != "rag+lora":
        return document_technique(name, model, embedder)
    # The engine of this script finds adapters by their folder.
    reader = reader_adapter(adapter_store(), arguments.reader)
    return document_technique(name, model, embedder, adapter=str(reader.folder))


def _whole(found: StaleFacts | None, strategy: str, questions: int) -> bool:
    return found is not None and sum(one.strategy == strategy for one in found.answers) == questions


def _show(strategy: str, done: int, total: int) -> None:
    if done % 10 == 0 or done == total:
        print(f"{strategy}: {done} of {total} answers", file=sys.stderr, flush=True)


def _print(facts: StaleFacts, strategy: str) -> None:
    one = facts.of(strategy)
    if one is not None:
        print(
            f"{one.title}: before {one.before.value:.0%}, right after the change {one.stale.value:.0%}, recovered "
            f"{one.recovered.value:.0%} after {one.recovery_s:.2f} s of {one.recovery}",
            flush=True,
        )


if __name__ == "__main__":
    main()
