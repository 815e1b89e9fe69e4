"""Ask llama.cpp's own server with an exported adapter twenty questions and compare with our engine.

    python -m scripts.measure_served [--out docs/evaluation/served.json]

The server runs in a process of its own, with the adapter as ``adapters export --format gguf`` writes it. Both answer
greedily. Needs xllamacpp (requirements-dev.txt).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from playground.adapters import AdapterStore
from playground.adapters.served import export_gguf
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.estimates import proportion
from playground.models.bundled import ensure_smollm2_gguf
from playground.models.chat import ChatMl, LocalChatModel
from playground.models.endpoint.chat_model import load_endpoint
from playground.models.endpoint.settings import EndpointSettings
from playground.models.openvino.engine import load_openvino_engine
from playground.models.openvino.lora_branches import load_lora_branches
from playground.paths import SHIPPED_ADAPTERS
from playground.types import Message

PASSAGE = (
    "Unworn items can be returned within 45 days of delivery. Shoes are exchanged free of charge once. A refund takes "
    "5 business days and goes to the card that was used. Return shipping costs 4.90 EUR. Gift cards cannot be returned."
)
QUESTIONS = (
    "How many days do I have to return unworn items?",
    "Are shoes exchanged free of charge?",
    "How often are shoes exchanged free of charge?",
    "How long does a refund take?",
    "Where does my refund go?",
    "What does return shipping cost?",
    "Can I return a gift card?",
    "Who pays for shipping to Norway?",
    "What is the phone number of the shop?",
    "I have had my coat for 30 days and never wore it. Can I return it?",
    "I have had my coat for 60 days and never wore it. Can I return it?",
    "From when are the days counted?",
    "Can I return shoes that I wore outside?",
    "Is my refund paid to a bank account?",
    "how much for sending it back",
    "my refund isnt there after 2 days, is that normal?",
    "Do you repair zips?",
    "Is there a discount for students?",
    "Which card gets the money?",
    "Can I exchange my shoes a second time for free?",
)


def messages_for(question: str) -> list[Message]:
    """Return the prompt for a question about the passage."""
    return [Message("system", "Answer from the text."), Message("user", f"{PASSAGE}\n\nQuestion: {question}")]


def compare(
    served: Callable[[Sequence[Message]], str],
    with_adapter: Callable[[Sequence[Message]], str],
    without: Callable[[Sequence[Message]], str],
    questions: Sequence[str] = QUESTIONS,
) -> list[dict[str, str]]:
    """Return a row a question: what the server says, and our engine with the adapter and without it."""
    rows = []
    for question in questions:
        messages = messages_for(question)
        row = {"question": question, "served": served(messages), "ours": with_adapter(messages)}
        rows.append(row | {"ours_without_adapter": without(messages)})
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask both, print what agrees and store it."""
    from tests.support.serving import serving

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", default="policy-reader")
    parser.add_argument("--max-tokens", type=int, default=16)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    model = ensure_smollm2_gguf()
    adapter = AdapterStore(SHIPPED_ADAPTERS.parent / "none", SHIPPED_ADAPTERS).get(options.adapter)
    engine = load_openvino_engine(model, load_adapter=lambda _name: load_lora_branches(adapter.folder))
    ours = LocalChatModel("ours", ChatMl(engine.weights.tokenizer), engine.load_network, 2048)

    def answer(messages: Sequence[Message], name: str | None) -> str:
        return ours.complete(messages, max_tokens=options.max_tokens, adapter=name).text

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "adapter.gguf"
        export_gguf(adapter, file)
        with serving(model, "sk-served", file) as address:
            served = load_endpoint(EndpointSettings(f"{address}/v1", "with-adapter", "sk-served", context_limit=2048))
            rows = compare(
                lambda messages: served.complete(messages, max_tokens=options.max_tokens).text,
                lambda messages: answer(messages, "reader"),
                lambda messages: answer(messages, None),
            )
            served.close()
    same = sum(row["served"] == row["ours"] for row in rows)
    as_base = sum(row["served"] == row["ours_without_adapter"] for row in rows)
    interval = proportion(same, len(rows))
    found = {
        "date": utc_now(),
        "commit": commit(),
        "machine": describe_machine().label,
        "adapter": options.adapter,
        "max_tokens": options.max_tokens,
        "n": len(rows),
        "same_as_ours": same,
        "interval": [round(interval.low, 3), round(interval.high, 3)] if interval else None,
        "same_as_ours_without_adapter": as_base,
        "rows": rows,
    }
    if options.out:
        options.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(
        f"{same} of {len(rows)} answers of the server are ours word for word (95 % interval {found['interval']}); "
        f"{as_base} are ours without the adapter."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
