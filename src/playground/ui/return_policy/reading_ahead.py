"""Where the model is given the whole policy, it is read before anybody asks: a question then costs its own words only.

The one who asks never waits for it: what was read until then is kept, and the answer reads on from there.
"""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from playground.answering.answer import read_ahead
from playground.answering.prompt import Mode
from playground.types import ReadAhead, ReadingChatModel
from playground.ui.return_policy import state
from playground.ui.return_policy.state import Reading, WantedReading, session
from playground.ui.shared import jobs, resources
from playground.ui.shared.keeping import keeping
from playground.ui.shared.markup import human_bytes
from playground.ui.shared.session import session as shared_session

_MODE: Mode = "whole_document"


def start_reading_ahead() -> None:
    """Begin to read the policy that answers, where that is of use and nothing else is under way."""
    data = session()
    version, choice = data.shelf.active, shared_session().model_choice
    if version is None or state.mode() != _MODE or choice.source != "bundled" or resources.missing_bundles(choice):
        stop_reading_ahead()
        data.reading = None
        return
    settings = state.bot_settings(_MODE)
    wanted = WantedReading(version.sha256, choice, settings.system_prompt)
    if data.reading is not None and data.reading.wanted != wanted:
        stop_reading_ahead()
        data.reading = None
    if data.reading is not None or data.answering or data.preparing:
        return
    loading, document, on_disk = resources.loading_model(choice), version.document, not keeping().off

    def work(report: jobs.Report) -> ReadAhead | None:
        model = loading.result()
        if not isinstance(model, ReadingChatModel):
            return None
        return read_ahead(
            document, model, settings, on_disk=on_disk, on_progress=lambda read, tokens: report((read, tokens))
        )

    data.reading = Reading(wanted, jobs.start(work))


def stop_reading_ahead() -> None:
    """End the reading under way; what was read is not lost. It begins again when nothing else is under way."""
    data = session()
    if data.reading is not None and data.reading.job is not None:
        data.reading.job.cancel.set()
        data.reading = None


def reading_activity(slot: DeltaGenerator) -> jobs.Activity | None:
    """Return the reading under way, drawn in ``slot``; what is read is said there."""
    reading = session().reading
    if reading is None or state.mode() != _MODE:
        return None
    if reading.job is None:
        if reading.read is not None and reading.read.tokens:
            memory = human_bytes(reading.read.size_bytes)
            slot.caption(
                f":material/done_all: The whole policy is read and kept ready ({memory} of memory). A question now "
                "costs its own words only."
            )
        return None
    place = slot.empty()

    def draw(job: jobs.Job[ReadAhead | None]) -> None:
        read, tokens = job.last_event() or (0, 0)
        place.progress(read / tokens if tokens else 0.0, "Reading the whole policy. Questions can be asked already.")

    return jobs.Activity(reading.job, draw, _finish)


def _finish(job: jobs.Job[ReadAhead | None]) -> None:
    reading = session().reading
    if reading is not None and reading.job is job:
        # Where it failed, the question that needs it says why.
        reading.job, reading.read = None, job.result
