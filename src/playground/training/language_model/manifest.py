"""What the store keeps about an adapter of a language model, whatever it was trained for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from playground.adapters import AdapterManifest, Task
from playground.machine import commit, describe_machine, utc_now
from playground.models.catalog import SMOLLM2
from playground.models.sources import BaseWeights
from playground.training.language_model.settings import LanguageModelSettings
from playground.training.trained import TrainedAdapter

_BUNDLED = BaseWeights(SMOLLM2.id, SMOLLM2.main_file.sha256)


def manifest_of(
    trained: TrainedAdapter[LanguageModelSettings],
    name: str,
    task: Task,
    data: Mapping[str, object],
    base: BaseWeights = _BUNDLED,
) -> AdapterManifest:
    """Return the manifest of a training on ``base`` that ends now; ``data`` says what was learnt from."""
    return AdapterManifest(
        name=name,
        task=task,
        base_kind="language_model",
        base_id=base.id,
        base_sha256=base.sha256,
        labels=(),
        data=dict(data),
        hyper_parameters=asdict(trained.settings),
        seed=trained.settings.seed,
        metrics={
            "validation_loss": trained.validation_loss,
            "validations": [{"step": point.step, "loss": point.loss} for point in trained.validations],
            "steps": trained.steps,
            "examples": trained.examples,
            "base_unchanged": trained.base_unchanged,
            "base_sha256_before": trained.base_sha256_before,
            "base_sha256_after": trained.base_sha256_after,
        },
        duration_s=round(trained.duration_s, 1),
        created_at=utc_now(),
        machine=describe_machine().label,
        commit=commit(),
    )
