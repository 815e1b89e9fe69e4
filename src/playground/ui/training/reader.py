"""Train the policy reader: what it learns from, how long, and what it changed in the bot's answers."""

from __future__ import annotations

import random

import streamlit as st

from playground.adapters import AdapterStore
from playground.errors import PlaygroundError
from playground.training.charts import loss_figure, score_figure
from playground.ui.shared.markup import escape_html, escape_markdown, shortened
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.shared.words import NOTHING, clock
from playground.ui.training.desk import DESK, TrainingRun
from playground.ui.training.report import activate
from playground.ui.training.state import Key, session
from scenarios.return_policy.reader.cards import all_cards
from scenarios.return_policy.reader.policies import invent_policy
from scenarios.return_policy.reader.training import (
    Effect,
    ReaderPlan,
    ReaderReport,
    live_plan,
)
from scenarios.return_policy.record import PAGE

_MINUTES = (1, 2, 3, 5, 10, 20)
_SHOWN_CHARACTERS = 1_600


def draw_reader_setup(store: AdapterStore) -> None:
    """Draw what the reader learns from, the length of the training, and the button that starts it."""
    setup, example = st.columns([11, 9], gap="large")
    with setup:
        st.markdown(
            "**SmolLM2-135M-Instruct** learns one behaviour: answer from the passages in a sentence, or say that it "
            "does not know. It reads policies of shops that do not exist, invented anew for every training, so that "
            "there is no fact to memorise."
        )
        minutes = st.select_slider("Minutes of training", _MINUTES, 3, key=Key.READER_MINUTES)
        free = store.free_name("my-reader")
        left, right = st.columns(2)
        name = left.text_input("Name of the adapter", free, max_chars=64, key=f"{Key.READER_NAME}_{free}")
        seed = right.number_input("Seed", 0, 2**31, 0, key=f"{Key.SEED}_reader")
        plan = live_plan(name.strip(), int(minutes), int(seed))
        st.caption(
            f"{plan.policies} invented policies, about {plan.policies * 45:,} questions; as many as fit are read. "
            "Inventing them and trying the result on ten questions takes a minute more. A few minutes teach it to "
            "decline, hardly to read: the shipped adapter trained for much longer."
        )
        st.button(
            "Start training",
            key=Key.START,
            type="primary",
            icon=":material/model_training:",
            on_click=_start,
            args=(plan, store),
        )
        draw_notice(session().start_notice)
    with example:
        _draw_example(int(seed))


def draw_reader_over(run: TrainingRun, store: AdapterStore) -> None:
    """Draw a training that is over: the questions before and after, or why there is nothing to show."""
    report = run.job.result
    if not isinstance(report, ReaderReport):
        st.error(escape_markdown(run.job.error or "The training was ended."), icon=":material/error:")
        st.caption("Nothing was stored, and the active adapter is unchanged.")
        st.button("Back to the settings", key=Key.AGAIN, on_click=DESK.put_away, args=(run,))
        return
    early = "Stopped early; the best weights so far were kept. " if report.trained.stopped else ""
    st.success(escape_markdown(f"{early}Adapter {report.adapter.identity} is stored."), icon=":material/check_circle:")
    _draw_figures(report)
    with st.container(horizontal=True):
        if st.button(
            "Answer with it, for everybody on this machine",
            key=Key.ACTIVATE_NEW,
            type="primary",
            icon=":material/bolt:",
        ):
            activate(store, report.adapter.name)
            if (notice := session().use_notice) and notice.kind == "success":
                st.switch_page(PAGE.path)
        st.button("Train another", key=f"{Key.AGAIN}_reader", on_click=DESK.put_away, args=(run,))
    draw_notice(session().use_notice)
    effects, curves = st.tabs(["Before and after", "Curves"], key="training_reader_report")
    with effects:
        _draw_effects(report.effects)
    with curves:
        left, right = st.columns(2, gap="medium")
        chart = {"displayModeBar": False}
        left.plotly_chart(loss_figure(report.history), config=chart, key="training_loss_done")
        right.plotly_chart(score_figure(report.history, "language_model"), config=chart, key="training_score_done")


def _start(plan: ReaderPlan, store: AdapterStore) -> None:
    data = session()
    data.start_notice = None
    try:
        DESK.start(plan, store, data.id)
    except PlaygroundError as error:
        data.start_notice = Notice("error", str(error))


def _delta(more: int) -> str | None:
    """Return how many more are right; none are no news, and an arrow would make them some."""
    return f"{more:+d} to prompting alone" if more else None


def _draw_example(seed: int) -> None:
    st.markdown("**One of the policies it would learn from**")
    policy = invent_policy(all_cards(), random.Random(f"{seed}/0"))  # noqa: S311 a repeatable draw
    with st.container(height=300, border=True):
        st.text(shortened(policy.document.text, _SHOWN_CHARACTERS))
    st.caption(
        f"Made of some of {len(all_cards())} kinds of rules. Numbers, dates, goods and wording are drawn at random. "
        "The sample policies are never trained on."
    )


def _draw_figures(report: ReaderReport) -> None:
    trained = report.trained
    with st.container(horizontal=True, gap="large", key="training_headline"):
        for title, answerable in (("Answered right", True), ("Declined right", False)):
            rows = [effect for effect in report.effects if effect.answerable is answerable]
            before, after = sum(row.before_right for row in rows), sum(row.after_right for row in rows)
            st.metric(title, f"{after} of {len(rows)}", _delta(after - before), width="content")
        st.metric("Questions read", f"{trained.examples:,}", width="content")
        st.metric("Trained in", clock(trained.duration_s), width="content")
        st.metric("Adapter", f"{report.adapter.manifest.size_bytes / 1e6:.1f} MB", width="content")
        st.metric("Base weights", "unchanged" if trained.base_unchanged else "CHANGED", width="content")
    st.caption(
        "Ten questions on the sample policies, which were not trained on: enough to see the manner, too few for a "
        "rate. The comparison page has the rates."
    )


def _draw_effects(effects: tuple[Effect, ...]) -> None:
    if not effects:
        st.caption("The training was stopped before the questions were put.")
        return
    rows = "".join(
        f"<tr><td>{escape_html(effect.question)}</td>{_cell(effect.before, effect.before_right)}"
        f"{_cell(effect.after, effect.after_right)}</tr>"
        for effect in effects
    )
    st.html(
        '<div class="scroll-x"><table class="passages"><thead><tr><th>Question</th><th>Prompting alone</th>'
        f"<th>With the new adapter</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(answer: str, right: bool) -> str:
    pill = '<span class="pill">right</span>' if right else '<span class="pill missing">wrong</span>'
    return f"<td>{pill} {escape_html(shortened(answer, 240) or NOTHING)}</td>"
