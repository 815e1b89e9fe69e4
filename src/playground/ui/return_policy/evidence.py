"""What stood behind an answer: the exact messages, their tokens, and the passages with their scores."""

from __future__ import annotations

import streamlit as st

from playground.charts.prompt import prompt_tokens_figure
from playground.types import Answer, Passage
from playground.ui.return_policy.conversation import NOTHING, ChatTurn
from playground.ui.shared.markup import escape_html, escape_markdown


def draw_what_the_model_saw(turn: ChatTurn | None) -> None:
    """Draw the prompt of a turn: tokens per part against the context limit, what was left out, the messages."""
    if turn is None or turn.answer is None:
        st.caption("Ask a question: the exact messages that the model gets appear here, with the tokens of each part.")
        return
    answer = turn.answer
    if answer.rule:
        st.caption("The model was not asked: a rule answered.")
        return
    st.plotly_chart(
        prompt_tokens_figure(answer.prompt),
        key="prompt_tokens",
        config={"displayModeBar": False},
        alt=", ".join(f"{part.name} {part.tokens} tokens" for part in answer.prompt.parts),
    )
    for sentence in answer.prompt.omitted:
        st.warning(escape_markdown(sentence), icon=":material/content_cut:")
    with st.expander(f"Exact messages ({len(answer.completion.messages)})", icon=":material/data_object:"):
        for message in answer.completion.messages:
            st.caption(message.role)
            st.code(message.content, language=None, wrap_lines=True)
        st.caption("reply, as it came")
        st.code(answer.completion.text, language=None, wrap_lines=True)


def draw_passages(turn: ChatTurn | None) -> None:
    """Draw the passages that went into the prompt, with the score of each retriever."""
    if turn is None or turn.answer is None:
        st.caption("Ask a question in a RAG mode: the passages found for it appear here, with their scores.")
        return
    answer = turn.answer
    if answer.rule:
        st.caption("Nothing was retrieved: a rule answered.")
        return
    if not answer.passages:
        reason = {
            "no_text": "In this mode the model was given no text.",
            "whole_document": "In this mode the whole document was given, so nothing had to be found.",
        }
        st.caption(reason.get(turn.stamp.mode, "No passage was found for this question."))
        return
    st.html(_passages_html(answer))
    st.caption("Dense: cosine similarity of the nearest sentence. Lexical: BM25. Score: what they were ordered by.")


def _passages_html(answer: Answer) -> str:
    cited = {citation.rank for citation in answer.citations}
    rows = "".join(_passage_row(passage, passage.rank in cited) for passage in answer.passages)
    head = "".join(f"<th>{name}</th>" for name in ("#", "Score", "Dense", "Lexical", "Passage"))
    table = f'<table class="passages"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll-x">{table}</div>'


def _passage_row(passage: Passage, cited: bool) -> str:
    chunk = passage.chunk
    place = escape_html(" > ".join(chunk.heading_path)) + (f" · page {chunk.page}" if chunk.page else "")
    mark = ' <span class="pill">cited</span>' if cited else ""
    scores = "".join(f"<td>{_score(s)}</td>" for s in (passage.score, passage.dense_score, passage.lexical_score))
    text = f'<div class="passage-place">{place}{mark}</div><div class="passage-text">{escape_html(chunk.text)}</div>'
    return f"<tr><td>{passage.rank}</td>{scores}<td>{text}</td></tr>"


def _score(score: float | None) -> str:
    return NOTHING if score is None else f"{score:.2f}"
