"""Prompting for contrast: flagged clauses put to the chat model, zero-shot and few-shot, its replies shown raw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from playground.errors import PlaygroundError
from playground.flagging.report import ReportRow, report_rows
from playground.flagging.report.rows import place
from playground.text.label_titles import label_title
from playground.types import ChatModel, Clause
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.contract_html import excerpt
from playground.ui.contract_clauses.state import (
    ContractEntry,
    Judged,
    Key,
    PromptedReply,
    Prompting,
    catalogue,
    session,
)
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer
from playground.ui.shared.markup import escape_html, escape_markdown, shortened
from playground.ui.shared.session import session as shared_session
from scenarios.contract_clauses.prompts import choose_examples, few_shot_messages, parse_decision, zero_shot_messages
from scenarios.contract_clauses.scenario import few_shot_clauses

MOST_CLAUSES = 5
MAX_TOKENS = 32
"""A reply is Yes or No; what a small model says beyond that is worth seeing, but not waiting for."""

_NOT_RUN = "<td>\u2013</td>"


def draw_prompting(entry: ContractEntry, judged: Judged) -> jobs.Activity | None:
    """Draw the choice of clauses and the replies. Returns the work under way, if there is any."""
    rows = report_rows(state.flagged(entry, judged), catalogue(), entry.corrections)
    choice = shared_session().model_choice
    st.markdown(
        f"The same question put to **{escape_markdown(choice.label) or 'a chat model'}** as a prompt: without "
        "examples, and with a few. No weights change; each clause costs a prompt for every label."
    )
    if not choice.is_private:
        st.warning("The chosen model is an endpoint: these clauses are sent to it.", icon=":material/cloud_upload:")
    flags = [row for row in rows if row.verdict != "rejected"]
    if not flags:
        st.caption("No clause is flagged: there is nothing to ask about.")
        return None
    names = {f"{row.clause.id}|{row.label.name}": row for row in flags}
    busy = session().prompting is not None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        picked = st.selectbox(
            "Flagged clause",
            list(names),
            format_func=lambda key: _flag_name(names[key]) if key in names else "",
            key=Key.PROMPT_CLAUSE,
            width="stretch",
        )
        row = names.get(str(picked), flags[0])
        st.button("Ask about it", key=Key.PROMPT_ONE, type="primary", disabled=busy, on_click=_ask, args=([row],))
        first = flags[:MOST_CLAUSES]
        label = f"Ask about the first {len(first)}"
        st.button(label, key=Key.PROMPT_FIVE, disabled=busy, on_click=_ask, args=(first,))
    slot = st.empty()
    _start_what_is_due(entry, {row.clause.id: row.clause for row in flags})
    if session().prompt_error:
        st.error(escape_markdown(session().prompt_error), icon=":material/error:")
    if session().replies and session().replies_of[0] == entry.id:
        st.html(replies_html(session().replies))
        st.caption(f"Answered by {escape_markdown(session().replies_of[1])}, at most {MAX_TOKENS} tokens a reply.")
    prompting = session().prompting
    if prompting is None:
        return None
    with slot.container(horizontal=True, vertical_alignment="center"):
        bar = st.empty()
        st.button("Stop", key=Key.PROMPT_STOP, icon=":material/stop_circle:", on_click=prompting.job.cancel.set)

    def draw(job: jobs.Job[int]) -> None:
        done = sum(isinstance(event, PromptedReply) for event in job.events)
        bar.progress(0.0, f"Asking {escape_markdown(prompting.model)}: {done} replies, {job.elapsed_s:.0f} s")

    return jobs.Activity(prompting.job, draw, _finish)


def _flag_name(row: ReportRow) -> str:
    return f"{label_title(row.label.name)} · {place(row.clause)}: {excerpt(row.clause.text, 80)}"


def _ask(rows: Sequence[ReportRow]) -> None:
    data = session()
    data.prompt_pairs, data.prompt_error = tuple((row.clause.id, row.label.name) for row in rows), ""


def _start_what_is_due(entry: ContractEntry, clauses: Mapping[str, Clause]) -> None:
    data, choice = session(), shared_session().model_choice
    if not data.prompt_pairs or data.prompting:
        return
    if choice.source == "bundled" and (missing := resources.missing_bundles(choice)):
        if shared_session().fetching:
            st.caption("Waiting for the chat model.")
        else:
            draw_fetch_offer(st.empty(), missing)
        return
    pairs, data.prompt_pairs = data.prompt_pairs, ()
    try:
        with st.spinner(f"Loading {escape_markdown(choice.label) or 'the model'}…"):
            model = resources.chat_model(choice)
    except PlaygroundError as error:
        data.prompt_error = str(error)
        return
    asked = [(clauses[clause_id], label) for clause_id, label in pairs if clause_id in clauses]
    data.prompting = Prompting(entry.id, model.model_id, start_prompting(asked, model))


def start_prompting(asked: Sequence[tuple[Clause, str]], model: ChatModel) -> jobs.Job[int]:
    """Ask about each clause and label in the background, zero-shot and few-shot; each reply is reported."""

    def work(report: jobs.Report) -> int:
        for clause, name in asked:
            label = catalogue()[name]
            examples = choose_examples(label, few_shot_clauses())
            for technique, messages in (
                ("zero-shot", zero_shot_messages(clause.text, label)),
                ("few-shot", few_shot_messages(clause.text, label, examples)),
            ):
                completion = model.complete(messages, max_tokens=MAX_TOKENS, on_token=lambda _text: report(""))
                report(
                    PromptedReply(
                        clause_id=clause.id,
                        place=place(clause),
                        clause_text=clause.text,
                        label=name,
                        technique="zero-shot" if technique == "zero-shot" else "few-shot",
                        completion=completion,
                        decision=parse_decision(completion.text),
                    )
                )
        return 2 * len(asked)

    return jobs.start(work)


def _finish(job: jobs.Job[int]) -> None:
    data = session()
    prompting, data.prompting = data.prompting, None
    if prompting is None:
        return
    replies = tuple(event for event in job.events if isinstance(event, PromptedReply))
    if replies:
        data.replies, data.replies_of = replies, (prompting.entry_id, prompting.model)
    data.prompt_error = job.error or ""


def replies_html(replies: Sequence[PromptedReply]) -> str:
    """Return the replies as a table: a row a clause and label, raw words, decision, tokens, seconds."""
    by_pair: dict[tuple[str, str], dict[str, PromptedReply]] = {}
    for reply in replies:
        by_pair.setdefault((reply.clause_id, reply.label), {})[reply.technique] = reply
    rows = []
    for techniques in by_pair.values():
        first = next(iter(techniques.values()))
        quote = escape_html(excerpt(first.clause_text, 180))
        cells = "".join(
            _reply_html(techniques[technique]) if technique in techniques else _NOT_RUN
            for technique in ("zero-shot", "few-shot")
        )
        rows.append(
            f"<tr><td><b>{escape_html(label_title(first.label))}</b>"
            f"<div class='flag-place'>{escape_html(first.place)}</div>"
            f"<q>{quote}</q></td>{cells}</tr>"
        )
    return (
        '<div class="scroll-x"><table class="flag-table"><thead><tr><th>Flag</th><th>Zero-shot</th><th>Few-shot</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _reply_html(reply: PromptedReply) -> str:
    decisions = {True: "Yes: agrees with the flag", False: "No: does not agree", None: "neither Yes nor No"}
    completion = reply.completion
    usage = completion.usage
    tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out" if usage else "tokens not reported"
    raw = escape_html(shortened(completion.text.strip(), 400)) or "(nothing)"
    missing = " missing" if reply.decision is None else ""
    return (
        f'<td><span class="pill{missing}">{decisions[reply.decision]}</span><div class="reply">{raw}</div>'
        f'<div class="flag-place">{tokens} · {completion.duration_s:.1f} s</div></td>'
    )
