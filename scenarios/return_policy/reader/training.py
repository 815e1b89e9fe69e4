"""From fact cards to a reader in the store: generate, train, save, and show what changed.

    python -m playground train reader --out my-reader
    python -m playground train reader --out larger-reader --base /models/SmolLM2-360M-Instruct

The page trains the same way on a few minutes' worth of policies. Nothing is stored unless all worked.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from playground.adapters import (
    CARD_FILE,
    AdapterManifest,
    AdapterStore,
    StoredAdapter,
    branch_loader,
    check_name,
    clear_checkpoints,
)
from playground.answering.answer import BotSettings, answer_question
from playground.documents import load_document
from playground.errors import AdapterError
from playground.machine import describe_machine
from playground.measuring.evaluation import sample_examples
from playground.models.bundled import ensure_minilm
from playground.models.catalog import SMOLLM2
from playground.models.completion_codec import PromptCompletion
from playground.models.sources import load_chat_model
from playground.paths import POLICIES
from playground.retrieval.index import PassageIndex, build_index
from playground.training.language_model.bases import BUNDLED_BASE, LanguageBase, load_language_base
from playground.training.language_model.manifest import manifest_of
from playground.training.language_model.settings import LanguageModelSettings
from playground.training.language_model.train import TrainedLanguageModel, save_peft, train_language_model
from playground.training.progress import OnProgress, TrainingProgress
from playground.types import Answer, Embedder, Example
from scenarios.return_policy.evaluation import bot_settings, is_right
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.reader.cards import CARDS, OUTSIDE, all_cards
from scenarios.return_policy.reader.examples import I_DO_NOT_KNOW, reader_examples
from scenarios.return_policy.reader.squad import squad_examples
from scenarios.return_policy.request import QUESTIONS

SQUAD_SHARE = 0.25
HELD_OUT_EVERY = 12
"""Of the cards, every so many-th is kept for validation."""
VALIDATION_POLICIES = 24
EFFECT_QUESTIONS = 10
INVENTED_POLICIES = 320
SETTINGS = LanguageModelSettings(
    rank=16, alpha=32, learning_rate=1.5e-3, batch_examples=16, epochs=1, frozen_layers=8, max_tokens=640,
    validation_every=0.25, validation_examples=64, checkpoint_every_s=240.0, seed=0,
)  # fmt: skip
"""What the shipped reader was trained with, on so many policies."""
_OTHER_LEARNING_RATE = 4e-4
"""For other bases: larger ones bear less, and this is the trainer's own default. Not measured."""
LIVE_SETTINGS = LanguageModelSettings(
    rank=16, alpha=32, batch_examples=8, epochs=1, frozen_layers=8, max_tokens=640, validation_every=0.34,
    validation_examples=12, learning_rate=1e-3,
)  # fmt: skip
"""For a few minutes on a laptop: small steps, so that there are many of them."""
_LIVE_POLICIES_PER_MINUTE = 7
_BUNDLED_LAYERS = 30
_MODEL_CARD = Path(__file__).with_name("model_card.md")


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """One training of a reader. ``policies`` are invented, ``squad`` is a file of SQuAD v2 to train on beside them.

    ``base`` is "language_model", the smallest bundled one, the size of a larger one, or a folder or hub id of another.
    """

    name: str
    policies: int
    settings: LanguageModelSettings = field(default_factory=lambda: LIVE_SETTINGS)
    squad: Path | None = None
    base: str = BUNDLED_BASE


@dataclass(frozen=True, slots=True)
class Effect:
    """A question of the project's own, answered by prompting alone and by the new reader; whether each was right."""

    question: str
    answerable: bool
    before: str
    after: str
    before_right: bool
    after_right: bool


@dataclass(frozen=True, slots=True)
class ReaderReport:
    """A reader that is in the store, how its training went, and what it changed on a few questions."""

    adapter: StoredAdapter
    trained: TrainedLanguageModel
    history: tuple[TrainingProgress, ...]
    train_examples: int
    unanswerable_share: float
    effects: tuple[Effect, ...]


def live_plan(name: str, minutes: float, seed: int) -> ReaderPlan:
    """Return a training of about ``minutes``, with as many invented policies as two fast cores read in that time."""
    settings = replace(LIVE_SETTINGS, max_minutes=float(minutes), seed=seed)
    return ReaderPlan(name, max(4, round(_LIVE_POLICIES_PER_MINUTE * minutes)), settings)


def settings_for(base: LanguageBase, settings: LanguageModelSettings = SETTINGS) -> LanguageModelSettings:
    """Return ``settings``, which suit the bundled model, for another base: lower rate, the same share of frozen layers.

    The bundled model's 8 of 30 layers are left out to save time.
    """
    if base.is_smallest:
        return settings
    frozen = settings.frozen_layers * base.layers // _BUNDLED_LAYERS
    return replace(settings, frozen_layers=frozen, learning_rate=_OTHER_LEARNING_RATE)


def train_reader(
    plan: ReaderPlan,
    store: AdapterStore,
    on_progress: OnProgress | None = None,
    *,
    embedder: Embedder | None = None,
    checkpoint_folder: Path | None = None,
) -> ReaderReport:
    """Train as ``plan`` says, save the adapter, and put a few questions to the bot without and with it.

    Raises:
        AdapterError: the name is not allowed or taken, or the adapter cannot be stored.
        ModelError: the base or a bundled model cannot be fetched or loaded.
        TrainingError: a setting or file is wrong, another training is running, or this one failed.
        TrainingStopped: it was stopped before anything was learnt.
    """
    from playground.models.embedding import load_embedder
    from playground.training.lock import training_lock

    check_name(plan.name)
    if (free := store.free_name(plan.name)) != plan.name:
        raise AdapterError(f"There is an adapter {plan.name!r} already. Name it {free!r}, or delete that one.")
    history: list[TrainingProgress] = []

    def tell(progress: TrainingProgress) -> bool | None:
        history.append(progress)
        return on_progress(progress) if on_progress else None

    with training_lock(store):
        tell(TrainingProgress("preparing", 0, 0.0))
        base = load_language_base(plan.base)
        embedder = embedder or load_embedder(ensure_minilm())
        examples = load_examples(plan.policies, plan.squad, plan.settings.seed, embedder)
        digest = cards_sha256()
        trained = train_language_model(
            base.folder, examples.train, examples.validation, replace(plan.settings, chat_format=base.chat_format),
            on_progress=tell, checkpoint_folder=checkpoint_folder, base_id=base.weights.id,
        )  # fmt: skip
        last = replace(history[-1], stage="saving", remaining_s=None, loss=None)
        tell(replace(last, fraction=0.0))
        stored = store.save(
            plan.name, lambda folder: write_adapter(folder, plan, base, trained, examples, data_sha256=digest)
        )
        if checkpoint_folder is not None:
            clear_checkpoints(checkpoint_folder)
    effects = []
    for effect in _effects(stored, store, base, embedder):
        effects.append(effect)
        tell(replace(last, fraction=len(effects) / EFFECT_QUESTIONS))
    return ReaderReport(
        stored, trained, tuple(history), len(examples.train), unanswerable_share(examples.train), tuple(effects)
    )


def join_training(plan: ReaderPlan) -> None:
    """Take part in a training as one of several processes but the first, which calls ``train_reader``; same errors."""
    from playground.models.embedding import load_embedder

    base = load_language_base(plan.base)
    examples = load_examples(plan.policies, plan.squad, plan.settings.seed, load_embedder(ensure_minilm()))
    settings = replace(plan.settings, chat_format=base.chat_format)
    train_language_model(base.folder, examples.train, examples.validation, settings, base_id=base.weights.id)


@dataclass(frozen=True, slots=True)
class ReaderExamples:
    """What a reader is trained on and validated with; ``from_squad`` of ``train`` are of SQuAD v2."""

    train: list[PromptCompletion]
    validation: list[PromptCompletion]
    from_squad: int = 0


def load_examples(policies: int, squad: Path | None, seed: int, embedder: Embedder) -> ReaderExamples:
    """Generate the examples for training and validation; those of one context stay neighbours."""
    cards = all_cards()
    held_out = cards[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY]
    kept = [card for card in cards if card not in held_out]
    train = list(reader_examples(kept, embedder, policies, seed))
    validation = list(
        reader_examples(held_out, embedder, min(VALIDATION_POLICIES, max(4, policies // 4)), seed + 1_000_000)
    )
    read = []
    if squad is not None:
        read = _until(squad_examples(squad, seed), SQUAD_SHARE / (1 - SQUAD_SHARE) * sum(map(len, train)))
        train += read
    random.Random(seed).shuffle(train)
    return ReaderExamples(_flat(train), _flat(validation), sum(map(len, read)))


def _until(groups: Iterable[tuple[PromptCompletion, ...]], wanted: float) -> list[tuple[PromptCompletion, ...]]:
    counts = itertools.accumulate(map(len, groups := list(groups)))
    return [group for group, count in zip(groups, counts, strict=True) if count <= wanted]


def _flat(groups: Iterable[tuple[PromptCompletion, ...]]) -> list[PromptCompletion]:
    return [example for group in groups for example in group]


def cards_sha256() -> str:
    """Return the hash of what the policies are invented from."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*sorted(CARDS.glob("*.jsonl")), OUTSIDE])).hexdigest()


def unanswerable_share(examples: Sequence[PromptCompletion]) -> float:
    """Return the share of examples whose answer is that there is none."""
    return sum(example.completion == I_DO_NOT_KNOW for example in examples) / len(examples)


def write_adapter(
    folder: Path,
    plan: ReaderPlan,
    base: LanguageBase,
    trained: TrainedLanguageModel,
    examples: ReaderExamples,
    *,
    data_sha256: str,
) -> AdapterManifest:
    """Write the adapter's files and return its manifest."""
    save_peft(trained, folder)
    (folder / CARD_FILE).write_text(model_card(plan, base, trained, examples), encoding="utf-8")
    data = {
        "name": "invented policies (written cards)" + (" and SQuAD v2 (CC BY-SA 4.0)" if plan.squad else ""),
        "sha256": data_sha256,
        "examples": len(examples.train),
        "contracts": 0,
    }
    return manifest_of(trained, plan.name, "reader", data, base.weights)


def model_card(plan: ReaderPlan, base: LanguageBase, trained: TrainedLanguageModel, examples: ReaderExamples) -> str:
    """Return the README of the adapter."""
    squad, attribution = "", ""
    if plan.squad:
        share = examples.from_squad / len(examples.train)
        squad = f"; {share:.0%} of the examples are of SQuAD v2 (Rajpurkar, Jia and Liang, 2018, CC BY-SA 4.0)"
        attribution = "; the SQuAD v2 data's licence asks for attribution, given above"
    named = "" if base.is_smallest else base.choice.name if base.is_bundled else base.title
    words = ["python", "-m", "playground", "train", "reader", "--out", plan.name, "--policies", str(plan.policies)]
    words += ["--base", named] if named else []
    words += ["--squad", "SQUAD.json"] if plan.squad else []
    origin = f"{base.title} (under its own licence), SHA-256 of its weights {base.weights.sha256[:16]}…"
    if base.is_bundled:
        licence = (base.choice.bundle or SMOLLM2).licence
        origin = f"{base.title} ({licence}), as quantised in the package that the project fetches it from"
    return _MODEL_CARD.read_text(encoding="utf-8").format(
        name=plan.name,
        squad=squad,
        attribution=attribution,
        command=shlex.join(words),
        title=base.title,
        origin=origin,
        model=f" --model {shlex.quote(named)} --adapter {plan.name}" if named else "",
        rank=trained.settings.rank,
        frozen=trained.settings.frozen_layers,
        seed=trained.settings.seed,
        examples=f"{len(examples.train):,}",
        unanswerable=f"{unanswerable_share(examples.train):.0%}",
        seen=f"{trained.examples:,}",
        minutes=f"{trained.duration_s / 60:.0f}",
        machine=describe_machine().label,
        weights="unchanged" if trained.base_unchanged else "CHANGED",
        loss=f"{trained.validation_loss or float('nan'):.3f}",
    )


def _effects(stored: StoredAdapter, store: AdapterStore, base: LanguageBase, embedder: Embedder) -> Iterable[Effect]:
    """Yield a few of the project's questions with both answers; drawn so that both kinds are among them."""
    model = load_chat_model(base.choice, load_adapter=branch_loader(store, base.choice))
    examples = sample_examples(
        read_questions(QUESTIONS, POLICIES), EFFECT_QUESTIONS, seed=0,
        stratum=lambda example: example.metadata["answerable"],
    )  # fmt: skip
    before, after = bot_settings("rag"), bot_settings("rag+lora", adapter=stored.identity)
    indexes: dict[str, PassageIndex] = {}

    def ask(example: Example, settings: BotSettings) -> Answer:
        name = str(example.metadata["policy"])
        if name not in indexes:
            indexes[name] = build_index(load_document((POLICIES / name).read_bytes(), name), embedder)
        return answer_question(example.input, indexes[name], model, settings)

    for example in examples:
        old, new = ask(example, before), ask(example, after)
        yield Effect(
            question=example.input,
            answerable=bool(example.metadata["answerable"]),
            before=old.text,
            after=new.text,
            before_right=_right(old, example),
            after_right=_right(new, example),
        )


def _right(answer: Answer, example: Example) -> bool:
    from playground.answering.strategy import as_prediction

    return is_right(as_prediction(answer, {}), example) > 0
