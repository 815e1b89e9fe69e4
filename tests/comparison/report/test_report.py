"""Several runs side by side, and what is written of them: HTML without a network, CSV, JSON, the command line."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from playground import paths
from playground.cli import main
from playground.comparison.charts import techniques
from playground.comparison.claims.article import ArticleEvidence, article_rows
from playground.comparison.costs import CostBasis
from playground.comparison.examples import ShownAnswer, ShownExample
from playground.comparison.figures import HeatMap, TechniqueFigures
from playground.comparison.outcomes import Outcome, TechniqueRows
from playground.comparison.report.extras import (
    MOST_EXAMPLES,
    ReportExamples,
    ReportExtras,
    TechniqueAnswers,
    differing_examples,
)
from playground.comparison.report.html import comparison_html
from playground.comparison.report.tables import comparison_csv, comparison_json
from playground.comparison.rows import RunRows, read_run_rows
from playground.comparison.runs_compared import (
    ComparedRun,
    ComparedTechniques,
    compare_runs,
    technique_names,
    without_repeats,
)
from playground.machine import utc_now
from playground.measuring.runs import RunInfo, appending, open_run
from playground.paths import ROOT
from playground.types import Prediction, RunRecord, Usage
from scenarios.registry import all_scenarios, scenario_names
from scenarios.return_policy.compared import compared_scenario
from tests.support import evidence_samples as samples

RUNS = ROOT / "data" / "runs"
INFO = RunInfo("run-1", "return_policy", "2026-01-01T00:00:00+00:00", {"policies": {"shop.md": "1"}}, {})
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>=1+1"
Captured = pytest.CaptureFixture[str]


def rows_of(strategy: str, right: Callable[[int], bool], n: int = 40, **changes: Any) -> list[RunRecord]:
    rows = []
    for number in range(n):
        scores = {"answerable": float(number % 2), "right": float(right(number)), "abstained": 0.0}
        prediction = Prediction(
            "x", Usage(100, 10), {"total_s": 1.0 + number / n, "first_token_s": 0.5}, {"parts": {"system": 100}}
        )
        record = RunRecord(
            *("run-1", strategy, "m", None, f"q{number}", 0, prediction, scores, 0.0001, None),
            *("2026-01-02T03:04:05+00:00", "a laptop", "abc"),
        )
        rows.append(replace(record, **changes))
    return rows


def run_of(*records: RunRecord, info: RunInfo = INFO, recorded: bool = True) -> ComparedRun:
    return ComparedRun(RunRows(info, records, ()), compared_scenario(info), recorded)


@pytest.fixture
def compared() -> tuple[ComparedTechniques, ...]:
    rows = [*rows_of("rag", lambda number: number % 4 > 0), *rows_of("no-text", lambda number: number % 4 == 0)]
    return compare_runs([run_of(*rows)])


# Side by side


def test_runs_of_a_scenario_stand_side_by_side_and_are_paired_on_what_they_share() -> None:
    (found,) = compare_runs(
        [
            run_of(*rows_of("rag", lambda number: number < 30)),
            run_of(*rows_of("no-text", lambda number: number < 5, n=20), recorded=False),
        ]
    )
    assert found.names == ("RAG", "No text")
    assert [one.recorded for one in found.figures] == [True, False]
    (difference,) = found.differences
    assert (difference.first, difference.second, difference.n) == ("RAG", "No text", 20)
    assert difference.difference.value == pytest.approx(15 / 20)
    assert found.adjusted_p == (difference.p_value,)
    assert difference.p_value == pytest.approx(2 / 2**15)


def test_runs_that_were_measured_on_other_policies_are_not_paired() -> None:
    other = replace(INFO, settings={"policies": {"shop.md": "2"}})
    (found,) = compare_runs(
        [run_of(*rows_of("rag", lambda _n: True)), run_of(*rows_of("no-text", lambda _n: False), info=other)]
    )
    assert len(found.figures) == 2
    assert found.differences == ()


def test_the_recorded_runs_are_paired_across_their_folders() -> None:
    runs = [read_run_rows(RUNS / name, scenario_names()) for name in ("return_policy-rag", "return_policy-techniques")]
    unique, notes = without_repeats([ComparedRun(run, compared_scenario(run.info)) for run in runs])
    (found,) = compare_runs(unique)
    assert [one.strategy for one in found.figures][:2] == ["rag", "rag+lora"]
    assert len({one.strategy for one in found.figures}) == len(found.figures) == 7
    assert len(found.differences) == 21
    # All 241 questions, the sample of 60, and of that the questions about the closed book's own policy.
    assert {one.n for one in found.differences} == {241, 60, 14}
    assert [note.split(" (run")[0] for note in notes] == [
        "rag was also recorded on 60 examples",
        "rag+lora was also recorded on 60 examples",
    ]
    assert found.heat_map.rows == found.names
    assert "northtrail-outdoor-v1" in found.heat_map.columns


def test_a_fresh_run_is_no_repeat_of_a_recorded_one() -> None:
    recorded = run_of(*rows_of("rag", lambda _n: True))
    fresh = replace(recorded, recorded=False)
    assert without_repeats([recorded, fresh]) == ((recorded, fresh), ())
    (first, second), (_note,) = without_repeats([recorded, recorded])
    assert (first, second.run.records) == (recorded, ())


def test_names_tell_techniques_apart(compared: tuple[ComparedTechniques, ...]) -> None:
    one = compared[0].figures[0]

    def names(*changes: Mapping[str, Any]) -> tuple[str, ...]:
        return technique_names([replace(one, **each) for each in changes])

    assert names({}, {"title": "LoRA"}) == ("RAG", "LoRA")
    assert names({}, {"model_id": "big"}) == ("RAG (m)", "RAG (big)")
    assert names({}, {"adapter": "a@1"}) == ("RAG", "RAG (a)")
    assert names({"adapter": "a@1"}, {"adapter": "b@1", "model_id": "big"}) == ("RAG (a)", "RAG (b)")
    assert names({"adapter": "a@1"}, {"adapter": "a@2"}) == ("RAG (a@1)", "RAG (a@2)"), "trained again"
    assert names({}, {"started_at": "2026-02-02T00:00:00"}) == ("RAG (2026-01-02 03:04)", "RAG (2026-02-02 00:00)")
    assert names({}, {}) == ("RAG", "RAG [2]")


def test_a_run_without_rows_is_no_error() -> None:
    (found,) = compare_runs([run_of()])
    assert (found.figures, found.differences) == ((), ())
    assert "no row that can be compared" in comparison_html((found,), written_at=utc_now())
    assert comparison_csv((found,)).decode("utf-8-sig").strip() == ""


# CSV and JSON


def test_the_csv_has_a_row_a_technique(compared: tuple[ComparedTechniques, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(compared).decode("utf-8-sig"))))
    assert [row["technique"] for row in rows] == ["RAG", "No text"]
    first = rows[0]
    assert float(first["accuracy"]) == pytest.approx(0.75)
    assert float(first["accuracy_low"]) < 0.75 < float(first["accuracy_high"])
    assert (first["n"], first["tokens system"], first["token_cost_usd"]) == ("40", "100", "0.0001")
    assert (first["machine"], first["commit"], first["recorded"]) == ("a laptop", "abc", "yes")
    assert first["adapter"] == ""


def test_a_name_cannot_become_a_formula() -> None:
    found = compare_runs([run_of(*rows_of("=1+1", lambda _n: True, model_id="@SUM(A1)"))])
    row = next(csv.DictReader(io.StringIO(comparison_csv(found).decode("utf-8-sig"))))
    assert (row["strategy"], row["model"]) == ("'=1+1", "'@SUM(A1)")


def test_the_json_has_figures_tests_and_heat_map(compared: tuple[ComparedTechniques, ...]) -> None:
    found: Any = json.loads(json.dumps(comparison_json(compared), allow_nan=False))
    (scenario,) = found["scenarios"]
    assert scenario["scenario"] == "return_policy"
    first = scenario["techniques"][0]
    assert first["accuracy"]["value"] == pytest.approx(0.75)
    assert first["total_s"]["p50"]["value"] == compared[0].figures[0].total_s.p50.value  # type: ignore[union-attr]
    (difference,) = scenario["differences"]
    assert difference["difference"]["value"] == pytest.approx(0.5)
    assert difference["p_value_holm"] == difference["p_value"] < 0.01
    assert set(scenario["heat_map"]) == {"rows", "columns", "values", "counts"}


# HTML


class Tags(HTMLParser):
    """Keeps every tag with its attributes, and the text of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


CHARTS = ("accuracy_cost_figure", "first_token_figure", "latency_figure", "tokens_figure", "heat_map_figure")


def bars(figures: Sequence[TechniqueFigures], **_more: Any) -> Any:
    """Stands for a chart: draws the titles that it gets."""
    from plotly import graph_objects as go

    return go.Figure(go.Bar(x=[one.title for one in figures], y=[one.n for one in figures]))


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CHARTS:
        monkeypatch.setattr(techniques, name, lambda *_figures, **_more: None)


@pytest.fixture
def with_charts(monkeypatch: pytest.MonkeyPatch, without_charts: None) -> None:
    monkeypatch.setattr(techniques, "accuracy_cost_figure", bars)


@pytest.mark.usefixtures("without_charts")
def test_the_report_says_what_was_measured_where_and_when(compared: tuple[ComparedTechniques, ...]) -> None:
    page = comparison_html(compared, written_at="2026-05-06T07:08:09+00:00")
    for text in ("Return policy", "RAG", "No text", "75.0 %", "a laptop", "<td>abc</td>", "2026-01-02", "recorded run"):
        assert text in page
    assert "Written 2026-05-06 07:08 UTC" in page
    assert "RAG is better" in page
    assert "$0.10" in page  # a thousand requests at $0.0001
    assert "Fewer than 30" not in page
    assert "<script" not in page
    assert "script-src 'none'" in page


@pytest.mark.usefixtures("without_charts")
def test_a_small_sample_is_said_in_words() -> None:
    rows = [*rows_of("rag", lambda _n: True, n=12), *rows_of("no-text", lambda number: number > 0, n=12)]
    page = comparison_html(compare_runs([run_of(*rows)]), written_at=utc_now())
    assert "Fewer than 30 examples" in page
    assert page.count("fewer than 30</span>") == 2
    assert "no difference shown (fewer than 30 shared)" in page


@pytest.mark.usefixtures("with_charts")
def test_nothing_of_a_row_becomes_markup() -> None:
    rows = rows_of(HOSTILE, lambda _n: True, model_id=HOSTILE, machine=HOSTILE, commit=HOSTILE, started_at=HOSTILE)
    scenario = replace(compared_scenario(INFO), notes=(HOSTILE,), unit=HOSTILE)
    page = comparison_html(
        compare_runs([ComparedRun(RunRows(INFO, tuple(rows), (HOSTILE,)), scenario)]), written_at=utc_now()
    )
    parser = Tags()
    parser.feed(page)
    assert not [tag for tag, _attributes in parser.tags if tag == "img"]
    assert not [name for _tag, attributes in parser.tags for name in attributes if name.startswith("on")]
    assert sum(tag == "script" for tag, _attributes in parser.tags) == 3  # plotly.js, the drawing, the chart's data
    data = re.search(r'data-chart="chart-1">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert "<" not in data.group(1)
    assert "owned" in data.group(1)
    assert json.loads(data.group(1))["data"][0]["type"] == "bar"


@pytest.mark.usefixtures("with_charts")
def test_the_report_names_no_other_place(compared: tuple[ComparedTechniques, ...]) -> None:
    page = comparison_html(compared, written_at=utc_now())
    parser = Tags()
    parser.feed(page)
    for tag, attributes in parser.tags:
        assert "src" not in attributes, tag
        assert attributes.get("href", "data:,") == "data:,"
    assert page.count('id="chart-') == 1  # the chart that gave nothing is left out
    assert str(ROOT) not in page


@pytest.mark.browser
@pytest.mark.usefixtures("with_charts")
def test_the_charts_are_drawn_without_a_network_under_the_policy(
    browser: Browser, compared: tuple[ComparedTechniques, ...], tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(comparison_html(compared, written_at=utc_now()), encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("#chart-1 .bars path", timeout=60_000)
    assert page.locator("#chart-1 .bars path").count() == 2
    assert page.locator("table.figures tbody tr").count() == 2
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []
    context.close()


# What stands beside the runs


def answers_of(name: str, outcomes: Mapping[str, bool]) -> TechniqueAnswers:
    group = TechniqueRows(name, "m", None, ())
    return TechniqueAnswers(
        name, samples.TECHNIQUES[name], {key: Outcome(right) for key, right in outcomes.items()}, group, INFO
    )


class ScriptedExamples:
    """Puts ids in hostile words."""

    def shown_examples(self, ids: Sequence[str], _info: RunInfo) -> dict[str, ShownExample]:
        return {name: ShownExample(name, f"Asked {name} {HOSTILE}", "shop", HOSTILE, "w" * 9_000) for name in ids}

    def shown_answers(self, group: TechniqueRows, ids: Sequence[str], _info: RunInfo) -> dict[str, ShownAnswer]:
        return {name: ShownAnswer(f"{group.strategy} on {name} {HOSTILE}", True, error=HOSTILE) for name in ids}


def differing(count: int = 30) -> ReportExamples:
    rag = answers_of("rag", {f"q{number}": True for number in range(count)} | {"same": True})
    plain = answers_of("no-text", {f"q{number}": False for number in range(count)} | {"same": True})
    return differing_examples([rag, plain], ScriptedExamples())


def extras_of(**changes: Any) -> ReportExtras:
    evidence = ArticleEvidence(
        figures=[samples.figures("rag", 0.5), samples.figures("rag+lora", 0.8)],
        adapters=[samples.manifest(HOSTILE)],
        curve=samples.curve({0: 50, 64: 60}, {64: 55, 1024: 90}),
        stale=samples.STALE,
        scenarios=all_scenarios(),
    )
    return ReportExtras(**{"evidence": evidence, "examples": {"return_policy": differing()}, **changes})


def test_examples_on_which_techniques_differ_are_bounded_and_counted() -> None:
    found = differing()
    assert (len(found.shown), found.total) == (MOST_EXAMPLES, 30)
    (example, answers) = found.shown[0]
    assert example.id == "q0"
    assert [one.name for one in answers] == ["rag", "no-text"]
    assert differing(0) == ReportExamples((), 0)
    wide = answers_of("rag+cot", {"q29": True})
    narrow = [answers_of("rag", {f"q{n}": True for n in range(30)}), answers_of("no-text", {"q3": False, "q29": False})]
    first = differing_examples([*narrow, wide], ScriptedExamples(), most=1)
    assert [example.id for example, _answers in first.shown] == ["q29"]  # asked of all three


def test_the_report_holds_break_even_change_examples_and_the_articles_table() -> None:
    tuned = {"strategy": "rag+lora", "adapter": "policy-reader@12345678"}
    rows = [*rows_of("rag", lambda _n: False), *rows_of("rag+lora", lambda _n: True, adapter=tuned["adapter"])]
    compared = compare_runs([run_of(*rows)])
    extras = extras_of(adapters={"policy-reader@12345678": samples.manifest()}, basis=CostBasis("machine", 7.25))
    page = comparison_html(compared, written_at=utc_now(), extras=extras)
    assert "machine at $7.25 per hour" in page  # on the chart's axis
    assert "Measured seconds at $7.25 per hour" in page
    assert "From how many requests on fine-tuning pays" in page
    assert "the training time that the adapter&#x27;s card records" in page
    assert "mean of RAG per question, measured on 2026-01-02 with n = 40" in page
    assert "What happens when the facts change" in page
    assert "How many examples are needed" not in page  # of the other scenario
    assert "20 of 30 examples on which some techniques were right" in page
    assert page.count("<details") == MOST_EXAMPLES
    assert all(f"<strong>{row.verdict_words}</strong>" in page for row in article_rows(extras.evidence))  # type: ignore[arg-type]
    assert "w" * 1_499 + "…" in page
    assert "w" * 1_500 not in page


def test_unreadable_answers_are_counted_beside_the_errors_and_named(
    compared: tuple[ComparedTechniques, ...],
) -> None:
    class Unread(ScriptedExamples):
        def shown_answers(self, group: TechniqueRows, ids: Sequence[str], _info: RunInfo) -> dict[str, ShownAnswer]:
            return {name: ShownAnswer("Hm.", False, unreadable=group.strategy == "rag") for name in ids}

    rag, other = answers_of("rag", {"q0": False}), answers_of("no-text", {"q0": True})
    extras = extras_of(examples={"return_policy": differing_examples([rag, other], Unread())})
    figures = tuple(replace(one, unreadable=58 if one.strategy == "rag" else 0) for one in compared[0].figures)
    found = (replace(compared[0], figures=figures),)
    page = comparison_html(found, written_at=utc_now(), extras=extras)
    assert page.count('0<span class="small">58 answers unreadable</span>') == 1
    assert (page.count("<td>unreadable</td>"), page.count("<td>wrong</td>")) == (1, 1)
    header, first, second = csv.reader(comparison_csv(found).decode("utf-8-sig").splitlines())
    assert {first[header.index("unreadable")], second[header.index("unreadable")]} == {"58", "0"}
    techniques: Any = comparison_json(found)["scenarios"]
    assert techniques[0]["techniques"][0]["unreadable"] == 58


def test_evidence_in_the_report_says_where_it_ends_and_that_it_is_from_elsewhere() -> None:
    evidence = extras_of().evidence
    assert evidence is not None and evidence.curve is not None
    whole = replace(evidence, curve=replace(samples.curve({90: 60}, {90: 70}), available=90))
    clauses = ComparedTechniques("contract_clauses", (), (), (), (), HeatMap((), (), (), ()), ())
    charts = replace(whole, figures=[samples.figures("lora", 0.9, machine="an AMD")])
    page = comparison_html([clauses], written_at=utc_now(), extras=extras_of(evidence=charts, examples={}))
    assert "There is no point at 256 or 1,024 examples: the project has 90 labelled clauses" in page
    assert "Recorded on 2026-11-25, n = 40, a model, a machine, 2 cores, commit abc1234." in page
    assert "Measured on another machine than the techniques (2026-11-25, an AMD): its times do not compare" in page


def test_nothing_of_the_evidence_becomes_markup() -> None:
    extras = extras_of(problems=(HOSTILE,))
    rows = [*rows_of("rag", lambda _n: False), *rows_of("rag+lora", lambda _n: True)]
    parser = Tags()
    parser.feed(page := comparison_html(compare_runs([run_of(*rows)]), written_at=utc_now(), extras=extras))
    assert "owned" in page
    assert not [tag for tag, _attributes in parser.tags if tag == "img"]
    assert not [name for _tag, attributes in parser.tags for name in attributes if name.startswith("on")]
    scripts = [attributes for tag, attributes in parser.tags if tag == "script"]
    assert [one for one in scripts if "data-chart" not in one] == [{}, {}]  # plotly.js and the drawing
    policy = re.search(r"script-src ([^;]*);", page)
    assert policy is not None
    assert policy.group(1).count("'sha256-") == 2


def test_without_both_kinds_there_is_no_break_even(compared: tuple[ComparedTechniques, ...]) -> None:
    page = comparison_html(compared, written_at=utc_now(), extras=ReportExtras())
    assert "From how many requests on" not in page
    assert "The article&#x27;s table" not in page
    assert "<details" not in page


def test_the_command_puts_the_recorded_evidence_into_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    for name in ("learning_curve.json", "stale_facts.json"):
        shutil.copy(RUNS / name, recorded)
    monkeypatch.setattr(paths, "RECORDED_RUNS", recorded)
    write_run(recorded / "own", *rows_of("rag", lambda _n: True, n=4))
    (recorded / "broken").mkdir()
    (recorded / "broken" / "records.jsonl").write_text("{}\n")
    out = tmp_path / "r.html"
    run = write_run(tmp_path / "run", *rows_of("rag", lambda n: n < 20), *rows_of("rag+lora", lambda n: n > 10))
    assert main(["report", str(run), "--html", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    for words in ("The article's table", "facts change", "fine-tuning pays", "Where the techniques differ", "broken"):
        assert words in page, words


# Command line


@pytest.fixture
def nothing_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare what is not about the article's table the seconds that computing it takes."""
    monkeypatch.setattr(paths, "RECORDED_RUNS", tmp_path / "nothing")


def write_run(folder: Path, *records: RunRecord, info: RunInfo = INFO) -> Path:
    open_run(folder, info)
    with appending(folder) as append:
        for record in records:
            append(record)
    return folder


@pytest.mark.usefixtures("nothing_recorded")
def test_report_writes_the_three_files_and_says_so(tmp_path: Path, capsys: Captured) -> None:
    first = write_run(tmp_path / "first", *rows_of("rag", lambda _n: True))
    second = write_run(tmp_path / "second", *rows_of("no-text", lambda number: number < 20))
    with (first / "records.jsonl").open("a") as stream:
        stream.write("nonsense\n")
    out = tmp_path / "reports"
    names = {kind: str(out / f"r.{kind}") for kind in ("html", "csv", "json")}
    arguments = [word for kind, name in names.items() for word in (f"--{kind}", name)]
    assert main(["report", str(first), str(second), str(first), *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"wrote {name}" for name in names.values()]
    assert f"note: Line 41 of {first / 'records.jsonl'} was left out: it is not JSON." in printed.err
    assert "RAG is better" in (out / "r.html").read_text(encoding="utf-8")
    techniques = json.loads((out / "r.json").read_text())["scenarios"][0]["techniques"]
    assert [row["name"] for row in techniques] == ["RAG", "No text"]
    assert (out / "r.csv").read_bytes().count(b"\n") == 3
    assert sorted(path.name for path in out.iterdir()) == ["r.csv", "r.html", "r.json"]


@pytest.mark.usefixtures("nothing_recorded")
def test_csv_and_json_go_beside_the_page_unless_they_are_named(tmp_path: Path, capsys: Captured) -> None:
    folder = write_run(tmp_path / "run", *rows_of("rag", lambda _n: True, n=2))
    out = tmp_path / "out"
    assert main(["report", str(folder), "--html", str(out / "week.1.html")]) == 0
    names = ["week.1.html", "week.1.csv", "week.1.json"]
    assert capsys.readouterr().out.splitlines() == [f"wrote {out / name}" for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    assert json.loads((out / "week.1.json").read_text())["scenarios"][0]["techniques"][0]["name"] == "RAG"

    assert main(["report", str(folder), "--html", str(out / "b.html"), "--csv", str(out / "other.csv")]) == 0
    assert capsys.readouterr().out.splitlines() == [f"wrote {out / name}" for name in ("b.html", "other.csv", "b.json")]
    assert main(["report", str(folder), "--csv", str(out / "alone.csv")]) == 0
    assert capsys.readouterr().out.splitlines() == [f"wrote {out / 'alone.csv'}"]


@pytest.mark.usefixtures("nothing_recorded")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["RUN"], "Where shall the report go? Name a file with --html, --csv or --json."),
        (["RUN", "--html", "x", "--csv", "x"], "name the same file"),
        (["RUN", "--html", "x.csv"], "name the same file"),
        (["nowhere", "--html", "x"], "nowhere holds no run"),
        (["RUN", "--html", "RUN/run.json/x"], "cannot be written"),
        (["OTHER", "--html", "x"], "'weather', which cannot be compared"),
        (["--html", "x"], "the following arguments are required: RUN_DIR"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "RUN", *rows_of("rag", lambda _n: True, n=2))
    write_run(tmp_path / "OTHER", info=replace(INFO, scenario="weather"))
    assert main(["report", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_a_failed_write_leaves_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    folder = write_run(tmp_path / "run", *rows_of("rag", lambda _n: True, n=2))
    target = tmp_path / "report.csv"
    target.write_text("old")

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.atomic.fsync_path", full)
    assert main(["report", str(folder), "--csv", str(target)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "run"]
