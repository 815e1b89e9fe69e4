"""Measure what the bundled language models take of memory: loaded, and with a prompt of 512 tokens read.

    python -m scripts.measure_memory --out docs/evaluation/memory.json

Each model runs in a process of its own, whose peak of resident memory the system tells (Linux only). The size of the
file stands beside it. ``memory_bytes`` of the catalogue follows the last figure: with the reader, where one ships.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
from collections.abc import Sequence
from pathlib import Path

from playground.adapters import AdapterStore, reader_adapter
from playground.errors import AdapterError
from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import ensure_language_model
from playground.models.catalog import LANGUAGE_MODELS
from playground.models.openvino.engine import load_openvino_engine
from playground.models.openvino.lora_branches import load_lora_branches
from playground.models.sources import choice_from
from playground.paths import SHIPPED_ADAPTERS

PROMPT_TOKENS = 512


def peak_bytes(status: str) -> int:
    """Return the peak of resident memory out of the text of ``/proc/self/status``.

    Raises:
        ValueError: the text does not say it.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise ValueError("This system does not tell the peak of a process's memory.")
    return int(found[1]) * 1024


def measure(path: Path, reader: Path | None = None) -> dict[str, int]:
    """Load a GGUF file, read a prompt, read it through a reader too, and return the peaks in bytes.

    Run it in a fresh process. ``reader`` is the folder of an adapter: its network stands beside the base's.
    """
    engine = load_openvino_engine(path, load_adapter=lambda _name: load_lora_branches(Path(str(reader))))
    sequence = engine.load_network(None)()
    peaks = {"file_bytes": path.stat().st_size, "loaded_bytes": _peak()}
    sequence.extend(range(100, 100 + PROMPT_TOKENS), 1)
    peaks["prompt_read_bytes"] = _peak()
    if reader is not None:
        engine.load_network("reader")().extend(range(100, 100 + PROMPT_TOKENS), 1)
        peaks["with_reader_bytes"] = _peak()
    return peaks


def _peak() -> int:
    return peak_bytes(Path("/proc/self/status").read_text(encoding="utf-8"))


def shipped_reader(size: str) -> Path | None:
    """Return the folder of the reader that ships for a bundled model; None where there is none."""
    try:
        return reader_adapter(AdapterStore(SHIPPED_ADAPTERS), None, choice_from(size)).folder
    except AdapterError:
        return None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every bundled model, print and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", nargs="+", choices=LANGUAGE_MODELS, default=list(LANGUAGE_MODELS))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    models = {}
    for size in options.sizes:
        path = ensure_language_model(LANGUAGE_MODELS[size])
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            models[size] = pool.apply(measure, (path, shipped_reader(size)))
        figures = models[size]
        reader = figures.get("with_reader_bytes")
        print(
            f"{LANGUAGE_MODELS[size].title}: file {figures['file_bytes'] / 1e9:.2f} GB, loaded "
            f"{figures['loaded_bytes'] / 1e9:.2f} GB, with {PROMPT_TOKENS} tokens read "
            f"{figures['prompt_read_bytes'] / 1e9:.2f} GB"
            f"{f', with its reader {reader / 1e9:.2f} GB' if reader else ''}"
        )
    if options.out:
        stamp = {"date": utc_now(), "commit": commit(), "machine": describe_machine().label}
        options.out.write_text(json.dumps(stamp | {"models": models}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
