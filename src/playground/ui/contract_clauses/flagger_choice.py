"""What may judge a contract: a stored adapter, the untrained base, keywords; and how well it was measured to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.adapters import AdapterStore, StoredAdapter
from playground.adapters.quality import below_base
from playground.flagging.calibration import OperatingPoint
from playground.flagging.loading import base_of
from playground.models.catalog import MINILM, Bundle

Kind = Literal["adapter", "zero_shot", "keywords"]

_MOST_POINTS = 200
_NEAR = 0.26
"""Log-odds between a place of the slider, half a log-odds apart, and the point that was measured for it."""


@dataclass(frozen=True, slots=True)
class FlaggerChoice:
    """Who judges. ``key`` tells results apart: a retrained adapter of the same name has another one."""

    kind: Kind
    stored: StoredAdapter | None = None

    @property
    def key(self) -> str:
        """The adapter's identity, or the kind."""
        return self.stored.identity if self.stored else self.kind

    @property
    def title(self) -> str:
        """Name for people."""
        if self.stored:
            return f"LoRA adapter {self.stored.name}"
        return "Untrained base (zero-shot)" if self.kind == "zero_shot" else "Keyword search (no model)"

    @property
    def option(self) -> str:
        """Title in a list to choose from: adapters with the encoder that they are for."""
        if not self.stored:
            return self.title
        worse = " · worse than its untrained base" if below_base(self.stored.manifest) else ""
        return f"{self.title} · {self.base.title}{worse}"

    @property
    def needs_encoder(self) -> bool:
        """True when a bundled encoder has to be here."""
        return self.kind != "keywords"

    @property
    def base(self) -> Bundle:
        """The bundled encoder that judges; meaningless for keywords."""
        return base_of(self.stored) if self.stored else MINILM

    @property
    def gives_probabilities(self) -> bool:
        """True when scores are calibrated probabilities."""
        return self.kind != "keywords"


ZERO_SHOT = FlaggerChoice("zero_shot")
KEYWORDS = FlaggerChoice("keywords")


@dataclass(frozen=True, slots=True)
class FlaggerChoices:
    """What can be chosen; ``default`` is the active adapter, else keywords. ``notes`` are sentences for the user."""

    options: tuple[FlaggerChoice, ...]
    default: FlaggerChoice
    notes: tuple[str, ...] = ()

    @property
    def has_adapter(self) -> bool:
        """True when there is an adapter to choose."""
        return any(option.kind == "adapter" for option in self.options)


def flagger_choices(store: AdapterStore) -> FlaggerChoices:
    """Return the adapters that judge clauses with the encoder, newest first, then what needs no training.

    Adapters that are worse than their untrained base come after the others.
    """
    encoders = [
        stored
        for stored in store.list()
        if stored.manifest.task == "clauses" and stored.manifest.base_kind == "encoder"
    ]
    encoders.sort(key=lambda stored: below_base(stored.manifest) is not None)
    adapters = tuple(FlaggerChoice("adapter", stored) for stored in encoders)
    activation = store.activation("clauses")
    active = activation.adapter.identity if activation.adapter else None
    default = next((option for option in adapters if option.key == active), adapters[0] if adapters else KEYWORDS)
    notes = (activation.note, *store.problems()) if activation.note else store.problems()
    return FlaggerChoices((*adapters, KEYWORDS, ZERO_SHOT), default, notes)


@dataclass(frozen=True, slots=True)
class Measured:
    """Operating points of an adapter, by rising shift, and what they were measured on."""

    points: tuple[OperatingPoint, ...]
    measured_on: str

    def at(self, shift: float) -> OperatingPoint | None:
        """Return the point measured at ``shift``; None when there is none near enough."""
        near = min(self.points, key=lambda point: abs(point.shift - shift), default=None)
        return near if near is not None and abs(near.shift - shift) <= _NEAR else None


def measured(choice: FlaggerChoice) -> Measured | None:
    """Return how an adapter was measured; None when its manifest does not say so in full.

    A manifest may be a stranger's: every figure is checked.
    """
    metrics: Mapping[str, object] = choice.stored.manifest.metrics if choice.stored else {}
    rows = metrics.get("operating_points")
    measured_on = metrics.get("measured_on")
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not isinstance(measured_on, str):
        return None
    points = [point for row in rows[:_MOST_POINTS] if (point := _point(row)) is not None]
    return Measured(tuple(sorted(points, key=lambda point: point.shift)), measured_on[:300]) if points else None


def _point(row: object) -> OperatingPoint | None:
    if not isinstance(row, Mapping):
        return None
    shift, flags = _number(row.get("shift"), -100, 100), _number(row.get("flags"), 0, 1e9)
    if shift is None:
        return None
    return OperatingPoint(
        shift=shift,
        recall=_number(row.get("recall"), 0, 1),
        precision=_number(row.get("precision"), 0, 1),
        flags=int(flags or 0),
    )


def _number(value: object, low: float, high: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value) if low <= value <= high else None
