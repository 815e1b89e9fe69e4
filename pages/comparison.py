"""Both scenarios: cost, latency and accuracy of every technique, recorded and measured here and now."""

import streamlit as st

from playground.ui.comparison.article import draw_article, draw_recommendation
from playground.ui.comparison.break_even import draw_break_even
from playground.ui.comparison.charts import draw_accuracy, draw_differences, draw_heat_map, draw_times_and_tokens
from playground.ui.comparison.examples import draw_examples
from playground.ui.comparison.exports import draw_exports
from playground.ui.comparison.learning_and_change import draw_learning_and_change
from playground.ui.comparison.measure_again import advance, draw_status, draw_techniques
from playground.ui.comparison.sources import choose_runs, draw_bar, draw_empty, draw_style, read_runs
from playground.ui.shared.layout import begin_page

begin_page(
    "Which should we use?",
    "Every technique of both scenarios, measured: cost, latency, accuracy, and the article's table proved row by row.",
)
draw_style()
scenario, section = draw_bar()
work = st.empty()
draw_status()
runs = read_runs()
comparison, chosen = choose_runs(scenario, runs)

if section == "The article":
    draw_article()
elif section == "Which one?":
    draw_recommendation(scenario, comparison.figures if comparison else ())
elif section == "Learning and change":
    draw_learning_and_change()
elif comparison is None or not comparison.figures:
    draw_empty(has_runs=bool(chosen))
    draw_techniques(scenario, comparison, runs)
elif section == "Overview":
    draw_accuracy(scenario, comparison)
    draw_differences(comparison.compared)
    draw_techniques(scenario, comparison, runs)
elif section == "Time and tokens":
    draw_times_and_tokens(comparison.figures)
elif section == "By policy or label":
    draw_heat_map(comparison.heat_map)
elif section == "Break-even":
    draw_break_even(scenario, comparison.figures)
elif section == "Examples":
    draw_examples(scenario, comparison)

if comparison and comparison.figures:
    st.divider()
    draw_exports(scenario, comparison)
advance(work)
