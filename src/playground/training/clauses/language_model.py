"""Training the language model to name what a clause is about, behind the same result as training the encoder."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from playground.flagging.language_model import LabelCodes, clause_messages
from playground.flagging.model import OnShare
from playground.models.catalog import SMOLLM2
from playground.models.completion_codec import CompletionCodec, PromptCompletion
from playground.training.clauses.bases import TrainingBase
from playground.training.clauses.decision import Decision
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingSplit
from playground.training.clauses.trainers import TrainedFlagger
from playground.training.language_model.settings import LanguageModelSettings
from playground.training.language_model.train import save_peft, train_language_model
from playground.training.progress import OnProgress
from playground.types import AnnotatedClause

_EDGE = 1e-6  # log-odds are taken of probabilities no nearer to 0 and 1


def train_on_language_model(
    base: TrainingBase,
    split: TrainingSplit,
    settings: EncoderSettings,
    on_progress: OnProgress,
    checkpoint_folder: Path,
) -> TrainedFlagger:
    """Train LoRA on the bundled language model; errors as for ``train_language_model``.

    It is judged on the fast engine, as it would run. Settings that only encoders have are passed over.
    """
    from playground.flagging.language_model import label_codes
    from playground.models.completion_codec import load_completion_codec
    from playground.models.transformers_engine import ensure_dequantised

    gguf = base.folder / SMOLLM2.main_file.name
    folder = ensure_dequantised(gguf)
    codec = load_completion_codec(folder)
    codes = label_codes(split.labels, codec)
    trained = train_language_model(
        folder,
        clause_examples(split.train, codes, codec),
        clause_examples(split.validation, codes, codec),
        language_model_settings(settings),
        on_progress=on_progress,
        checkpoint_folder=checkpoint_folder,
        base_id=base.id,
    )

    def judge(adapter: Path, clauses: Sequence[AnnotatedClause], on_share: OnShare) -> np.ndarray:
        return _judge(gguf, folder, adapter, labels=split.labels, clauses=clauses, on_share=on_share)

    def write(target: Path, _decision: Decision) -> None:
        save_peft(trained, target)

    with tempfile.TemporaryDirectory(prefix="adapter-") as name:
        save_peft(trained, Path(name))
        validation_scores = judge(Path(name), split.validation, lambda _share: None)
    trained = replace(trained, labels=split.labels, validation_scores=validation_scores)
    return TrainedFlagger(trained, write, judge)


def language_model_settings(settings: EncoderSettings) -> LanguageModelSettings:
    """Return the settings of a language model that correspond; its own rate where the encoder's was left as it is."""
    default, own = EncoderSettings(), LanguageModelSettings()
    return LanguageModelSettings(
        rank=settings.rank,
        alpha=2 * settings.rank if settings.alpha == settings.rank else max(1, round(settings.alpha)),
        learning_rate=own.learning_rate if settings.learning_rate == default.learning_rate else settings.learning_rate,
        epochs=max(1, math.ceil(settings.epochs)),
        max_minutes=settings.max_minutes,
        frozen_layers=settings.frozen_layers,
        seed=settings.seed,
    )


def _judge(
    gguf: Path,
    folder: Path,
    adapter: Path,
    *,
    labels: Sequence[str],
    clauses: Sequence[AnnotatedClause],
    on_share: OnShare,
) -> np.ndarray:
    from playground.flagging.language_model import language_model_scorer
    from playground.models.completion_codec import load_completion_codec
    from playground.models.openvino.engine import load_openvino_engine
    from playground.models.openvino.lora_branches import load_lora_branches

    engine = load_openvino_engine(gguf, load_adapter=lambda _name: load_lora_branches(adapter))
    model = language_model_scorer(engine.load_network("trained"), load_completion_codec(folder), labels)
    rows = []
    for number, clause in enumerate(clauses, start=1):
        rows.append(model.probabilities([clause]))
        on_share(number / len(clauses))
    shares = np.clip(np.concatenate(rows), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(shares) - np.log1p(-shares))


def clause_examples(
    clauses: Sequence[AnnotatedClause], codes: LabelCodes, codec: CompletionCodec, *, max_tokens: int = 400
) -> tuple[PromptCompletion, ...]:
    """Return what the model is trained on: an example for each label of each clause, and one for a clause of none.

    With several labels the model learns to share the probability among them. Labels outside ``codes`` are as if they
    were not there.
    """
    word_of = dict(zip(codes.labels, codes.words, strict=True))
    examples = []
    for clause in clauses:
        messages = clause_messages(clause, codec, max_tokens)
        words = [word_of[label] for label in clause.labels if label in word_of] or [codes.none_word]
        examples += [PromptCompletion(messages, word) for word in words]
    return tuple(examples)
