"""Labels as people read them."""

from __future__ import annotations

from playground.text.label_titles import label_title, label_titles
from playground.training.clauses.charts import label_counts_figure
from scenarios.contract_clauses.scenario import label, labels


def test_abbreviations_are_in_capitals_and_words_that_only_begin_so_are_not() -> None:
    assert label_title("Joint Ip Ownership") == "Joint IP Ownership"
    assert label_title("Rofr/Rofo/Rofn") == "ROFR/ROFO/ROFN"
    assert label_title("Ipsum") == "Ipsum"
    assert label_titles(["Ip Ownership Assignment", "Insurance"]) == "IP Ownership Assignment, Insurance"
    assert label_titles([]) == ""


def test_the_chart_of_labels_shows_titles() -> None:
    figure = label_counts_figure({"Ip Ownership Assignment": 3})
    assert list(figure.data[0].y) == ["IP Ownership Assignment"]


def test_a_label_is_found_by_the_title_that_screens_show() -> None:
    for known in labels():
        assert label(label_title(known.name)) is known
