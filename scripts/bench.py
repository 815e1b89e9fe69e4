"""Measure the local engines side by side on the bundled model: ``make bench``.

The contenders answer the same prompts in turn, prompt by prompt, with the same weights and the same number of
threads, so that a noisy machine is fair to all; speeds are compared as ratios within a prompt. llama.cpp reports its
own times from inside its server, which leaves out the cost of talking to it: the comparison favours it slightly.

Writes docs/bench.json; `make docs` puts it into docs/measurements.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from playground.adapters import AdapterStore, branch_loader
from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import ensure_smollm2_gguf
from playground.models.chat import ChatMl
from playground.models.generation import Sampling, generate
from playground.models.openvino.engine import load_openvino_engine
from playground.models.sources import ModelChoice
from playground.models.transformers_engine import ensure_dequantised
from playground.paths import POLICIES, ROOT, SHIPPED_ADAPTERS
from playground.types import Message
from scenarios.return_policy.scenario import system_prompt

OUTPUT_TOKENS = 32
COLD_PROMPT_TOKENS = 500
READER = "policy-reader"
"""The adapter of RAG + LoRA: it must not make the first token late."""
FIRST_TOKEN_OF = ("fast", "fast, adapter on", "llama.cpp", "transformers float32")
SEED = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """One answer of one contender. ``decode_tokens_per_s`` counts the tokens after the first."""

    ids: tuple[int, ...]
    first_token_s: float
    decode_tokens_per_s: float


Contender = Callable[[Sequence[int], int], Timing]


def fast_engine(gguf: Path, threads: int, *, lookup: bool, adapter: str | None = None) -> tuple[Contender, Any]:
    """Return the project's engine, cold for every prompt, and its chat codec; ``adapter`` is one of the store's."""
    engine = load_openvino_engine(
        gguf, threads=threads, load_adapter=branch_loader(AdapterStore(SHIPPED_ADAPTERS), ModelChoice())
    )
    codec = ChatMl(engine.weights.tokenizer)
    sequence = engine.load_network(adapter)()

    def run(prompt: Sequence[int], tokens: int, *, cold: bool = True) -> Timing:
        if cold:
            sequence.truncate(0)
        stamps: list[tuple[float, int]] = []
        started = time.perf_counter()
        sampling = Sampling(max_tokens=tokens, lookup=lookup, stop_loops=False)
        result = generate(
            sequence, prompt, codec.end_token_ids, sampling, lambda ids: stamps.append((time.perf_counter(), len(ids)))
        )
        return _timing(result.ids, started, [stamp for stamp in stamps if stamp[1]])

    return run, codec


def _timing(ids: Sequence[int], started: float, stamps: Sequence[tuple[float, int]]) -> Timing:
    first_s = stamps[0][0] - started if stamps else 0.0
    later = sum(count for _at, count in stamps) - stamps[0][1] if stamps else 0
    spent_s = stamps[-1][0] - stamps[0][0] if stamps else 0.0
    return Timing(tuple(ids), first_s, later / spent_s if spent_s else 0.0)


def transformers_generate(folder: Path, threads: int, dtype_name: str) -> tuple[Contender, Any]:
    """Return transformers' own ``generate``, timed token by token through a streamer."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.generation.streamers import BaseStreamer

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype_name)).eval()

    class Stamps(BaseStreamer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.at: list[float] = []

        def put(self, _value: Any) -> None:
            self.at.append(time.perf_counter())

        def end(self) -> None:
            pass

    def run(prompt: Sequence[int], tokens: int) -> Timing:
        streamer = Stamps()
        ids = torch.tensor([list(prompt)])
        started = time.perf_counter()
        with torch.inference_mode():
            output = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=tokens,
                do_sample=False,
                streamer=streamer,
                pad_token_id=2,
                eos_token_id=[2, 0],
            )
        new = output[0, len(prompt) :].tolist()
        ended = bool(new) and new[-1] in (2, 0)
        stamps = [(at, 1) for at in streamer.at[1:]]  # the first call of the streamer is the prompt
        return _timing(new[:-1] if ended else new, started, stamps)

    return run, model


_LLAMA_SERVER = """
import sys, time, xllamacpp
path, threads = sys.argv[1], int(sys.argv[2])
params = xllamacpp.CommonParams()
params.model.path = path
params.n_ctx, params.n_parallel = 4096, 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
params.port = 0
server = xllamacpp.Server(params)
print("ready", server.listening_address, flush=True)
sys.stdin.read()
"""


class LlamaCpp:
    """llama.cpp's own server from the xllamacpp wheel, in a process of its own."""

    def __init__(self, gguf: Path, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LLAMA_SERVER, str(gguf), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for line in self._process.stdout or ():
            if line.startswith("ready"):
                self._url = line.split()[1]
                return
        raise RuntimeError("llama.cpp's server did not start")

    def __call__(self, prompt: Sequence[int], tokens: int) -> Timing:
        body = {
            "prompt": list(prompt),
            "n_predict": tokens,
            "temperature": 0,
            "cache_prompt": False,
            "return_tokens": True,
        }
        request = urllib.request.Request(  # noqa: S310 - the address is our own server's, on loopback
            f"{self._url}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310
            answer = json.load(reply)
        timings, ids = answer["timings"], [token for token in answer["tokens"] if token not in (0, 2)]
        # The first token comes out of the prompt pass; the rest are what decoding took.
        return Timing(tuple(ids), timings["prompt_ms"] / 1e3, timings["predicted_per_second"])

    def close(self) -> None:
        """Stop the server."""
        self._process.kill()
        self._process.wait()


def prompts(codec: ChatMl) -> list[list[int]]:
    """Return 40 varied prompts as token ids."""
    texts = json.loads((Path(__file__).parent / "bench_prompts.json").read_text(encoding="utf-8"))
    users = list(texts["general"])
    users += [f"Text:\n{texts['policy_text']}\n\nQuestion: {question}" for question in texts["policy"]]
    users += [f"Name the subject of this contract clause in a few words.\n\n{clause}" for clause in texts["clause"]]
    return [codec.encode([Message("system", system_prompt()), Message("user", user)]) for user in users]


def policy_prompts(codec: ChatMl, count: int) -> tuple[list[list[int]], list[list[int]]]:
    """Return prompts of 500 tokens: ``count`` unrelated ones, and ``count`` + 1 that differ in the question only."""
    words = (POLICIES / "northtrail-outdoor-v1.md").read_text(encoding="utf-8")
    questions = json.loads((Path(__file__).parent / "bench_prompts.json").read_text(encoding="utf-8"))["policy"]

    def prompt(text: str, question: str) -> list[int]:
        return codec.encode(
            [Message("system", system_prompt()), Message("user", f"Text:\n{text}\n\nQuestion: {question}")]
        )

    def of_size(text: str, question: str) -> list[int]:
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if len(prompt(text[:middle], question)) <= COLD_PROMPT_TOKENS else (low, middle - 1)
            )
        ids = prompt(text[:low], question)
        while len(ids) < COLD_PROMPT_TOKENS:  # the last token or two
            ids.insert(len(ids) // 2, ids[len(ids) // 2])
        return ids

    cold = [of_size(words[start * 180 :], questions[start % len(questions)]) for start in range(count)]
    longest = max(len(codec.encode([Message("user", question)])) for question in questions)
    shared = words[: len(words) // 3]
    while len(prompt(shared, questions[0])) > COLD_PROMPT_TOKENS - longest:
        shared = shared[:-20]
    warm = [prompt(shared, questions[turn % len(questions)]) for turn in range(count + 1)]
    return cold, warm


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the median of ``values`` with its 95 % percentile bootstrap interval (Efron, 1979), seeded."""
    data = np.asarray(values)
    generator = np.random.default_rng(SEED)
    medians = np.median(generator.choice(data, size=(2000, len(data))), axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return float(np.median(data)), float(low), float(high)


def logit_gap(model: Any, prompt: Sequence[int], expected: Sequence[int], got: Sequence[int]) -> dict[str, Any]:
    """Say where two texts part and how far apart the reference's logits of the two tokens are."""
    import torch

    position = next(
        (i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), min(len(expected), len(got))
    )
    choice = [[*ids, 2][position] for ids in (list(expected), list(got))]
    with torch.inference_mode():
        logits = model(torch.tensor([[*prompt, *expected[:position]]])).logits[0, -1]
    return {"position": position, "tokens": choice, "logit_gap": float(logits[choice[0]] - logits[choice[1]])}


def measure(threads: int, repeats: int, report: Callable[[str], None]) -> dict[str, Any]:
    """Run everything and return the results, all ratios with intervals."""
    gguf = ensure_smollm2_gguf()
    folder = ensure_dequantised(gguf)
    fast, codec = fast_engine(gguf, threads, lookup=True)
    plain, _codec = fast_engine(gguf, threads, lookup=False)
    adapted, _codec = fast_engine(gguf, threads, lookup=True, adapter=READER)
    float32, reference = transformers_generate(folder, threads, "float32")
    bfloat16, _model = transformers_generate(folder, threads, "bfloat16")
    llama = LlamaCpp(gguf, threads)
    contenders: dict[str, Contender] = {
        "fast": fast,
        "fast, adapter on": adapted,
        "fast, no lookup": plain,
        "llama.cpp": llama,
        "transformers float32": float32,
        "transformers bfloat16": bfloat16,
    }
    try:
        for contender in contenders.values():
            contender(prompts(codec)[0], 8)
        answers: dict[str, list[Timing]] = {name: [] for name in contenders}
        for number, prompt in enumerate(prompts(codec), start=1):
            for name, contender in contenders.items():
                answers[name].append(contender(prompt, OUTPUT_TOKENS))
            report(f"prompt {number} of 40")
        cold_prompts, warm_prompts = policy_prompts(codec, repeats)
        first: dict[str, list[float]] = {name: [] for name in FIRST_TOKEN_OF}
        for number, prompt in enumerate(cold_prompts, start=1):
            for name, times in first.items():
                times.append(contenders[name](prompt, 1).first_token_s)
            report(f"cold prompt {number} of {len(cold_prompts)}")
        warm: dict[str, list[float]] = {"fast": [], "fast, adapter on": []}
        for name in warm:
            contenders[name](warm_prompts[0], 1)
        for prompt in warm_prompts[1:]:
            for name, times in warm.items():
                times.append(contenders[name](prompt, 1, cold=False).first_token_s)  # type: ignore[call-arg]
    finally:
        llama.close()
    return _results(answers, first, warm, prompts(codec), reference)


def _results(
    answers: dict[str, list[Timing]],
    first: dict[str, list[float]],
    warm: dict[str, list[float]],
    asked: list[list[int]],
    reference: Any,
) -> dict[str, Any]:
    def decode_ratio(name: str, other: str) -> dict[str, Any]:
        pairs = zip(answers[name], answers[other], strict=True)
        ratios = [a.decode_tokens_per_s / b.decode_tokens_per_s for a, b in pairs if min(len(a.ids), len(b.ids)) >= 8]
        middle, low, high = interval(ratios)
        return {"ratio": middle, "low": low, "high": high, "n": len(ratios)}

    def time_ratio(left: Sequence[float], right: Sequence[float]) -> dict[str, Any]:
        middle, low, high = interval([a / b for a, b in zip(left, right, strict=True)])
        return {"ratio": middle, "low": low, "high": high, "n": len(left)}

    differences = [
        {"prompt": number, **logit_gap(reference, asked[number], expected.ids, got.ids)}
        for number, (expected, got) in enumerate(zip(answers["transformers float32"], answers["fast"], strict=True))
        if expected.ids != got.ids
    ]
    long = {name: [t for t in timings if len(t.ids) >= 8] for name, timings in answers.items()}
    return {
        "decode_tokens_per_s": {
            name: statistics.median(t.decode_tokens_per_s for t in timings) for name, timings in long.items()
        },
        "first_token_s_500_tokens": {name: statistics.median(times) for name, times in first.items()}
        | {f"{name}, policy unchanged": statistics.median(times) for name, times in warm.items()},
        "ratios": {
            "decode, fast / transformers float32": decode_ratio("fast", "transformers float32"),
            "decode, fast / transformers bfloat16": decode_ratio("fast", "transformers bfloat16"),
            "decode, fast / llama.cpp": decode_ratio("fast", "llama.cpp"),
            "decode, fast without lookup / llama.cpp": decode_ratio("fast, no lookup", "llama.cpp"),
            "first token cold, fast / llama.cpp": time_ratio(first["fast"], first["llama.cpp"]),
            "first token, policy unchanged / cold": time_ratio(warm["fast"], first["fast"]),
            "adapter on, first token cold, fast / llama.cpp without": time_ratio(
                first["fast, adapter on"], first["llama.cpp"]
            ),
            "adapter on, first token, policy unchanged / cold": time_ratio(
                warm["fast, adapter on"], first["fast, adapter on"]
            ),
            "decode, adapter on / off": decode_ratio("fast, adapter on", "fast"),
        },
        "same_text": {"n": len(asked), "equal": len(asked) - len(differences), "differences": differences},
    }


TARGETS = {
    "decode, fast / transformers float32": ("at least", 4.0),
    "decode, fast / transformers bfloat16": ("at least", 4.0),
    "decode, fast / llama.cpp": ("at least", 1.0),
    "first token cold, fast / llama.cpp": ("at most", 0.5),
    "first token, policy unchanged / cold": ("at most", 0.15),
    "adapter on, first token cold, fast / llama.cpp without": ("at most", 0.5),
    "adapter on, first token, policy unchanged / cold": ("at most", 0.15),
}


def as_markdown(run: dict[str, Any]) -> str:
    """Return the results as a section of docs/measurements.md."""
    machine = run["machine"]
    lines = [
        f"`make bench` on {run['date']}, commit {run['commit']}, {machine['cpu']}, {run['threads']} threads, seed "
        f"{SEED}.",
        "SmolLM2-135M-Instruct, the bundled Q4_1 weights for all (dequantised for transformers); contenders in turn,",
        "prompt by prompt. Medians of ratios with 95 % bootstrap intervals.",
        "",
        "| Ratio | Measured | 95 % interval | n | To reach |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, value in run["results"]["ratios"].items():
        kind, target = TARGETS.get(name, ("", 0))
        met = value["ratio"] >= target if kind == "at least" else value["ratio"] <= target
        goal = f"{kind} {target:g}: {'met' if met else 'not met'}" if kind else "-"
        lines.append(
            f"| {name} | {value['ratio']:.3g} | {value['low']:.3g} to {value['high']:.3g} | {value['n']} | {goal} |"
        )
    same = run["results"]["same_text"]
    lines += ["", f"Greedy text equal to transformers float32 (32 tokens): {same['equal']} of {same['n']} prompts.", ""]
    lines += [
        f"- prompt {d['prompt']}: differs at token {d['position']}, reference logit gap {d['logit_gap']:.3g}"
        for d in same["differences"]
    ]
    lines += ["", "| Contender | Decode, tokens/s (median) |", "| --- | --- |"]
    lines += [f"| {name} | {speed:.0f} |" for name, speed in run["results"]["decode_tokens_per_s"].items()]
    lines += ["", "| First token, 500-token prompt | Seconds (median) |", "| --- | --- |"]
    lines += [f"| {name} | {seconds:.3f} |" for name, seconds in run["results"]["first_token_s_500_tokens"].items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the benchmark and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=12, help="cold and warm 500-token prompts")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    arguments = parser.parse_args()
    started = utc_now()
    results = measure(arguments.threads, arguments.repeats, lambda text: print(text, file=sys.stderr))
    run = {
        "date": started,
        "commit": commit(),
        "machine": asdict(describe_machine()),
        "threads": arguments.threads,
        "seed": SEED,
        "results": results,
    }
    (arguments.out / "bench.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(run))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
