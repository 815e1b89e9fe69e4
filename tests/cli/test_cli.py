"""The commands: what they print, where, and with which exit code."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from playground.answering.splitting import split_questions
from playground.cli import DEBUG_VARIABLE, loading, main
from playground.cli.evaluate import paired_table
from playground.cli.terminal import ProgressLine
from playground.documents import load_document
from playground.errors import BundleError, EndpointError, ModelError
from playground.measuring.runs import read_records, read_run
from playground.models.bundled import CACHE_VARIABLE, FetchProgress
from playground.models.catalog import ALL_BUNDLES, BUNDLES, MINILM, MPNET, QWEN_MEDIUM, Bundle
from playground.paths import ROOT
from playground.text.terminal import plain
from scenarios.return_policy import evaluation
from scenarios.return_policy.figures_table import RATES, TOKENS, as_table
from tests.support.fakes import FakeChatModel
from tests.support.scripted_embedder import ScriptedEmbedder

POLICY = ROOT / "data" / "policies" / "northtrail-outdoor-v1.md"
ASK = ["ask", "How long do I have?", "--policy", str(POLICY)]

Captured = pytest.CaptureFixture[str]
Use = Callable[..., FakeChatModel]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Put a scripted model and embedder in the place of the real ones."""

    def install(script: Callable[[str], str | BaseException], **options: Any) -> FakeChatModel:
        model = FakeChatModel(script, **options)
        monkeypatch.setattr(loading, "load_model", lambda _name: model)
        monkeypatch.setattr(loading, "load_embedder", ScriptedEmbedder)
        return model

    return install


@pytest.fixture
def shop(tmp_path: Path) -> list[str]:
    """Return the arguments of an evaluation with outside policies and questions."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "shop.md").write_text("# Returns\n\nReturn shoes within 30 days.\n")
    rows = [
        {"id": f"q{n}", "policy": "shop.md", "question": f"Question {n}?", "answerable": n % 2 == 0, "expect": ["30"]}
        for n in range(6)
    ]
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [
        *("evaluate", "return_policy", "--policies", str(tmp_path / "policies"), "--questions", str(questions)),
        *("--out", str(tmp_path / "run")),
    ]


def python(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **(environment or {})},
        cwd=ROOT,
        timeout=300,
        check=False,
    )


# ask


def test_ask_json_has_exactly_the_documented_shape(use: Use, capsys: Captured) -> None:
    use(lambda _message: "You may return most items within 60 days of delivery.", price_usd=0.25)
    assert main([*ASK, "--json", "--top-k", "30", "--strategy", "rag"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert out.count("\n") == 1
    assert err == ""
    assert list(found) == [
        *("answer", "abstained", "withheld", "reasoning", "unsupported", "worked_out", "citations"),
        *("usage", "timings", "cost_usd", "model", "adapter", "strategy"),
    ]
    assert found["answer"] == "You may return most items within 60 days of delivery."
    assert (found["abstained"], found["cost_usd"]) == (False, 0.25)
    assert (found["model"], found["adapter"], found["strategy"]) == ("fake-model", None, "rag")
    assert set(found["usage"]) == {"input_tokens", "output_tokens"}
    assert found["usage"]["output_tokens"] == 10
    assert set(found["timings"]) == {"retrieve_s", "first_token_s", "total_s"}
    assert 0 < found["timings"]["retrieve_s"] <= found["timings"]["first_token_s"] <= found["timings"]["total_s"]
    text = load_document(POLICY.read_bytes(), POLICY.name).text
    assert found["citations"]
    for citation in found["citations"]:
        assert list(citation) == ["document", "start", "end", "text", "score"]
        assert citation["document"] == POLICY.name
        assert text[citation["start"] : citation["end"]] == citation["text"]
    assert "60 days" in found["citations"][0]["text"]


def test_ask_answers_two_questions_of_one_message_one_after_the_other(use: Use, capsys: Captured) -> None:
    model = use(lambda _message: "You may return most items within 60 days of delivery.")
    both = "How long do I have to return something, and who pays for the label?"
    asked = ["ask", both, "--policy", str(POLICY), "--strategy", "rag"]
    assert main(asked) == 0
    out, _err = capsys.readouterr()
    assert len(model.questions) == 2
    assert out.startswith("Your message has 2 questions; each is answered by itself.\n\nHow long do I have to return")
    assert out.count("You may return most items") == 2 + out.count('"You may return most items')
    assert main([*asked, "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert [one["question"] for one in answers] == list(split_questions(both)) and len(answers) == 2
    assert all("answer" in one and "citations" in one for one in answers)


def test_ask_json_says_null_where_nothing_is_known(use: Use, capsys: Captured) -> None:
    use(lambda _message: "", price_usd=None, usage=False)
    assert main([*ASK, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["usage"] == {"input_tokens": None, "output_tokens": None}
    assert found["cost_usd"] is None
    assert found["timings"]["first_token_s"] is None


def test_ask_streams_the_answer_then_its_evidence_and_stamp(use: Use, capsys: Captured) -> None:
    use(lambda _message: "You may return most items within 60 days of delivery.\nThe label costs $99.")
    assert main([*ASK, "--strategy", "rag+few-shot", "--top-k", "30"]) == 0
    out, _err = capsys.readouterr()
    assert out.startswith("You may return most items within 60 days of delivery.\nThe label costs $99.\n\n[1] ")
    assert f"\n    {POLICY.name}, characters " in out
    assert "warning: no cited passage contains $99" in out
    stamp = out.splitlines()[-1]
    sha256 = load_document(POLICY.read_bytes(), POLICY.name).sha256
    assert stamp.startswith(f"fake-model · rag+few-shot · {POLICY.name} ({sha256[:8]}) · retrieval ")
    assert " tokens in, 14 out · $0" in stamp


def test_ask_never_prints_an_answer_that_was_withheld_as_the_answer(
    use: Use, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(lambda _message: "You have 61 days.")
    guarded = partial(evaluation.bot_settings, "rag+lora")
    monkeypatch.setattr(evaluation, "bot_settings", lambda _strategy, **given: replace(guarded(**given), adapter=None))
    assert main([*ASK, "--strategy", "rag+lora"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("I don't know.\n")
    assert "withheld, as no passage states 61: You have 61 days." in out


def test_ask_shows_an_abstention_and_an_answer_without_evidence(use: Use, capsys: Captured) -> None:
    use(lambda _message: "I don't know.")
    assert main(ASK) == 0
    assert "abstained: the answer says that it does not know" in capsys.readouterr().out
    use(lambda _message: "Zebras graze.")
    assert main([*ASK, "--strategy", "no-text"]) == 0
    assert "no passage supports this answer" in capsys.readouterr().out


def test_ask_passes_prompt_and_passages_on(use: Use, capsys: Captured) -> None:
    model = use(lambda _message: "I don't know.")
    sent: list[Any] = []
    complete = model.complete
    model.complete = lambda messages, **options: (sent.append(messages), complete(messages, **options))[1]  # type: ignore[method-assign]
    assert main([*ASK, "--top-k", "1", "--system-prompt", "Be brief."]) == 0
    assert main([*ASK, "--top-k", "4"]) == 0
    assert sent[0][0].content == "Be brief."
    assert len(sent[0][-1].content) < len(sent[1][-1].content) / 2
    capsys.readouterr()


def test_ask_says_what_did_not_fit(use: Use, capsys: Captured) -> None:
    use(lambda _message: "I don't know.", context_limit=400)
    assert main([*ASK, "--strategy", "whole-document"]) == 0
    assert "note: The document does not fit into 400 tokens" in capsys.readouterr().out


def test_a_model_cannot_steer_the_terminal(use: Use, capsys: Captured) -> None:
    use(lambda _message: "\x1b[2J\x9b31mI don't know.\x07\n")
    assert main(ASK) == 0
    assert not any(character in capsys.readouterr().out for character in "\x1b\x9b\x07")
    assert plain("a\tb\r\x00c\n\u20ac") == "a b  c\n\u20ac"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", "q", "--policy", "absent.md"], "There is no file absent.md. Check --policy."),
        (["ask", "q", "--policy", str(ROOT)], "There is no file"),
        (["ask", "q"], "the following arguments are required: --policy. See `playground ask --help`."),
        ([*ASK, "--strategy", "magic"], "There is no strategy 'magic'. Use one of: no-text, whole-document, rag"),
        ([*ASK, "--top-k", "0"], "argument --top-k: it must be a whole number of at least 1"),
        ([*ASK, "--top-k", "many"], "argument --top-k: it must be a whole number of at least 1"),
        (["ask", " ", "--policy", str(POLICY)], "The question is empty"),
        (["ask", "why" * 20_000, "--policy", str(POLICY)], "The question has 60,000 characters"),
        (
            ["evaluate", "nothing", "--out", "x"],
            "invalid choice: 'nothing' (choose from 'contract_clauses', 'return_policy')",
        ),
        (["evaluate", "return_policy"], "the following arguments are required: --out"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_is_one_line_on_standard_error(
    use: Use, capsys: Captured, arguments: list[str], message: str, as_json: bool
) -> None:
    use(lambda _message: "never asked")
    assert main([*arguments, "--json"] if as_json and arguments else arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("playground: ")
    # Python 3.12 and later write the choices without quotation marks.
    assert message.replace("'", "") in err.replace("'", "")


def test_a_large_policy_is_refused_unread(use: Use, capsys: Captured, tmp_path: Path) -> None:
    use(lambda _message: "never asked")
    with (tmp_path / "large.txt").open("wb") as stream:
        stream.truncate(11 << 20)
    assert main(["ask", "q", "--policy", str(tmp_path / "large.txt")]) == 2
    assert "has more than 10 MB" in capsys.readouterr().err


def test_an_error_of_several_lines_with_control_characters_is_one_clean_line(use: Use, capsys: Captured) -> None:
    use(lambda _message: ModelError("The server said:\n\x1b[31mno\nway."))
    assert main(ASK) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "playground: The server said: [31mno way.\n")


def test_a_defect_is_one_line_unless_it_is_looked_for(
    use: Use, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(lambda _message: ZeroDivisionError("by zero"))
    monkeypatch.delenv(DEBUG_VARIABLE, raising=False)
    assert main([*ASK, "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "ZeroDivisionError: by zero" in err
    assert f"Set {DEBUG_VARIABLE}=1" in err
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    with pytest.raises(ZeroDivisionError):
        main(ASK)


def test_ctrl_c_ends_with_130_and_no_traceback(use: Use, capsys: Captured) -> None:
    use(lambda _message: KeyboardInterrupt())
    assert main(ASK) == 130
    assert capsys.readouterr().err.strip() == "Stopped."


def test_what_a_library_prints_does_not_reach_the_json(use: Use, capsys: Captured) -> None:
    def noisy(_message: str) -> str:
        print("a library says hello")
        return "I don't know."

    use(noisy)
    assert main([*ASK, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["abstained"] is True
    assert "a library says hello" in err


def test_an_unfit_model_name_is_refused(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    assert main([*ASK, "--model", "endpoint"]) == 2
    assert "No endpoint is set" in capsys.readouterr().err


# evaluate


def test_evaluate_json_has_the_documented_fields(use: Use, shop: list[str], capsys: Captured, tmp_path: Path) -> None:
    use(lambda _message: "Within 30 days.", price_usd=0.25)
    assert main([*shop, "--strategies", "rag,no-text", "--json"]) == 0
    out, _err = capsys.readouterr()
    found = json.loads(out)
    assert out.count("\n") == 1
    assert list(found) == ["strategies", "paired"]
    (pair,) = found["paired"]
    assert (pair["first"], pair["second"], pair["n"], pair["difference"], pair["p_value_holm"]) == (
        *("rag", "no-text", 6, 0.0, 1.0),
    )
    assert [row["strategy"] for row in found["strategies"]] == ["rag", "no-text"]
    row = found["strategies"][0]
    documented = {
        *("strategy", "model", "adapter", "n", "ci", "answerable_accuracy", "abstention_accuracy"),
        "balanced_accuracy",
        *("false_answer_rate", "unsupported_number_rate", "first_token_s", "total_s", "input_tokens"),
        "worked_out_number_rate",
        *("output_tokens", "cost_usd", "n_answerable", "n_unanswerable", "errors"),
    }
    assert set(row) == documented | {"cached_tokens"}
    assert (row["n"], row["n_answerable"], row["n_unanswerable"], row["errors"]) == (6, 3, 3, 0)
    assert (row["answerable_accuracy"], row["abstention_accuracy"], row["false_answer_rate"]) == (1.0, 0.0, 1.0)
    assert row["cost_usd"] == 1.5
    assert set(row["first_token_s"]) == {"p50", "p95"}
    assert row["ci"]["answerable_accuracy"][1] == 1.0
    assert len(read_records(tmp_path / "run")) == 12


def test_evaluate_prints_a_table(use: Use, shop: list[str], capsys: Captured) -> None:
    use(lambda _message: "Within 30 days.", price_usd=None)
    assert main([*shop, "--strategies", "no-text"]) == 0
    out, err = capsys.readouterr()
    lines = {line[:26].strip(): line[26:].strip() for line in out.splitlines()}
    assert lines["model"] == "fake-model"
    assert lines["questions (answerable)"] == "6 (3)"
    assert lines["answerable accuracy"].startswith("1.000 [0.4")
    assert lines["unsupported number rate"].startswith("1.000")
    assert lines["cost in all"] == "unknown price"
    assert "return_policy: 100 %  6 of 6, no-text q5" in err


def test_evaluate_tests_whether_the_difference_of_two_strategies_is_real(
    use: Use, shop: list[str], capsys: Captured
) -> None:
    # Only the prompt of RAG has text, so only RAG can be right: on the 3 answerable ones of 6.
    use(lambda message: "I like turtles." if "Text:" not in message else "Within 30 days.")
    assert main([*shop, "--strategies", "rag,no-text"]) == 0
    out, _err = capsys.readouterr()
    (line,) = [line for line in out.splitlines() if line.startswith("rag minus no-text")]
    # McNemar's exact p of 3 against 0 is 2 * 0.5**3; one test needs no adjusting.
    assert line.split("  ")[0] == "rag minus no-text"
    assert "+0.500 [" in line
    assert line.endswith("0.250")


def test_of_many_strategies_the_pairs_with_the_first_are_listed() -> None:
    pair = {"n": 6, "difference": 0.5, "ci": [0.1, 0.9], "p_value_holm": 0.0001}
    paired = [{**pair, "first": one, "second": two} for one, two in itertools.combinations("abcde", 2)]
    lines = paired_table(paired, in_full=False).splitlines()
    assert [line[:9] for line in lines[1:-1]] == [f"a minus {name}" for name in "bcde"]
    assert lines[1].endswith("< 0.001")
    assert lines[-1] == "(6 more pairs with --json)"
    assert len(paired_table(paired[:3], in_full=True).splitlines()) == 4


def test_a_table_without_figures_has_dashes() -> None:
    column: dict[str, Any] = dict.fromkeys(
        [
            *("answerable_accuracy", "abstention_accuracy", "balanced_accuracy", "false_answer_rate"),
            "worked_out_number_rate",
            *("unsupported_number_rate", "first_token_s", "total_s", "input_tokens", "cached_tokens", "output_tokens"),
        ]
    )
    column |= {"strategy": "rag", "model": "m", "n": 1, "n_answerable": 1, "errors": 1, "cost_usd": 0.0, "ci": {}}
    assert as_table([column]).count("—") == 13


def test_the_table_has_both_percentiles_of_a_time_with_their_intervals(
    use: Use, shop: list[str], capsys: Captured
) -> None:
    column: dict[str, Any] = dict.fromkeys([*RATES, *TOKENS, "first_token_s"])
    column |= {"strategy": "rag", "model": "m", "n": 9, "n_answerable": 5, "errors": 0, "cost_usd": 0.0}
    column |= {"total_s": {"p50": 0.66, "p95": 1.5}, "ci": {"total_s_p50": [0.5, 0.714], "total_s_p95": [1.2, 2.25]}}
    lines = {line[:26].strip(): line[26:].strip() for line in as_table([column]).splitlines()}
    assert lines["total, p50"] == "0.66 [0.50, 0.71] s"
    assert lines["total, p95"] == "1.50 [1.20, 2.25] s"
    assert lines["first token, p50"] == lines["first token, p95"] == "—"
    use(lambda _message: "Within 30 days.")
    assert main([*shop, "--strategies", "no-text"]) == 0
    assert re.search(r"\ntotal, p95 +\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\] s\n", capsys.readouterr().out)


def test_the_run_file_says_where_and_with_what(use: Use, shop: list[str], capsys: Captured, tmp_path: Path) -> None:
    use(lambda _message: "I don't know.", model_id="smollm2-135m-instruct")
    assert main([*shop, "--seed", "5", "--limit", "2"]) == 0
    info: Any = read_run(tmp_path / "run")
    assert info.scenario == "return_policy"
    assert {"cpu", "cores", "system", "python"} <= set(info.machine)
    assert "torch" in info.versions
    assert info.commit
    assert info.models["smollm2-135m-instruct"]["weights_sha256"].startswith("b179c95")
    assert info.settings["questions"] == {"file": "questions.jsonl", "count": 2, "limit": 2}
    assert {record.seed for record in read_records(tmp_path / "run")} == {5}
    capsys.readouterr()


def test_ctrl_c_keeps_the_rows_and_the_same_command_goes_on(
    use: Use, shop: list[str], capsys: Captured, tmp_path: Path
) -> None:
    replies: list[str | BaseException] = ["warm-up", "Within 30 days.", "Within 30 days.", KeyboardInterrupt()]
    use(lambda _message: replies.pop(0))
    assert main([*shop, "--json"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Stopped after 2 of 6 rows; they are kept in {tmp_path / 'run'}. Run the same command again" in err
    assert "Traceback" not in err
    model = use(lambda _message: "Within 30 days.")
    assert main([*shop, "--json"]) == 0
    assert len(model.questions) == 1 + 4
    assert json.loads(capsys.readouterr().out)["strategies"][0]["n"] == 6
    assert main([*shop, "--json"]) == 0
    assert len(model.questions) == 1 + 4


def test_a_model_error_is_a_wrong_row_and_retried_on_request(use: Use, shop: list[str], capsys: Captured) -> None:
    use(lambda message: EndpointError("Too busy. Wait.") if "Question 2" in message else "30 days.")
    assert main([*shop, "--json"]) == 0
    out, err = capsys.readouterr()
    (row,) = json.loads(out)["strategies"]
    assert (row["n"], row["errors"], row["answerable_accuracy"]) == (6, 1, pytest.approx(2 / 3))
    assert "rag, q2: Too busy. Wait.\n" in err
    use(lambda _message: "30 days.")
    assert main([*shop, "--json", "--retry-errors"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["strategies"]
    assert (row["n"], row["errors"], row["answerable_accuracy"]) == (6, 0, 1.0)


def test_a_spending_cap_stops_the_run_with_a_sentence_and_keeps_its_rows(
    use: Use, shop: list[str], capsys: Captured, tmp_path: Path
) -> None:
    use(lambda _message: "30 days.", price_usd=0.25)  # whatever the usage
    assert main([*shop, "--json", "--max-cost-usd", "0.8"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "The spending cap of $0.80 stops this run: $0.75 was spent, and the next call may cost up to $0.25." in err
    assert err.strip().endswith(f"2 of 6 rows are in {tmp_path / 'run'} (--max-cost-usd).")  # and the warm-up
    assert main([*shop, "--json", "--max-cost-usd", "5"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["strategies"]
    assert (row["n"], row["cost_usd"]) == (6, 1.5)
    assert main([*shop, "--max-cost-usd", "0"]) == 2
    assert "it must be an amount of US dollars above 0" in capsys.readouterr().err


def test_a_changed_policy_needs_a_folder_of_its_own(
    use: Use, shop: list[str], capsys: Captured, tmp_path: Path
) -> None:
    use(lambda _message: "30 days.")
    assert main(shop) == 0
    (tmp_path / "policies" / "shop.md").write_text("# Returns\n\nReturn shoes within 45 days.\n")
    capsys.readouterr()
    assert main(shop) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "holds 6 of these rows with other settings, policies or questions" in err


def test_bad_questions_are_reported_by_line(use: Use, shop: list[str], capsys: Captured, tmp_path: Path) -> None:
    use(lambda _message: "never asked")
    with (tmp_path / "questions.jsonl").open("a") as stream:
        stream.write('{"id": "x", "policy": "gone.md", "question": "?", "answerable": false, "expect": []}\n')
    assert main(shop) == 2
    assert "line 7: policy 'gone.md' is not a file in" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


# models


def test_models_list_shows_what_is_here(capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr("playground.models.bundled.is_present", lambda bundle: bundle is MINILM)
    assert main(["models", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert [row["id"] for row in rows] == [bundle.id for bundle in ALL_BUNDLES]
    assert [row["present"] for row in rows] == [False, True, False, False, False]
    assert all(Path(row["where"]).is_relative_to(tmp_path) and row["licence"] == "Apache-2.0" for row in rows)
    assert rows[0]["size_bytes"] == 98_362_432
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "not fetched     98 MB  Apache-2.0" in out
    assert "present         92 MB  Apache-2.0" in out


def test_models_fetch_shows_progress_and_where_they_are(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ensure(bundle: Any, on_progress: Any) -> Path:
        for percent in (0, 4, 50, 100):
            on_progress(FetchProgress(bundle, "downloading", percent / 100))
        return tmp_path / bundle.id

    monkeypatch.setattr("playground.models.bundled.ensure_bundle", ensure)
    assert main(["models", "fetch"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"{bundle.title}: ready in {tmp_path / bundle.id}" for bundle in BUNDLES]
    assert err.splitlines()[:3] == [f"SmolLM2-135M-Instruct, downloading: {percent} %" for percent in (0, 50, 100)]


def test_a_model_that_the_app_can_do_without_may_be_missing(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone: list[str] = [MPNET.id]

    def ensure(bundle: Any, _on_progress: Any) -> Path:
        if bundle.id in gone:
            raise BundleError(f"{bundle.title} could not be fetched.")
        return tmp_path / bundle.id

    monkeypatch.setattr("playground.models.bundled.ensure_bundle", ensure)
    assert main(["models", "fetch"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(BUNDLES) - 1
    assert "could not be fetched. Until it is here, contracts can be flagged with the adapter cuad-minilm." in err
    gone.append(MINILM.id)
    assert main(["models", "fetch"]) == 2
    assert "all-MiniLM-L6-v2 could not be fetched" in capsys.readouterr().err


def test_models_fetch_takes_a_size_and_refuses_another(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fetched: list[Bundle] = []
    monkeypatch.setattr("playground.models.bundled.ensure_bundle", lambda bundle, _: fetched.append(bundle) or tmp_path)
    assert main(["models", "fetch", "huge"]) == 2
    assert "no model of size 'huge'. Use small, medium, large." in capsys.readouterr().err
    assert not fetched
    assert main(["models", "fetch", "medium"]) == 0
    assert fetched == [*BUNDLES, QWEN_MEDIUM]


# Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_rewrites_its_line_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    line = ProgressLine()
    line.show("fetching", 0.5, "a long detail")
    line.show("fetching", 1.7)
    line.note("a note")
    line.close()
    assert screen.getvalue().split("\r")[1:] == [
        "fetching: 50 %  a long detail",
        f"{'fetching: 100 %':<29}\na note\n",
    ]


def test_progress_elsewhere_is_a_line_for_every_tenth(capsys: Captured) -> None:
    line = ProgressLine()
    for percent in range(0, 101, 2):
        line.show("fetching", percent / 100)
    line.close()
    assert capsys.readouterr().err.splitlines() == [f"fetching: {percent} %" for percent in range(0, 101, 10)]


# As a program


def test_help_starts_without_heavy_libraries() -> None:
    script = (
        "import sys\nfrom playground.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'torch', 'transformers', 'numpy', 'scipy', 'openvino', 'streamlit', 'openai'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert not any(name.startswith('scenarios.') for name in sys.modules)\n"
    )
    done = python("-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(command in done.stdout for command in ("ask", "evaluate", "models"))


def test_the_scenarios_own_options_are_in_its_help() -> None:
    done = python("-m", "playground", "evaluate", "return_policy", "--help")
    assert done.returncode == 0
    assert "--policies DIR" in done.stdout
    assert "--strategies A,B" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="needs a shell with pipes")
def test_a_reader_that_leaves_causes_no_traceback() -> None:
    command = f"{sys.executable} -m playground models list --json | true"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


@pytest.mark.models
def test_ask_as_a_program_with_the_bundled_models() -> None:
    done = python("-m", "playground", *ASK, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert found["model"] == "smollm2-135m-instruct"
    assert found["answer"]
    assert found["cost_usd"] == 0.0
    assert found["usage"]["input_tokens"] > 100
    text = load_document(POLICY.read_bytes(), POLICY.name).text
    assert all(text[row["start"] : row["end"]] == row["text"] for row in found["citations"])


@pytest.mark.models
def test_evaluate_as_a_program_with_the_bundled_models(tmp_path: Path) -> None:
    done = python("-m", "playground", "evaluate", "return_policy", "--limit", "4", "--out", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["strategies"]
    assert (row["n"], row["errors"], row["cost_usd"]) == (4, 0, 0.0)
    assert row["n_unanswerable"] >= 1
    assert row["total_s"]["p50"] > 0
    assert len(read_records(tmp_path)) == 4
