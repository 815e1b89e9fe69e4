"""Speed, and what ships: the benches' own tables, the models and the adapters."""

from __future__ import annotations

from playground.models.catalog import ALL_BUNDLES, BUNDLES, LANGUAGE_MODELS, Bundle
from playground.paths import ROOT, SHIPPED_ADAPTERS
from scripts import bench, bench_comparison, bench_flagging, measure_folder_workers, measure_scale
from scripts.measurements.sources import machine_words, provenance, read, score, stamp, table


def engines() -> str:
    """Return the engines side by side."""
    return bench.as_markdown(read("docs/bench.json")).strip()


def flagging() -> str:
    """Return how fast one contract is flagged."""
    return bench_flagging.as_markdown(read("docs/bench_flagging.json")).strip()


def folders() -> str:
    """Return how fast a folder is flagged."""
    return measure_folder_workers.as_markdown(read("docs/bench_folder.json")).strip()


def scale() -> str:
    """Return what a contract takes in bulk."""
    return measure_scale.as_markdown(read("docs/scale.json"))


def scale_plan() -> str:
    """Return what many contracts take on many cores."""
    return measure_scale.plan_as_markdown(read("docs/scale.json"))


def comparing() -> str:
    """Return what comparing itself costs."""
    return bench_comparison.as_markdown(read("docs/bench_comparison.json")).strip()


def page_scripts() -> str:
    """Return what the script of each page takes, in times of an empty page's."""
    source = "docs/evaluation/page_scripts.json"
    found = read(source)
    rows = [
        (
            f"`{page}`",
            f"{one['ratio']:.1f} ({one['lowest']:.1f} to {one['highest']:.1f})",
            f"{one['seconds'] * 1000:.0f} ms",
        )
        for page, one in found["pages"].items()
    ]
    words = provenance(
        source=source,
        command=f"python -m scripts.measure_page_scripts --out {source}",
        **stamp(found),
        n=found["rounds"],
    )
    return f"{table(('Page', 'Times an empty page, median (lowest to highest)', 'Time'), rows)}\n\n{words}"


def models() -> str:
    """Return the models that ship in the package index: those of set-up, and those that are fetched when chosen."""
    measured = read("docs/evaluation/memory.json")["models"]
    peaks = {LANGUAGE_MODELS[size].id: max(one.values()) for size, one in measured.items()}
    rows = [
        (one.title, f"`{one.id}`", _megabytes(one), f"{peaks[one.id] / 1e9:.1f} GB" if one.id in peaks else "-")
        for one in ALL_BUNDLES
    ]
    return table(("Model", "Id", "To download", "Memory, with its reader"), rows)


def _megabytes(bundle: Bundle) -> str:
    return f"{bundle.wheel_bytes / 1e6:,.0f} MB{'' if bundle in BUNDLES else ', when it is chosen'}"


def adapters() -> str:
    """Return the adapters that ship: what each learned from, for how long, where, and what it reaches."""
    rows = []
    for folder in sorted(path for path in SHIPPED_ADAPTERS.iterdir() if (path / "manifest.json").is_file()):
        manifest = read(str((folder / "manifest.json").relative_to(ROOT)))
        rows.append(
            (
                f"[{folder.name}](../data/adapters/{folder.name}/README.md)",
                f"`{manifest['base_id']}`",
                f"{manifest['data'].get('train_examples', manifest['data']['examples']):,}",
                _duration(manifest["duration_s"]),
                f"{sum(file['size_bytes'] for file in manifest['files'].values()) / 1e6:.1f} MB",
                _figure(manifest["metrics"]),
                f"{manifest['created_at'][:10]}, {machine_words(manifest['machine']).split(',')[0]}",
            )
        )
    head = ("Adapter", "Base", "Examples", "Training", "Size", "Micro average precision, test", "When, where")
    return table(head, rows)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _figure(metrics: dict[str, object]) -> str:
    test, intervals = metrics.get("test"), metrics.get("test_intervals")
    if not isinstance(test, dict):
        return "-"
    value = test["micro_ap"]
    if isinstance(intervals, dict):
        value = [value, *intervals["micro_ap"]]
    return score(value)
