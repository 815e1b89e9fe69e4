"""A soak by hand: one process answers, reads and flags for long; does its memory, do its threads and files stay level?

    python -m scripts.soak                    hours: 1,000 questions, 200 uploads, 100 flags, 8 sessions, 2 trainings
    python -m scripts.soak --questions 20 --uploads 20 --flags 4 --sessions 0 --trainings 0       a few minutes

The work is cut into ``--rounds`` equal rounds. After each, garbage is collected and the process's resident memory,
threads and open files are noted. The first two rounds warm up (models, caches); from then on memory may grow by 5 % at
most, and no thread or file may be left over. Browser sessions load all pages of an app in a process of its own, whose
memory is noted in the same way; trainings are processes of their own, and what they leave in the temporary folder is
counted.

Memory on a busy machine is right, times are not: none are printed.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from playground.documents import load_document
from playground.paths import CONTRACTS, POLICIES, SCENARIOS, SHIPPED_ADAPTERS

MOST_GROWTH = 0.05
WARM_UP = 2
PAGES = ("", "return_policy", "contract_clauses", "training", "comparison")


@dataclass(frozen=True, slots=True)
class Level:
    """What a process holds: resident memory in MB, threads, open files and sockets."""

    megabytes: float
    threads: int
    files: int


def main() -> int:
    """Do the rounds; return 1 when something grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in (("questions", 1000), ("uploads", 200), ("flags", 100), ("sessions", 8), ("trainings", 2)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    work = _work(given.questions, given.uploads, given.flags)
    levels = []
    for number in range(given.rounds):
        for name, step, count in work:
            for _ in range(count * number // given.rounds, count * (number + 1) // given.rounds):
                step()
            print(f"round {number + 1}: {name}", end="\r", flush=True)
        levels.append(level(psutil.Process()))
        print(f"round {number + 1} of {given.rounds}: {_shown(levels[-1])}", flush=True)
    problems = growth(levels)
    if given.sessions:
        problems += [f"the app: {problem}" for problem in growth(list(_sessions(given.sessions)))]
    for number in range(given.trainings):
        left = _train()
        print(f"training {number + 1} of {given.trainings}: {len(left)} temporary files left")
        problems += [f"training {number + 1} left {name}" for name in left]
    for problem in problems:
        print(problem)
    print("level" if not problems else f"{len(problems)} things grew or were left")
    return 1 if problems else 0


def level(process: psutil.Process) -> Level:
    """Return what a process holds now, after a collection of garbage where it is this one."""
    gc.collect()
    return Level(process.memory_info().rss / 1e6, process.num_threads(), process.num_fds())


def growth(levels: Sequence[Level]) -> list[str]:
    """Return what grew from the end of the warm-up to the last round."""
    if len(levels) <= WARM_UP:
        return [f"{len(levels)} rounds tell nothing: more than {WARM_UP} are needed."]
    first, last = levels[WARM_UP - 1], levels[-1]
    found = []
    if last.megabytes > (1 + MOST_GROWTH) * first.megabytes:
        found.append(f"Memory grew from {first.megabytes:.0f} to {last.megabytes:.0f} MB.")
    if last.threads > first.threads:
        found.append(f"Threads grew from {first.threads} to {last.threads}.")
    if last.files > first.files:
        found.append(f"Open files grew from {first.files} to {last.files}.")
    return found


def _work(questions: int, uploads: int, flags: int) -> list[tuple[str, Callable[[], object], int]]:
    """Return each kind of work with how often it is done; models are loaded for what is done at all."""
    work: list[tuple[str, Callable[[], object], int]] = []
    policies = [path for path in sorted(POLICIES.iterdir()) if path.suffix in (".md", ".txt", ".html", ".docx", ".pdf")]
    if questions:
        work.append(("questions", _asker(), questions))
    if uploads:
        files = itertools.cycle([(path.read_bytes(), path.name) for path in policies if path.stem != "README"])
        work.append(("uploads", lambda: load_document(*next(files)), uploads))
    if flags:
        work.append(("flags", _flagger(), flags))
    return work


def _asker() -> Callable[[], object]:
    from playground.answering.answer import BotSettings, answer_question
    from playground.cli.loading import load_embedder, load_model
    from playground.retrieval.index import build_index
    from scenarios.return_policy.questions import read_questions
    from scenarios.return_policy.scenario import system_prompt

    embedder, model = load_embedder(), load_model("bundled")
    path = POLICIES / "northtrail-outdoor-v1.md"
    index = build_index(load_document(path.read_bytes(), path.name), embedder)
    questions = read_questions(SCENARIOS / "return_policy" / "questions.jsonl", POLICIES)
    asked = itertools.cycle([example.input for example in questions])
    settings = BotSettings(system_prompt(), max_tokens=32)
    return lambda: answer_question(next(asked), index, model, settings)


def _flagger() -> Callable[[], object]:
    from playground.flagging.files import flag_one, read_contract
    from playground.flagging.files.contract import FlagJob, FlagSettings
    from playground.flagging.loading import chosen_adapter, load_flagger
    from scenarios.contract_clauses import scenario

    stored, _note = chosen_adapter(SHIPPED_ADAPTERS, None)
    model = load_flagger(stored)
    _data, document = read_contract(CONTRACTS / "nda.txt")
    labels = {label.name: label for label in scenario.labels()}
    settings = FlagSettings(0.0, stored.manifest.labels, evidence=False)
    job = FlagJob(lambda _threads: model, None, labels, settings, stored.identity)
    return lambda: flag_one(document, model, None, job, lambda _share: None)


def _sessions(count: int) -> Iterator[Level]:
    """Open every page of a running app in ``count`` sessions, several times; yield the app's level after each time."""
    from playwright.sync_api import sync_playwright

    from tests.support.running_app import running_app

    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as url, sync_playwright() as playwright:
        app = next(
            child for child in psutil.Process().children(recursive=True) if "streamlit" in " ".join(child.cmdline())
        )
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for number in range(WARM_UP + 2):
            contexts = [chromium.new_context() for _ in range(count)]
            for context in contexts:
                page = context.new_page()
                for name in PAGES:
                    page.goto(f"{url}/{name}")
                    page.get_by_role("heading").first.wait_for(timeout=120_000)
            for context in contexts:
                context.close()
            reached = level(app)
            print(f"{count} sessions, time {number + 1}: {_shown(reached)}", flush=True)
            yield reached
        chromium.close()


def _train() -> list[str]:
    """Train a small flagger in a process of its own; return the temporary files that it left."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["train", "clauses", "--data", "written", "--labels", "Insurance,Exclusivity", "--out", "soak"]
        command += ["--epochs", "1", "--rank", "2"]
        environment = {"PLAYGROUND_ADAPTERS": str(Path(folder) / "adapters"), "TMPDIR": folder}
        subprocess.run([sys.executable, "-m", "playground", *command], env=os.environ | environment, check=True)
        return sorted(path.name for path in Path(folder).rglob("*") if path.name.startswith((".tmp", "tmp")))


def _shown(reached: Level) -> str:
    return f"{reached.megabytes:.0f} MB, {reached.threads} threads, {reached.files} files"


if __name__ == "__main__":
    sys.exit(main())
