"""One turn of the chat, drawn: the question, the answer with its evidence, the stamp, the figures.

Words of a model, a document or a user are drawn as text, never as Markdown or HTML.
"""

from __future__ import annotations

import streamlit as st

from playground.pricing import prices_date
from playground.types import Answer, Citation
from playground.ui.return_policy.conversation import ChatTurn, Metrics, Stamp
from playground.ui.return_policy.state import Key, session
from playground.ui.shared.markup import escape_html, escape_markdown, shortened, spoken

AVATAR = ":material/support_agent:"
_MOST_SHOWN = 500
_MOST_QUOTED = 320


def draw_question(question: str) -> None:
    """Draw what the user asked."""
    st.chat_message("user", avatar=":material/person:").text(shortened(question, _MOST_SHOWN))


def draw_turn(turn: ChatTurn, *, latest: bool, selected: bool) -> None:
    """Draw a question and what became of it. The latest answer has the keys that the style sheet and tests know."""
    draw_question(turn.question)
    with st.chat_message("assistant", avatar=AVATAR), st.container(key=Key.ANSWER if latest else None, gap="small"):
        if turn.error:
            st.error(escape_markdown(turn.error), icon=":material/error:")
        elif turn.answer is None:
            if turn.partial:
                st.text(turn.partial)
            st.badge("Stopped", icon=":material/stop_circle:", color="gray")
        else:
            draw_answer(turn.answer)
        with st.container(key=Key.STAMP if latest else None):
            draw_stamp(turn.stamp)
        if turn.answer and not selected:
            st.button(
                spoken("Show its evidence", turn.question[:80]),
                key=f"evidence_{turn.id}",
                type="tertiary",
                on_click=_select,
                args=(turn.id,),
            )


def _select(turn_id: int) -> None:
    session().selected_turn = turn_id


def draw_answer(answer: Answer) -> None:
    """Draw an answer, what supports it and what nothing supports."""
    if answer.reasoning:
        with st.expander("Reasoning", icon=":material/psychology:"):
            st.text(answer.reasoning)
    if answer.text:
        st.text(answer.text)
    else:
        st.caption("The model returned nothing.")
    if answer.withheld:
        values = escape_markdown(", ".join(answer.unstated))
        st.badge("Withheld: a number that no passage states", icon=":material/do_not_disturb_on:", color="orange")
        with st.expander(f"What the model wrote ({values} stands in no passage)", icon=":material/visibility:"):
            st.text(answer.withheld)
        return
    if answer.abstained:
        st.badge("Abstained: no answer found in the text", icon=":material/do_not_disturb_on:", color="gray")
        return
    if answer.completion.stop_reason == "length":
        st.caption("Cut off at the longest answer allowed; see Settings.")
    elif answer.completion.stop_reason == "repetition":
        st.caption("Stopped here: the model was repeating itself.")
    if answer.citations:
        st.html(_citations_html(answer.citations))
    else:
        st.badge("No passage supports this answer", icon=":material/link_off:", color="orange")
    if answer.unsupported:
        values = escape_markdown(", ".join(answer.unsupported))
        st.warning(f"In no cited passage: **{values}**. Check before relying on it.", icon=":material/warning:")


def _citations_html(citations: tuple[Citation, ...]) -> str:
    rows = []
    for number, citation in enumerate(citations, start=1):
        place = " > ".join(citation.heading_path[-2:]) or citation.document
        page = f", page {citation.page}" if citation.page else ""
        quote = shortened(" ".join(citation.text.split()), _MOST_QUOTED)
        rows.append(
            f'<li><span class="cite-number">{number}</span><span><q>{escape_html(quote)}</q> '
            f'<span class="cite-place">{escape_html(place + page)}</span></span></li>'
        )
    return f'<ol class="citations">{"".join(rows)}</ol>'


def draw_stamp(stamp: Stamp) -> None:
    """Draw the technique and the version of an answer; all that it was made with is one click away."""
    short = escape_html(f"{stamp.mode_title.partition(' (')[0]} · version {stamp.version}")
    line = f'<div class="stamp">{escape_html(stamp.line())}</div>'
    st.html(f'<details class="made-with"><summary>{short}</summary>\n{line}\n</details>')


def draw_metrics(metrics: Metrics) -> None:
    """Draw the figures of an answer; the row keeps its place and size when there is none."""
    figures = (
        ("Retrieval", metrics.retrieval),
        ("First token", metrics.first_token),
        ("Total", metrics.total),
        ("Tokens in", metrics.tokens_in),
        ("of them cached", metrics.tokens_cached),
        ("Tokens out", metrics.tokens_out),
        ("Cost", metrics.cost),
    )
    with st.container(key=Key.METRICS, horizontal=True, gap="small"):
        for label, value in figures:
            st.metric(label, value, width=128, help=f"Prices of {prices_date()}." if label == "Cost" else None)
