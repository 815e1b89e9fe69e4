"""The flags: how sure to be, counts, filters and a card for each, with what a reader decides. The page's right half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import streamlit as st

from playground.clauses.contract_kind import CONTRACT_KINDS, kind_sentence
from playground.flagging.calibration import SHIFTS
from playground.flagging.report import ReportRow, missing_labels, stance_lines
from playground.flagging.report.risk_style import RISK_ORDER, RISK_SIGNS, RISK_TITLES
from playground.flagging.report.rows import OVERLOOKS, full_place, percent, place, reason
from playground.text.label_titles import label_title
from playground.types import Clause, FlaggedContract, Risk
from playground.ui.contract_clauses import flag_filter, state
from playground.ui.contract_clauses.contract import HEIGHT
from playground.ui.contract_clauses.contract_html import count_chips_html, evidence_html, excerpt, tag_html
from playground.ui.contract_clauses.flag_filter import ORDERS
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice, measured
from playground.ui.contract_clauses.side import draw_side
from playground.ui.contract_clauses.state import PROMPTING, ContractEntry, Judged, Key, catalogue, session
from playground.ui.shared.markup import escape_html, spoken
from playground.ui.shared.words import of_ten

CARDS = 8
_MOST_QUOTED = 260
_MOST_CLAUSES_LISTED = 100
_SCOPES = {"liabilities": "21 liabilities", "all": "all 41 labels"}


def draw_panel(entry: ContractEntry, judged: Judged, flagged: FlaggedContract, rows: Sequence[ReportRow]) -> None:
    """Draw the panel for the contract that is shown; ``rows`` are all its flags, corrections included."""
    with st.container(height=HEIGHT, border=False, key=Key.PANEL):
        draw_side(flagged, entry.corrections)
        _draw_slider(judged)
        if session().picked:  # in sight at once, and not below all cards
            _draw_add(entry, flagged)
        listed = _draw_filters(judged, rows)
        _draw_missing(entry, flagged)
        risks: Mapping[str, Risk] = {row.label.name: row.label.risk for row in rows}
        st.html(count_chips_html(flag_filter.label_counts(rows), risks))
        _draw_cards(entry, judged, listed, any_flag=bool(rows))
        if not session().picked:
            _draw_add(entry, flagged)


def _draw_slider(judged: Judged) -> None:
    st.select_slider(
        "How sure must it be?",
        SHIFTS,
        value=0.0,
        format_func=_shift_name,
        key=Key.SHIFT,
        persist_state="session",
        help="Moves the thresholds of all labels together, in log-odds.",
        on_change=_moved,
    )
    said = measured_html(judged.choice, state.shift(), state.shown_labels())
    st.html(f'<div class="measured">{said}</div>')


def _moved() -> None:
    # The contract is a fragment, and what is drawn of it elsewhere stands outside.
    if st.session_state.get(Key.TABS) == PROMPTING:
        st.rerun()


def _shift_name(shift: float) -> str:
    names = {SHIFTS[0]: "miss nothing", 0.0: "balanced", SHIFTS[-1]: "only sure ones"}
    return names.get(shift, f"{shift:+.1f}")


def measured_html(choice: FlaggerChoice, shift: float, shown: Set[str]) -> str:
    """Return what was measured at a place of the slider, or that nothing was.

    The figures are over all labels of the adapter, which is said where only some of them are ``shown``.
    """
    figures = measured(choice)
    point = figures.at(shift) if figures else None
    if figures is None or point is None:
        return "Recall and precision at this point: <b>not measured</b> for this flagger."
    recall = "none to find" if point.recall is None else f"finds <b>{point.recall:.0%}</b> of what is there"
    right = "flags nothing" if point.precision is None else f"<b>{point.precision:.0%}</b> of its flags are right"
    known = choice.stored.manifest.labels if choice.stored else ()
    n_shown = len(shown & set(known))
    over = ""
    if n_shown < len(known):
        over = f" Both are over all {len(known)} labels it knows, not over the {n_shown} shown alone."
    plain_recall = "none to find" if point.recall is None else f"finds <b>{of_ten(point.recall)}</b>"
    plain_right = (
        "flags nothing" if point.precision is None else f"<b>{of_ten(point.precision)}</b> of its flags are right"
    )
    return (
        f"On new contracts: {plain_recall}; {plain_right}. <details><summary>How this was measured</summary>At this "
        f"point it {recall}; {right}.{over} Measured on {escape_html(figures.measured_on)}.</details>"
    )


def _draw_filters(judged: Judged, rows: Sequence[ReportRow]) -> tuple[ReportRow, ...]:
    counts = flag_filter.risk_counts(rows)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        risks = st.pills(
            "Risks",
            RISK_ORDER if state.shown_labels() - _liabilities() or counts["informational"] else RISK_ORDER[:3],
            selection_mode="multi",
            format_func=lambda risk: f"{RISK_SIGNS[risk]} {RISK_TITLES[risk].removesuffix(' risk')} {counts[risk]}",
            key=Key.RISKS,
            label_visibility="collapsed",
        )
        with st.popover("Filter", icon=":material/filter_list:"):
            st.segmented_control(
                "Look for",
                list(_SCOPES),
                default="liabilities",
                required=True,
                format_func=lambda scope: _SCOPES[scope],
                key=Key.SCOPE,
                persist_state="session",
            )
            names = list(flag_filter.label_counts(rows))
            kept = [name for name in st.session_state.get(Key.LABELS) or [] if name in names]
            if kept != (st.session_state.get(Key.LABELS) or []):
                st.session_state[Key.LABELS] = kept
            labels = st.multiselect(
                "List only these labels", names, format_func=label_title, key=Key.LABELS, placeholder="all"
            )
            score = "probability" if judged.choice.gives_probabilities else "score"
            least = st.slider(f"List only flags of at least this {score}", 0, 99, 0, format="%d %%", key=Key.LEAST)
            order = st.selectbox("Order", list(ORDERS), format_func=lambda o: ORDERS[o], key=Key.ORDER)
    return flag_filter.chosen(rows, risks=risks, labels=labels, least=least / 100, order=order)


def _liabilities() -> frozenset[str]:
    return frozenset(name for name, label in catalogue().items() if label.liability)


def _draw_missing(entry: ContractEntry, flagged: FlaggedContract) -> None:
    place_of_line = st.empty()
    if flagged.usual:
        place_of_line.html(
            f'<div class="missing-labels">{missing_html(flagged, missing_labels(flagged, entry.corrections))}</div>'
        )


def missing_html(flagged: FlaggedContract, missing: Sequence[str]) -> str:
    """Return what kind of contract it was taken for, and which labels that are usual in such were not found."""
    names = ", ".join(f"<b>{escape_html(label_title(name))}</b>" for name in missing)
    usual = f"{kind_sentence(flagged.kind)} Usual in {CONTRACT_KINDS[flagged.kind]}"
    if missing:
        return f"{usual}, not found: {names}"
    kinds = len(flagged.usual)
    found = "of the one kind" if kinds == 1 else f"of each of the {kinds} kinds"
    return f"{usual}: {found} looked for, a clause was found. {OVERLOOKS}"


def _draw_cards(entry: ContractEntry, judged: Judged, rows: Sequence[ReportRow], *, any_flag: bool) -> None:
    if not rows:
        nothing = f"No clause is flagged at this point of the slider. {OVERLOOKS}"
        st.caption("No flag matches the filter." if any_flag else nothing)
        return
    pages = -(-len(rows) // CARDS)
    if int(st.session_state.get(Key.FLAG_PAGE) or 1) > pages:
        st.session_state[Key.FLAG_PAGE] = pages
    page = int(st.session_state.get(Key.FLAG_PAGE) or 1)
    for row in rows[(page - 1) * CARDS : page * CARDS]:
        _draw_card(entry, judged, row)
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{len(rows)} flags")
            st.pagination(pages, key=Key.FLAG_PAGE)


def _draw_card(entry: ContractEntry, judged: Judged, row: ReportRow) -> None:
    clause, label = row.clause, row.label.name
    which = f"{place(clause)}, {label_title(label)}"
    with st.container(border=True, gap="small"):
        st.html(card_html(row, probabilities=judged.choice.gives_probabilities, note=session().search_failed))
        with st.container(horizontal=True, gap="small"):
            st.button(
                spoken("Jump", which),
                key=state.flag_key("jump", clause.id, label),
                icon=":material/my_location:",
                on_click=state.jump_to,
                args=(clause.id,),
            )
            if row.verdict:
                st.button(
                    spoken("Undo", which),
                    key=state.flag_key("undo", clause.id, label),
                    icon=":material/undo:",
                    on_click=state.decide,
                    args=(entry, clause.id, label, None),
                )
                st.empty()  # in the place of the button that was there
                return
            st.button(
                spoken("Confirm", which),
                key=state.flag_key("confirm", clause.id, label),
                icon=":material/check:",
                on_click=state.decide,
                args=(entry, clause.id, label, "confirmed"),
            )
            st.button(
                spoken("Reject", which),
                key=state.flag_key("reject", clause.id, label),
                icon=":material/close:",
                on_click=state.decide,
                args=(entry, clause.id, label, "rejected"),
            )


def card_html(row: ReportRow, *, probabilities: bool = True, note: str = "") -> str:
    """Return a flag as a card: tag, probability, place, words, why it matters, what to check, evidence."""
    label = row.label
    score = "" if row.score is None else percent(row.score) if probabilities else f"score {row.score:.2f}"
    rule = ""
    if row.rule:
        score, rule = "by rule", f'<div class="flag-place">{escape_html(reason(row))}</div>'
    pill = f' <span class="pill">{row.verdict}</span>' if row.verdict else ""
    where = escape_html(full_place(row.clause))
    quote = escape_html(excerpt(row.clause.text, _MOST_QUOTED))
    why = f"<p><b>Why it matters:</b> {escape_html(label.why)}</p>" if label.why else ""
    check = f"<p><b>Check:</b> {escape_html(label.check)}</p>" if label.check else ""
    position = "".join(
        f"<p><b>{escape_html(title)}:</b> {escape_html(words)}</p>" for title, words in stance_lines(label)
    )
    evidence = evidence_html(row.evidence) if row.evidence else ""
    if not row.evidence and row.score is not None:
        what = f"No similar clauses: {note}" if note else "Looking for similar annotated clauses…"
        evidence = f'<div class="flag-place">{escape_html(what)}</div>'
    rejected = " rejected" if row.verdict == "rejected" else ""
    return (
        f'<div class="flag-card{rejected}"><div class="flag-head">{tag_html(row, probabilities=False)}{pill}'
        f'<span class="flag-score">{escape_html(score)}</span></div><div class="flag-place">{where}</div>{rule}'
        f"<q>{quote}</q>{why}{check}{position}{evidence}</div>"
    )


# --- adding a flag --------------------------------------------------------------------------------------------------


def _draw_add(entry: ContractEntry, flagged: FlaggedContract) -> None:
    adding = st.expander(
        "Add a flag that was missed: click its clause in the text", icon=":material/add:", key=Key.ADD_OPEN,
        on_change="rerun",
    )  # fmt: skip
    if not adding.open:
        return
    with adding:
        words = st.text_input("Words in the clause", key=Key.ADD_SEARCH, placeholder="any words of it", max_chars=200)
        found = clauses_with(flagged.clauses, words)
        listed = found[:_MOST_CLAUSES_LISTED]
        picked = next((clause for clause in flagged.clauses if clause.id == session().picked), None)
        if picked is not None and picked not in listed:
            listed.insert(0, picked)
        names = {clause.id: _clause_name(clause) for clause in listed}
        if not names:
            st.caption("No clause has these words.")
            return
        if len(found) > len(names):
            st.caption(f"The first {len(names)} of {len(found):,} clauses are listed; type words to find others.")
        st.selectbox("Clause", list(names), format_func=lambda key: names.get(key, ""), key=Key.ADD_CLAUSE)
        st.selectbox("Label", list(catalogue()), format_func=label_title, key=Key.ADD_LABEL)
        st.button("Add the flag", key=Key.ADD, type="primary", on_click=_add, args=(entry,))


def _add(entry: ContractEntry) -> None:
    # Read from the session: a click that also ends a choice comes before the script has seen it.
    clause_id, label = st.session_state.get(Key.ADD_CLAUSE), st.session_state.get(Key.ADD_LABEL)
    if clause_id and label:
        state.decide(entry, str(clause_id), str(label), "added")
        session().picked = ""


def clauses_with(clauses: Sequence[Clause], words: str) -> list[Clause]:
    """Return the clauses in which all of ``words`` occur, whatever the case; headings only when asked for by words."""
    wanted = words.lower().split()
    return [
        clause
        for clause in clauses
        if (clause.kind == "body" or wanted) and clause.text.strip() and all(w in clause.text.lower() for w in wanted)
    ]


def _clause_name(clause: Clause) -> str:
    return f"{place(clause)}: {excerpt(clause.text, 90)}"
