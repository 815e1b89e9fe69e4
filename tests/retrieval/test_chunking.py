"""Chunks: complete, in order, within the limit, cut where a reader would cut, and made in linear work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.documents import load_pasted
from playground.documents.formats.pieces import Piece, assemble
from playground.documents.formats.structure import clean_heading
from playground.retrieval.chunking import MAX_CHARACTERS_PER_TOKEN, chunk_document, embedding_text
from playground.types import Block, Chunk, Document


def words(text: str) -> int:
    return len(text.split()) + 2


COUNTERS: dict[str, Callable[[str], int]] = {
    "words": words,
    "characters": len,
    "quarters": lambda text: len(text) // 4 + 2,
    "bytes": lambda text: len(text.encode()) + 2,
}


def document_of(*pieces: Piece, page_starts: tuple[int, ...] = ()) -> Document:
    extract = assemble(pieces, max_characters=10**9)
    return Document("doc", "Title", extract.text, "a.txt", "0" * 64, extract.blocks, page_starts)


def heading(text: str, level: int = 1) -> Piece:
    return Piece("heading", text, level)


def paragraph(text: str) -> Piece:
    return Piece("paragraph", text)


def items(*texts: str) -> list[Piece]:
    return [Piece("list_item", f"- {text}") for text in texts]


def rows(*texts: str, table: int = 1) -> list[Piece]:
    return [Piece("table_row", text, table=table) for text in texts]


def texts(chunks: tuple[Chunk, ...]) -> list[str]:
    return [chunk.text for chunk in chunks]


def numbered(count: int, first: int = 0) -> str:
    """Return a sentence of ``count`` words that no other call returns."""
    return " ".join(f"w{first + i}" for i in range(count)) + "."


def test_short_blocks_of_a_section_merge_up_to_the_target() -> None:
    document = document_of(*(paragraph(numbered(8, 10 * i)) for i in range(6)))
    chunks = chunk_document(document, count_tokens=words, max_tokens=40, target_tokens=20)
    assert [chunk.text.count("w") for chunk in chunks] == [16, 16, 16]
    one = chunk_document(document, count_tokens=words, max_tokens=100, target_tokens=100)
    assert texts(one) == [document.text]


def test_sections_are_never_merged_and_headings_are_the_path() -> None:
    document = document_of(
        heading("Policy"), paragraph("Intro."), heading("Windows", 2), paragraph("Thirty days."),
        heading("Shoes", 3), paragraph("Ten days."), heading("## **Refunds** ##", 2), paragraph("By card."),
    )  # fmt: skip
    chunks = chunk_document(document, count_tokens=words)
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        (("Policy",), "Intro."),
        (("Policy", "Windows"), "Thirty days."),
        (("Policy", "Windows", "Shoes"), "Ten days."),
        (("Policy", "Refunds"), "By card."),
    ]
    assert embedding_text(chunks[2]) == "Policy > Windows > Shoes\nTen days."
    assert len({chunk.id for chunk in chunks}) == 4
    assert {chunk.document_id for chunk in chunks} == {"doc"}


def test_sections_with_equal_headings_stay_apart() -> None:
    document = document_of(heading("Note"), paragraph("One."), heading("Note"), paragraph("Two."))
    assert texts(chunk_document(document, count_tokens=words)) == ["One.", "Two."]


def test_a_heading_with_nothing_under_it_is_text() -> None:
    document = document_of(
        heading("Policy"), heading("Windows", 2), paragraph("Thirty days."),
        heading("NO RETURNS ON SALE ITEMS", 2), heading("NO EXCHANGES", 2), heading("Refunds", 2),
        paragraph("By card."), heading("THE END", 2),
    )  # fmt: skip
    assert [(chunk.heading_path, chunk.text) for chunk in chunk_document(document, count_tokens=words)] == [
        (("Policy", "Windows"), "Thirty days."),
        (("Policy",), "NO RETURNS ON SALE ITEMS\n\nNO EXCHANGES"),
        (("Policy", "Refunds"), "By card."),
        (("Policy",), "THE END"),
    ]


def test_a_list_stays_with_its_introduction() -> None:
    document = document_of(
        paragraph(numbered(12)), paragraph("These cannot be returned:"), *items("food", "gift cards", "swimwear")
    )
    chunks = chunk_document(document, count_tokens=words, max_tokens=30, target_tokens=22)
    assert texts(chunks) == [numbered(12), "These cannot be returned:\n\n- food\n- gift cards\n- swimwear"]


def test_a_list_that_must_be_cut_repeats_its_introduction_in_the_path() -> None:
    document = document_of(
        heading("Exceptions"),
        paragraph("Most goods can be returned. These goods cannot:"),
        *items(*(numbered(6, 10 * i) for i in range(8))),
        paragraph("That is all."),
    )
    chunks = chunk_document(document, count_tokens=words, max_tokens=40, target_tokens=30)
    assert len(chunks) > 2
    assert chunks[0].heading_path == ("Exceptions",)
    for chunk in chunks[1:]:
        assert chunk.heading_path == ("Exceptions", "These goods cannot:")
        assert chunk.text.startswith("- ")


def test_a_table_that_must_be_cut_repeats_its_header_row_in_the_path() -> None:
    first = rows("| Item | Days |\n|---|---|", *(f"| {numbered(6, 10 * i)} | {i} |" for i in range(8)))
    second = rows("Fee | Amount", "Label | 5 EUR", table=2)
    document = document_of(heading("Tables"), *first, *second)
    chunks = chunk_document(document, count_tokens=words, max_tokens=60, target_tokens=40)
    assert chunks[0].heading_path == ("Tables",)
    assert "Item | Days" in chunks[0].text
    inside = [chunk for chunk in chunks if chunk.start > 0 and chunk.text.startswith("| w")]
    assert inside
    assert all(chunk.heading_path == ("Tables", "Item | Days") for chunk in inside)
    assert all(chunk.heading_path == ("Tables",) for chunk in chunks if chunk.text.startswith("Fee"))


def test_a_small_rest_joins_the_last_chunk() -> None:
    document = document_of(paragraph(numbered(18)), paragraph("So it is."))
    assert len(chunk_document(document, count_tokens=words, max_tokens=40, target_tokens=20)) == 2
    assert len(chunk_document(document, count_tokens=words, max_tokens=40, target_tokens=21)) == 1


def test_a_long_paragraph_is_cut_at_sentence_ends() -> None:
    sentences = [f"Sentence {i} costs 3.50 EUR, e.g. For shoes of No. {i}, {numbered(6)}" for i in range(9)]
    document = document_of(paragraph(" ".join(s.replace("w0", "W0") for s in sentences)))
    chunks = chunk_document(document, count_tokens=words, max_tokens=50, target_tokens=40)
    assert len(chunks) > 3
    for chunk in chunks:
        assert chunk.text.startswith("Sentence")
        assert chunk.text.endswith("w5.")


def test_a_long_sentence_is_cut_between_words_and_a_long_word_inside() -> None:
    document = document_of(paragraph("alpha " * 30 + "x" * 90 + " omega " * 30))
    chunks = chunk_document(document, count_tokens=len, max_tokens=40, target_tokens=30)
    assert " ".join(texts(chunks)).split() == [
        word for chunk in chunks for word in chunk.text.split()
    ]  # nothing is glued together
    assert all(set(chunk.text.split()) <= {"alpha", "omega"} or "x" in chunk.text for chunk in chunks)
    assert "".join(chunk.text for chunk in chunks if "x" in chunk.text).count("x") == 90


def test_a_long_path_is_trimmed_from_the_left_and_the_text_is_not() -> None:
    long = numbered(30)
    document = document_of(heading(long), heading("Inner heading", 2), paragraph(numbered(20, 50)))
    chunks = chunk_document(document, count_tokens=words, max_tokens=30, target_tokens=30)
    assert [chunk.heading_path for chunk in chunks] == [("Inner heading",)] * len(chunks)
    assert texts(chunks) == [numbered(20, 50)]
    (only,) = chunk_document(document_of(heading(long), paragraph("Text.")), count_tokens=words, max_tokens=30)
    assert only.heading_path[0].startswith("… ")
    assert long.endswith(only.heading_path[0].removeprefix("… "))


def test_pages() -> None:
    document = document_of(paragraph("One."), heading("H"), paragraph("Two."), page_starts=(0, 6, 9))
    assert [chunk.page for chunk in chunk_document(document, count_tokens=words)] == [1, 3]
    assert chunk_document(document_of(paragraph("One.")), count_tokens=words)[0].page is None


def test_documents_without_blocks() -> None:
    plain = Document("d", "t", "  Some text. \n", "s", "h")
    assert [(c.start, c.text) for c in chunk_document(plain, count_tokens=words)] == [(2, "Some text.")]
    assert chunk_document(Document("d", "t", " \n", "s", "h"), count_tokens=words) == ()


def test_impossible_limits_are_refused() -> None:
    document = document_of(paragraph("Text."))
    with pytest.raises(ValueError, match="at least 16"):
        chunk_document(document, count_tokens=words, max_tokens=15)
    with pytest.raises(ValueError, match="offset 0 alone"):
        chunk_document(document, count_tokens=lambda text: 100, max_tokens=20)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 500_000,
        "word " * 100_000,
        "Some sentence of words. " * 20_000,
        "- a\n" * 120_000,
        "a | b\n" * 80_000,
        "x" + " " * 400_000 + "y",
        "TITLE\n\n" * 60_000,
        "\n\n".join(["Paragraph of a few words that says something."] * 10_000),
    ],
    ids=["word", "words", "sentences", "items", "rows", "spaces", "titles", "paragraphs"],
)
def test_the_work_is_linear(text: str) -> None:
    """Counted, not timed: the characters handed to the tokenizer stay within a small multiple of the text's."""
    counted = 0

    def count(part: str) -> int:
        nonlocal counted
        counted += len(part)
        return len(part) // 4 + 2

    document = load_pasted(text, markdown=False)
    chunks = chunk_document(document, count_tokens=count)
    assert chunks
    assert counted < 12 * len(text)


_WORD = st.one_of(
    st.text(alphabet="abcXYZé.,;:!?-", min_size=1, max_size=9),
    st.text(alphabet="abc", min_size=30, max_size=120),
    st.sampled_from(["e.g.", "30", "days.", "返品。できます。", "👍🏽", "Returns"]),
)
_TEXT = st.lists(_WORD, min_size=1, max_size=40).map(" ".join)
_PIECE = st.one_of(
    st.builds(paragraph, _TEXT),
    st.builds(lambda text: paragraph(text + ":"), _TEXT),
    st.builds(lambda text, depth: Piece("list_item", "- " + text, depth=depth), _TEXT, st.integers(0, 2)),
    st.builds(
        lambda text, other, table: Piece("table_row", f"{text} | {other}", table=table), _TEXT, _WORD, st.integers(1, 2)
    ),
    st.builds(heading, _TEXT, st.integers(1, 4)),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_PIECE, max_size=14),
    st.sampled_from(sorted(COUNTERS)),
    st.integers(24, 120),
    st.integers(8, 160),
)
def test_properties(pieces: list[Piece], counter: str, max_tokens: int, target_tokens: int) -> None:
    count = COUNTERS[counter]
    document = document_of(*pieces)
    chunks = chunk_document(document, count_tokens=count, max_tokens=max_tokens, target_tokens=target_tokens)
    owners = check_ranges(document, chunks)
    assert all(count(embedding_text(chunk)) <= max_tokens for chunk in chunks)
    for block in document.blocks:
        check_block(document, block, chunks, owners)
    for chunk in chunks:
        check_word_ends(document, chunk, count, max_tokens)
        check_blocks_whole(document, chunk, count, max_tokens)


def check_ranges(document: Document, chunks: tuple[Chunk, ...]) -> list[int | None]:
    """Order, no overlap, exact text; return which chunk owns each character."""
    owners: list[int | None] = [None] * len(document.text)
    end = 0
    for number, chunk in enumerate(chunks):
        assert end <= chunk.start < chunk.end
        assert chunk.text == document.text[chunk.start : chunk.end] == chunk.text.strip()
        owners[chunk.start : chunk.end] = [number] * (chunk.end - chunk.start)
        end = chunk.end
    return owners


def check_block(document: Document, block: Block, chunks: tuple[Chunk, ...], owners: list[int | None]) -> None:
    """Every character of a block that is not white space is in a chunk; a heading is in chunks or in a path."""
    owned = [owners[i] is not None for i in range(block.start, block.end) if not document.text[i].isspace()]
    if block.kind != "heading" or any(owned):
        assert all(owned)
    else:
        following = next(chunk for chunk in chunks if chunk.start >= block.end)
        title = clean_heading(document.text[block.start : block.end])
        trimmed = not following.heading_path or following.heading_path[0].startswith("… ")
        above = [b for b in document.blocks if b.kind == "heading" and b.end <= following.start]
        assert title in following.heading_path or trimmed or not title or len(following.heading_path) < len(above)


def check_word_ends(document: Document, chunk: Chunk, count: Callable[[str], int], max_tokens: int) -> None:
    """A chunk ends inside a word only when that word is too long by itself, or after a full stop of CJK text."""
    text = document.text
    end = chunk.end
    if end == len(text) or text[end].isspace() or text[end - 1] in "。！？":  # noqa: RUF001
        return
    start = next((i + 1 for i in range(end - 1, -1, -1) if text[i].isspace()), 0)
    stop = next((i for i in range(end, len(text)) if text[i].isspace()), len(text))
    start = max(start, text.rfind("。", start, end) + 1)
    path = embedding_text(chunk).removesuffix(chunk.text)
    assert count(path + text[start:stop]) > max_tokens or stop - start > MAX_CHARACTERS_PER_TOKEN * max_tokens


def check_blocks_whole(document: Document, chunk: Chunk, count: Callable[[str], int], max_tokens: int) -> None:
    """A block that begins a chunk and fits is not cut."""
    path = embedding_text(chunk).removesuffix(chunk.text)
    for block in document.blocks:
        if chunk.start <= block.start < chunk.end < block.end:
            assert block.start == chunk.start
            block_text = document.text[block.start : block.end]
            too_long = block.end - block.start > MAX_CHARACTERS_PER_TOKEN * max_tokens
            assert too_long or count(path + block_text) > max_tokens


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.sampled_from("aB1.:- \n\t|#é。"), max_size=400), st.integers(16, 60))
def test_any_plain_text_is_covered(text: str, max_tokens: int) -> None:
    if not text.strip():
        return
    document = load_pasted(text, markdown=False)
    chunks = chunk_document(document, count_tokens=len, max_tokens=max_tokens, target_tokens=20)
    owners = check_ranges(document, chunks)
    for block in document.blocks:
        check_block(document, block, chunks, owners)
    assert all(len(embedding_text(chunk)) <= max_tokens for chunk in chunks)
