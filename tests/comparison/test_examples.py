"""Which examples stand side by side, and what is said of those that do not."""

from __future__ import annotations

from playground.comparison.examples import example_ids, sample_note
from playground.comparison.outcomes import Outcome
from tests.support.evidence_samples import figures

PROMPTED = figures("few-shot", 0.5, sample="2 contracts, 4 pairs", n=2, requests=4, parts=41)
ENCODER = figures("lora", 0.9, sample="2 contracts, 4 pairs", n=2, requests=357)


def pairs(*names: str) -> dict[str, Outcome]:
    return {name: Outcome(True) for name in names}


def test_pairs_that_all_were_asked_about_are_said_to_be_a_part_of_what_was_judged() -> None:
    found = sample_note([PROMPTED, ENCODER], [pairs("a", "b", "c", "d")] * 2)
    assert found == (
        "Compared are the 4 pairs of a clause and a label that every technique was asked about. Techniques that judge "
        "a clause for all labels at once judged up to 357 clauses whole, of which these pairs are a part."
    )


def test_pairs_that_only_some_were_asked_about_are_counted_apart() -> None:
    found = sample_note([PROMPTED, ENCODER], [pairs("a", "b"), pairs("a", "b", "c")])
    assert "the 3 pairs of a clause and a label that were sampled, 2 of which every technique was asked about" in found


def test_chat_models_alone_judged_nothing_else() -> None:
    assert "judged up to" not in sample_note([PROMPTED], [pairs("a")])


def test_where_rows_are_the_examples_there_is_nothing_to_say() -> None:
    assert sample_note([figures("rag", 0.5)], [pairs("q1", "q2")]) == ""


def test_an_example_that_one_alone_was_asked_is_none_where_they_differ() -> None:
    asked = [{"a": Outcome(True), "b": Outcome(True)}, {"a": Outcome(False), "c": Outcome(False)}]
    assert example_ids(asked) == ["a", "b", "c"]
    assert example_ids(asked, only_different=True) == ["a"]
