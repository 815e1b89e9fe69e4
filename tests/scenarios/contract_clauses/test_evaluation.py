"""How Scenario B is measured: contracts with gold, rows, figures worked out by hand, and the command line around it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from playground import paths
from playground.annotations import AnnotatedContract, AnnotatedSpan
from playground.cli import loading, main
from playground.errors import AdapterError
from playground.measuring.runs import read_records, read_run
from playground.models.catalog import MINILM
from playground.types import AnnotatedClause, Prediction, RunRecord
from scenarios.contract_clauses import evaluation as scenario
from scenarios.contract_clauses.figures import pages_to_read, summarise_rows
from scenarios.contract_clauses.judges import (
    SharedEmbedder,
    TrainingClauses,
    compact,
    expanded,
    fit_judge,
    load_training_clauses,
    model_judge,
)
from scenarios.contract_clauses.measured_contracts import (
    LABELS,
    MeasuredContract,
    contract_of,
    load_measured_set,
    measured,
)
from scenarios.contract_clauses.prompted import sampled_pairs
from tests.support.fakes import FakeChatModel
from tests.support.scripted_embedder import ScriptedEmbedder
from tests.support.scripted_flagger import ScriptedFlagger

Captured = pytest.CaptureFixture[str]

AUDIT, INSURANCE = LABELS.index("Audit Rights"), LABELS.index("Insurance")

# Each paragraph is one clause. In brackets: what the flagger below gives, and what is gold.
FIRST = (
    "The Customer may inspect the books of the Supplier once in every year.",  # audit .9, gold
    "The Supplier shall keep a policy of insurance for the whole of the term.",  # insurance .6, gold
    "The Supplier shall insure nothing that belongs to the Customer itself.",  # insurance .7
)
SECOND = (
    "The Supplier shall open its accounts to the auditors of the Customer.",  # audit .4, gold
    "The books that the Customer sells may be inspected in its own shops.",  # audit .8
    "An insurance company is not a party to this agreement of the parties.",  # insurance .55
)
SCORES = {
    "inspect the books": ("Audit Rights", 0.9),
    "policy of insurance": ("Insurance", 0.6),
    "insure nothing": ("Insurance", 0.7),
    "open its accounts": ("Audit Rights", 0.4),
    "may be inspected": ("Audit Rights", 0.8),
    "insurance company": ("Insurance", 0.55),
}


AUPR = (1 + 2 / 3 + 3 / 5) / 3
"""Of the scripted scores, worked out in the first test of the figures."""


def cuad_entry(title: str, paragraphs: Sequence[str], gold: dict[str, Sequence[int]]) -> dict[str, Any]:
    text = "\n\n".join(paragraphs)
    questions = [
        {
            "id": f"{title}__{label}",
            "question": f'Highlight the parts related to "{label}".',
            "is_impossible": not places,
            "answers": [{"text": paragraphs[i], "answer_start": text.index(paragraphs[i])} for i in places],
        }
        for label, places in gold.items()
    ]
    return {"title": title, "paragraphs": [{"context": text, "qas": questions}]}


@pytest.fixture
def contracts_file(tmp_path: Path) -> Path:
    path = tmp_path / "contracts.json"
    entries = [
        cuad_entry("first", FIRST, {"Audit Rights": [0], "Insurance": [1], "Non-Compete": []}),
        cuad_entry("second", SECOND, {"Audit Rights": [0], "Insurance": [], "Non-Compete": []}),
    ]
    path.write_text(json.dumps({"version": "synthetic", "data": entries}))
    return path


@pytest.fixture
def train_file(tmp_path: Path) -> Path:
    """Four contracts with other words than those that are measured."""
    path = tmp_path / "train.json"
    entries = []
    for number, trade in enumerate(("bakery", "brewery", "tannery", "nursery")):
        paragraphs = [
            f"The landlord may audit the accounts and inspect the books of the {trade} in every year.",
            f"The {trade} shall take out a policy of insurance and shall keep the insurance in force.",
            f"The {trade} shall paint the doors of the building in a colour of its own choice.",
        ]
        entries.append(cuad_entry(f"{trade} {number}", paragraphs, {"Audit Rights": [0], "Insurance": [1]}))
    path.write_text(json.dumps({"data": entries}))
    return path


@pytest.fixture
def flagger(monkeypatch: pytest.MonkeyPatch) -> ScriptedFlagger:
    """A scripted flagger in the place of the active adapter, and a scripted embedder."""
    model = ScriptedFlagger(SCORES)
    manifest = SimpleNamespace(base_kind="encoder", base_sha256=MINILM.main_file.sha256)
    stored = SimpleNamespace(identity="scripted@12345678", name="scripted", manifest=manifest)
    monkeypatch.setattr(scenario, "chosen_adapter", lambda _shipped, _name: (stored, ""))
    monkeypatch.setattr(scenario, "check_flagger", lambda _stored: None)
    monkeypatch.setattr(scenario, "load_flagger", lambda _stored: model)
    monkeypatch.setattr(loading, "load_embedder", ScriptedEmbedder)
    monkeypatch.setattr(scenario, "RESAMPLES", 50)
    return model


def run(capsys: Captured, *words: str) -> list[dict[str, Any]]:
    assert main(["evaluate", "contract_clauses", *words, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert list(found) == ["strategies", "paired"]
    rows: list[dict[str, Any]] = found["strategies"]
    return rows


# Contracts with gold


def test_contracts_are_cut_from_their_raw_text_and_gold_stays_in_place() -> None:
    # Normalising would drop the no-break spaces and carriage returns, and move every span behind them.
    text = f"\u00a0\r\n\t{FIRST[0]}\r\n\r\n\u00a0{FIRST[1]}\r\n\r\n{FIRST[2]}"
    start = text.index(FIRST[1])
    contract = measured(AnnotatedContract("odd", text, (AnnotatedSpan("Insurance", start, start + len(FIRST[1])),)))
    assert "".join(piece.text for piece in contract.pieces) == text
    assert [clause.text for clause in contract.clauses] == list(FIRST)
    assert np.argwhere(contract.gold).tolist() == [[1, INSURANCE]]
    assert contract.answers == {"Insurance": (FIRST[1],)}
    assert all(not clause.labels for clause in contract.clauses)


def test_labels_are_those_of_the_whole_file_whatever_the_limit(contracts_file: Path) -> None:
    for limit in (None, 1):
        found = load_measured_set(contracts_file, limit, seed=0)
        assert found.labels == ("Audit Rights", "Insurance") == tuple(sorted(found.labels, key=LABELS.index))
        assert len(found.examples) == (limit or 2)


def test_without_a_file_our_own_test_clauses_are_measured() -> None:
    found = load_measured_set(None, 3, seed=0)
    assert len(found.examples) == 3
    contract = contract_of(found.examples[0])
    assert len(contract.clauses) == len(contract.gold) > 3
    assert contract.gold.any()
    assert contract.answers is None


# Figures


def records_of(scores: dict[str, np.ndarray], strategy: str = "lora", threshold: float = 0.5) -> list[RunRecord]:
    limits = [threshold] * len(LABELS)
    return [
        RunRecord(
            *("run", strategy, "model", None, title, 0),
            Prediction(
                "",
                None,
                {"total_s": 1.0 if title == "first" else 0.5},
                {"clauses": len(found), "scores": compact(found), "thresholds": limits},
            ),
            *({}, 0.0, None, "", "", ""),
        )
        for title, found in scores.items()
    ]


def test_figures_are_those_worked_out_by_hand(contracts_file: Path) -> None:
    examples = load_measured_set(contracts_file, None, 0).examples
    contracts = [contract_of(example) for example in examples]
    judge = model_judge(ScriptedFlagger(SCORES))
    scores = {contract.title: judge.score(contract.clauses) for contract in contracts}
    labels = ("Audit Rights", "Insurance")
    (row,) = summarise_rows(records_of(scores), contracts, labels, pairs_per_contract=3, seed=0, resamples=50)
    # Ranked: .9 right, .8 wrong, .7 wrong, .6 right, .55 wrong, .4 right.
    assert row["micro_ap"] == pytest.approx((1 + 2 / 4 + 3 / 6) / 3)
    # Audit: .9 right, .8 wrong, .4 right. Insurance: .7 wrong, .6 right.
    assert row["macro_ap"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)
    # At 0.5: two right, three wrong, one missed. Audit 1, 1, 1; Insurance 1, 2, 0.
    assert row["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 3 + 1))
    assert row["macro_f1"] == pytest.approx((2 / 4 + 2 / 4) / 2)
    # Present and found: three; Insurance in the second contract only found.
    assert row["contract_presence_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1))
    # Of the first contract's Insurance, .6 and .7 are one span of .7 that matches, and .35 and .3 on their own:
    # .9 right, .8 wrong, .7 right, .55 wrong, .4 right, .35 wrong. Recall 1/3 at precision 1, 2/3 at 2/3, 1 at 3/5.
    assert row["cuad_aupr"] == pytest.approx(AUPR)
    assert row["precision_at_80_recall"] == pytest.approx(3 / 5)
    assert row["clauses_per_s"] == pytest.approx(6 / 1.5)
    # The third of the three pairs has the lowest score of all: everything is read.
    assert row["pages_at_80_recall"] == pytest.approx(row["pages"])
    assert row["pages"] == pytest.approx(sum(map(len, (*FIRST, *SECOND))) / 3_000 / 2, rel=0.05)
    assert (row["n"], row["clauses"], row["spans"], row["labels"], row["errors"]) == (2, 6, 3, 2, 0)
    assert row["sample"] is None
    intervals: Any = row["ci"]
    assert set(intervals) == {
        *("cuad_aupr", "precision_at_80_recall", "micro_ap", "macro_ap", "micro_f1", "macro_f1"),
        *("contract_presence_f1", "pages_at_80_recall", "clauses_per_s"),
    }
    assert all(low <= row[name] <= high for name, (low, high) in intervals.items())  # type: ignore[operator]
    # The second contract alone: .8 wrong, .55 wrong, .4 right.
    assert intervals["micro_ap"][0] == pytest.approx(1 / 3)


def test_pages_to_read_are_those_worked_out_by_hand() -> None:
    def contract(title: str, *clauses: tuple[int, bool]) -> MeasuredContract:
        gold = np.zeros((len(clauses), len(LABELS)), dtype=bool)
        gold[:, AUDIT] = [marked for _length, marked in clauses]
        texts = [AnnotatedClause(f"{title}{i}", "x" * length, (), title) for i, (length, _) in enumerate(clauses)]
        return MeasuredContract(title, tuple(texts), gold)

    contracts = [
        contract("a", (3000, True), (1500, True), (6000, False)),
        contract("b", (600, True), (900, True), (300, True)),
    ]
    scores = [np.zeros((3, len(LABELS))) for _ in contracts]
    scores[0][:, AUDIT], scores[1][:, AUDIT] = [0.9, 0.5, 0.8], [0.7, 0.6, 0.1]
    pages = pages_to_read(contracts, scores, [AUDIT])
    # Four of five are seen at 0.5: 3,000 + 6,000 + 600 + 900 + 1,500 characters of two contracts.
    assert pages(np.ones(2)) == pytest.approx(12_000 / 3_000 / 2)
    assert pages(np.array([1.0, 0.0])) == pytest.approx(10_500 / 3_000)
    scores[1][2, AUDIT] = 0.5  # of equal score: read with the fourth
    assert pages_to_read(contracts, scores, [AUDIT])(np.ones(2)) == pytest.approx(12_300 / 3_000 / 2)
    assert np.isnan(pages_to_read(contracts, scores, [INSURANCE])(np.ones(2)))


def test_a_difference_is_paired(contracts_file: Path) -> None:
    contracts = [contract_of(example) for example in load_measured_set(contracts_file, None, 0).examples]
    scores = {c.title: model_judge(ScriptedFlagger(SCORES)).score(c.clauses) for c in contracts}
    nothing = {title: np.zeros_like(found) for title, found in scores.items()}
    rows = [*records_of(scores), *records_of(scores, "same"), *records_of(nothing, "keywords")]
    lora, same, keywords = summarise_rows(
        rows, contracts, ("Audit Rights", "Insurance"), pairs_per_contract=3, seed=0, resamples=50
    )
    assert lora["lora_minus_this"] == {}
    zero = {"difference": 0.0, "ci": [0.0, 0.0]}  # the intervals themselves are wide: resampled apart it would not be 0
    assert same["lora_minus_this"] == {"micro_ap": zero, "cuad_aupr": zero}
    found: Any = keywords["lora_minus_this"]
    # Twelve pairs with the same score, three of them right.
    assert keywords["micro_ap"] == pytest.approx(3 / 12)
    assert found["micro_ap"]["difference"] == pytest.approx(2 / 3 - 3 / 12)
    assert found["micro_ap"]["ci"][0] < found["micro_ap"]["ci"][1]
    assert found["cuad_aupr"]["difference"] == pytest.approx(AUPR)


def test_a_contract_that_failed_counts_as_not_flagged(contracts_file: Path) -> None:
    contracts = [contract_of(example) for example in load_measured_set(contracts_file, None, 0).examples]
    scores = {c.title: model_judge(ScriptedFlagger(SCORES)).score(c.clauses) for c in contracts}
    first, _second = records_of(scores)
    failed = RunRecord(*("run", "lora", "model", None, "second", 0), None, {}, 0.0, "gone", "", "", "")
    (row,) = summarise_rows(
        [first, failed], contracts, ("Audit Rights", "Insurance"), pairs_per_contract=3, seed=0, resamples=20
    )
    assert (row["errors"], row["n"]) == (1, 2)
    assert row["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))  # .9 and .6 right, .7 wrong, one missed
    assert row["clauses_per_s"] == pytest.approx(3.0)


def test_rows_keep_scores_from_a_thousandth_on() -> None:
    scores = np.zeros((2, len(LABELS)))
    scores[0, 3], scores[1, 40], scores[1, 0] = 0.123456, 0.001, 0.0009
    assert compact(scores) == {"0": {"3": 0.1235}, "1": {"40": 0.001}}
    back = expanded(compact(scores), 2)
    assert np.abs(back - scores).max() < 0.001
    assert back[1, 0] == 0


def test_a_flaggers_own_labels_are_put_in_their_columns() -> None:
    judge = model_judge(ScriptedFlagger(SCORES))
    clauses = load_training_clauses(None).clauses[:1]
    assert judge.score(clauses).shape == (1, len(LABELS))
    assert judge.thresholds[[AUDIT, INSURANCE]].tolist() == [0.5, 0.5]
    assert judge.thresholds.sum() == len(LABELS) - 1  # a label that it does not know is never flagged


# Baselines


def test_baselines_learn_from_the_training_clauses(train_file: Path) -> None:
    train = load_training_clauses(train_file)
    assert (train.name, len(train.clauses), train.contracts) == ("train.json", 12, 4)
    for name in ("tfidf", "frozen", "nearest"):
        judge = fit_judge(name, train, ScriptedEmbedder, 0)  # type: ignore[arg-type]
        scores = judge.score(train.clauses)
        assert scores.shape == (12, len(LABELS))
        assert scores[1].argmax() == INSURANCE
        assert not scores[:, LABELS.index("Non-Compete")].any()
        assert ((judge.thresholds > 0) & (judge.thresholds < 1)).all()
        flagged = judge.score(train.clauses) >= judge.thresholds
        assert flagged[1, INSURANCE] and not flagged[2].any()


def test_thresholds_are_chosen_on_clauses_that_the_fit_has_not_seen() -> None:
    train = load_training_clauses(None)
    judge = fit_judge("nearest", train, ScriptedEmbedder, 0)
    assert len(set(judge.thresholds.tolist())) > 5
    # Seen clauses find themselves; thresholds from them would be near 1 for every label.
    assert np.median(judge.thresholds) < 0.5
    one = TrainingClauses(
        "one contract", "", tuple(c for c in train.clauses if c.contract == train.clauses[0].contract)
    )
    assert set(fit_judge("nearest", one, ScriptedEmbedder, 0).thresholds.tolist()) == {0.5}


def test_clauses_are_embedded_once_and_the_time_counts_for_each() -> None:
    embedder = ScriptedEmbedder()
    shared = SharedEmbedder(lambda: embedder)
    clauses = load_training_clauses(None).clauses[:5]
    first = shared.embed("a contract", clauses)
    assert first > 0
    assert shared.embed("a contract", clauses) == first
    assert len(embedder.batches) == 1


# The command line


def test_the_command_prints_the_documented_figures_and_goes_on_from_its_rows(
    flagger: ScriptedFlagger, contracts_file: Path, train_file: Path, capsys: Captured, tmp_path: Path
) -> None:
    words = ["--contracts", str(contracts_file), "--train", str(train_file), "--out", str(tmp_path / "run")]
    rows = run(capsys, *words)
    assert [row["strategy"] for row in rows] == ["lora", "keywords", "tfidf", "frozen", "nearest"]
    documented = {
        *("strategy", "model", "n", "ci", "cuad_aupr", "precision_at_80_recall", "micro_ap", "macro_ap", "micro_f1"),
        *("macro_f1", "contract_presence_f1", "clauses_per_s"),
    }
    assert all(documented <= set(row) for row in rows)
    lora, tfidf = rows[0], rows[2]
    assert (lora["model"], lora["adapter"]) == ("all-minilm-l6-v2", "scripted@12345678")
    assert (tfidf["model"], tfidf["adapter"]) == ("none", None)
    assert lora["micro_ap"] == pytest.approx(2 / 3, abs=1e-4)
    assert lora["cuad_aupr"] == pytest.approx(AUPR)
    assert lora["train"] is None
    assert (tfidf["train"]["name"], tfidf["train"]["clauses"], tfidf["train"]["contracts"]) == ("train.json", 12, 4)
    assert set(tfidf["lora_minus_this"]) == {"micro_ap", "cuad_aupr"}
    assert sorted(flagger.read) == [1, 3, 3]  # the warm-up and two contracts
    assert len(read_records(tmp_path / "run")) == 10
    again = run(capsys, *words)
    assert again == rows
    assert len(flagger.read) == 3


def test_a_row_holds_what_the_figures_need(
    flagger: ScriptedFlagger, contracts_file: Path, capsys: Captured, tmp_path: Path
) -> None:
    run(capsys, "--contracts", str(contracts_file), "--strategies", "lora", "--out", str(tmp_path))
    first = next(record for record in read_records(tmp_path) if record.example_id == "first")
    assert first.prediction is not None
    assert first.adapter == "scripted@12345678"
    detail: Any = first.prediction.detail
    assert detail["scores"] == {
        "0": {str(AUDIT): 0.9},
        "1": {str(INSURANCE): 0.6},
        "2": {str(INSURANCE): 0.7},
    }
    assert detail["clauses"] == 3
    assert len(detail["thresholds"]) == len(LABELS)
    settings: Any = read_run(tmp_path).settings
    assert settings["contracts"]["name"] == "contracts.json"
    assert settings["labels"] == ["Audit Rights", "Insurance"]


def test_the_table_names_what_was_measured(
    flagger: ScriptedFlagger, contracts_file: Path, train_file: Path, capsys: Captured, tmp_path: Path
) -> None:
    words = ["--contracts", str(contracts_file), "--strategies", "lora,tfidf", "--out", str(tmp_path / "run")]
    assert main(["evaluate", "contract_clauses", *words, "--train", str(train_file)]) == 0
    out, err = capsys.readouterr()
    assert "AUPR (CUAD, spans)" in out
    assert "lora better by, micro AP" in out
    assert "2 contracts of contracts.json: 6 clauses, 2 labels, 3 marked spans." in out
    assert "tfidf: fitted on 12 clauses from 4 contracts of train.json." in out
    assert "contract_clauses: 100 %" in err


def test_our_own_clauses_have_no_spans(flagger: ScriptedFlagger, capsys: Captured, tmp_path: Path) -> None:
    (row,) = run(capsys, "--strategies", "lora", "--limit", "2", "--out", str(tmp_path))
    assert (row["n"], row["spans"], row["cuad_aupr"], row["precision_at_80_recall"]) == (2, None, None, None)
    assert row["micro_ap"] is not None
    assert row["contracts"]["name"] == "the project's own test clauses"


def test_other_contracts_need_a_folder_of_their_own(
    flagger: ScriptedFlagger, contracts_file: Path, capsys: Captured, tmp_path: Path
) -> None:
    words = ["--contracts", str(contracts_file), "--strategies", "lora", "--out", str(tmp_path / "run")]
    run(capsys, *words)
    contracts_file.write_text(contracts_file.read_text().replace("once in every year", "once in every week"))
    assert main(["evaluate", "contract_clauses", *words]) == 2
    assert "holds 1 of these rows with other settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read (No such file or directory). Check --contracts."),
        ("", "The contracts cannot be used: contracts.json is empty."),
        ("{", "contracts.json is not valid JSON at line 1, column 2"),
        ('{"rows": []}', "is JSON but not in CUAD's layout"),
        ('{"data": [{"title": "x", "paragraphs": []}]}', "but no contract that can be used. The first: contract 1"),
    ],
)
def test_bad_contracts_are_one_line(
    flagger: ScriptedFlagger, capsys: Captured, tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "contracts.json"
    if content is not None:
        path.write_text(content)
    assert main(["evaluate", "contract_clauses", "--contracts", str(path), "--out", str(tmp_path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(
    ("strategies", "message"),
    [
        ("magic", "There is no strategy 'magic'. Use one or more of: lora, keywords, tfidf"),
        (" , ", "No strategy was named."),
    ],
)
def test_unfit_strategies_are_refused(
    flagger: ScriptedFlagger, capsys: Captured, tmp_path: Path, strategies: str, message: str
) -> None:
    assert main(["evaluate", "contract_clauses", "--strategies", strategies, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_an_adapter_of_the_language_model_is_needed_to_measure_one(
    flagger: ScriptedFlagger, monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAYGROUND_ADAPTERS", str(tmp_path / "mine"))
    monkeypatch.setattr(paths, "SHIPPED_ADAPTERS", tmp_path / "shipped")
    words = ["--strategies", "language-model-lora", "--out", str(tmp_path / "run")]
    assert main(["evaluate", "contract_clauses", *words]) == 2
    message = "language-model-lora needs an adapter of the language model: name it with --adapter"
    assert message in capsys.readouterr().err


def test_two_adapters_of_one_kind_are_one_too_many(flagger: ScriptedFlagger, capsys: Captured, tmp_path: Path) -> None:
    words = ["--strategies", "lora", "--adapter", "one,two", "--limit", "1", "--out", str(tmp_path)]
    assert main(["evaluate", "contract_clauses", *words]) == 2
    assert "scripted and two have the same kind of base" in capsys.readouterr().err


def test_without_an_adapter_it_says_so_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    def none(_shipped: Path, _name: str | None) -> Any:
        raise AdapterError("There is no adapter to flag clauses with.")

    monkeypatch.setattr(scenario, "chosen_adapter", none)
    assert main(["evaluate", "contract_clauses", "--limit", "1", "--out", str(tmp_path)]) == 2
    assert "There is no adapter to flag clauses with." in capsys.readouterr().err
    assert not (tmp_path / "records.jsonl").exists()


# Chat models


def test_sampled_pairs_are_half_right_the_same_every_time_and_grow() -> None:
    contracts = [contract_of(example) for example in load_measured_set(None, None, 0).examples]
    pairs = [(contract, pair) for contract in contracts for pair in sampled_pairs(contract, 4, seed=1)]
    assert len({(contract.title, pair) for contract, pair in pairs}) == len(pairs) == 4 * len(contracts)
    assert sum(bool(contract.gold[pair]) for contract, pair in pairs) == 2 * len(contracts)
    for contract in contracts:
        assert sampled_pairs(contract, 3, seed=1) == sampled_pairs(contract, 4, seed=1)[:3]
    odd = [contract.gold[pair] for contract in contracts for pair in sampled_pairs(contract, 1, seed=1)]
    assert 0 < sum(odd) < len(odd)
    assert sampled_pairs(contracts[0], 4, seed=1) != sampled_pairs(contracts[0], 4, seed=2)


@pytest.mark.usefixtures("flagger")
@pytest.mark.parametrize("name", ["zero-shot", "few-shot", "few-shot-nearest", "chain-of-thought"])
def test_a_chat_model_is_asked_about_the_sample(
    contracts_file: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
) -> None:
    contracts = [contract_of(example) for example in load_measured_set(contracts_file, None, 0).examples]
    gold = [bool(contract.gold[pair]) for contract in contracts for pair in sampled_pairs(contract, 2, 0)]
    # Where the clause does not carry the label, so that it would be right if it were taken for a No.
    unreadable = max(place for place, carries in enumerate(gold) if not carries)
    texts, said = ["Yes", "Answer: No", "Yes.", "No"], [True, False, True, False]
    texts[unreadable], said[unreadable] = "maybe", True
    replies = iter(["warm-up", *texts])
    model = FakeChatModel(lambda _question: next(replies), price_usd=0.5)
    monkeypatch.setattr(loading, "load_model", lambda _name: model)
    words = ["--contracts", str(contracts_file), "--clauses", "2", "--out", str(tmp_path)]
    lora, asked = run(capsys, *words, "--strategies", f"lora,{name}")
    assert all("Question: " in question for question in model.questions)
    assert (asked["model"], asked["micro_ap"], asked["cuad_aupr"]) == ("fake-model", None, None)
    assert asked["sample"]["pairs"] == lora["sample"]["pairs"] == 4
    assert asked["sample"]["right"] == 2
    assert asked["sample"]["unreadable"] == 1
    assert asked["sample"]["accuracy"] == np.mean(np.equal(said, gold))
    record = next(one for one in read_records(tmp_path) if one.strategy == name)
    assert record.prediction is not None
    assert record.cost_usd == 1.0
    pair: Any = record.prediction.detail["asked"][0]  # type: ignore[index]
    assert (pair["score"], pair["reply"]) == (1.0, "Yes")
    assert main(["evaluate", "contract_clauses", *words, "--strategies", f"lora,{name}"]) == 0
    table = {line[:30].strip(): line[30:].split() for line in capsys.readouterr().out.splitlines()}
    assert (table["asked pairs: unreadable"], table["errors"]) == (["0", "1"], ["0", "0"])


def test_a_model_without_a_known_price_costs_nobody_knows_what(
    flagger: ScriptedFlagger,
    contracts_file: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    model = FakeChatModel(lambda _question: "No", price_usd=None, usage=False)
    monkeypatch.setattr(loading, "load_model", lambda _name: model)
    words = ["--contracts", str(contracts_file), "--strategies", "zero-shot", "--out", str(tmp_path)]
    (row,) = run(capsys, *words)
    assert row["sample"]["accuracy"] == row["sample"]["ci"]["accuracy"][0] or row["sample"]["accuracy"] > 0
    assert all(record.cost_usd is None for record in read_records(tmp_path))
    assert all(record.prediction and record.prediction.usage is None for record in read_records(tmp_path))
