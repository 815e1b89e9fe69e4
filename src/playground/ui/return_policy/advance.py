"""What the return-policy page does between two clicks: load what is missing, index, answer, compare; one step a run.

``advance`` is the last line of the page. Everything above it draws what is already known, so a slow step never holds up
the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.answering.answer import BotSettings, answer_question
from playground.answering.policy_versions import PolicyVersion, prepare_version, swap_summary
from playground.answering.prompt import Mode
from playground.documents import load_document, load_pasted
from playground.documents.sniffing import is_pdf
from playground.errors import EndpointError, PlaygroundError
from playground.paths import POLICIES
from playground.text.language import ENGLISH, language_of
from playground.types import Answer, ChatModel, Embedder
from playground.ui.return_policy import state
from playground.ui.return_policy.answer import AVATAR, draw_question
from playground.ui.return_policy.conversation import ChatTurn, history_for
from playground.ui.return_policy.kept import restore_activity, start_restoring
from playground.ui.return_policy.reading_ahead import reading_activity, start_reading_ahead, stop_reading_ahead
from playground.ui.return_policy.resources import sample_document
from playground.ui.return_policy.state import (
    Answering,
    Asked,
    Comparison,
    ComparisonKind,
    PolicyRequest,
    Side,
    session,
)
from playground.ui.shared import jobs, resources
from playground.ui.shared.fetching import draw_fetch_offer, fetch_activity, start_fetch
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.notices import Notice
from playground.ui.shared.session import session as shared_session
from scenarios.return_policy.scenario import DEFAULT_POLICY, few_shot_examples, reader_retrieval, sample_policies

_KEY_REFUSED = 401


@dataclass(frozen=True, slots=True)
class Slots:
    """Places on the page where work in progress is drawn."""

    status: DeltaGenerator
    swap: DeltaGenerator
    answer: DeltaGenerator
    techniques: tuple[DeltaGenerator, DeltaGenerator] | None
    versions: tuple[DeltaGenerator, DeltaGenerator] | None

    @property
    def both(self) -> tuple[DeltaGenerator, DeltaGenerator] | None:
        """Where the comparison is drawn that is due or under way."""
        data = session()
        under_way = data.pending_both or data.comparison
        return self.versions if under_way and under_way.kind == "versions" else self.techniques


def request_sample(name: str) -> PolicyRequest:
    """Return the request for a policy that ships with the project; the default one when there is none of that name."""
    # The name may come from the page's address: it is compared, never opened.
    path = next((path for path in sample_policies() if path.name == name), POLICIES / DEFAULT_POLICY)
    return PolicyRequest(path.name, "sample", document=sample_document(path))


def advance(slots: Slots) -> None:
    """Take the next step, show the work under way until some of it ends, then draw the page anew."""
    _follow_address()
    activities = [_start_what_is_due(slots), restore_activity(slots.swap), _swap_activity(slots)]
    activities += [_answer_activity(slots), _both_activity(slots)]
    start_reading_ahead()
    activities.append(reading_activity(slots.status))
    if jobs.follow([activity for activity in activities if activity]):
        st.rerun()
    _warm_up()


def _follow_address() -> None:
    """Load the sample that a link names (``?policy=FILE``), and the default one when a session begins."""
    data = session()
    named = st.query_params.get("policy", "")
    if data.kept_versions or data.restoring:
        return
    nothing_yet = data.shelf.active is None and not (data.preparing or data.wanted_policy or data.notice)
    if nothing_yet or (named and named != data.linked_policy):
        data.linked_policy = named
        data.wanted_policy = request_sample(named)


def _start_what_is_due(slots: Slots) -> jobs.Activity | None:
    """Start what was asked for. Returns the fetch that has to come first, if one is under way."""
    data = session()
    due = data.wanted_policy or data.kept_versions or data.pending_question is not None or data.pending_both
    missing = (
        resources.missing_bundles(shared_session().model_choice) if due and shared_session().fetching is None else ()
    )
    if missing:
        if shared_session().fetch_stopped is not None:
            _draw_waiting(slots, "Waiting for the models.")
            draw_fetch_offer(slots.status, missing)
            return None
        start_fetch(missing)
    if shared_session().fetching:
        _draw_waiting(slots, "Waiting for the models.")
        return fetch_activity(slots.status)
    if data.kept_versions:
        _start_restoring(slots)
    elif data.wanted_policy and not data.restoring:
        _start_preparing_wanted(slots)
    if data.shelf.active is None:
        _draw_waiting(slots, "Waiting for the policy to be indexed.")
    elif not data.answering and not (data.comparison and data.comparison.job):
        _start_asking(slots, data.shelf.active)
    return None


def _draw_waiting(slots: Slots, reason: str) -> None:
    if (question := session().pending_question) is not None:
        with slots.answer.container():
            draw_question(question)
            st.chat_message("assistant", avatar=AVATAR).caption(reason)


def _start_restoring(slots: Slots) -> None:
    data = session()
    versions, data.kept_versions = data.kept_versions, ()
    try:
        with slots.swap, st.spinner("Loading the embedding model…"):
            data.restoring = start_restoring(versions, data.kept_active, resources.embedder())
    except PlaygroundError as error:
        _fail_policy(str(error))
        st.rerun()


def _start_preparing_wanted(slots: Slots) -> None:
    data = session()
    try:
        with slots.swap, st.spinner("Loading the embedding model…"):
            embedder = resources.embedder()
    except PlaygroundError as error:
        _fail_policy(str(error))
        st.rerun()
    if data.wanted_policy:
        request, data.wanted_policy = data.wanted_policy, None
        data.preparing, data.preparing_pdf = start_preparing(request, embedder), _pdf_of(request)


def _start_asking(slots: Slots, version: PolicyVersion) -> None:
    data = session()
    if data.pending_question is not None:
        try:
            asked = _asked(data.pending_question, version)
        except PlaygroundError as error:
            question, data.pending_question = data.pending_question, None
            _add_turn_without_answer(question, version, str(error))
            st.rerun()
        try:
            with slots.answer.container():
                draw_question(asked.question)
                with st.chat_message("assistant", avatar=AVATAR):
                    model = _load_chat_model()
        except PlaygroundError as error:
            data.pending_question = None
            _add_turn(asked, error=str(error))
            st.rerun()
        data.pending_question = None
        stop_reading_ahead()
        data.answering = Answering(asked, start_answering(asked, model, data.turns))
    elif data.pending_both is not None and slots.both:
        place, pending, data.pending_both = slots.both[0], data.pending_both, None
        try:
            left, right = (_side(*side, pending.kind) for side in pending.sides)
        except PlaygroundError as error:
            data.notice_both = pending.kind, str(error)
            st.rerun()
        comparison = Comparison(pending.kind, pending.question, left, right)
        try:
            with place:
                model = _load_chat_model()
            data.comparison = replace(comparison, job=start_comparing(comparison, model))
        except PlaygroundError as error:
            data.comparison = replace(comparison, error=str(error))
        st.rerun()


def _side(title: str, number: int, technique: Mode, kind: ComparisonKind) -> Side:
    version, settings = session().shelf.get(number), state.bot_settings(technique)
    if kind == "techniques":  # both on the passages that the reader gets
        settings = replace(settings, retrieval=reader_retrieval(settings.retrieval))
    return Side(title, state.stamp_for(version, technique), version, settings)


def _load_chat_model() -> ChatModel:
    choice = shared_session().model_choice
    with st.spinner(f"Loading {escape_markdown(choice.label) or 'the model'}…"):
        return resources.chat_model(choice)


def _warm_up() -> None:
    """Load the bundled chat model while the audience reads, so that the first answer starts at once."""
    data = session()
    if (
        shared_session().model_choice.source == "bundled"
        and data.shelf.active
        and not resources.missing_bundles(shared_session().model_choice)
    ):
        resources.warm_up(shared_session().model_choice)


# --- policies -------------------------------------------------------------------------------------------------------


def _pdf_of(request: PolicyRequest) -> bytes | None:
    """Return the file of a request where it is a PDF."""
    if request.note == "sample":
        path = next((path for path in sample_policies() if path.name == request.name), None)
        file = path.read_bytes() if path else b""
    else:
        file = request.data or b""
    return file if is_pdf(file) else None


def start_preparing(request: PolicyRequest, embedder: Embedder) -> jobs.Job[PolicyVersion]:
    """Parse and index a policy in the background, beside the one that answers."""
    number = session().shelf.next_number

    def work(report: jobs.Report) -> PolicyVersion:
        if request.document is not None:
            document = request.document
        elif request.data is not None:
            # Told again and again while a scan is read, so that Cancel is heard.
            document = load_document(
                request.data, request.name, on_page=lambda done, pages: report((done, pages, "pages, by OCR"))
            )
        else:
            document = load_pasted(request.text, request.name, markdown=request.markdown)
        report((0, 0))
        return prepare_version(
            document, embedder, number, note=request.note, on_progress=lambda done, total: report((done, total))
        )

    return jobs.start(work)


def _swap_activity(slots: Slots) -> jobs.Activity | None:
    job = session().preparing
    if job is None:
        return None
    active = session().shelf.active
    meanwhile = f"; version {active.number} still answers" if active else ""
    with slots.swap.container(horizontal=True, vertical_alignment="center"):
        place = st.empty()
        st.button("Cancel", key=state.Key.CANCEL_SWAP, on_click=job.cancel.set)

    def draw(job: jobs.Job[PolicyVersion]) -> None:
        done, total, pages = (*(job.last_event() or (0, 0)), "")[:3]
        doing = f"Reading {done:,} of {total:,} {pages}" if pages else f"Indexing {done:,} of {total:,} sentences"
        text = (doing if total else "Reading the document") + meanwhile
        place.progress(done / total if total else 0.0, text)

    return jobs.Activity(job, draw, _finish_preparing)


def _finish_preparing(job: jobs.Job[PolicyVersion]) -> None:
    data = session()
    data.preparing = None
    version = job.result
    if version is None:
        _fail_policy(job.error or "The load was cancelled.")
    elif data.shelf.same_as_active(version.document):
        data.notice = Notice("info", "This text is the one that already answers. Nothing was changed.")
    else:
        before = data.shelf.active_number
        data.shelf = data.shelf.with_version(version)  # the swap: one assignment
        data.changed_from = before
        on_shelf = {one.sha256 for one in data.shelf.versions}
        data.pdfs = {digest: file for digest, file in data.pdfs.items() if digest in on_shelf}
        if data.preparing_pdf:
            data.pdfs[version.sha256] = data.preparing_pdf
        state.show_policy()
        summary = f"Version {version.number}: {swap_summary(version)}."
        data.notice = Notice("success", summary, (*_language_note(version), *version.document.warnings))
        data.selected_turn = None
        _remember_in_address(version)


def _language_note(version: PolicyVersion) -> tuple[str, ...]:
    """Say what the model can do with a policy that is not in English."""
    language = language_of(version.document.text)
    bundle = shared_session().model_choice.bundle
    if language == ENGLISH:
        return ()
    if bundle and bundle.english_only:
        return (
            f"This policy is in {language}, and {bundle.title} reads English only: every question will be declined. "
            "Medium and Large in the sidebar read more languages and may answer.",
        )
    return (f"This policy is in {language}. Passages are found best in English; check what the answers stand on.",)


def _fail_policy(message: str) -> None:
    data = session()
    data.wanted_policy = None
    version = data.shelf.active
    kept = f"Version {version.number} still answers." if version else ""
    data.notice = Notice("error", message, (kept,) if kept else ())


def _remember_in_address(version: PolicyVersion) -> None:
    if version.note == "sample":
        session().linked_policy = version.document.source
        st.query_params["policy"] = version.document.source
    elif "policy" in st.query_params:
        del st.query_params["policy"]


# --- answers --------------------------------------------------------------------------------------------------------


def _asked(question: str, version: PolicyVersion) -> Asked:
    settings = state.bot_settings()
    note, session().note = session().note, ""
    return Asked(question, settings, state.stamp_for(version, settings.mode), version, _now(), note)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def start_answering(asked: Asked, model: ChatModel, turns: tuple[ChatTurn, ...]) -> jobs.Job[Answer]:
    """Answer in the background, on the version of ``asked`` whatever is swapped meanwhile."""
    history = history_for(turns, asked.stamp)
    shared, endpoint = shared_session(), shared_session().model_choice.endpoint

    def work(report: jobs.Report) -> Answer:
        def on_token(text: str) -> None:
            report(_to_show(text, asked.settings))

        try:
            return answer_question(
                asked.question,
                asked.version.index,
                model,
                asked.settings,
                examples=few_shot_examples(),
                history=history,
                on_token=on_token,
            )
        except EndpointError as error:
            if error.status == _KEY_REFUSED and endpoint:
                shared.refused = endpoint, str(error)
            raise

    return jobs.start(work)


def _to_show(text: str, settings: BotSettings) -> str:
    """Return what may be shown of an answer while it is written: nothing of one that may yet be withheld."""
    return "" if settings.withhold_unsupported else text


def _answer_activity(slots: Slots) -> jobs.Activity | None:
    answering = session().answering
    if answering is None:
        return None
    with slots.answer.container():
        draw_question(answering.asked.question)
        with st.chat_message("assistant", avatar=AVATAR):
            place = st.empty()
            st.button("Stop", key=state.Key.STOP, icon=":material/stop_circle:", on_click=answering.job.cancel.set)
    return jobs.Activity(
        answering.job, lambda job: draw_stream(place, job.text(), job.elapsed_s, job.place), _finish_answer
    )


def draw_stream(place: DeltaGenerator, text: str, elapsed_s: float, ahead: int = 0) -> None:
    """Draw what has arrived of an answer; before the first token, how long it has been and who goes first."""
    if text:
        place.text(f"{text} ▌")
    elif ahead:
        place.caption(f"The model answers others first: {ahead} ahead of you. {elapsed_s:.1f} s")
    else:
        place.caption(f"Retrieving and reading the prompt… {elapsed_s:.1f} s")


def _finish_answer(job: jobs.Job[Answer]) -> None:
    data = session()
    answering, data.answering = data.answering, None
    if answering is not None:
        _add_turn(answering.asked, answer=job.result, partial=job.text(), error=job.error or "")


def _add_turn_without_answer(question: str, version: PolicyVersion, error: str) -> None:
    """Add the question with the reason why it could not even be put to the model."""
    stamp = state.stamp_for(version, state.mode())
    _keep(ChatTurn(session().next_turn, question, _now(), stamp, error=error))


def _add_turn(asked: Asked, *, answer: Answer | None = None, partial: str = "", error: str = "") -> None:
    number = session().next_turn
    _keep(ChatTurn(number, asked.question, asked.asked_at, asked.stamp, answer, partial, error, asked.note))


def _keep(turn: ChatTurn) -> None:
    data = session()
    data.turns, data.next_turn = (*data.turns, turn), data.next_turn + 1
    if turn.answer is None:  # stopped or failed: the rest of the message would fare no better
        data.queued = ()
    elif data.queued and data.pending_question is None:
        data.pending_question, *rest = data.queued
        data.queued = tuple(rest)


# --- ask both -------------------------------------------------------------------------------------------------------


def start_comparing(comparison: Comparison, model: ChatModel) -> jobs.Job[tuple[Answer, Answer]]:
    """Answer the question in both ways, one after the other, without the conversation."""

    def work(report: jobs.Report) -> tuple[Answer, Answer]:
        def one(side: Side, number: int) -> Answer:
            def on_token(text: str) -> None:
                report((number, text) if _to_show(text, side.settings) else "")

            return answer_question(
                comparison.question,
                side.version.index,
                model,
                side.settings,
                examples=few_shot_examples(),
                on_token=on_token,
            )

        return one(comparison.left, 0), one(comparison.right, 1)

    return jobs.start(work)


def _both_activity(slots: Slots) -> jobs.Activity | None:
    comparison = session().comparison
    if comparison is None or comparison.job is None or slots.both is None:
        return None
    places = [slot.empty() for slot in slots.both]

    def draw(job: jobs.Job[tuple[Answer, Answer]]) -> None:
        for side, place in enumerate(places):
            draw_stream(place, "".join(text for number, text in job.events if number == side), job.elapsed_s, job.place)

    return jobs.Activity(comparison.job, draw, _finish_both)


def _finish_both(job: jobs.Job[tuple[Answer, Answer]]) -> None:
    data = session()
    comparison = data.comparison
    if comparison is None:
        return
    if job.result is None:
        data.comparison = replace(comparison, job=None, error=job.error or "Stopped.")
        return
    left, right = job.result
    data.comparison = replace(
        comparison, job=None, left=replace(comparison.left, answer=left), right=replace(comparison.right, answer=right)
    )
