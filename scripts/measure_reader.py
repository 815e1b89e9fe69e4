"""Measure what the evaluation questions do not: reading in general, swapped facts, and hidden instructions.

    python scripts/measure_reader.py --squad squad-train.json --out docs/evaluation/reader.json

- SQuAD v2: questions of the two articles that no training read (Rajpurkar et al., 2018). Balanced: answered where there
  is an answer, whatever was said, and refused where there is none. An answer is right when it contains an annotated
  span or lies inside one.
- Swaps: invented policies that no training drew (their rules it did read), each in two versions with other numbers;
  both are asked, one after the other as on the page, guard and all. An answer with a value that only the other version
  has is a stale one.
- Engine: whether the fast engine writes with the adapter what transformers with PEFT writes.
- Attacks: an instruction hidden in the best passage of an answerable question about the sample policies. It was
  followed when the answer has the attack's mark.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from playground.answering.abstention import is_abstention
from playground.answering.answer import BotSettings, answer_question
from playground.documents import load_document
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.estimates import Estimate, balanced_accuracy, proportion
from playground.models.bundled import ensure_minilm, ensure_smollm2_gguf
from playground.models.chat import ChatMl, LocalChatModel
from playground.models.completion_codec import PromptCompletion
from playground.models.embedding import load_embedder
from playground.models.openvino.llama_weights import load_llama_gguf
from playground.models.openvino.lora_branches import load_lora_branches
from playground.models.sources import ModelChoice, load_chat_model
from playground.models.transformers_engine import TransformersSequence, ensure_dequantised
from playground.paths import POLICIES, SHIPPED_ADAPTERS
from playground.retrieval.index import PassageIndex, build_index
from playground.text.quantities import stated_quantities
from playground.types import ChatModel, Embedder, GuardedChatModel, Message, Passage
from scenarios.return_policy.evaluation import bot_settings
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.reader.cards import FOLDER, all_cards
from scenarios.return_policy.reader.examples import I_DO_NOT_KNOW, reader_messages
from scenarios.return_policy.reader.policies import InventedPolicy, invent_policy
from scenarios.return_policy.reader.slots import fill
from scenarios.return_policy.reader.squad import squad_examples
from scenarios.return_policy.request import QUESTIONS

Item = TypeVar("Item")
ATTACKS = FOLDER / "attacks.json"
_MOST_TOKENS = 80
_SWAP_SEED = 77_000_000
_QUESTIONS_PER_SWAP = 8
_CARDS_PER_SWAP = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """The model with the settings of the bot."""

    model: ChatModel
    settings: BotSettings

    def passages(self, index: PassageIndex, question: str) -> tuple[Passage, ...]:
        """Return the passages that the bot would show to it."""
        return index.search(question, self.settings.retrieval)

    def answer(self, messages: Sequence[Message]) -> str:
        """Return the answer to a prompt, greedy; the reader abstains at the bot's level of caution."""
        settings = self.settings
        if settings.abstain_at is not None and isinstance(self.model, GuardedChatModel):
            completion = self.model.complete_guarded(
                messages,
                abstention=I_DO_NOT_KNOW,
                abstain_at=settings.abstain_at,
                max_tokens=_MOST_TOKENS,
                adapter=settings.adapter,
            )
        else:
            completion = self.model.complete(messages, max_tokens=_MOST_TOKENS, adapter=settings.adapter)
        return completion.text.strip()


def main() -> None:
    """Measure the adapter and, for comparison, the base model by prompting alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, default=SHIPPED_ADAPTERS / "policy-reader", help="its folder")
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--squad-questions", type=int, default=400)
    parser.add_argument("--swaps", type=int, default=200, help="questions after a swap")
    parser.add_argument("--attacks", type=int, default=75)
    parser.add_argument("--engine", type=int, default=40, help="prompts on which the engines are compared")
    parser.add_argument("--without-base", action="store_true", help="measure the adapter only")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    model = load_chat_model(ModelChoice(), load_adapter=lambda name: load_lora_branches(Path(name)))
    embedder = load_embedder(ensure_minilm())
    measured: dict[str, Any] = {
        "measured_at": utc_now(),
        "machine": describe_machine().label,
        "commit": commit(),
        "model": model.model_id,
        "adapter": arguments.adapter.name,
    }
    names = {"rag+lora": str(arguments.adapter)} | ({} if arguments.without_base else {"rag": None})
    for name, adapter in names.items():
        asked = Asked(model, bot_settings(name, adapter=adapter))
        figures: dict[str, Any] = {"abstain_at": asked.settings.abstain_at}
        if arguments.squad:
            figures["squad"] = measure_squad(asked, arguments.squad, arguments.squad_questions)
        if arguments.swaps:
            figures["swaps"] = measure_swaps(asked, embedder, arguments.swaps)
        if arguments.attacks:
            figures["attacks"] = measure_attacks(asked, embedder, arguments.attacks)
        if adapter and arguments.engine:
            figures["engine"] = measure_engine(asked, Path(adapter), embedder, arguments.engine)
        measured[name] = figures
        print(name, json.dumps(figures, indent=1), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def measure_squad(asked: Asked, path: Path, count: int) -> dict[str, Any]:
    """Return accuracies over ``count`` questions of the articles kept aside."""
    examples = [example for group in squad_examples(path, 1, held_out=True) for example in group][:count]
    answerable: list[bool] = []
    unanswerable: list[bool] = []
    answered: list[bool] = []
    for example in _progress("SQuAD", examples):
        text = asked.answer(example.messages)
        refused = is_abstention(text)
        if example.completion == I_DO_NOT_KNOW:
            unanswerable.append(refused)
        else:
            answered.append(not refused)
            answerable.append(not refused and _holds(text, example))
    return {
        "n": len(examples),
        "balanced_answer_or_abstain": _row(balanced_accuracy(answered, unanswerable)),
        "answered_of_answerable": _row(proportion(sum(answered), len(answered))),
        "right_of_answerable": _row(proportion(sum(answerable), len(answerable))),
        "refused_of_unanswerable": _row(proportion(sum(unanswerable), len(unanswerable))),
    }


def measure_swaps(asked: Asked, embedder: Embedder, count: int) -> dict[str, Any]:
    """Return how many of ``count`` answers to a swapped policy state what only the policy before it said."""
    stale = right = total = 0
    for old, new, question, answer in _progress("swaps", list(_swapped(embedder, count))):
        for index in (old, new):  # the old one first, as on the page
            text = answer_question(question, index, asked.model, asked.settings).text
        old_values, new_values = _values(old.document.text), _values(new.document.text)
        said = _values(text) - _values(question)
        stale += bool(said & (old_values - new_values))
        right += bool(_values(answer) and _values(answer) <= _values(text))
        total += 1
    return {"n": total, "stale": _row(proportion(stale, total)), "states_the_new_value": _row(proportion(right, total))}


def _swapped(embedder: Embedder, count: int) -> Iterator[tuple[PassageIndex, PassageIndex, str, str]]:
    made = 0
    for number in range(count):
        seed = _SWAP_SEED + number
        first, second = (_versions(seed, version) for version in (0, 1))
        indexes = build_index(first.document, embedder), build_index(second.document, embedder)
        generator = random.Random(seed)
        for place in generator.sample(second.places, min(_QUESTIONS_PER_SWAP, len(second.places))):
            ask = generator.choice(place.drawn.card.asks)
            answer = fill(ask.answers[0], place.drawn.values)
            if made < count and _values(answer):
                made += 1
                yield *indexes, fill(generator.choice(ask.questions), place.drawn.values), answer
        if made >= count:
            return


def _versions(seed: int, version: int) -> InventedPolicy:
    """Return a policy: the same rules in every version, with other numbers in each."""
    by_topic = {card.topic: card for card in random.Random(seed).sample(all_cards(), len(all_cards()))}
    chosen = list(by_topic.values())[:_CARDS_PER_SWAP]
    return invent_policy(chosen, random.Random(f"{seed}/{version}"), count=len(chosen))


def _values(text: str) -> set[str]:
    return {quantity.value for quantity in stated_quantities(text)}


def measure_attacks(asked: Asked, embedder: Embedder, count: int) -> dict[str, Any]:
    """Return how many hidden instructions were followed, and how many answers stayed right."""
    attacks = json.loads(ATTACKS.read_text(encoding="utf-8"))
    examples = [example for example in read_questions(QUESTIONS, POLICIES) if example.metadata["answerable"]]
    generator = random.Random(0)
    indexes: dict[str, PassageIndex] = {}
    followed = 0
    for number in _progress("attacks", list(range(count))):
        attack, example = attacks[number % len(attacks)], generator.choice(examples)
        name = str(example.metadata["policy"])
        if name not in indexes:
            indexes[name] = build_index(load_document((POLICIES / name).read_bytes(), name), embedder)
        best, *others = asked.passages(indexes[name], example.input)
        text = f"{best.chunk.text}\n{attack['text']}" if number % 2 else f"{attack['text']}\n{best.chunk.text}"
        poisoned = replace(best, chunk=replace(best.chunk, text=text))
        reply = asked.answer(reader_messages(example.input, [poisoned, *others]))
        followed += bool(re.search(attack["mark"], reply, re.IGNORECASE))
    return {"n": count, "followed": _row(proportion(followed, count))}


def measure_engine(asked: Asked, adapter: Path, embedder: Embedder, count: int) -> dict[str, Any]:
    """Return on how many of ``count`` prompts the greedy text equals that of transformers with PEFT, in float32."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    gguf = ensure_smollm2_gguf()
    base = AutoModelForCausalLM.from_pretrained(ensure_dequantised(gguf))
    adapted = PeftModel.from_pretrained(base, adapter).eval()
    reference = LocalChatModel(
        "transformers with PEFT",
        ChatMl(load_llama_gguf(gguf).tokenizer),
        lambda _adapter: lambda: TransformersSequence(adapted),
        asked.model.context_limit,
    )
    examples = read_questions(QUESTIONS, POLICIES)
    indexes: dict[str, PassageIndex] = {}
    differing = []
    for example in _progress("engine", examples[:: len(examples) // count][:count]):
        name = str(example.metadata["policy"])
        if name not in indexes:
            indexes[name] = build_index(load_document((POLICIES / name).read_bytes(), name), embedder)
        messages = reader_messages(example.input, asked.passages(indexes[name], example.input))
        expected = reference.complete(messages, max_tokens=_MOST_TOKENS).text
        got = asked.model.complete(messages, max_tokens=_MOST_TOKENS, adapter=asked.settings.adapter).text
        if got != expected:
            differing.append({"question": example.id, "fast": got, "transformers with PEFT": expected})
    return {"n": count, "same_text": _row(proportion(count - len(differing), count)), "differing": differing}


def _holds(text: str, example: PromptCompletion) -> bool:
    said, wanted = (re.sub(r"\W+", " ", words.lower()).strip() for words in (text, example.completion))
    return bool(said) and (wanted in said or said in wanted)


def _row(estimate: Estimate | None) -> list[float] | None:
    return None if estimate is None else [round(value, 4) for value in asdict(estimate).values()]


def _progress(name: str, items: Sequence[Item]) -> Iterator[Item]:
    for number, item in enumerate(items, start=1):
        if number % 25 == 0:
            print(f"{name}: {number} of {len(items)}", file=sys.stderr, flush=True)
        yield item


if __name__ == "__main__":
    main()
