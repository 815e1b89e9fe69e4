"""The live run of an experiment: its button, progress, Stop, and going on with what was stopped."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground import pricing
from playground.errors import PlaygroundError
from playground.limits.experiment import Experiment, LimitRequest
from playground.limits.finding import is_right
from playground.limits.measure import experiments_root, new_folder, read_request
from playground.models.sources import ModelChoice
from playground.text.counting import counted
from playground.types import ChatModel, Usage
from playground.ui.limits.desk import DESK, LiveRun
from playground.ui.limits.state import Key, Wanted, session
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer, fetch_activity
from playground.ui.shared.markup import escape_html, escape_markdown
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.shared.session import session as shared_session
from playground.ui.shared.words import clock
from scenarios.experiments import experiment as experiment_named

_REDRAWN_EVERY_S = 1.0


def draw_live(chosen: Experiment) -> None:
    """Draw the run under way or its end, and the button that begins one."""
    data = session()
    draw_notice(data.notice)
    data.notice = None
    run = DESK.latest()
    if run is not None and (not run.is_over or run.owner == data.id):
        with st.container(key=Key.STATUS, border=True):
            if run.is_over:
                _draw_over(run)
            else:
                if run.owner != data.id:
                    st.caption("This run was started in another browser window. One runs on a machine at a time.")
                _draw_under_way(run)
    _draw_start(chosen, is_busy=run is not None and not run.is_over)


def _draw_start(chosen: Experiment, *, is_busy: bool) -> None:
    choice = shared_session().model_choice
    with st.container(horizontal=True, vertical_alignment="center"):
        cap = _spending_cap(choice) if chosen.needs_model else None
        request = LimitRequest(size=chosen.live, model=choice.command_line_name)
        st.button(
            "Measure it here",
            key=Key.START,
            type="primary",
            icon=":material/play_arrow:",
            disabled=is_busy,
            on_click=_want,
            args=(Wanted(chosen.name, request, max_cost_usd=cap),),
        )
        st.caption(_what_it_takes(chosen))


def _what_it_takes(chosen: Experiment) -> str:
    conditions = len(chosen.live.conditions) or len(chosen.load().conditions)
    model = " with the small bundled model" if chosen.needs_model else ""
    return (
        f"{counted(conditions, 'condition')}, {counted(chosen.live.examples, chosen.examples_are.removesuffix('s'))} "
        f"each, about {clock(chosen.live_takes_s)} on two free cores{model}. The full run: `{chosen.command}`"
    )


def _spending_cap(choice: ModelChoice) -> float | None:
    """Draw what an endpoint may cost; None on this machine, and where nobody set a cap."""
    if choice.is_private or choice.endpoint is None:
        return None
    price = pricing.cost_usd(Usage(1, 1), choice.endpoint.model, provider_base_url=choice.endpoint.base_url)
    if price is None:
        st.warning(
            escape_markdown(
                f"The price of {choice.label} at this endpoint is not known: no cap can be kept, and nothing here "
                "bounds what the endpoint may charge. With a cap, no call is made."
            ),
            icon=":material/money_off:",
        )
    return st.number_input(
        "Spend at most, USD",
        value=None if price is None else 1.0,
        min_value=0.01,
        step=0.5,
        key=Key.CAP if price is not None else Key.CAP_UNPRICED,
        placeholder="no cap",
        width=170,
    )


def _want(wanted: Wanted) -> None:
    data = session()
    data.wanted, data.notice = wanted, None
    latest = DESK.latest()
    if latest is not None and latest.is_over:
        DESK.put_away(latest)


@st.fragment(run_every=_REDRAWN_EVERY_S)
def _draw_under_way(run: LiveRun) -> None:
    if run.is_over:
        st.rerun()
    stopping = run.stop.is_set()
    seconds = run.remaining_s()
    left = "time left not known yet" if seconds is None else f"about {clock(seconds)} left"
    stage = "Stopping after the answer under way; finished rows are kept" if stopping else run.stage
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(
            min(run.done / run.planned, 1.0) if run.planned else 0.0,
            f"{escape_markdown(run.experiment.title)}. {stage}: {run.done:,} of {run.planned:,} rows, "
            f"{clock(run.elapsed_s)} elapsed, {left}",
        )
        st.button("Stop", key=Key.STOP, icon=":material/stop:", on_click=run.stop.set, disabled=stopping)
    st.html(f'<div class="live-rows">{_counts_html(run)}</div>')


def _counts_html(run: LiveRun) -> str:
    found: dict[str, list[bool]] = {}
    for row in tuple(run.rows):
        found.setdefault(row.strategy, []).append(is_right(row))
    scored = any("right" in row.scores for row in tuple(run.rows))
    return "".join(
        f"<span>{escape_html(name)} <b>{len(own)}</b>{f', {sum(own)} right' if scored else ''}</span>"
        for name, own in found.items()
    )


def _draw_over(run: LiveRun) -> None:
    rows = f"{run.done:,} of {run.planned:,} rows"
    failed = [row.error for row in run.rows if row.error]
    if run.job.error:
        st.error(escape_markdown(run.job.error), icon=":material/error:")
    elif run.stop.is_set():
        st.info(f"Stopped after {rows}; they are kept.", icon=":material/stop:")
    else:
        st.success(f"Measured {rows} in {clock(run.elapsed_s)}. Shown below.", icon=":material/check_circle:")
    if failed:
        st.warning(escape_markdown(f"{len(failed):,} rows failed and count as wrong. {failed[-1]}"))
    request = read_request(run.folder)
    with st.container(horizontal=True):
        if request is not None and (run.done < run.planned or failed or run.job.error):
            wanted = Wanted(run.experiment.name, request, run.folder.name)
            st.button("Go on", key=Key.GO_ON, type="primary", on_click=_want, args=(wanted,))
        st.button("Close", key=Key.PUT_AWAY, on_click=DESK.put_away, args=(run,))


def advance(slot: DeltaGenerator) -> None:
    """Start what was asked for, as soon as its models are on this machine."""
    if activity := fetch_activity(slot):
        if jobs.follow([activity]):
            st.rerun()
        return
    data = session()
    if data.wanted is None:
        return
    wanted, choice = data.wanted, shared_session().model_choice
    chosen = experiment_named(wanted.experiment)
    missing = resources.missing_bundles(choice) if chosen.needs_model else resources.missing_encoders()
    if missing:
        draw_fetch_offer(slot, missing)
        return
    data.wanted = None
    try:
        with slot, st.spinner(f"Loading {escape_markdown(choice.label) or 'the model'}…"):
            model = resources.chat_model(choice) if chosen.needs_model else None
            embedder = resources.embedder()
        folder = experiments_root() / wanted.folder if wanted.folder else new_folder(chosen, wanted.request)
        DESK.start(
            chosen,
            folder,
            lambda: chosen.load().prepare(
                wanted.request, load_model=lambda: _loaded(model), load_embedder=lambda: embedder
            ),
            owner=data.id,
            max_cost_usd=wanted.max_cost_usd,
        )
    except PlaygroundError as error:
        data.notice = Notice("error", str(error))
    st.rerun()


def _loaded(model: ChatModel | None) -> ChatModel:
    if model is None:
        raise TypeError("no chat model is asked in this experiment")
    return model
