"""What a training has brought: figures against what it had to beat, labels, confusions, errors, thresholds, weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import streamlit as st

from playground.adapters import AdapterStore, StoredAdapter, Task
from playground.adapters.quality import BASE, below_base
from playground.errors import PlaygroundError
from playground.flagging.loading import activate_adapter, check_flagger
from playground.text.label_titles import label_title, label_titles
from playground.training.charts import loss_figure, score_figure
from playground.training.clauses.charts import comparison_figure
from playground.training.clauses.measuring import FIGURES
from playground.training.clauses.plan import TrainingPlan, contracts_of
from playground.training.clauses.train import TrainingReport
from playground.ui.shared.announcements import know
from playground.ui.shared.markup import escape_html, escape_markdown
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.shared.session import session as shared_session
from playground.ui.shared.words import NOTHING, clock
from playground.ui.training.desk import DESK, TrainingRun
from playground.ui.training.reliability import draw_reliability
from playground.ui.training.state import Key, session
from scenarios.contract_clauses.techniques import NAME
from scenarios.registry import scenario

_TITLES = {"micro_ap": "micro AP", "macro_ap": "macro AP", "micro_f1": "micro F1", "macro_f1": "macro F1"}
Kind = Literal["primary", "secondary"]
_BEFORE = BASE
MORE_MINUTES = 2.0
_MOST_CONFUSIONS = 40
_WORK: dict[Task, str] = {
    "clauses": "flags contracts",
    "reader": "reads for the bot",
    "closed_book": "answers from memory",
}


def draw_over(run: TrainingRun, store: AdapterStore) -> None:
    """Draw a training that is over: its report, or why there is none."""
    report = run.job.result
    if not isinstance(report, TrainingReport):
        st.error(escape_markdown(run.job.error or "The training was ended."), icon=":material/error:")
        st.caption("Nothing was stored, and the active adapter is unchanged.")
        st.button("Back to the settings", key=Key.AGAIN, on_click=DESK.put_away, args=(run,))
        return
    _draw_headline(report)
    flags = report.adapter.manifest.base_kind == "encoder"
    if not flags:
        st.caption(
            "Whole contracts are flagged with adapters of the encoder; this one is compared on the comparison page."
        )
    worse = below_base(report.adapter.manifest) is not None
    with st.container(horizontal=True):
        # What is worse than the base is not what to do next with.
        use: Kind = "secondary" if worse else "primary"
        more: Kind = "primary" if worse else "secondary"
        with st.container(horizontal=True, horizontal_alignment="left"):
            if worse:
                _draw_more(report, run, store, more)
            st.button(
                "Flag contracts with it",
                key=Key.ACTIVATE_NEW,
                type=use,
                icon=":material/bolt:",
                disabled=not flags,
                on_click=use_here,
                args=(store, report.adapter.name),
            )
            if not worse:
                _draw_more(report, run, store, more)
            st.button("Train another", key=Key.AGAIN, on_click=DESK.put_away, args=(run,))
    draw_use(store, report.adapter, Key.EVERYBODY_NEW)
    for note in report.notes:
        st.warning(escape_markdown(note), icon=":material/warning:")
    names = ["Comparison", "By label", "Confusions", "Errors to read", "Threshold", "Reliability", "Curves", "Weights"]
    tabs = st.tabs(names, key="training_report")
    parts = (
        _draw_comparison,
        _draw_labels,
        _draw_confusions,
        _draw_errors,
        _draw_thresholds,
        _draw_reliability,
        _draw_curves,
        _draw_weights,
    )
    for tab, draw in zip(tabs, parts, strict=True):
        with tab:
            draw(report)


def _draw_more(report: TrainingReport, run: TrainingRun, store: AdapterStore, kind: Kind) -> None:
    st.button(
        f"{MORE_MINUTES:g} minutes more",
        key=Key.MORE,
        type=kind,
        icon=":material/more_time:",
        disabled=report.adapter.manifest.base_kind != "encoder",
        on_click=_go_on,
        args=(run, report, store),
        help="Goes on from these weights, as another adapter: this one stays.",
    )


def _go_on(run: TrainingRun, report: TrainingReport, store: AdapterStore) -> None:
    if not isinstance(run.plan, TrainingPlan):
        return
    plan = longer_plan(run.plan, report.adapter, store.free_name(run.plan.name))
    DESK.put_away(run)
    try:
        DESK.start(plan, store, session().id)
    except PlaygroundError as error:
        session().start_notice = Notice("error", str(error))


def longer_plan(plan: TrainingPlan, adapter: StoredAdapter, name: str) -> TrainingPlan:
    """Return the plan of a training that begins with the weights of ``adapter`` and lasts a little."""
    return replace(
        plan, name=name, start_from=adapter.folder, settings=replace(plan.settings, max_minutes=MORE_MINUTES)
    )


def use_here(store: AdapterStore, name: str) -> None:
    """Flag contracts with an adapter in this session alone."""
    data = session()
    try:
        stored = store.get(name)
        check_flagger(stored)
        shared_session().flagger = stored.identity
        data.use_notice = Notice("success", f"{stored.identity} flags contracts in this window from now on.")
    except PlaygroundError as error:
        data.use_notice = Notice("error", str(error))


def draw_use(store: AdapterStore, stored: StoredAdapter, key: str) -> None:
    """Draw, beside the button that was pressed, that an adapter is in use in this window, and the step to everybody."""
    draw_notice(session().use_notice)
    if shared_session().flagger == stored.identity:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(_contracts_page(), label="Open the contract flagger", icon=":material/arrow_forward:")
            active = store.active("clauses")
            st.button(
                "Use it for everybody on this machine",
                key=key,
                disabled=active is not None and active.identity == stored.identity,
                on_click=activate,
                args=(store, stored.name),
                help="Other windows are told, and keep what they flag with until somebody chooses it there.",
            )


def _contracts_page() -> str:
    page = scenario(NAME).page
    return page.path if page else "app.py"


def activate(store: AdapterStore, name: str) -> None:
    """Make an adapter the one in use on this machine for what it was trained for; it is said beside the buttons."""
    data = session()
    try:
        stored = activate_adapter(store, name)
        task = stored.manifest.task
        if task == "clauses":
            shared_session().flagger = stored.identity
        know(task, stored.identity)
        data.use_notice = Notice("success", f"{stored.identity} {_WORK[task]} for everybody here from now on.")
    except PlaygroundError as error:
        data.use_notice = Notice("error", str(error))


def _draw_headline(report: TrainingReport) -> None:
    if worse := below_base(report.adapter.manifest):
        own, base_ap = worse
        st.warning(
            f"**Worse than the untrained base**: micro AP {own:.2f}, the base without training {base_ap:.2f}. "
            "Let it learn longer, or from more clauses, before anything is flagged with it.",
            icon=":material/warning:",
        )
    early = "Stopped early; the best weights so far were kept. " if report.stopped else ""
    resumed = f"Went on from step {report.resumed_from_step}. " if report.resumed_from_step is not None else ""
    said = f"{early}{resumed}Adapter {report.adapter.identity} is stored. Measured on {report.measured_on}."
    if worse:
        st.caption(escape_markdown(said))
    else:
        st.success(escape_markdown(said), icon=":material/check_circle:")
    before = report.baselines.get(_BEFORE, {})
    with st.container(horizontal=True, gap="large", key="training_headline"):
        for key in ("micro_ap", "macro_ap", "micro_f1"):
            value, base = report.test.value(key), before.get(key)
            delta = None if value is None or base is None else f"{value - base:+.2f} to the untrained base"
            st.metric(_TITLES[key], NOTHING if value is None else f"{value:.2f}", delta, width="content")
        st.metric("Trained in", clock(report.duration_s), width="content")
        size = f"{report.adapter_bytes / report.base_bytes:.0%} of the base's {report.base_bytes / 1e6:.0f} MB"
        st.metric(
            "Adapter",
            f"{report.adapter_bytes / 1e6:.1f} MB",
            size,
            delta_color="off",
            delta_arrow="off",
            width="content",
        )


def _draw_comparison(report: TrainingReport) -> None:
    own = {key: report.test.value(key) for key in FIGURES}
    st.plotly_chart(
        comparison_figure({"LoRA adapter": own, **report.baselines}, _TITLES),
        config={"displayModeBar": False},
        key="training_comparison",
    )
    intervals = [
        f"{_TITLES[key]} {e.value:.2f} (95 % interval over contracts {e.low:.2f} to {e.high:.2f})"
        for key in FIGURES
        # One contract has no spread: resampling it would give an interval of no width.
        if (e := report.test.estimates.get(key)) is not None and contracts_of(report.split.test) > 1
    ]
    st.caption(
        f"All on the same {report.measured_on}. AP is average precision: how well right flags are ranked above wrong "
        f"ones, at any threshold.{' ' if intervals else ''}{'; '.join(intervals)}{'.' if intervals else ''}"
    )


def _draw_labels(report: TrainingReport) -> None:
    rows = [
        {
            "Label": label_title(row.label),
            "Clauses": row.support,
            "Flagged": row.flagged,
            "Precision": row.precision,
            "Recall": row.recall,
            "F1": row.f1,
            "AP": row.average_precision,
            "Threshold": row.threshold,
        }
        for row in report.test.per_label
    ]
    rates = {
        name: st.column_config.NumberColumn(format="%.2f") for name in ("Precision", "Recall", "F1", "AP", "Threshold")
    }
    st.dataframe(rows, hide_index=True, column_config=rates, height=36 * min(len(rows), 22) + 40)
    st.caption(
        "Clauses: so many of the test carry the label. With few of them a figure moves much with every single clause."
    )


def _draw_confusions(report: TrainingReport) -> None:
    pairs = report.test.confusions[:_MOST_CONFUSIONS]
    if not pairs:
        st.caption("No clause was flagged wrongly.")
        return
    st.dataframe(
        [
            {
                "Flagged as": label_title(pair.predicted),
                "Carries": label_title(pair.gold or "(no label)"),
                "Clauses": pair.count,
            }
            for pair in pairs
        ],
        hide_index=True,
        height=36 * min(len(pairs), 14) + 40,
    )
    st.caption("Wrong flags, and which labels their clauses carry instead.")


def _draw_errors(report: TrainingReport) -> None:
    errors = report.test.errors
    if not errors:
        st.caption("There is no error at these thresholds.")
        return
    wrong = sum(error.kind == "wrong" for error in errors)
    st.caption(
        f"{len(errors)} errors, those it was surest of first: {wrong} wrong flags, {len(errors) - wrong} missed."
        + (" There are more." if len(errors) >= 100 else "")
    )
    with st.container(height=460, border=False):
        for error in errors:
            verb = "wrongly flagged" if error.kind == "wrong" else "missed"
            kind = "pill missing" if error.kind == "wrong" else "pill"
            with st.container(border=True):
                st.html(
                    f'<span class="{kind}">{verb}</span> <b>{escape_html(label_title(error.label))}</b>, probability '
                    f"{error.probability:.2f}"
                )
                st.text(error.text)
                st.caption(
                    escape_markdown(
                        f"annotated: {label_titles(error.gold) or 'no label'} · flagged: "
                        f"{label_titles(error.predicted) or 'nothing'} · {error.contract}"
                    )
                )


def _draw_thresholds(report: TrainingReport) -> None:
    points = {point.shift: point for point in report.test.operating_points}
    shift = st.select_slider(
        "From “miss nothing” to “only sure ones”",
        list(points),
        value=min(points, key=abs),
        format_func=lambda value: f"{value:+.1f}" if value else "as measured best",
        key=Key.SHIFT,
    )
    point = points[shift]
    with st.container(horizontal=True):
        for label, value in (("Recall", point.recall), ("Precision", point.precision)):
            st.metric(label, NOTHING if value is None else f"{value:.0%}", width="content")
        st.metric("Flags", f"{point.flags:,}", width="content")
    st.caption(
        f"Measured on {report.measured_on}. The slider moves every label's own threshold by so many log-odds; the same "
        "slider stands beside a flagged contract."
    )


def _draw_reliability(report: TrainingReport) -> None:
    draw_reliability(report.test.reliability, report.measured_on, "training_reliability")


def _draw_curves(report: TrainingReport) -> None:
    left, right = st.columns(2, gap="medium")
    left.plotly_chart(loss_figure(report.history), config={"displayModeBar": False}, key="training_loss_done")
    right.plotly_chart(
        score_figure(report.history, report.adapter.manifest.base_kind),
        config={"displayModeBar": False},
        key="training_score_done",
    )


def _draw_weights(report: TrainingReport) -> None:
    unchanged = report.base_sha256_before == report.base_sha256_after
    pill = '<span class="pill">unchanged</span>' if unchanged else '<span class="pill missing">changed</span>'
    manifest = report.adapter.manifest
    st.html(
        f"<p>Base <b>{escape_html(report.base_id)}</b>, {report.base_bytes / 1e6:.0f} MB: {pill}</p>"
        f'<div class="scroll-x"><table class="models"><tbody><tr><td>SHA-256 before</td>'
        f"<td><code>{report.base_sha256_before}</code></td></tr>"
        f"<tr><td>SHA-256 after</td><td><code>{report.base_sha256_after}</code></td></tr></tbody></table></div>"
    )
    st.caption("Over the frozen weights in memory, before the first step and after the last.")
    rows = [
        ("Adapter", f"{report.adapter.identity}, {report.adapter_bytes / 1e6:.1f} MB of safetensors"),
        ("Data", f"{manifest.data['name']} (SHA-256 {str(manifest.data['sha256'])[:16]}…)"),
        (
            "Clauses",
            ", ".join(f"{side} {manifest.data[f'{side}_examples']}" for side in ("train", "validation", "test")),
        ),
        ("Hyper-parameters", ", ".join(f"{key} {value}" for key, value in manifest.hyper_parameters.items())),
        ("Machine", f"{manifest.machine}, commit {manifest.commit}"),
    ]
    cells = "".join(f"<tr><td>{name}</td><td>{escape_html(value)}</td></tr>" for name, value in rows)
    st.html(f'<div class="scroll-x"><table class="passages"><tbody>{cells}</tbody></table></div>')
