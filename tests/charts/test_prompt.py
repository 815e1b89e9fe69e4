"""Figures show the numbers that they are given."""

from __future__ import annotations

from playground.charts.prompt import prompt_tokens_figure
from playground.charts.style import FONT_SIZE, PART_COLOURS
from playground.types import Prompt, PromptPart


def bars(figure, axis):
    return [trace for trace in figure.data if (trace.xaxis or "x") == axis]


def test_parts_are_drawn_by_themselves_and_against_the_limit():
    prompt = Prompt((), (PromptPart("system", 30), PromptPart("text", 300), PromptPart("question", 12)), 8192)
    figure = prompt_tokens_figure(prompt)
    assert [trace.x[0] for trace in bars(figure, "x")] == [30, 300, 12]
    assert [trace.x[0] for trace in bars(figure, "x2")] == [30, 300, 12, 8192 - 342]
    assert sum(trace.x[0] for trace in bars(figure, "x2")) == prompt.context_limit
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["342 tokens in the prompt", "4 % of the context limit of 8,192 tokens"]
    assert figure.layout.font.size == FONT_SIZE


def test_a_part_has_one_colour_everywhere():
    figure = prompt_tokens_figure(Prompt((), (PromptPart("examples", 5), PromptPart("text", 5)), 100))
    for axis in ("x", "x2"):
        colours = [trace.marker.color for trace in bars(figure, axis)][:2]
        assert colours == [PART_COLOURS["examples"], PART_COLOURS["text"]]


def test_the_legend_names_every_part_once():
    figure = prompt_tokens_figure(Prompt((), (PromptPart("system", 1), PromptPart("text", 999)), 2000))
    assert [trace.name for trace in figure.data if trace.showlegend] == ["system 1", "text 999"]
