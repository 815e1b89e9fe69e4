"""``flag``: one contract and folders of them; what is printed, written, passed over and reported."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground import paths
from playground.adapters import ROOT_VARIABLE, AdapterStore
from playground.cli import flag, main
from playground.documents import load_document
from playground.errors import ModelError
from playground.flagging import loading
from playground.flagging.files import FlagJob, FlagSettings, contract_paths, default_workers, flag_folder
from playground.flagging.files.folder import FileOutcome, write_summary
from playground.models.catalog import MINILM
from playground.paths import CONTRACTS, ROOT
from scripts import measure_folder_workers
from tests.support.fakes_adapters import writing
from tests.support.scripted_flagger import ScriptedFlagger, load_nothing, load_scripted, load_similar, similar

SHIPPED = ROOT / "data" / "adapters"
CONTRACT = (
    "SERVICES AGREEMENT\n\n"
    "1. Audit. The Customer may inspect the books of the Supplier once a year on ten days' written notice.\n\n"
    "2. Cover. The Supplier is to keep insurance of at least two million pounds during the term of this Agreement.\n\n"
    "3. Premises. The premises of the Supplier may be inspected by the Customer when the parties agree on a day.\n\n"
    "4. Notices. Notices under this Agreement shall be in writing and shall be sent to the party's address.\n"
)
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "agreement.txt"
    path.write_text(CONTRACT)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three contracts, one file that is none, and two that are left out."""
    path = tmp_path / "contracts"
    path.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (path / name).write_text(CONTRACT.replace("ten days", f"{name} days"))
    (path / "bad.pdf").write_bytes(b"\x00\x01 no contract")
    (path / "README.md").write_text("# About these contracts")
    (path / "table.xyz").write_text("1;2")
    return path


@pytest.fixture
def places(contract: Path, folder: Path, tmp_path: Path) -> dict[str, str]:
    """Paths by the names that the arguments of a test have for them."""
    (tmp_path / "empty").mkdir()
    for name in ("table.xyz", "README.md"):
        (folder / name).unlink()
    return {"contract": str(contract), "folder": str(folder), "empty": str(tmp_path / "empty")}


@pytest.fixture
def flagger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ScriptedFlagger:
    """An active adapter in a store of its own, with a scripted flagger behind it."""
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "adapters"))
    store = AdapterStore(tmp_path / "adapters")
    store.save("mine", writing(base_sha256=MINILM.main_file.sha256))
    store.activate("mine", "clauses")
    model = ScriptedFlagger()
    monkeypatch.setattr(loading, "load_flagger", lambda _stored, **_: model)
    monkeypatch.setattr(flag, "load_evidence", lambda: similar)
    return model


def flags_of(found: dict[str, Any]) -> list[tuple[str, float]]:
    return [(row["label"], round(row["score"], 2)) for clause in found["clauses"] for row in clause["flags"]]


def test_json_is_one_object_with_every_clause_and_its_flags(
    flagger: ScriptedFlagger, contract: Path, capsys: Captured
) -> None:
    assert main(["flag", str(contract), "--json"]) == 0
    out, _err = capsys.readouterr()
    assert out.count("\n") == 1
    found = json.loads(out)
    assert {"document", "clauses", "missing", "timings", "model"} <= set(found)
    assert (found["document"], found["model"], found["adapter"]) == (
        "agreement.txt",
        "scripted-encoder",
        "scripted@12345678",
    )
    text = load_document(contract.read_bytes(), contract.name).text
    assert "".join(clause["text"] for clause in found["clauses"]) == text
    assert all(text[clause["start"] : clause["end"]] == clause["text"] for clause in found["clauses"])
    assert flags_of(found) == [("Audit Rights", 0.9), ("Insurance", 0.8)]
    (audit,) = next(clause["flags"] for clause in found["clauses"] if "inspect the books" in clause["text"])
    assert audit["evidence"] == [
        {
            "text": "An annotated clause of Audit Rights.",
            "labels": ["Audit Rights"],
            "contract": "sample",
            "similarity": 0.75,
        }
    ]
    assert audit["risk"] in ("high", "medium", "low")


def test_without_evidence_no_second_model_is_loaded(
    flagger: ScriptedFlagger, contract: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flag, "load_evidence", lambda: pytest.fail("loaded"))
    assert main(["flag", str(contract), "--json", "--no-evidence"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert all("evidence" not in row for clause in found["clauses"] for row in clause["flags"])
    assert main(["flag", str(contract)]) == 0  # the terminal shows none either


def test_the_terminal_gets_the_flags_and_a_stamp(flagger: ScriptedFlagger, contract: Path, capsys: Captured) -> None:
    assert main(["flag", str(contract)]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert "90%  Audit Rights" in lines[0]
    assert not any("page" in line or "None" in line for line in lines[:4]), "text has no pages"
    assert "The Customer may inspect the books" in lines[1]
    assert "80%  Insurance" in lines[2]
    assert "not found" not in out
    assert "2 flags on" in lines[-1]
    assert "judging clauses: 100 %" in err
    assert main(["flag", str(contract), "--shift", "1.5"]) == 0
    assert "Usual in a services agreement, not found: Insurance\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--shift", "-2"], ["Audit Rights", "Insurance", "Audit Rights"]),
        (["--shift", "1.5"], ["Audit Rights"]),
        (["--labels", "Insurance"], ["Insurance"]),
        (["--labels", "all", "--shift", "0"], ["Audit Rights", "Insurance"]),
    ],
)
def test_shift_and_labels_decide_what_is_flagged(
    flagger: ScriptedFlagger, contract: Path, capsys: Captured, options: list[str], expected: list[str]
) -> None:
    assert main(["flag", str(contract), "--json", "--no-evidence", *options]) == 0
    assert [label for label, _score in flags_of(json.loads(capsys.readouterr().out))] == expected


def test_a_side_turns_the_flags_in_print_and_in_json(
    flagger: ScriptedFlagger, contract: Path, capsys: Captured, tmp_path: Path
) -> None:
    assert main(["flag", str(contract), "--side", "Supplier"]) == 0
    printed = capsys.readouterr().out
    assert "deviates from the playbook of the supplier" in printed
    assert "acceptable: No audits; a certificate instead." in printed
    assert main(["flag", str(contract), "--side", "customer", "--json", "--no-evidence"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["side"], found["deviations"]) == ("customer", [])
    own = tmp_path / "ours.toml"
    own.write_text(
        'name = "Ours"\n[[rows]]\nlabel = "Insurance"\nside = "buyer"\nclause = "unwelcome"\nrisk = "high"\n'
        'acceptable = "None."\nfallback = "Some."\n'
    )
    assert main(["flag", str(contract), "--side", "buyer", "--playbook", str(own)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("high") and "Insurance" in lines[0]


def test_exports_are_written_and_named(
    flagger: ScriptedFlagger, contract: Path, capsys: Captured, tmp_path: Path
) -> None:
    out = {kind: tmp_path / "new" / f"report.{kind}" for kind in ("html", "csv", "docx")}
    assert main(["flag", str(contract), *(word for kind in out for word in (f"--{kind}", str(out[kind])))]) == 0
    printed = capsys.readouterr().out
    assert all(f"wrote {path}" in printed for path in out.values())
    assert "An annotated clause of Audit Rights." in out["html"].read_text()
    rows = list(csv.DictReader(io.StringIO(out["csv"].read_text("utf-8-sig"))))
    assert [row["label"] for row in rows] == ["Audit Rights", "Insurance"]
    assert rows[0]["why"] and rows[0]["check"]
    assert rows[0]["evidence"] == "0.75 Audit Rights (sample): An annotated clause of Audit Rights."
    assert out["docx"].read_bytes().startswith(b"PK")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["report.csv", "report.docx", "report.html"]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.pdf"], "There is no file or folder absent.pdf. Check its name."),
        (["{contract}", "--adapter", "other"], "There is no adapter 'other' (there is: "),
        (["{contract}", "--adapter", "other"], ", mine)"),
        (["{contract}", "--labels", "Insurence"], "There is no label 'Insurence'. Did you mean 'Insurance'?"),
        (
            ["{contract}", "--labels", "Non-Compete"],
            "The adapter was not trained on 'Non-Compete'. It knows: ",
        ),
        (["{contract}", "--labels", " , "], "No label was named."),
        (["{contract}", "--side", "pirate"], "The playbook has no row for the side 'pirate'. It has: customer, "),
        (["{contract}", "--playbook", "{contract}"], "--playbook needs a side."),
        (["{contract}", "--side", "customer", "--playbook", "{contract}"], "is neither TOML nor JSON"),
        (["{contract}", "--shift", "nan"], "argument --shift: it must be a number from -20 to 20"),
        (["{contract}", "--out", "x"], "--out and --workers are for a folder of contracts."),
        (["{contract}", "--html", "{contract}/x/report.html"], "cannot be written"),
        (["{folder}"], "Where shall the results of the folder go?"),
        (["{folder}", "--out", "{folder}/out", "--csv", "x.csv"], "--csv is for one contract."),
        (["{folder}", "--out", "{contract}"], "Results cannot be written to"),
        (["{empty}", "--out", "{folder}/out"], "holds no contract. Put files of these types into it: "),
    ],
)
@pytest.mark.usefixtures("flagger")
def test_an_error_is_one_line(
    places: dict[str, str], capsys: Captured, arguments: list[str], message: str, as_json: bool
) -> None:
    words = [word.format(**places) for word in arguments]
    assert main(["flag", *words, "--no-evidence", *(["--json"] if as_json else [])]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    errors = [line for line in err.splitlines() if not line.startswith("judging clauses")]
    assert len(errors) == 1
    assert errors[0].startswith("playground: ")
    assert message in errors[0]


def test_without_any_adapter_it_says_what_to_do(
    contract: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "none"))
    monkeypatch.setattr(paths, "SHIPPED_ADAPTERS", tmp_path / "none-shipped")
    assert main(["flag", str(contract)]) == 2
    assert "There is no adapter to flag clauses with. Train one with" in capsys.readouterr().err


def test_an_adapter_that_does_not_fit_is_refused_before_it_is_loaded(
    flagger: ScriptedFlagger, contract: Path, capsys: Captured, tmp_path: Path
) -> None:
    store = AdapterStore(tmp_path / "adapters")
    store.save("foreign", writing())
    store.save("chat", writing(base_sha256=MINILM.main_file.sha256, base_kind="language_model"))
    assert main(["flag", str(contract), "--adapter", "foreign"]) == 2
    assert "The adapter 'foreign' was trained on all-MiniLM-L6-v2 (SHA-256 aaaaaaaaaaaa" in capsys.readouterr().err
    assert main(["flag", str(contract), "--adapter", "chat"]) == 2
    assert "is for a language model" in capsys.readouterr().err
    assert flagger.read == []


def test_a_replaced_active_adapter_is_announced(
    flagger: ScriptedFlagger, contract: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = AdapterStore(tmp_path / "shipped")
    shipped.save("ours", writing(base_sha256=MINILM.main_file.sha256))
    monkeypatch.setattr(paths, "SHIPPED_ADAPTERS", tmp_path / "shipped")
    (tmp_path / "adapters" / "mine" / "adapter_model.safetensors").write_bytes(b"damaged")
    assert main(["flag", str(contract), "--no-evidence"]) == 0
    assert "note: The active adapter 'mine' was deleted or is damaged. The shipped 'ours'" in capsys.readouterr().err


def test_a_folder_is_flagged_and_one_bad_file_stops_nothing(
    flagger: ScriptedFlagger, folder: Path, capsys: Captured, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["flag", str(folder), "--out", str(out), "--workers", "1"]) == 0
    printed, err = capsys.readouterr()
    assert "3 of 4 contracts flagged (0 of them before), 1 failed." in printed
    assert "1 not flagged:\n  bad.pdf: " in err
    assert "contracts: 100 %  4 of 4" in err
    assert "note: README.md is left out" in err
    assert "note: table.xyz is left out" in err
    expected = {f"{name}.txt.{kind}" for name in "abc" for kind in ("json", "html", "csv")} | {"summary.csv"}
    assert {path.name for path in out.iterdir()} == expected
    assert flags_of(json.loads((out / "a.txt.json").read_text())) == [("Audit Rights", 0.9), ("Insurance", 0.8)]
    table = list(csv.DictReader(io.StringIO((out / "a.txt.csv").read_text("utf-8-sig"))))
    assert [row["label"] for row in table] == ["Audit Rights", "Insurance"]
    rows = list(csv.DictReader(io.StringIO((out / "summary.csv").read_text("utf-8-sig"))))
    assert [(row["document"], row["flags"]) for row in rows] == [
        ("a.txt", "2"),
        ("b.txt", "2"),
        ("bad.pdf", ""),
        ("c.txt", "2"),
    ]
    assert rows[0]["state"] == "flagged"
    assert rows[2]["state"].endswith(".")
    assert sum(int(rows[0][risk]) for risk in ("high", "medium", "low", "informational")) == 2


def test_a_second_run_does_only_what_changed(
    flagger: ScriptedFlagger, folder: Path, capsys: Captured, tmp_path: Path
) -> None:
    command = ["flag", str(folder), "--out", str(tmp_path / "out"), "--workers", "1", "--json"]
    assert main(command) == 0
    assert len(flagger.read) == 3
    capsys.readouterr()
    assert main(command) == 0
    assert len(flagger.read) == 3
    states = {row["document"]: row["state"] for row in json.loads(capsys.readouterr().out)["contracts"]}
    assert states == {"a.txt": "skipped", "b.txt": "skipped", "bad.pdf": "failed", "c.txt": "skipped"}
    (folder / "b.txt").write_text(CONTRACT)
    (tmp_path / "out" / "c.txt.html").unlink()
    (tmp_path / "out" / "a.txt.json").write_text("{damaged")
    assert main(command) == 0
    assert len(flagger.read) == 6
    assert main([*command, "--shift", "1"]) == 0  # other settings: all anew
    assert len(flagger.read) == 9


def test_when_no_contract_works_the_exit_code_is_2(
    flagger: ScriptedFlagger, folder: Path, capsys: Captured, tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text("")
    assert main(["flag", str(folder), "--out", str(tmp_path / "out"), "--workers", "1", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "4 not flagged:" in err
    assert err.splitlines()[-1].startswith("playground: None of the 4 contracts in ")


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(
    flagger: ScriptedFlagger, folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    judge = flagger.probabilities

    def interrupted(*arguments: Any) -> Any:
        if flagger.read:
            raise KeyboardInterrupt
        return judge(*arguments)

    command = ["flag", str(folder), "--out", str(tmp_path / "out"), "--workers", "1"]
    monkeypatch.setattr(flagger, "probabilities", interrupted)
    assert main(command) == 130
    assert "Stopped after 1 of 4 contracts; their results are in" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("a.txt.html", "a.txt.csv", "a.txt.json", "summary.csv")
    }
    monkeypatch.setattr(flagger, "probabilities", judge)
    assert main(command) == 0
    assert len(flagger.read) == 3
    assert "3 of 4 contracts flagged (1 of them before), 1 failed." in capsys.readouterr().out


def job(load_model: Any = load_scripted) -> FlagJob:
    from scenarios.contract_clauses import scenario

    catalogue = {label.name: label for label in scenario.labels()}
    return FlagJob(load_model, load_similar, catalogue, FlagSettings(), "scripted@12345678")  # type: ignore[arg-type]


def test_several_processes_give_the_same_results_as_one(folder: Path, tmp_path: Path) -> None:
    (folder / "bad.pdf").unlink()
    paths, _others = contract_paths(folder)
    for workers in (1, 2):
        done = [progress.done for progress in flag_folder(paths, job(), tmp_path / str(workers), workers)]
        assert done == [1, 2, 3]
    for path in paths:
        one, two = (json.loads((tmp_path / n / f"{path.name}.json").read_text()) for n in "12")
        assert one.pop("timings") and two.pop("timings")
        assert one == two


def test_the_benchmark_of_a_folder_compares_both_ways_within_a_round(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    ways: list[int] = []

    def took_s(_folder: Path, _out: Path, _adapter: str, workers: int) -> float:
        ways.append(workers)
        return {1: 6.0, 2: 4.0}[workers] * len(ways)  # the machine becomes slower and slower

    monkeypatch.setattr(measure_folder_workers, "took_s", took_s)
    monkeypatch.setattr(measure_folder_workers, "available_cores", lambda: 2)
    assert measure_folder_workers.main(["--rounds", "2", "--copies", "1", "--out", str(tmp_path)]) == 0
    assert ways == [1, 2, 2, 1], "each goes first in every other round"
    (found,) = json.loads((tmp_path / "bench_folder.json").read_text())["results"]
    assert found["speed_ratio"] == {"median": pytest.approx((6 / 8 + 24 / 12) / 2), "low": 0.75, "high": 2.0}
    assert found["contracts"] == 5
    assert "| 5 | 15.0 s | 10.0 s | 1.38 (0.75 to 2.00) |" in capsys.readouterr().out
    monkeypatch.setattr(measure_folder_workers, "available_cores", lambda: 1)
    assert measure_folder_workers.main([]) == 0
    assert "nothing to compare" in capsys.readouterr().out


def test_the_benchmark_of_a_folder_runs_the_real_command(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"playground flag .* ended with 2: .*no adapter 'there-is-none'"):
        measure_folder_workers.took_s(CONTRACTS, tmp_path / "out", "there-is-none", 1)


def test_a_process_that_dies_or_fails_takes_one_contract_with_it(folder: Path, tmp_path: Path) -> None:
    (folder / "bad.pdf").unlink()
    (folder / "b.txt").write_text(f"{CONTRACT}\n\n5. END THE PROCESS when the parties have agreed on that in writing.")
    (folder / "d.txt").write_text(f"{CONTRACT}\n\n5. RAISE the fees when the parties have agreed on that in writing.")
    paths, _others = contract_paths(folder)
    outcomes = [progress.last for progress in flag_folder(paths, job(), tmp_path / "out", 2)]
    assert sorted(outcome.name for outcome in outcomes if not outcome.error) == ["a.txt", "c.txt"]
    errors = {outcome.name: outcome.error for outcome in outcomes if outcome.error}
    assert "The process that read it ended" in errors["b.txt"]
    assert "ZeroDivisionError: as scripted" in errors["d.txt"]


def test_a_model_that_cannot_be_loaded_ends_the_run(folder: Path, tmp_path: Path) -> None:
    paths, _others = contract_paths(folder)
    with pytest.raises(ModelError, match=r"The encoder is gone\. Fetch it again\."):
        list(flag_folder(paths, job(load_nothing), tmp_path / "out", 2))


def test_a_summary_is_no_place_for_formulas(tmp_path: Path) -> None:
    write_summary([FileOutcome("=1+1.txt", "=cmd() failed.")], tmp_path)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "summary.csv").read_text("utf-8-sig")))
    assert (row["document"], row["state"]) == ("'=1+1.txt", "'=cmd() failed.")


def test_no_more_processes_than_contracts() -> None:
    assert default_workers(1) == 1
    assert 1 <= default_workers(1000) <= (os.cpu_count() or 1)


@pytest.mark.models
@pytest.mark.skipif(
    not SHIPPED.is_dir() or not any(path.is_dir() for path in SHIPPED.iterdir()),
    reason="data/adapters holds no adapter yet",
)
def test_flag_as_a_program_with_the_shipped_adapter(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "playground", "flag", "data/contracts/nda.txt", "--json", "--html", str(tmp_path / "r")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env={**os.environ, ROOT_VARIABLE: str(tmp_path / "no-adapters")},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    text = load_document((ROOT / "data/contracts/nda.txt").read_bytes(), "nda.txt").text
    assert "".join(clause["text"] for clause in found["clauses"]) == text
    flags = [row for clause in found["clauses"] for row in clause["flags"]]
    assert flags
    assert all(0 < row["score"] <= 1 and len(row["evidence"]) == 2 for row in flags)
    gold = json.loads((ROOT / "data/contracts/gold.json").read_text())["nda.txt"]["clauses"]
    assert {row["label"] for row in flags} & {row["label"] for row in gold}
    assert (tmp_path / "r").read_text().startswith("<!DOCTYPE html>")
