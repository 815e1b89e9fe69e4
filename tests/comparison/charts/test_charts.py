"""Charts of the comparison show the numbers that they are given: units, one colour a technique, small samples named."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from plotly import graph_objects as go

from playground.charts.style import FONT_SIZE, PART_COLOURS
from playground.comparison.charts.frame import SMALL_SAMPLE, framed, log_ticks
from playground.comparison.charts.over_time import (
    break_even_figure,
    learning_curve_figure,
    stale_facts_figure,
    way_colours,
)
from playground.comparison.charts.techniques import (
    accuracy_cost_figure,
    accuracy_figure,
    first_token_figure,
    heat_map_figure,
    latency_figure,
    tokens_figure,
)
from playground.comparison.claims.break_even import break_even, default_assumptions, with_values
from playground.comparison.costs import CostBasis, per_1000_usd
from playground.comparison.figures import CurvePoint, HeatMap, StaleFigures, TechniqueFigures
from playground.comparison.technique_figures import times_of
from playground.comparison.techniques import UNKNOWN
from playground.comparison.whole_units import per_whole_unit
from playground.comparison.words import plain, seconds
from playground.errors import EvaluationError
from playground.measuring.estimates import Estimate
from tests.support.evidence_samples import TECHNIQUES as STYLES


def technique(strategy: str = "rag", **changes: Any) -> TechniqueFigures:
    base = TechniqueFigures(
        scenario="return_policy",
        strategy=strategy,
        title=STYLES[strategy].title if strategy in STYLES else strategy,
        model_id="small",
        adapter=None,
        accuracy=Estimate(0.6, 0.5, 0.7),
        accuracy_name="balanced accuracy",
        rates={},
        first_token_s=times_of([0.2 + number / 100 for number in range(40)]),
        total_s=times_of([1.0 + number / 20 for number in range(40)]),
        tokens={"system": 30.0, "text": 400.0, "question": 15.0, "output": 20.0},
        input_tokens=445.0,
        output_tokens=20.0,
        token_cost_usd=0.0,
        n=40,
        errors=0,
        started_at="2026-01-02T03:04:05+00:00",
        machine="a laptop",
        commit="abc",
        requests=40,
        technique=STYLES.get(strategy, UNKNOWN),
    )
    return replace(base, **changes)


def traces(figure: Any, *names: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name in names]


def words(figure: Any) -> str:
    title = figure.layout.title
    return f"{title.text} {(title.subtitle.text or '').replace('<br>', '; ')}"


ALL = [technique(), technique("no-text", accuracy=Estimate(0.1, 0.05, 0.2)), technique("rag+lora")]


@pytest.mark.parametrize(
    "figure",
    [
        accuracy_cost_figure(ALL),
        accuracy_cost_figure(ALL, across="latency"),
        accuracy_figure(ALL),
        latency_figure(ALL),
        first_token_figure(ALL),
        tokens_figure(ALL),
        heat_map_figure(HeatMap(("RAG",), ("a",), ((0.5,),), ((4,),))),
        break_even_figure(default_assumptions(), break_even(default_assumptions())),
        learning_curve_figure([CurvePoint("lora", 4, Estimate(0.6, 0.5, 0.7), 3, 2.0)]),
        stale_facts_figure([StaleFigures("rag", "RAG", *[Estimate(0.6, 0.5, 0.7)] * 3, "indexing", 2.0)]),
    ],
)
def test_every_chart_is_read_from_the_back_of_a_room(figure: Any) -> None:
    assert figure.layout.font.size >= FONT_SIZE == 16
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert axis.tickfont.size >= 16
        assert axis.title.font.size >= 16
    assert figure.layout.title.text
    json.loads(figure.to_json())  # no NaN: browsers refuse it
    assert "NaN" not in figure.to_json()


# Accuracy against cost


def test_accuracy_is_drawn_at_its_cost_with_its_interval() -> None:
    one = technique()
    basis = CostBasis("machine", 3.6)  # 0.001 USD a second
    (trace,) = traces(accuracy_cost_figure([one], basis=basis), "RAG")
    mean_s = sum(one.total_s.values) / 40  # type: ignore[union-attr]
    assert trace.x[0] == pytest.approx(mean_s)  # 1,000 requests of mean_s seconds at 0.001 USD
    assert trace.y[0] == 0.6
    assert (trace.error_y.array[0], trace.error_y.arrayminus[0]) == (pytest.approx(0.1), pytest.approx(0.1))
    assert "60.0% (95 % interval 50.0% to 70.0%)" in trace.hovertemplate
    assert "n = 40" in trace.hovertemplate


def test_the_axis_says_what_a_request_costs_by() -> None:
    assert "USD per 1,000 requests" in accuracy_cost_figure(ALL).layout.xaxis.title.text
    assert "gpt-4o-mini" in accuracy_cost_figure(ALL, basis=CostBasis("hosted")).layout.xaxis.title.text
    swapped = accuracy_cost_figure(ALL, across="latency")
    assert swapped.layout.xaxis.title.text == "median seconds per question"
    assert traces(swapped, "RAG")[0].x[0] == pytest.approx(ALL[0].total_s.p50.value)  # type: ignore[union-attr]


def test_points_have_their_names_beside_them_and_adapters_marks_of_their_own() -> None:
    ways = [technique("rag+lora", adapter=name, title=f"LoRA ({name})") for name in ("one", "two", "three")]
    figure = accuracy_cost_figure([technique(), *ways, replace(ways[1], recorded=False)])
    symbols = {trace.name: trace.marker.symbol for trace in figure.data if trace.mode == "markers"}
    assert len({symbols[f"LoRA ({name})"] for name in ("one", "two", "three")}) == 3
    assert symbols["LoRA (two) (here)"] == f"{symbols['LoRA (two)']}-open", "the mark of what was recorded, open"
    assert not {symbols["LoRA (two)"], symbols["LoRA (three)"]} & {one.marker for one in STYLES.values()}
    named = {note.text: note for note in figure.layout.annotations}
    expected = {"RAG", "LoRA (one)", "LoRA (two)", "LoRA (three)", "LoRA (two) (here)"}
    assert named.keys() == expected
    assert len({(note.ax, note.ay) for note in named.values()}) == 5, "five points in one place, five places of names"


def test_a_logarithmic_axis_says_so() -> None:
    far = technique("whole-document", total_s=times_of([100.0] * 40))
    assert "logarithmic" in accuracy_cost_figure([technique(), far]).layout.xaxis.title.text
    assert "logarithmic" not in accuracy_cost_figure(ALL).layout.xaxis.title.text


def test_the_first_chart_has_a_bar_a_technique_with_its_figure_on_it_the_best_on_top() -> None:
    figure = accuracy_figure([technique(), technique("no-text", accuracy=Estimate(0.9, 0.8, 0.95))])
    assert figure is not None
    (bars,) = figure.data
    assert list(bars.x) == [0.6, 0.9]
    assert list(bars.text) == ["<b>60%</b>", "<b>90%</b>"]
    assert list(bars.y)[-1] == "No text"
    assert accuracy_figure([technique(accuracy=None)]) is None


def test_latency_is_the_size_of_the_marker() -> None:
    slow = technique("whole-document", total_s=times_of([10.0] * 40))
    figure = accuracy_cost_figure([technique(), slow])
    sizes = {trace.name: trace.marker.size for trace in figure.data}
    assert sizes["Whole document"] > sizes["RAG"]


def test_the_pareto_front_leaves_out_what_is_dearer_and_worse() -> None:
    cheap = technique("no-text", accuracy=Estimate(0.2, 0.1, 0.3), total_s=times_of([0.5] * 40))
    good = technique("rag", total_s=times_of([1.0] * 40))
    beaten = technique("whole-document", accuracy=Estimate(0.4, 0.3, 0.5), total_s=times_of([5.0] * 40))
    (front,) = traces(accuracy_cost_figure([beaten, good, cheap]), "Pareto front")
    assert list(front.y) == [0.2, 0.6]


def test_an_unknown_price_is_named_and_not_drawn_as_free() -> None:
    figure = accuracy_cost_figure([technique(), technique("rag+cot", token_cost_usd=None)])
    assert not traces(figure, "RAG + chain of thought")
    assert "no known price: RAG + chain of thought" in words(figure)


def test_costs_by_hand() -> None:
    one = technique(total_s=times_of([2.0] * 40), input_tokens=1_000.0, output_tokens=100.0)
    assert per_1000_usd(one, CostBasis("machine", 1.8)) == pytest.approx(1_000 * 2 / 3_600 * 1.8)
    # gpt-4o-mini: 0.15 USD a million in, 0.60 out
    assert per_1000_usd(one, CostBasis("hosted")) == pytest.approx(1_000 * (1_000 * 0.15 + 100 * 0.60) / 1e6)
    assert per_1000_usd(replace(one, token_cost_usd=0.002), CostBasis()) == pytest.approx(2.0)
    assert per_1000_usd(replace(one, token_cost_usd=None), CostBasis()) is None
    assert per_1000_usd(replace(one, total_s=None), CostBasis()) is None


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf, 1e9])
def test_a_machine_that_costs_nothing_or_less_is_refused(price: float) -> None:
    with pytest.raises(EvaluationError, match="USD per hour cannot be. Give more than 0"):
        CostBasis("machine", price)


# The same work: a chat model asked for one label at a time beside an adapter that judges all of them

PAIRS = technique(
    "few-shot",
    scenario="contract_clauses",
    unit="clause and label",
    parts=41,
    whole_unit="clause, all 41 labels",
    token_cost_usd=0.0001,
)
WHOLE = technique("lora", scenario="contract_clauses", unit="clause, all 41 labels", tokens={}, input_tokens=None)


def test_cost_and_latency_are_those_of_a_clause_judged_for_all_labels() -> None:
    cost = accuracy_cost_figure([PAIRS, WHOLE])
    few_shot, lora = traces(cost, STYLES["few-shot"].title, STYLES["lora"].title)
    assert few_shot.x[0] == pytest.approx(41 * 0.1)
    assert "one: clause, all 41 labels" in cost.layout.xaxis.title.text
    assert "asked 41 times, once a label" in few_shot.hovertemplate
    assert "one request: clause, all 41 labels<br>" in lora.hovertemplate
    assert "Chat models: 41 times the request for one label" in words(cost)
    latency = accuracy_cost_figure([PAIRS, WHOLE], across="latency")
    assert latency.layout.xaxis.title.text == "median seconds per clause, all 41 labels, logarithmic"
    median_s = PAIRS.total_s.p50.value  # type: ignore[union-attr]
    assert traces(latency, STYLES["few-shot"].title)[0].x[0] == pytest.approx(41 * median_s)
    assert traces(latency, STYLES["lora"].title)[0].x[0] == pytest.approx(median_s)


def test_every_axis_of_times_and_tokens_names_what_it_is_per() -> None:
    total, first, tokens = latency_figure([PAIRS, WHOLE]), first_token_figure([PAIRS]), tokens_figure([PAIRS, WHOLE])
    assert total is not None and first is not None and tokens is not None
    assert total.layout.xaxis.title.text == "per clause, all 41 labels"
    assert first.layout.xaxis.title.text == "per clause and label"
    assert tokens.layout.xaxis.title.text == "mean tokens per clause and label"
    assert all("tokens per clause and label" in bar.hovertemplate for bar in tokens.data if bar.type == "bar")
    marks = [trace.hovertemplate for trace in total.data if trace.mode == "markers+text"]
    assert all("per clause, all 41 labels" in mark for mark in marks)


def test_a_whole_is_put_together_once_only() -> None:
    once = per_whole_unit(PAIRS)
    assert (once.input_tokens, once.token_cost_usd) == (pytest.approx(41 * 445), pytest.approx(0.0041))
    assert once.tokens["text"] == 41 * 400
    assert per_whole_unit(once) == once
    assert per_whole_unit(WHOLE) is WHOLE


def test_the_break_even_chart_names_what_a_request_is() -> None:
    assumptions = default_assumptions(PAIRS, WHOLE)
    assert assumptions.prompting_input_tokens.value == pytest.approx(41 * 445)
    assert "per clause, all 41 labels (asked 41 times, once a label)" in assumptions.prompting_input_tokens.source
    result = break_even(assumptions, unit="clause, all 41 labels")
    assert "a request (clause, all 41 labels) costs" in result.sentence
    figure = break_even_figure(assumptions, result, unit="clause, all 41 labels")
    assert figure.layout.xaxis.title.text == "requests (one: clause, all 41 labels)"
    assert "requests (one: clause, all 41 labels)" in figure.data[0].hovertemplate


# Colours, small samples, recorded and fresh


def test_a_technique_has_one_colour_on_every_chart() -> None:
    colour = STYLES["rag"].colour
    assert traces(accuracy_cost_figure(ALL), "RAG")[0].marker.color == colour
    total = latency_figure([technique()])
    assert total is not None
    assert {trace.marker.color for trace in total.data if trace.mode == "markers+text"} == {colour}
    curve = learning_curve_figure([CurvePoint("lora", 4, Estimate(0.6, 0.5, 0.7), 3, technique=STYLES["lora"])])
    assert traces(curve, STYLES["lora"].title)[0].line.color == STYLES["lora"].colour


def test_colours_and_markers_of_a_scenario_differ() -> None:
    names = list(STYLES)
    for own in (names[:7], names[7:]):
        assert len({STYLES[name].colour for name in own}) == len(own)
        assert len({STYLES[name].marker for name in own}) == len(own)


def charts_of(figures: Sequence[TechniqueFigures]) -> list[Any]:
    return [accuracy_cost_figure(figures), latency_figure(figures), first_token_figure(figures), tokens_figure(figures)]


def test_a_small_sample_is_said_in_words_on_the_chart() -> None:
    for figure in charts_of([technique(n=29)]):
        assert SMALL_SAMPLE in words(figure)
    for figure in charts_of([technique(n=30)]):
        assert SMALL_SAMPLE not in words(figure)


def test_what_the_figures_rest_on_is_said_with_its_pairs() -> None:
    few = replace(WHOLE, n=12, sample="12 contracts, 60 pairs")
    assert few.sample_words == "12 contracts (fewer than 30), 60 pairs"
    assert replace(few, n=40, sample="40 contracts, 200 pairs").sample_words == "40 contracts, 200 pairs"
    assert (technique().sample_words, technique(n=14).sample_words) == ("n = 40", "n = 14 (fewer than 30)")
    prompted = replace(PAIRS, n=12, sample="12 contracts, 60 pairs")
    for figure in charts_of([prompted]):
        assert "12 contracts (fewer than 30), 60 pairs: a hint, not a result" in words(figure)
    cost, times, _first, tokens = charts_of([prompted, few])
    assert "12 contracts (fewer than 30), 60 pairs, 0 errors" in traces(cost, few.title)[0].hovertemplate
    unread = accuracy_cost_figure([replace(few, errors=1, unreadable=58)])
    assert "60 pairs, 1 errors, 58 unreadable answers, small" in traces(unread, few.title)[0].hovertemplate
    # What all rows rest on is said once, under the title: in every row it would leave the chart no room.
    assert words(times).count("12 contracts (fewer than 30), 60 pairs") == 1
    assert list(times.layout.yaxis.ticktext) == [prompted.title, few.title]
    assert tokens.data[0].y[0].endswith("<br>12 contracts (fewer than 30), 60 pairs")
    unlike = latency_figure([few, replace(prompted, n=2, sample="2 contracts, 10 pairs")])
    assert unlike is not None
    assert [tick.partition("<br>")[2] for tick in unlike.layout.yaxis.ticktext] == [
        "12 contracts (fewer than 30), 60 pairs",
        "2 contracts (fewer than 30), 10 pairs",
    ]
    large = latency_figure([technique(), technique("no-text")])
    assert large is not None
    assert "n = 40" in words(large) and "n = 40" not in str(large.layout.yaxis.ticktext)
    mixed = accuracy_cost_figure([few, replace(prompted, n=2, sample="2 contracts, 10 pairs")])
    assert "Fewer than 30 examples: a hint, not a result" in words(mixed)
    curve = learning_curve_figure([CurvePoint("lora", 4, Estimate(0.6, 0.5, 0.7), 3, technique=STYLES["lora"])], n=60)
    assert "60 pairs of clause and label" in words(curve)


def test_what_stands_under_a_title_is_broken_to_the_width_of_half_a_page() -> None:
    note = "Chat models: 41 times the request for one label; 12 contracts (fewer than 30), 60 pairs: a hint; short"
    low, high = (framed(go.Figure(), "Title", height=400, note=text) for text in ("one line", note))
    assert high.layout.title.subtitle.text.split("<br>") == [
        "Chat models: 41 times the request for one label",
        "12 contracts (fewer than 30), 60 pairs: a hint; short",
    ]
    # The second line takes nothing from the chart.
    assert high.layout.height - high.layout.margin.t == low.layout.height - low.layout.margin.t
    (long,) = [framed(go.Figure(), "Title", height=400, note="word " * 40).layout.title.subtitle.text]
    assert max(map(len, long.split("<br>"))) <= 60


def test_what_was_measured_here_is_told_from_what_was_recorded() -> None:
    figure = accuracy_cost_figure([technique(), technique(recorded=False)])
    assert [trace.name for trace in figure.data if trace.mode == "markers"] == ["RAG", "RAG (here)"]
    assert traces(figure, "RAG (here)")[0].marker.symbol == "circle-open"
    bars = tokens_figure([technique(), technique(recorded=False)])
    assert bars is not None
    assert list(bars.data[0].marker.pattern.shape) == ["", "/"]


# Times


def test_median_and_p95_are_marked_with_their_values() -> None:
    one = technique(total_s=times_of([float(number) for number in range(1, 102)]))
    figure = latency_figure([one])
    assert figure is not None
    marks = {trace.text[0]: trace.x[0] for trace in figure.data if trace.mode == "markers+text"}
    assert marks == {"51 s": 51.0, "96 s": 96.0}
    assert figure.layout.yaxis.ticktext[0] == "RAG<br>n = 40"
    assert figure.layout.xaxis.type == "log"


def test_what_writes_no_tokens_has_no_first_token() -> None:
    assert first_token_figure([technique("lora", first_token_s=None)]) is None
    figure = first_token_figure([technique("lora", first_token_s=None), technique()])
    assert figure is not None
    assert list(figure.layout.yaxis.ticktext) == ["RAG<br>n = 40"]


def test_a_chart_of_times_does_not_grow_with_the_rows() -> None:
    few, many = (latency_figure([technique(total_s=times_of([1 + i / n for i in range(n)]))]) for n in (100, 20_000))
    assert few is not None and many is not None
    assert len(many.to_json()) < 1.2 * len(few.to_json())


def test_few_times_are_drawn_as_they_are() -> None:
    figure = latency_figure([technique(total_s=times_of([1.0, 2.0, 4.0]), n=3)])
    assert figure is not None
    assert [1.0, 2.0, 4.0] in [list(trace.x) for trace in figure.data]


def test_a_time_of_zero_is_not_drawn_on_a_logarithmic_axis() -> None:
    assert latency_figure([technique(total_s=times_of([0.0, 1.0]))]) is None


# Tokens


def test_tokens_are_stacked_by_part_with_their_sum() -> None:
    figure = tokens_figure(ALL)
    assert figure is not None
    by_part = {trace.name: trace for trace in figure.data if trace.type == "bar"}
    assert list(by_part) == ["system", "text", "question", "output"]
    assert list(by_part["text"].x) == [400.0] * 3
    assert by_part["text"].marker.color == PART_COLOURS["text"]
    assert figure.layout.barmode == "stack"
    (sums,) = [trace for trace in figure.data if trace.type == "scatter"]
    assert [text.strip() for text in sums.text] == ["465"] * 3
    assert tokens_figure([technique("lora", tokens={})]) is None


# Heat map


def test_cells_hold_the_share_and_an_empty_one_is_empty() -> None:
    figure = heat_map_figure(HeatMap(("RAG", "No text"), ("a", "b"), ((0.25, None), (1.0, 0.0)), ((4, 0), (40, 2))))
    assert figure is not None
    (cells,) = figure.data
    assert [list(row) for row in cells.z] == [[0.25, None], [1.0, 0.0]]
    assert [list(row) for row in cells.text] == [["25%", ""], ["100%", "0%"]]
    assert "2 to 40 asked in a cell; fewer than 30" in words(figure)


def test_many_labels_stand_in_rows() -> None:
    labels = tuple(f"label {number}" for number in range(20))
    figure = heat_map_figure(HeatMap(("RAG",), labels, ((0.5,) * 20,), ((1,) * 20,)))
    assert figure is not None
    assert list(figure.data[0].y) == list(labels)
    assert heat_map_figure(HeatMap(("RAG",), (), ((),), ((),))) is None


# Break-even, learning curve, stale facts


def test_the_crossing_is_marked_where_it_is() -> None:
    assumptions = default_assumptions()
    result = break_even(assumptions)
    assert result.requests is not None
    figure = break_even_figure(assumptions, result)
    (mark,) = traces(figure, "Break-even")
    assert mark.x[0] == pytest.approx(result.requests)
    prompting, tuned = traces(figure, "Prompting", "Fine-tuning")
    assert prompting.x[-1] == pytest.approx(2 * result.requests)
    assert prompting.y[0] < tuned.y[0] and prompting.y[-1] > tuned.y[-1]
    middle = len(prompting.x) // 2
    assert prompting.y[middle] == pytest.approx(tuned.y[middle])


def test_the_lines_have_the_colours_of_the_techniques_that_were_chosen() -> None:
    assumptions = default_assumptions()
    colours = way_colours(technique("few-shot-nearest"), technique("language-model-lora"))
    figure = break_even_figure(assumptions, break_even(assumptions), colours=colours)
    drawn = [trace.line.color for trace in traces(figure, "Prompting", "Fine-tuning")]
    assert drawn == [STYLES["few-shot-nearest"].colour, STYLES["language-model-lora"].colour]


def test_without_a_crossing_a_year_is_drawn() -> None:
    assumptions = with_values(
        default_assumptions(), {"input_price_usd": 0.0, "output_price_usd": 0.0, "requests_per_day": 10.0}
    )
    result = break_even(assumptions)
    assert result.requests is None
    figure = break_even_figure(assumptions, result)
    assert not traces(figure, "Break-even")
    assert max(figure.data[0].x) == 3650


def test_the_learning_curve_has_a_band_and_the_articles_numbers() -> None:
    points = [
        CurvePoint("lora", count, Estimate(0.5 + count / 500, 0.5, 0.9), 3, 4.0, STYLES["lora"])
        for count in (16, 0, 64)
    ]
    figure = learning_curve_figure(points)
    (line,) = traces(figure, STYLES["lora"].title)
    assert list(line.y) == [0.5, 0.532, 0.628], "in the order of the examples"
    assert list(figure.layout.xaxis.ticktext) == ["0", "16", "64"]
    assert "16 examples: 53.2%" in line.hovertext[1]
    assert "3 seeds" in line.hovertext[1]
    band = figure.data[0]
    assert max(band.y) == 0.9 and min(band.y) == 0.5
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["article: 0 to ~50", "1,000+"]


def test_stale_facts_are_drawn_through_the_change() -> None:
    rows = [
        StaleFigures("rag", "RAG", *(Estimate(v, v - 0.1, v + 0.1) for v in (0.6, 0.3, 0.5)), "indexing", 2.1),
        StaleFigures(
            "closed-book-lora", "Closed-book LoRA", *(Estimate(v, v, v) for v in (0.5, 0.1, 0.4)), "training", 240.0
        ),
    ]
    figure = stale_facts_figure(rows, n=12)
    assert [list(trace.y) for trace in figure.data] == [[0.6, 0.3, 0.5], [0.5, 0.1, 0.4]]
    assert [trace.name for trace in figure.data] == ["RAG: indexing 2.1 s", "Closed-book LoRA: training 4 min"]
    assert SMALL_SAMPLE in words(figure)


# Words


def test_a_name_cannot_become_markup() -> None:
    hostile = "<b>owned</b><a href='javascript:x'>"
    figure = accuracy_cost_figure([technique(title=hostile, model_id=hostile, accuracy_name=hostile)])
    assert "<b>owned" not in figure.to_json().replace("\\u003c", "<")
    assert plain("a < b") == "a \u2039 b"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(5.95e-05, "59.5 µs"), (0.0024, "2.4 ms"), (0.85, "850 ms"), (1.318, "1.32 s"), (100, "100 s"), (240, "4 min")],
)
def test_durations_in_words(value: float, shown: str) -> None:
    assert seconds(value) == shown


def test_ticks_of_a_logarithmic_axis() -> None:
    assert log_ticks(0.09, 1.1) == pytest.approx([0.1, 0.2, 0.5, 1.0])
    assert log_ticks(0.001, 100) == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100])
    assert log_ticks(0.3, 0.31) == [0.3, 0.31]
