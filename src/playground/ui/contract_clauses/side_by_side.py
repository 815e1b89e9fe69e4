"""The same contract judged by the untrained base and by the adapter, side by side; and several contracts in a table."""

from __future__ import annotations

import streamlit as st

from playground.flagging.report import report_rows
from playground.flagging.report.rows import percent, place
from playground.paths import CONTRACTS
from playground.types import FlaggedContract
from playground.ui.contract_clauses import flag_filter, state
from playground.ui.contract_clauses.contract_html import count_chips_html, excerpt, tag_html
from playground.ui.contract_clauses.flagger_choice import ZERO_SHOT, FlaggerChoice
from playground.ui.contract_clauses.gold import Agreement, Gold, agreement, load_gold
from playground.ui.contract_clauses.state import ContractEntry, Judged, Key, catalogue, session, shown_labels
from playground.ui.shared.layout import link_to_training
from playground.ui.shared.markup import escape_html, escape_markdown, spoken

_HEIGHT = 460
_MOST_ROWS = 150


def draw_comparison(entry: ContractEntry, choice: FlaggerChoice) -> None:
    """Draw what the untrained base and the chosen flagger find in one contract."""
    if choice.kind == "zero_shot":
        st.info(
            "Choose a LoRA adapter under *Judged by*: the untrained base is compared with it. Without an adapter, "
            "compare it with the keywords, or train one."
        )
        link_to_training("Train an adapter")
        return
    base, other = entry.results.get(ZERO_SHOT.key), entry.results.get(choice.key)
    if base is None:
        st.markdown(
            "The untrained encoder judges the same clauses by how near each is to a label's question. Its thresholds "
            "were chosen on this project's annotated clauses; none of its weights was trained on them."
        )
        st.button(
            "Judge with the untrained base too",
            key=Key.COMPARE,
            type="primary",
            on_click=_want_base,
            args=(entry,),
            disabled=ZERO_SHOT.key in entry.wanted and ZERO_SHOT.key not in entry.failed,
        )
        if reason := entry.failed.get(ZERO_SHOT.key):
            st.error(escape_markdown(reason))
        return
    if other is None:
        st.caption(f"{choice.title} has not judged this contract yet.")
        return
    gold = None
    if entry.source == "sample":
        gold = load_gold(CONTRACTS / "gold.json", entry.name, other.scored.document, other.scored.clauses)
    left, right = st.columns(2, gap="medium")
    pairs = [(judged, state.flagged(entry, judged)) for judged in (base, other)]
    sets = [{(flag.clause_id, flag.label) for flag in flagged.flags} for _, flagged in pairs]
    for column, (judged, flagged), theirs in zip((left, right), pairs, reversed(sets), strict=True):
        with column:
            _draw_side(judged, flagged, theirs, gold)
    if gold is not None:
        st.caption(
            "Against the gold annotation of this sample, for the labels looked for: how many annotated stretches carry "
            "a flag of their label, and how many flags are on clauses annotated so. One contract is an example, not a "
            "measurement."
        )


def _want_base(entry: ContractEntry) -> None:
    entry.wanted[ZERO_SHOT.key] = ZERO_SHOT
    entry.failed.pop(ZERO_SHOT.key, None)
    entry.stopped = False


def _draw_side(judged: Judged, flagged: FlaggedContract, theirs: set[tuple[str, str]], gold: Gold | None) -> None:
    rows = report_rows(flagged, catalogue())
    only = sum((row.clause.id, row.label.name) not in theirs for row in rows)
    st.header(escape_markdown(judged.choice.title), anchor=False)
    with st.container(horizontal=True, gap="small"):
        st.metric("Flags", len(rows), width=70)
        st.metric("only here", only, width=85)
        if gold is not None:
            agreed = agreement(gold, flagged.clauses, flagged.flags, shown_labels())
            st.metric("Recall on gold", rate(agreed.found, agreed.stretches), width=135, help=gold_help(agreed))
            st.metric("Precision on gold", rate(agreed.right, agreed.flags), width=150, help=gold_help(agreed))
    st.caption(f"Judged in {judged.scored.timings['judge_s']:.1f} s.")
    with st.container(height=_HEIGHT, border=True):
        lines = []
        for row in rows[:_MOST_ROWS]:
            pair = (row.clause.id, row.label.name)
            marks = "" if gold is None else " ✓ in gold" if pair in gold.pairs else " ✗ not in gold"
            where = "" if pair in theirs else ' <span class="pill">only here</span>'
            score = percent(row.score) if judged.choice.gives_probabilities else f"score {row.score or 0:.2f}"
            quote = escape_html(excerpt(row.clause.text, 200))
            lines.append(
                f'<div class="flag-card"><div class="flag-head">{tag_html(row, probabilities=False)}{where}'
                f'<span class="flag-score">{escape_html(score)}</span></div>'
                f'<div class="flag-place">{escape_html(place(row.clause) + marks)}</div><q>{quote}</q></div>'
            )
        st.html("".join(lines) or "<div>No flag.</div>")
    st.html(count_chips_html(flag_filter.label_counts(rows), {row.label.name: row.label.risk for row in rows}))


def rate(part: int, whole: int) -> str:
    """Return a share with its counts, or a dash where there is nothing to count."""
    return f"{part / whole:.0%}" if whole else "\u2013"


def gold_help(agreed: Agreement) -> str:
    """Return the counts behind the rates."""
    return (
        f"{agreed.found} of {agreed.stretches} annotated stretches are flagged; {agreed.right} of {agreed.flags} flags "
        "are on clauses annotated so."
    )


# --- several contracts ----------------------------------------------------------------------------------------------


def draw_table(choice: FlaggerChoice) -> None:
    """Draw what became of each contract, with what can be done with it."""
    st.caption(f"Flags of {escape_markdown(choice.title)} at the slider's place. Open adds more, several at a time.")
    for entry in session().entries:
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            st.html(_entry_html(entry, choice))
            if entry.results and entry.id != session().selected:
                st.button(
                    spoken("Show", entry.name), key=f"contract_show_{entry.id}", on_click=state.show, args=(entry.id,)
                )
            st.button(
                spoken("Remove", entry.name),
                key=f"contract_remove_{entry.id}",
                icon=":material/delete:",
                on_click=state.remove,
                args=(entry.id,),
            )


def _entry_html(entry: ContractEntry, choice: FlaggerChoice) -> str:
    judged = entry.results.get(choice.key)
    problem = entry.unreadable or entry.failed.get(choice.key, "")
    if judged:
        rows = report_rows(state.flagged(entry, judged), catalogue(), entry.corrections)
        counts = flag_filter.risk_counts(rows)
        facts = f"{len(judged.scored.clauses):,} clauses · {judged.read_s + judged.scored.timings['total_s']:.1f} s"
        tags = "".join(
            f'<span class="flag-tag tag-{risk}">{risk} <b>{count}</b></span>' for risk, count in counts.items() if count
        )
    else:
        facts = problem or ("stopped" if entry.stopped else "waiting")
        tags = '<span class="pill missing">not read</span>' if problem else ""
    return (
        f'<div class="version"><b>{escape_html(entry.name)}</b><div class="flag-place">{escape_html(facts)}</div>'
        f'<div class="flag-chips">{tags}</div></div>'
    )
