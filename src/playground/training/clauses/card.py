"""The model card that lies beside an adapter: what it is, what it learnt from, how good it is, what it is not for."""

from __future__ import annotations

from collections.abc import Mapping

from playground.adapters import AdapterManifest
from playground.training.clauses.measuring import FIGURES, Figures, Findings, Measurement

_TITLES = {"micro_ap": "micro AP", "macro_ap": "macro AP", "micro_f1": "micro F1", "macro_f1": "macro F1"}
_WORDS = (
    " Beside it stands a linear layer on the TF-IDF of the clauses' words and pairs of words; its log-odds are added."
)


def model_card(
    manifest: AdapterManifest,
    found: Findings,
    *,
    command: str,
    licence: str,
    adapter_mb: float,
) -> str:
    """Return the card as Markdown; the data's own texts are not in it."""
    data, rows, measured = manifest.data, manifest.hyper_parameters, found.test
    alone = {} if found.without_words is None else {"without the words": found.without_words}
    others = [_row(name, row) for name, row in (alone | dict(found.baselines)).items()]
    stopped = " It was stopped early: the best weights until then were kept." if rows.get("stopped_early") else ""
    parts = [
        f"# {manifest.name}",
        f"A LoRA adapter for {manifest.base_id} that flags {len(manifest.labels)} kinds of clauses in contracts. "
        f"{adapter_mb:.1f} MB; the base stays as it is.{_WORDS if rows.get('words') else ''}{stopped}",
        "## Training",
        _table(
            ("", ""),
            [
                ("Base", f"{manifest.base_id} (SHA-256 {manifest.base_sha256})"),
                ("Data", f"{data['name']} (SHA-256 {data['sha256']})"),
                ("Clauses", _sides(data, "examples")),
                ("Contracts", _sides(data, "contracts")),
                ("Hyper-parameters", ", ".join(f"{key} {value}" for key, value in rows.items())),
                ("Trained", f"{manifest.created_at}, {manifest.duration_s:.0f} s on {manifest.machine}"),
                ("Commit", manifest.commit),
            ],
        ),
        f"```sh\n{command}\n```" if command else "",
        "## Measured",
        f"On {found.measured_on}. 95 % intervals over contracts in brackets.",
        _table(
            ("", *_TITLES.values()),
            [_own_row(measured), *others],
        ),
        _presence(measured),
        "## By label",
        _table(
            ("Label", "Clauses", "Precision", "Recall", "F1", "AP", "Threshold"),
            [
                (
                    row.label,
                    str(row.support),
                    *map(_rate, (row.precision, row.recall, row.f1, row.average_precision)),
                    _rate(row.threshold),
                )
                for row in measured.per_label
            ],
        ),
        "## Calibration",
        "What share of the pairs of a clause and a label with a probability in this range is right:",
        _table(
            ("Probability", "Pairs", "Mean", "Right", "95 % interval"),
            [
                (
                    f"{part.low:.2f} to {part.high:.2f}",
                    str(part.count),
                    _rate(part.mean_probability),
                    _rate(part.observed.value),
                    f"{part.observed.low:.2f} to {part.observed.high:.2f}",
                )
                for part in measured.reliability
            ],
        ),
        ""
        if measured.calibration_error is None
        else f"Expected calibration error of the probabilities above 5 %: {measured.calibration_error:.3f}.",
        "## Limits",
        "For English commercial contracts like those it was trained on. It marks what a person should read; it misses "
        "clauses and flags harmless ones, at the rates above, and more so in other kinds of contracts. It is not legal "
        "advice.",
        "## Licence",
        licence or "That of the data it was trained on, which whoever trained it knows.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sides(data: Mapping[str, object], what: str) -> str:
    return ", ".join(f"{side} {data.get(f'{side}_{what}', '?')}" for side in ("train", "validation", "test"))


def _own_row(measured: Measurement) -> tuple[str, ...]:
    cells = []
    for name in FIGURES:
        estimate = measured.estimates.get(name)
        cells.append(
            "-" if estimate is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]",
        )
    return ("this adapter", *cells)


def _presence(measured: Measurement) -> str:
    estimate = measured.estimates.get("contract_presence_f1")
    if estimate is None:
        return ""
    return f"Which labels a contract has at all: F1 {estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]."


def _row(name: str, figures: Figures) -> tuple[str, ...]:
    return (name, *("-" if figures[key] is None else f"{figures[key]:.3f}" for key in FIGURES))


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [_line(head), _line(("---",) * len(head)), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
