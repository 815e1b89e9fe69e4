"""Windows of tokens hold every clause once, in order, and their arrays pool each clause's own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from playground.errors import ModelError
from playground.flagging.windows import Window, WindowReader, load_window_reader, padded_length
from playground.types import AnnotatedClause

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *(f"w{number}" for number in range(20)), "Rent", "."]
PAD, CLS, SEP = 0, 1, 2


def tokenizer(words: Sequence[str] = WORDS) -> Tokenizer:
    """Return a tokenizer that knows a few words: one token a word."""
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return made


def reader(window_tokens: int, most_tokens: int = 16) -> WindowReader:
    return WindowReader(tokenizer(), window_tokens, most_tokens)


def clause(words: int, contract: str = "a", position: int | None = 0, heading: str = "") -> AnnotatedClause:
    return AnnotatedClause("", " ".join(f"w{number % 20}" for number in range(words)), (), contract, heading, position)


CLAUSES = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("ab"), st.none() | st.integers(0, 3)), max_size=25
).map(lambda rows: [clause(*row) for row in rows])


@given(CLAUSES, st.sampled_from([0, 8, 20, 64]))
@settings(max_examples=150, deadline=None)
def test_every_clause_is_in_one_window_in_order_and_within_the_room(
    clauses: list[AnnotatedClause], window_tokens: int
) -> None:
    windows = reader(window_tokens).windows(clauses)
    assert [place for window in windows for place in window.clauses] == list(range(len(clauses)))
    for window in windows:
        assert len(window.clauses) == len(window.token_ids)
        assert window.tokens <= (window_tokens or 16)
        members = [clauses[place] for place in window.clauses]
        assert len(members) == 1 or (window_tokens > 0 and len({member.contract for member in members}) == 1)
        positions = [member.position for member in members]
        assert len(members) == 1 or all(position is not None for position in positions)
        assert len(members) == 1 or positions == sorted(set(positions))


@given(CLAUSES, st.sampled_from([0, 20]), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_every_window_is_in_one_batch_of_one_length_within_its_size(
    clauses: list[AnnotatedClause], window_tokens: int, batch_tokens: int
) -> None:
    windows = reader(window_tokens).windows(clauses)
    batches = reader(window_tokens).batches(windows, batch_tokens)
    assert sorted(window.clauses for batch in batches for window in batch) == [window.clauses for window in windows]
    for batch in batches:
        (length,) = {padded_length(window.tokens) for window in batch}
        assert len(batch) == 1 or len(batch) * length <= batch_tokens


def test_neighbours_share_a_window_until_it_is_full() -> None:
    clauses = [
        clause(4, position=0),
        clause(4, position=1),
        clause(4, position=2),
        clause(4, "b", 3),
        clause(4, "b", None),
    ]
    assert [window.clauses for window in reader(12).windows(clauses)] == [(0, 1), (2,), (3,), (4,)]
    assert [window.clauses for window in reader(0).windows(clauses)] == [(0,), (1,), (2,), (3,), (4,)]


def test_the_heading_goes_in_front_of_a_clause_that_stands_alone_only() -> None:
    alone = clause(1, position=None, heading="Rent")
    within = clause(1, position=3, heading="Rent")
    assert [window.token_ids for window in reader(12).windows([alone, within])] == [((3, 4),), ((4,),)]  # "Rent."
    assert [window.token_ids for window in reader(0).windows([within])] == [((3, 4),)]


def test_a_clause_that_is_too_long_is_cut_at_its_end() -> None:
    (window,) = reader(0, most_tokens=10).windows([clause(50)])
    assert window.token_ids == (tuple(range(4, 12)),)
    (bounded,) = reader(64).windows([AnnotatedClause("", "w1 " * 100_000, (), "a")])
    assert bounded.tokens == 64


def test_arrays_hold_the_tokens_between_marks_and_pool_each_clause_alone() -> None:
    windows = [Window((7, 9), ((5, 6), (8,))), Window((3,), ((4, 4, 4, 4),))]
    batch = reader(64).arrays(windows)
    assert batch.input_ids.shape == batch.attention.shape == (2, 32)
    assert batch.pooling.shape == (2, 2, 32)
    assert batch.pooling.dtype == np.float32
    assert batch.input_ids[0].tolist() == [CLS, 5, 6, 8, SEP] + [PAD] * 27
    assert batch.attention[0].tolist() == [1] * 5 + [0] * 27
    assert batch.pooling[0, 0, :5].tolist() == [0, 0.5, 0.5, 0, 0]
    assert batch.pooling[0, 1, :5].tolist() == [0, 0, 0, 1, 0]
    assert batch.pooling[1, 0].sum() == 1
    assert batch.pooling[1, 1].sum() == 0
    assert list(batch.places()) == [(0, 0, 7), (0, 1, 9), (1, 0, 3)]


@given(CLAUSES.filter(bool), st.sampled_from([0, 20, 64]))
@settings(max_examples=60, deadline=None)
def test_pooling_averages_what_is_attended(clauses: list[AnnotatedClause], window_tokens: int) -> None:
    made = reader(window_tokens)
    for windows in made.batches(made.windows(clauses), 256):
        batch = made.arrays(windows)
        for row, unit, place in batch.places():
            has_words = bool(clauses[place].text)
            assert batch.pooling[row, unit].sum() == pytest.approx(1.0 if has_words else 0.0)
        assert not (batch.pooling.sum(axis=1)[batch.attention == 0]).any()
        assert (batch.input_ids[batch.attention == 0] == PAD).all()
        assert (batch.attention.sum(axis=1) == [window.tokens for window in windows]).all()


def test_lengths_are_padded_to_a_few() -> None:
    assert [padded_length(tokens) for tokens in (2, 32, 33, 300, 512, 700)] == [32, 32, 64, 384, 512, 700]


def test_a_tokenizer_is_read_or_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_window_reader(tmp_path, 0)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        load_window_reader(tmp_path, 0)
    tokenizer(["[PAD]", "[UNK]", "[CLS]"]).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match=r"no \[CLS\], \[SEP\] and \[PAD\]"):
        load_window_reader(tmp_path, 0)
    tokenizer(["<pad>", "[UNK]", "<s>", "</s>"]).save(str(tmp_path / "tokenizer.json"))
    as_mpnet = load_window_reader(tmp_path, 0)
    (window,) = as_mpnet.windows([clause(3)])
    ids = as_mpnet.arrays([window]).input_ids[0].tolist()
    assert (ids[0], ids[len(window.token_ids[0]) + 1], ids[-1]) == (2, 3, 0)
    cutting = tokenizer()
    cutting.enable_truncation(4)
    cutting.enable_padding(length=99)
    cutting.save(str(tmp_path / "tokenizer.json"))
    (window,) = load_window_reader(tmp_path, 0).windows([clause(30)])
    assert window.tokens == 32
