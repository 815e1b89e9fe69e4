"""Whether an adapter is any better than the base that it was trained on, as its own manifest says."""

from __future__ import annotations

from collections.abc import Mapping

from playground.adapters.manifest import AdapterManifest

BASE = "untrained base"
"""What the base without a trained adapter is called among the baselines of a manifest."""


def below_base(manifest: AdapterManifest) -> tuple[float, float] | None:
    """Return the micro average precision of an adapter and of its untrained base where the adapter's is lower.

    None where it is not, or where the manifest does not say both. A manifest may be a stranger's: it is checked.
    """
    own = _micro_ap(manifest.metrics.get("test"))
    baselines = manifest.metrics.get("baselines")
    base = _micro_ap(baselines.get(BASE)) if isinstance(baselines, Mapping) else None
    return (own, base) if own is not None and base is not None and own < base else None


def _micro_ap(figures: object) -> float | None:
    value = figures.get("micro_ap") if isinstance(figures, Mapping) else None
    value = value[0] if isinstance(value, list) and value else value  # with its interval, in shipped flaggers
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
