"""Measure again, here and now: one technique, a quick look at all, or everything; progress, time left, Stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.comparison.figures import TechniqueFigures
from playground.comparison.measured_here import RunRequest, new_folder, read_request, runs_root
from playground.comparison.techniques import technique_named, title_of
from playground.errors import PlaygroundError
from playground.models.catalog import SMOLLM2
from playground.models.sources import ModelChoice
from playground.text.counting import counted
from playground.types import ChatModel
from playground.ui.comparison import measurement_plan as measuring
from playground.ui.comparison import resources as comparison_resources
from playground.ui.comparison.desk import DESK, Measurement
from playground.ui.comparison.measurement_plan import ALL, QUICK, SAMPLE, Cell, limits_of
from playground.ui.comparison.resources import Comparison, RunFiles
from playground.ui.comparison.sources import dot_html
from playground.ui.comparison.state import Key, session
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer, fetch_activity
from playground.ui.shared.markup import escape_html, escape_markdown
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.shared.session import session as shared_session
from playground.ui.shared.words import clock
from scenarios import registry

_REDRAWN_EVERY_S = 1.0
_MOST_INTERRUPTED = 3
_NAMES = {QUICK: "Quick look", SAMPLE: "Sample", ALL: "All"}


# --- the measurement under way --------------------------------------------------------------------------------------


def draw_status() -> None:
    """Draw the measurement under way, or how the last one ended; on every section of the page."""
    data = session()
    draw_notice(data.notice)
    data.notice = None
    measurement = DESK.latest()
    if measurement is None or (measurement.is_over and measurement.owner != data.id):
        return  # how it ended is for those who began it; its rows are there for all
    with st.container(key=Key.STATUS, border=True):
        if measurement.is_over:
            _draw_over(measurement)
        else:
            if measurement.owner != data.id:
                st.caption("This measurement was started in another browser window. One runs on a machine at a time.")
            _draw_live(measurement)


@st.fragment(run_every=_REDRAWN_EVERY_S)
def _draw_live(measurement: Measurement) -> None:
    if measurement.is_over:
        st.rerun()
    stopping = measurement.stop.is_set()
    planned, done = measurement.planned, measurement.done
    seconds, complete = measurement.remaining_s()
    left = "time left not known yet" if seconds is None else f"{'about' if complete else 'over'} {clock(seconds)} left"
    stage = "Stopping after the answer under way; finished rows are kept" if stopping else measurement.stage
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(
            min(done / planned, 1.0) if planned else 0.0,
            f"{stage}: {done:,} of {planned:,} rows, {clock(measurement.elapsed_s)} elapsed, {left}",
        )
        st.button("Stop", key=Key.STOP, icon=":material/stop:", on_click=measurement.stop.set, disabled=stopping)
    lines = []
    for part in measurement.parts:
        for strategy in part.request.strategies:
            rows = [row for row in tuple(part.rows) if row.strategy == strategy]
            scored = [row.scores["right"] > 0 and row.error is None for row in rows if "right" in row.scores]
            failed = sum(row.error is not None for row in rows)
            right = f", {sum(scored)} right" if scored else ""
            errors = f", {failed} failed" if failed else ""
            lines.append(
                f"<span>{dot_html(technique_named(strategy, part.techniques))}"
                f"{escape_html(title_of(strategy, part.techniques))} <b>{len(rows)}</b>{right}{errors}"
                "</span>"
            )
    st.html(f'<div class="live-rows">{"".join(lines)}</div>')


def _draw_over(measurement: Measurement) -> None:
    done, planned = measurement.done, measurement.planned
    rows = f"{done:,} of {counted(planned, 'row')}"
    if measurement.job.error:
        st.error(escape_markdown(measurement.job.error), icon=":material/error:")
    elif measurement.stop.is_set():
        st.info(f"Stopped after {rows}; they are kept and stand beside the recorded ones.", icon=":material/stop:")
    else:
        st.success(
            f"Measured {rows} in {clock(measurement.elapsed_s)}, here and now. They stand beside the recorded ones.",
            icon=":material/check_circle:",
        )
    failed = [row.error for part in measurement.parts for row in part.rows if row.error]
    if failed:
        counts = "counts" if len(failed) == 1 else "count"
        st.warning(escape_markdown(f"{counted(len(failed), 'row')} failed and {counts} as wrong. {failed[-1]}"))
    if measurement.busy:
        st.warning(escape_markdown(measurement.busy), icon=":material/speed:")
    with st.container(horizontal=True):
        if done < planned or failed:
            requests = [part.request for part in measurement.parts]
            folders = [part.folder.name for part in measurement.parts]
            st.button("Go on", key=Key.GO_ON, type="primary", on_click=_want, args=(requests, folders))
        st.button("Close", key=Key.PUT_AWAY, on_click=DESK.put_away, args=(measurement,))


# --- what can be measured -------------------------------------------------------------------------------------------


def draw_techniques(scenario: str, comparison: Comparison | None, runs: RunFiles) -> None:
    """Draw the techniques of a scenario, recorded and fresh figures side by side, each with a button to measure it."""
    figures = comparison.figures if comparison else ()
    all_cells = _cells(scenario, shared_session().model_choice, _known(scenario, runs, figures))
    ready = tuple(cell for cell in all_cells if not cell.problem)
    is_busy = (latest := DESK.latest()) is not None and not latest.is_over
    size, cap = _draw_controls(scenario, ready, figures, runs, is_busy)
    _draw_interrupted(scenario, runs, cap, is_busy)
    with st.container(key=Key.TABLE, gap="small"):
        for cell in all_cells:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.html(_row_html(scenario, cell, figures, comparison), width="stretch")
                st.button(
                    "Measure",
                    key="_".join(["measure", scenario, cell.strategy, *([cell.adapter] if cell.adapter else [])]),
                    icon=":material/play_arrow:",
                    disabled=is_busy or bool(cell.problem),
                    on_click=_want,
                    args=(_requests(scenario, (cell,), size, cap),),
                )


@st.cache_data(ttl=30, max_entries=4, show_spinner=False)
def _cells(scenario: str, choice: ModelChoice, known: tuple[Cell, ...]) -> tuple[Cell, ...]:
    # The adapters that answer fit the small bundled model only.
    return measuring.cells(scenario, known, bundled=choice.bundle is SMOLLM2)


def _known(scenario: str, runs: RunFiles, figures: Sequence[TechniqueFigures] = ()) -> tuple[Cell, ...]:
    """Return what was recorded, and what else ``figures`` have of this machine, for a row each."""
    ways = measuring.recorded_ways([file.rows for file in runs.of(scenario) if file.recorded])
    recorded = [(way.strategy, way.adapter) for way in ways]
    pairs = next((way.pairs for way in ways if way.pairs), None)
    here = dict.fromkeys((one.strategy, one.adapter) for one in figures if not one.recorded)
    return (*ways, *(Cell(*key, pairs) for key in here if key not in recorded))


@st.cache_data(ttl=30, max_entries=64, show_spinner=False)
def _planned_rows(request: RunRequest) -> dict[str, int]:
    # Every look reads the questions and the hashes of the adapters.
    return measuring.planned_rows(request)


def _draw_controls(
    scenario: str, ready: tuple[Cell, ...], figures: Sequence[TechniqueFigures], runs: RunFiles, is_busy: bool
) -> tuple[str, float | None]:
    st.header("Measure again, here and now", anchor=False)
    limits, examples_are = limits_of(scenario), registry.scenario(scenario).examples_are
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        size = st.segmented_control(
            "How much",
            list(_NAMES),
            format_func=lambda name: (
                f"{_NAMES[name]}: {limits[name] or measuring.example_count(scenario)} {examples_are}"
            ),
            default=QUICK,
            required=True,
            key=f"{Key.SIZE}_{scenario}",
        )
        scenarios = registry.scenario_names()
        words = {1: "", 2: "Both scenarios"}.get(len(scenarios), "All scenarios")
        every = bool(words) and st.toggle(words, key=Key.BOTH_SCENARIOS)
        cap = _spending_cap()
        chosen = str(size or QUICK)
        requests = _requests(scenario, ready, chosen, cap)
        for other in scenarios if every else ():
            if other != scenario:
                cells = _cells(other, shared_session().model_choice, _known(other, runs))
                requests += _requests(other, tuple(cell for cell in cells if not cell.problem), chosen, cap)
        st.button(
            "Measure all techniques",
            key=Key.START,
            type="primary",
            icon=":material/play_arrow:",
            disabled=is_busy or not ready,
            on_click=_want,
            args=(requests,),
        )
    about = measuring.estimate_s(requests, _rates(requests, scenario, figures, runs), _planned_rows)
    takes = f"about {clock(about)}" if about is not None else "time not known, for some techniques were never recorded"
    rows = sum(sum(_planned_rows(one).values()) for one in requests)
    st.caption(
        f"All techniques: {counted(rows, 'row')}, {takes}. Same examples, same "
        "seed as recorded; the new rows stand beside the recorded ones."
    )
    choice = shared_session().model_choice
    if not choice.is_private and not measuring.is_priced(choice):
        st.warning(
            escape_markdown(
                f"The price of {choice.label} at this endpoint is not known: no cap can be kept, and nothing here "
                "bounds what the endpoint may charge. With a cap, no call is made."
            ),
            icon=":material/money_off:",
        )
    if cap is not None and cap <= 0:
        st.error(f"A spending cap of {cap:g} USD cannot be kept. Give more than 0.", icon=":material/error:")
    return chosen, cap


def _spending_cap() -> float | None:
    """Draw what an endpoint may cost, where one answers; None on this machine, and where no cap was set.

    Without a price there is no cap unless the user sets one, which is then refused: a cap that cannot be kept must not
    look like one, and one's own server would be refused every time.
    """
    choice = shared_session().model_choice
    if choice.is_private:
        return None
    is_priced = measuring.is_priced(choice)
    return st.number_input(
        "Spend at most, USD",
        value=1.0 if is_priced else None,
        step=0.5,
        format="%.2f",
        # A widget keeps its value under its key: the cap of a priced model is none of a model without a price.
        key=Key.CAP if is_priced else Key.CAP_UNPRICED,
        placeholder="no cap",
        width=170,
        help="Checked before each call to the endpoint: what was spent and the most that the call can cost.",
    )


def _draw_interrupted(scenario: str, runs: RunFiles, cap: float | None, is_busy: bool) -> None:
    """Offer to go on with runs that were stopped, or whose browser or app was closed."""
    latest = DESK.latest()
    shown = {part.folder.name for part in latest.parts} if latest else set()
    offered = 0
    for file in runs.of(scenario):
        request = None if file.recorded or file.name in shown else read_request(file.folder)
        if request is None or request.model != shared_session().model_choice.command_line_name:
            continue
        done = len(file.rows.records)
        try:
            planned = sum(_planned_rows(request).values())
        except PlaygroundError:
            continue  # an adapter is gone, or a technique: its rows stay on the page, and no more can be had
        if done >= planned or offered == _MOST_INTERRUPTED:
            continue
        offered += 1
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"{escape_markdown(file.name)} was interrupted after {done:,} of {planned:,} rows.")
            st.button(
                "Go on",
                key=f"go_on_{file.name}",
                disabled=is_busy,
                on_click=_want,
                args=([replace(request, max_cost_usd=cap)], [file.name]),
            )


def _rates(
    requests: Sequence[RunRequest], scenario: str, figures: Sequence[TechniqueFigures], runs: RunFiles
) -> dict[str, Mapping[str, float]]:
    rates: dict[str, Mapping[str, float]] = {scenario: measuring.seconds_per_row(figures)}
    for request in requests:
        if request.scenario not in rates:
            rates[request.scenario] = measuring.seconds_per_row(_figures_of(request.scenario, runs))
    return rates


def _requests(scenario: str, cells: Sequence[Cell], size: str, cap: float | None) -> list[RunRequest]:
    model = shared_session().model_choice.command_line_name
    return measuring.requests_of(scenario, cells, limits_of(scenario)[size], model, cap)


def _row_html(scenario: str, cell: Cell, figures: Sequence[TechniqueFigures], comparison: Comparison | None) -> str:
    techniques = registry.scenario(scenario).techniques
    own = [
        (place, one)
        for place, one in enumerate(figures)
        if (one.strategy, one.adapter) == (cell.strategy, cell.adapter)
    ]
    here = max(((place, one) for place, one in own if not one.recorded), key=lambda it: it[1].started_at, default=None)
    of_key = (one for _place, one in own if one.recorded and (here is None or one.key == here[1].key))
    recorded = next(of_key, next((one for _place, one in own if one.recorded), None))
    adapter = f'<br><span class="stamp">{escape_html(cell.adapter)}</span>' if cell.adapter else ""
    parts = [
        f'<span><b class="technique-name">{dot_html(technique_named(cell.strategy, techniques))}'
        f"{escape_html(title_of(cell.strategy, techniques))}</b>{adapter}</span>",
        f"<span>{_figures_html('recorded', recorded)}</span>",
    ]
    if here:
        place, one = here
        repeat = comparison.repeats.get(place) if comparison else None
        other = f"{one.model_id}, " if recorded and recorded.model_id != one.model_id else ""
        parts.append(f"<span>{_figures_html(f'{other}here', one)}</span>")
        if repeat and repeat[1].n and repeat[1].recorded and repeat[1].here:
            found = repeat[1]
            slower = f", {found.times_as_long:.2g}x the time" if found.times_as_long else ""
            parts.append(
                f'<span class="stamp repeat">plainly right on the same {found.n:,}: recorded '
                f"{found.recorded.value:.0%}, here "  # type: ignore[union-attr]
                f"{found.here.value:.0%}; {found.same:,} of {found.answers:,} answers identical{slower}</span>"  # type: ignore[union-attr]
            )
    elif cell.problem:
        parts.append(f'<span class="stamp repeat">{escape_html(cell.problem)}</span>')
    return f'<div class="technique-row">{"".join(parts)}</div>'


def _figures_html(words: str, one: TechniqueFigures | None) -> str:
    if one is None:
        return f'<span class="stamp">{words}: not yet</span>'
    # Which rate it is stands with it: beside a plain share of the same questions it would contradict it.
    accuracy = (
        "no accuracy"
        if one.accuracy is None
        else f'<b>{one.accuracy.value:.0%}</b> <span class="stamp">{escape_html(one.accuracy_name)}</span>'
    )
    interval = "" if one.accuracy is None else f" [{one.accuracy.low:.0%}, {one.accuracy.high:.0%}]"
    sample = one.sample or f"n = {one.n:,}"
    total = f", {_seconds(one.total_s.p50.value)} per {escape_html(one.unit)}" if one.total_s else ""
    return (
        f'<span class="pill{"" if one.recorded else " here"}">{escape_html(words)}</span> {accuracy}'
        f'<span class="stamp">{interval} {escape_html(sample)}{total}</span>'
    )


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value >= 1 else f"{1000 * value:.3g} ms"


# --- the start ------------------------------------------------------------------------------------------------------


def _want(requests: Sequence[RunRequest], folders: Sequence[str] = ()) -> None:
    data = session()
    data.wanted, data.wanted_folders = tuple(requests), tuple(folders)
    data.notice = None
    latest = DESK.latest()
    if latest is not None and latest.is_over:
        DESK.put_away(latest)


def advance(slot: DeltaGenerator) -> None:
    """Start what was asked for, as soon as its models are on this machine."""
    if activity := fetch_activity(slot):
        if jobs.follow([activity]):
            st.rerun()
        return
    data = session()
    if not data.wanted:
        return
    choice = shared_session().model_choice
    asks = measuring.needs_chat_model(data.wanted)
    missing = resources.missing_bundles(choice) if asks else resources.missing_encoders()
    if missing:
        draw_fetch_offer(slot, missing)
        return
    requests, names = data.wanted, data.wanted_folders
    data.wanted, data.wanted_folders = (), ()
    try:
        with slot, st.spinner(f"Loading {escape_markdown(choice.label) or 'the model'}…"):
            model = resources.chat_model(choice) if asks else None
            embedder = resources.embedder()
        runs, scenario = comparison_resources.run_files(), requests[0].scenario
        rates = _rates(requests, scenario, _figures_of(scenario, runs), runs)
        root = runs_root()
        folders = [root / name for name in names] or [new_folder(root, request) for request in requests]
        parts = [
            measuring.part_of(
                request,
                folder,
                model=lambda: _loaded(model),
                embedder=lambda: embedder,
                expected_s=rates.get(request.scenario, {}),
            )
            for request, folder in zip(requests, folders, strict=True)
        ]
        data.seen_runs |= {folder.name for folder in folders}
        DESK.start(parts, data.id)
    except PlaygroundError as error:
        data.notice = Notice("error", str(error))
    st.rerun()


def _figures_of(scenario: str, runs: RunFiles) -> Sequence[TechniqueFigures]:
    files = runs.of(scenario)
    return comparison_resources.comparison_of(files).figures if files else ()


def _loaded(model: ChatModel | None) -> ChatModel:
    if model is None:
        raise PlaygroundError("This run was started without a chat model. Start it again.")
    return model
