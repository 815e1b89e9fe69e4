"""Every state of the comparison page, over runs that the test wrote, with scripted models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from playground.comparison.claims.break_even import ASSUMED, TITLES, YOURS
from playground.comparison.claims.learning_curve import write_learning_curve
from playground.comparison.claims.stale_facts import write_stale_facts
from playground.comparison.measured_here import RunRequest, fresh_folders, new_folder, read_request, runs_root
from playground.comparison.rows import read_run_rows
from playground.errors import EvaluationError, ModelError
from playground.types import Prediction, Usage
from playground.ui.comparison import measure_again
from playground.ui.comparison import resources as comparison_resources
from playground.ui.comparison.desk import Measurement, MeasurementDesk, Part
from playground.ui.comparison.state import Key
from playground.ui.shared import resources
from scenarios.contract_clauses.measured_contracts import contract_of, load_measured_set
from scenarios.contract_clauses.prompted import sampled_pairs
from scenarios.registry import scenario_names
from tests.support.evidence_samples import STALE, curve
from tests.support.fakes import FakeChatModel
from tests.support.fakes_comparison import ANSWER, HOSTILE, open_page, row, rows_of, use_runs, write_run
from tests.support.fakes_ui import ROOT, click, html, run, words

A, B = "A return policy", "B contract clauses"


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one recorded run of two techniques."""
    folder = use_runs(monkeypatch, tmp_path)
    rows = [*rows_of("rag", lambda number: number % 4 > 0), *rows_of("no-text", lambda number: number % 4 == 0)]
    write_run(folder / "first", rows)
    return folder


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch):
    yield
    desk: MeasurementDesk = measure_again.DESK
    if latest := desk.latest():
        latest.stop.set()
        assert latest.job.done.wait(60)


def figure(app: AppTest, place: int = 1) -> dict:
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def names(spec: dict) -> list[str]:
    return [trace.get("name", "") for trace in spec["data"]]


def measured(app: AppTest) -> AppTest:
    """Wait for the measurement's end and draw the page again, as its fragment does."""
    latest = measure_again.DESK.latest()
    assert latest is not None
    assert latest.job.done.wait(120)
    return run(app)


# Opens full


def test_the_page_opens_with_the_recorded_runs_and_says_where_they_are_from(recorded: Path) -> None:
    app = open_page()
    assert {"RAG", "No text"} <= set(names(figure(app)))
    page = html(app)
    assert '<span class="pill">recorded</span> 2026-01-02' in page
    assert "a recorded machine" in page and "abc1234" in page and "n = 40 a technique" in page


@pytest.mark.parametrize("scenario", [A, B])
@pytest.mark.parametrize(
    "section",
    [
        *("Overview", "Time and tokens", "By policy or label", "Break-even"),
        *("Learning and change", "Examples", "The article", "Which one?"),
    ],
)
def test_every_section_opens_with_and_without_runs(recorded: Path, scenario: str, section: str) -> None:
    app = open_page(scenario=scenario, section=section)
    assert not app.error


def test_the_shipped_runs_fill_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    app = open_page()
    assert not app.error
    assert len(names(figure(app))) >= 5


def test_without_a_run_the_page_invites_to_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_runs(monkeypatch, tmp_path)
    app = open_page()
    assert any("measure here and now" in text for text in words(app.info))
    assert app.button(key="measure_return_policy_rag")


def test_a_redraw_looks_at_the_runs_on_the_disk_once(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page()
    looks: list[None] = []
    look = comparison_resources.run_files
    monkeypatch.setattr(comparison_resources, "run_files", lambda: looks.append(None) or look())
    run(app)
    assert len(looks) == 1


def test_a_redraw_describes_no_chart_again(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page()
    before = [chart.proto.spec for chart in app.get("plotly_chart")]
    monkeypatch.setattr(go.Figure, "to_dict", lambda _figure: pytest.fail("described again"))
    run(app)
    assert [chart.proto.spec for chart in app.get("plotly_chart")] == before
    assert len(before) == 2


def test_the_differences_are_drawn_when_they_are_opened(recorded: Path) -> None:
    app = open_page()
    assert not app.dataframe
    app.session_state[Key.DIFFERENCES] = True
    run(app)
    assert "First minus second" in app.dataframe[0].value.columns


# The address


def test_a_link_opens_the_same_comparison(recorded: Path) -> None:
    write_run(recorded / "second", rows_of("rag+cot", lambda _number: True))
    app = open_page(section="Time and tokens", runs_return_policy="second")
    total = figure(app, 1)
    assert total["layout"]["yaxis"]["ticktext"] == ["RAG + chain of thought<br>n = 40"]


def test_the_axes_change_places_by_a_control(recorded: Path) -> None:
    app = open_page()
    assert "USD per 1,000 requests" in figure(app)["layout"]["xaxis"]["title"]["text"]
    app.button_group(key="across").set_value("latency")
    run(app)
    assert figure(app)["layout"]["xaxis"]["title"]["text"] == "median seconds per question"


def test_an_address_that_names_nothing_known_opens_the_page_all_the_same(recorded: Path) -> None:
    app = open_page(scenario=HOSTILE, section=HOSTILE, runs_return_policy="../../etc", example=HOSTILE, across="x")
    assert {"RAG", "No text"} <= set(names(figure(app)))


# Break-even


def test_an_assumption_moves_the_crossing_and_names_its_source(recorded: Path) -> None:
    app = open_page(section="Break-even")
    before = html(app)
    assert "Fine-tuning is cheaper from" in before
    assert any("gpt-4o-mini in the price list" in text for text in words(app.caption))
    assert any("measured on 2026-01-02 with n = 40" in text for text in words(app.caption))
    control = next(one for one in app.number_input if one.key.startswith("be_labelled_examples"))
    control.set_value(10.0)
    run(app)
    assert html(app) != before
    assert any("your own value" in text for text in words(app.caption))


def test_the_shipped_break_even_names_its_unit_and_its_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    questions = open_page(scenario=A, section="Break-even")
    captions = " ".join(words(questions.caption))
    assert "indexing of RAG + LoRA after a change" in captions
    assert "generated from cards in this repository" in captions
    clauses = open_page(scenario=B, section="Break-even")
    assert "a request (clause, all 41 labels) costs" in html(clauses)
    captions = " ".join(words(clauses.caption))
    assert "asked 41 times, once a label" in captions
    examples = next(one for one in clauses.number_input if one.key.startswith("be_labelled_examples"))
    assert examples.value == 595
    output = next(one for one in clauses.number_input if one.key.startswith("be_prompting_output_tokens"))
    assert output.value == 0
    assert figure(clauses, 0)["layout"]["xaxis"]["title"]["text"] == "requests (one: clause, all 41 labels)"


@pytest.mark.parametrize(("name", "value"), [("requests_per_day", 0.0), ("machine_usd_per_hour", -1.0)])
def test_a_zero_or_negative_assumption_is_refused_with_a_sentence(recorded: Path, name: str, value: float) -> None:
    app = open_page(section="Break-even")
    next(one for one in app.number_input if one.key.startswith(f"be_{name}")).set_value(value)
    run(app)
    assert any("cannot be. Give more than 0" in text for text in words(app.error))
    assert not app.get("plotly_chart")


def test_a_machine_that_costs_nothing_is_refused_with_a_sentence(recorded: Path) -> None:
    app = open_page()
    app.number_input(key="machine_usd").set_value(0.0)
    run(app)
    assert any("USD per hour cannot be" in text for text in words(app.error))


# Examples


def test_examples_stand_side_by_side_with_the_exact_prompt(recorded: Path) -> None:
    app = open_page(section="Examples")
    assert [text.value for text in app.text] == ["no-text says True", "rag says False"]
    prompts = [code.value for code in app.code]
    assert prompts == [f"prompt of no-text {HOSTILE}", f"prompt of rag {HOSTILE}"]
    assert "<script>" not in html(app)
    first = app.dataframe[0].value
    assert list(first.columns) == ["Asked", "Where", "No text", "RAG"]
    assert len(first) == 40
    click(app, "comparison_next")
    assert [text.value for text in app.text] == ["no-text says False", "rag says True"]
    assert app.query_params["example"]


def test_only_where_they_differ(recorded: Path) -> None:
    rows = [*rows_of("rag", lambda number: number < 10, count=20), *rows_of("no-text", lambda _n: False, count=20)]
    write_run(recorded / "first", rows)
    app = open_page(section="Examples", differ="true")
    assert len(app.dataframe[0].value) == 10
    assert set(app.dataframe[0].value["RAG"]) == {"✓"}


def test_where_none_differ_the_page_says_so(recorded: Path) -> None:
    write_run(recorded / "first", [*rows_of("rag", lambda _n: True), *rows_of("no-text", lambda _n: True)])
    app = open_page(section="Examples", differ="true")
    assert any("right or wrong together" in text for text in words(app.info))


def test_a_failed_row_shows_why(recorded: Path) -> None:
    failed = row("rag", "northtrail-v1-01", right=False, prediction=None, error=f"The model is gone. {HOSTILE}")
    write_run(recorded / "first", [failed])
    app = open_page(section="Examples")
    assert "The model is gone." in html(app)
    assert "<script>" not in html(app)


def test_a_reply_that_says_neither_is_called_unreadable_and_not_right(recorded: Path) -> None:
    measured_set = load_measured_set(None, None, 0)
    contract = contract_of(measured_set.examples[0])
    pairs = sampled_pairs(contract, 2, 0)
    asked = [{"clause": a, "label": b, "score": None, "reply": "It depends."} for a, b in pairs]
    one = Prediction("", Usage(40, 8), {"total_s": 2.0}, {"clauses": len(contract.clauses), "asked": asked})
    described = {"name": measured_set.name, "sha256": measured_set.sha256}
    settings = {"contracts": described, "labels": list(measured_set.labels), "pairs_per_contract": 2}
    folder = write_run(
        recorded / "clauses",
        [row("chain-of-thought", contract.title, right=False, prediction=one, scores={})],
        "contract_clauses",
        settings,
    )
    assert len(read_run_rows(folder, scenario_names()).records) == 1
    app = open_page(scenario=B, section="Examples")
    assert '<span class="pill missing">unreadable</span>' in html(app)
    assert '<span class="pill">right</span>' not in html(app)
    assert "the reply says neither yes nor no" in html(app)
    assert [text.value for text in app.text] == ["It depends."]
    assert set(app.dataframe[0].value["Chain of thought"]) == {"✗"}


def test_the_examples_of_scenario_b_are_said_to_be_the_pairs_that_every_technique_was_asked_about() -> None:
    app = open_page(scenario=B, section="Examples")
    assert any(
        text.startswith("Compared are the 60 pairs of a clause and a label that every technique was asked about.")
        and "judged up to 357 clauses whole" in text
        for text in words(app.caption)
    )
    assert len(app.dataframe[0].value) == 60
    assert not any("pairs of a clause" in text for text in words(open_page(scenario=A, section="Examples").caption))


def test_scenario_b_is_stamped_with_contracts_and_pairs() -> None:
    app = open_page(scenario=B)
    page = html(app)
    assert "12 contracts, 60 pairs a technique" in page
    # In the row of every technique as well, and nowhere as if a contract were an example.
    assert "] 12 contracts, 60 pairs, " in page
    assert "n = 12" not in page


# Measured here and now


def test_one_cell_is_measured_beside_the_recorded_one(recorded: Path) -> None:
    app = click(open_page(), "measure_return_policy_rag")
    measured(app)
    assert any("Measured 6 of 6 rows" in text for text in words(app.success))
    assert {"RAG", "RAG (here)"} <= {name.replace("RAG (recorded)", "RAG") for name in names(figure(app))}
    page = html(app)
    assert '<span class="pill here">here</span>' in page
    assert '<span class="pill here">measured here</span>' in page
    (folder,) = fresh_folders(runs_root())
    rows = read_run_rows(folder, scenario_names()).records
    assert {one.strategy for one in rows} == {"rag"}
    assert {one.prediction.output for one in rows if one.prediction} == {ANSWER}


def test_the_fresh_result_is_compared_on_the_same_questions(recorded: Path) -> None:
    app = click(open_page(), "measure_return_policy_rag")
    measured(app)
    (folder,) = fresh_folders(runs_root())
    asked = {one.example_id for one in read_run_rows(folder, scenario_names()).records}
    known = {one.example_id for one in read_run_rows(recorded / "first", scenario_names()).records}
    shared = len(asked & known)
    if shared:
        assert f"on the same {shared}: recorded" in html(app)


def test_a_second_measurement_gives_the_same_answers(recorded: Path) -> None:
    app = open_page()
    for _attempt in range(2):
        click(app, "measure_return_policy_rag")
        measured(app)
    found = [read_run_rows(folder, scenario_names()).records for folder in fresh_folders(runs_root())]
    assert len(found) == 2
    outcomes = [[(one.example_id, one.scores, one.prediction.output) for one in rows] for rows in found]  # type: ignore[union-attr]
    assert outcomes[0] == outcomes[1]


def test_all_techniques_are_measured_in_turns(recorded: Path) -> None:
    app = click(open_page(), "comparison_start")
    measured(app)
    (folder,) = fresh_folders(runs_root())
    strategies = [one.strategy for one in read_run_rows(folder, scenario_names()).records]
    assert {"no-text", "whole-document", "rag", "rag+few-shot", "rag+cot"} <= set(strategies)
    assert strategies[:7].count(strategies[0]) < 7, "they take turns"


def test_a_technique_that_cannot_be_measured_says_why(recorded: Path) -> None:
    app = open_page()
    assert app.button(key="measure_return_policy_rag+lora").disabled
    assert "There is no adapter that reads passages" in html(app)


def test_stop_keeps_the_rows_and_going_on_finishes_them(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def script(question: str) -> str:
        asked.append(question)
        latest = measure_again.DESK.latest()
        if latest is not None and len(asked) == 4:  # the warm-up, and three questions
            latest.stop.set()
        return ANSWER

    monkeypatch.setattr(resources, "chat_model", lambda _choice: FakeChatModel(script))
    app = click(open_page(), "measure_return_policy_rag")
    measured(app)
    assert any("Stopped after 3 of 6 rows" in text for text in words(app.info))
    (folder,) = fresh_folders(runs_root())
    kept = read_run_rows(folder, scenario_names()).records
    assert len(kept) == 3
    click(app, "comparison_go_on")
    measured(app)
    assert any("Measured 6 of 6 rows" in text for text in words(app.success))
    assert fresh_folders(runs_root()) == (folder,)
    rows = read_run_rows(folder, scenario_names()).records
    assert rows[:3] == kept, "no row was done again"
    assert len({one.example_id for one in rows}) == 6


def test_a_run_of_a_closed_browser_is_gone_on_with(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = click(open_page(), "measure_return_policy_rag")
    measured(app)
    (folder,) = fresh_folders(runs_root())
    path = folder / "records.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:40])  # a crash in the middle of a line
    monkeypatch.setattr(measure_again, "DESK", MeasurementDesk())
    app = open_page()
    assert "2 of 6 rows" in html(app) + " ".join(words(app.caption))
    click(app, f"go_on_{folder.name}")
    measured(app)
    assert any("Measured 6 of 6 rows" in text for text in words(app.success))
    assert [line[:60] for line in path.read_bytes().splitlines()[:2]] == [line[:60] for line in lines[:2]]


def test_a_model_that_disappears_is_given_up_and_the_rows_are_kept(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def script(question: str) -> str | Exception:
        asked.append(question)
        return ANSWER if len(asked) < 3 else ModelError("The endpoint cannot be reached. Check that it runs.")

    monkeypatch.setattr(resources, "chat_model", lambda _choice: FakeChatModel(script))
    app = click(open_page(), "measure_return_policy_rag")
    measured(app)
    assert any("rows failed and count as wrong" in text for text in words(app.warning))
    (folder,) = fresh_folders(runs_root())
    rows = read_run_rows(folder, scenario_names()).records
    assert rows[0].error is None and all(one.error for one in rows[1:])
    assert any("is given up for this run; its finished rows are kept" in text for text in words(app.warning))

    monkeypatch.setattr(resources, "chat_model", lambda _choice: FakeChatModel(lambda _question: ANSWER))
    click(app, "comparison_go_on")
    measured(app)
    again = read_run_rows(folder, scenario_names()).records
    assert len(again) == 6 and all(one.error is None for one in again), "what failed was asked again"
    assert again[0] == rows[0]


def test_an_unreachable_endpoint_is_a_sentence_and_no_run(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_choice: object) -> FakeChatModel:
        raise ModelError("The endpoint http://127.0.0.1:9 cannot be reached. Start it, or choose another model.")

    monkeypatch.setattr(resources, "chat_model", fail)
    app = click(open_page(), "measure_return_policy_rag")
    assert any("cannot be reached" in text for text in words(app.error))
    assert fresh_folders(runs_root()) == ()
    assert {"RAG", "No text"} <= set(names(figure(app)))


def test_a_cap_that_cannot_be_kept_is_a_sentence(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeChatModel(lambda _question: ANSWER, price_usd=None)
    monkeypatch.setattr(resources, "chat_model", lambda _choice: model)
    monkeypatch.setattr(measure_again, "_spending_cap", lambda: 1.0)
    app = click(open_page(), "measure_return_policy_rag")
    measured(app)
    assert any("price of fake-model" in text for text in words(app.error))


def test_a_cap_stops_before_the_call_that_could_exceed_it(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeChatModel(lambda _question: ANSWER, price_usd=0.3)
    monkeypatch.setattr(resources, "chat_model", lambda _choice: model)
    monkeypatch.setattr(measure_again, "_spending_cap", lambda: 1.0)
    app = click(open_page(), "measure_return_policy_rag")
    measured(app)
    assert any("spending cap of $1.00 stops this run" in text for text in words(app.error))
    (folder,) = fresh_folders(runs_root())
    assert len(read_run_rows(folder, scenario_names()).records) == 2, "the warm-up and two questions cost 0.90"


def test_one_measurement_at_a_time(recorded: Path) -> None:
    desk = measure_again.DESK
    request = RunRequest("return_policy", ("rag",), 1, "bundled")
    waiting = measure_again.measuring.part_of(
        request, new_folder(runs_root(), request), model=_never, embedder=_never, expected_s={}
    )
    import threading

    gate = threading.Event()
    waiting.prepare = lambda: (gate.wait(60), _never())[1]
    measurement = desk.start([waiting], "somebody")
    app = open_page()
    assert any("another browser window" in text for text in words(app.caption))
    assert app.button(key="comparison_start").disabled
    with pytest.raises(EvaluationError, match="running on this machine already"):
        desk.start([waiting], "me")
    gate.set()
    assert measurement.job.done.wait(60)


def _never() -> object:
    raise EvaluationError("This was not to be loaded.")


# Damaged runs


def test_damaged_lines_are_named_and_the_others_are_drawn(recorded: Path) -> None:
    path = recorded / "first" / "records.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(["not json\n", *lines[:-1], lines[-1][:30]]), encoding="utf-8")
    app = open_page()
    notes = " ".join(words(app.warning))
    assert "Line 1 of" in notes and "it is not JSON" in notes
    assert "is not complete and was left out" in notes
    assert {"RAG", "No text"} <= set(names(figure(app)))


def test_a_damaged_run_is_named_and_the_others_are_drawn(recorded: Path) -> None:
    write_run(recorded / "second", rows_of("rag+cot", lambda _n: True))
    (recorded / "second" / "run.json").write_text("{", encoding="utf-8")
    app = open_page()
    assert any("is damaged" in text for text in words(app.warning))
    assert {"RAG", "No text"} <= set(names(figure(app)))


def test_rows_of_another_version_are_read_as_far_as_they_go(recorded: Path) -> None:
    path = recorded / "first" / "records.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for one in rows:
        del one["fingerprint"]
        one["a_field_of_the_future"] = 1
        one["prediction"]["detail"].pop("parts")
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    app = open_page(section="Time and tokens")
    assert "prompt (parts not counted)" in names(figure(app, 2))


def test_a_missing_price_is_said_and_not_drawn_as_free(recorded: Path) -> None:
    write_run(
        recorded / "first", [*rows_of("rag", lambda _n: True), *rows_of("no-text", lambda _n: True, cost_usd=None)]
    )
    app = open_page()
    assert "no known price: No text" in figure(app)["layout"]["title"]["subtitle"]["text"]


def test_a_small_sample_is_said_in_words(recorded: Path) -> None:
    write_run(recorded / "first", rows_of("rag", lambda _n: True, count=12))
    app = open_page()
    assert "Fewer than 30 examples" in figure(app)["layout"]["title"]["subtitle"]["text"]


def test_hostile_names_are_shown_and_do_nothing(recorded: Path) -> None:
    write_run(recorded / "first", rows_of(HOSTILE, lambda _n: True, model_id=HOSTILE, machine=HOSTILE, commit=HOSTILE))
    for section in ("Overview", "Time and tokens", "By policy or label", "Examples"):
        app = open_page(section=section)
        assert "<script>" not in html(app)
        for chart in app.get("plotly_chart"):
            assert "<script>" not in chart.proto.spec


def test_an_edited_request_is_not_gone_on_with(tmp_path: Path) -> None:
    folder = new_folder(tmp_path, RunRequest("return_policy", ("rag",), 6, "bundled"))
    assert read_request(folder) == RunRequest("return_policy", ("rag",), 6, "bundled")
    for damaged in ('{"scenario": 1}', "[", '{"scenario":"x","strategies":["a"],"limit":-1,"model":"m","seed":0}'):
        (folder / "request.json").write_text(damaged, encoding="utf-8")
        assert read_request(folder) is None


# Exports


def test_the_exports_are_offered(recorded: Path) -> None:
    app = open_page()
    labels = {button.proto.label for button in app.get("download_button")}
    assert {"Report (HTML)", "CSV", "JSON", "Numbers (CSV)"} <= labels


def assumptions_in_report(app: AppTest) -> tuple[str, dict[str, tuple[str, str]]]:
    """Return what the report says of its break-even's assumptions: the sentence, and value and source of each."""
    page = report_of(app)
    section = page.partition("From how many requests on fine-tuning pays")[2].partition("</table>")[0]
    sentence = section.partition('<p class="quiet">')[2].partition("</p>")[0]
    rows = re.findall(r'<th scope="row">([^<]*)</th><td class="number">([^<]*)</td>\s*<td>([^<]*)</td>', section)
    return sentence, {title: (value, source) for title, value, source in rows}


def report_of(app: AppTest) -> str:
    """Return the HTML report that a click on the page's button would download now."""
    made: dict[str, Callable[[], bytes]] = {}

    def keep(label: str, make: Callable[[], bytes], *_rest: object, **_options: object) -> bool:
        made[label] = make
        return False

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("streamlit.download_button", keep)
        run(app)
        return made["Report (HTML)"]().decode("utf-8")


def test_the_report_has_the_default_assumptions_each_with_its_source(recorded: Path) -> None:
    rows = [*rows_of("rag", lambda _n: True), *rows_of("rag+lora", lambda _n: True)]
    write_run(recorded / "first", rows)
    sentence, found = assumptions_in_report(open_page(section="Overview"))
    assert sentence.startswith("RAG on a hosted model against RAG + LoRA, under default assumptions: what was measured")
    assert set(found) == {title.replace("'", "&#x27;") for title in TITLES.values()}
    assert all(len(source) > 10 for _value, source in found.values())
    assert found["Requests per day"] == ("500 requests", ASSUMED)


def test_the_report_has_the_assumptions_as_the_user_left_them(recorded: Path) -> None:
    rows = [*rows_of("rag", lambda _n: True), *rows_of("rag+lora", lambda _n: True)]
    write_run(recorded / "first", rows)
    app = open_page(section="Break-even")
    assert "no value changed by hand" in assumptions_in_report(app)[0]
    control = next(one for one in app.number_input if one.key.startswith("be_requests_per_day"))
    control.set_value(7.0)
    app.toggle(key="hosted").set_value(False)
    run(app)
    next(one for one in app.number_input if one.key.startswith("be_requests_per_day")).set_value(7.0)
    run(app)
    crossing = html(app).partition('<div class="verdict">')[2].partition("</div>")[0]
    sentence, found = assumptions_in_report(app)
    assert sentence == (
        "RAG on the machine itself against RAG + LoRA, under the assumptions as they stood on the page when this was "
        "written: 1 value changed by hand."
    )
    assert found["Requests per day"] == ("7 requests", YOURS)
    assert crossing and f"<strong>{crossing}</strong>" in report_of(app)
    # Also from a section without the controls.
    app.button_group(key="section").set_value("Overview")
    run(app)
    assert assumptions_in_report(app)[1]["Requests per day"] == ("7 requests", YOURS)


def test_assumptions_about_runs_that_are_no_longer_chosen_are_not_in_the_report(recorded: Path) -> None:
    write_run(recorded / "first", [*rows_of("rag", lambda _n: True), *rows_of("rag+lora", lambda _n: True)])
    app = open_page(section="Break-even")
    next(one for one in app.number_input if one.key.startswith("be_requests_per_day")).set_value(7.0)
    run(app)
    assert assumptions_in_report(app)[1]["Requests per day"] == ("7 requests", YOURS)
    write_run(recorded / "first", [*rows_of("rag", lambda _n: False), *rows_of("rag+lora", lambda _n: False)])
    app.button_group(key="section").set_value("Overview")
    sentence, found = assumptions_in_report(run(app))
    assert "default assumptions" in sentence and found["Requests per day"] == ("500 requests", ASSUMED)


def test_assumptions_that_cannot_be_are_not_in_the_report(recorded: Path) -> None:
    write_run(recorded / "first", [*rows_of("rag", lambda _n: True), *rows_of("rag+lora", lambda _n: True)])
    app = open_page(section="Break-even")
    control = next(one for one in app.number_input if one.key.startswith("be_requests_per_day"))
    control.set_value(-7.0)
    run(app)
    assert any("-7 cannot be" in text for text in words(app.error))
    sentence, found = assumptions_in_report(app)
    assert "default assumptions" in sentence and found["Requests per day"] == ("500 requests", ASSUMED)


def test_the_menu_and_home_lead_here() -> None:
    app = run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60))
    links = {link.proto.label for link in app.get("page_link")}
    assert "Comparison" in links
    assert any("measured" in label.lower() or "compare" in label.lower() for label in links - {"Comparison"})


# The article's table and the recommendation


def test_the_first_chart_has_a_headline_and_the_scenario_is_kept_beside_the_article() -> None:
    app = open_page(scenario=B)
    page = html(app)
    assert 'class="headline">LoRA, encoder (own-clauses) is right most often' in page
    assert any("Which contracts are judged decides who is ahead" in text for text in words(app.markdown))
    app.button_group(key="section").set_value("The article")
    run(app)
    app.button_group(key="section").set_value("Overview")
    run(app)
    assert app.button_group(key="scenario").value == "contract_clauses"


def test_the_articles_table_has_seven_rows_and_no_verdict_without_evidence(recorded: Path) -> None:
    app = open_page(section="The article")
    page = html(app)
    assert page.count('class="article-title"') == 2 * 7, "each row, and what is behind it in the fold"
    assert not [group for group in app.button_group if group.key == "scenario"], "one row of tabs stands above it"
    assert "Prompting:</b> minutes to days" in page
    assert "python scripts/measure_stale_facts.py" in page
    assert "verdict-open" in page


def test_the_recommendation_follows_the_inputs(recorded: Path) -> None:
    app = open_page(section="Which one?")
    page = html(app)
    assert "Use RAG on fake-model" in page
    click(app, "reason_0")
    assert app.button_group(key="section").value == "Overview"
    app.button_group(key="section").set_value("Which one?")
    run(app)
    app.number_input(key="need_wait").set_value(0.5)
    run(app)
    assert "No technique that was measured fits" in html(app)
    assert "0.5 s are wanted" in html(app)


def test_the_shipped_flagger_is_not_said_to_need_labels() -> None:
    page = html(open_page(scenario=B, section="Which one?"))
    assert "own-clauses" in page and "learns from labelled examples, and there are none" in page
    assert "ships ready for the 41 categories of CUAD v1 and needs no labels for these" in page
    said = [line for line in page.split('<div class="reason">') if "cuad-" in line and "@" in line]
    assert said and not any("learns from labelled" in line for line in said)


@pytest.mark.parametrize(
    ("key", "value"), [("need_requests", 0.0), ("need_wait", -1.0), ("need_examples", -5.0), ("need_labels", -1.0)]
)
def test_a_need_that_cannot_be_is_refused_with_a_sentence(recorded: Path, key: str, value: float) -> None:
    app = open_page(section="Which one?")
    app.number_input(key=key).set_value(value)
    run(app)
    assert any("cannot be. Give" in text for text in words(app.error))


def test_damaged_evidence_is_a_sentence_with_the_command(recorded: Path) -> None:
    for name in ("learning_curve.json", "stale_facts.json"):
        (recorded / name).write_text("{", encoding="utf-8")
    app = open_page(section="Learning and change")
    assert len(app.error) == 2
    assert all("is damaged" in text for text in words(app.error))
    assert any("measure_learning_curve.py" in code.value for code in app.code)
    assert len(words(open_page(section="The article").warning)) == 2


def test_the_learning_curve_says_where_it_ends_why_and_on_which_machine(recorded: Path) -> None:
    write_learning_curve(recorded / "learning_curve.json", replace(curve({0: 50, 90: 60}, {90: 70}), available=90))
    write_stale_facts(recorded / "stale_facts.json", STALE)
    write_run(recorded / "clauses", [row("lora", "c", right=True, scores={})], "contract_clauses")
    app = open_page(section="Learning and change")
    assert any(
        "There is no point at 256 or 1,024 examples: the project has 90 labelled clauses" in text
        for text in words(app.caption)
    )
    page = html(app)
    assert page.count("Recorded on 2026-11-25, n = 40, a model, a machine, 2 cores, commit abc1234") == 2
    assert page.count("another machine and day than the techniques (2026-01-02, a recorded machine)") == 2
    write_learning_curve(recorded / "learning_curve.json", curve({0: 50, 90: 60}, {90: 70}))
    assert not any("There is no point" in text for text in words(open_page(section="Learning and change").caption))


def test_the_time_left_follows_the_rows_and_says_when_it_is_not_all(tmp_path: Path) -> None:
    requests = [
        RunRequest("return_policy", ("rag", "rag+lora"), 10, "m"),
        RunRequest("contract_clauses", ("lora",), 2, "m"),
    ]
    parts = [
        Part(requests[0], tmp_path, _never, {"rag": 2.0}, rows_of={"rag": 10, "rag+lora": 10}),  # type: ignore[arg-type]
        Part(requests[1], tmp_path, _never, {}, rows_of={"lora": 2}),  # type: ignore[arg-type]
    ]
    measurement = Measurement(tuple(parts), "me")
    assert measurement.remaining_s() == (20.0, False), "ten rows of two seconds; nothing is known of the others"
    parts[0].rows += [row("rag", "a", right=True), row("rag+lora", "a", right=True)]
    parts[0].rows_s += [4.0, 6.0]
    parts[1].expected_s = {"lora": 0.5}
    assert measurement.remaining_s() == (9 * 4.0 + 9 * 6.0 + 2 * 0.5, True), "what is measured goes before what was"
    assert Measurement((), "me").remaining_s() == (None, True)
