"""Spans of answers, flaggings and requests to models, by OpenTelemetry's conventions for generative AI.

Off unless ``PLAYGROUND_TELEMETRY`` is set (docs/telemetry.md). There is no address by default, and no text of users
goes into a span unless ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`` asks for it; of an error its type
only.

Names of attributes: https://github.com/open-telemetry/semantic-conventions-genai
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from playground.errors import TelemetryError
from playground.types import Completion, Message

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

VARIABLE = "PLAYGROUND_TELEMETRY"
"""What is done with spans: nothing where it is unset, "otlp" sends them, anything else is the file they go into."""
TEXT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Attributes = Mapping[str, str | int | float | Sequence[str]]
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def traced(
    operation: str,
    describe: Callable[[Mapping[str, Any]], Attributes],
    found: Callable[[_Result], Attributes],
    *,
    remote: bool = False,
) -> Callable[[Callable[_Given, _Result]], Callable[_Given, _Result]]:
    """Return a decorator that puts each call into a span, where spans are wanted.

    Args:
        operation: ``gen_ai.operation.name``.
        describe: the call's arguments by name -> attributes. The span is named by the operation and, where it is among
            them, ``gen_ai.request.model``.
        found: the call's result -> attributes.
        remote: another process computes, as behind an endpoint.

    The call raises ``TelemetryError`` where spans are wanted and cannot be written.
    """

    def decorate(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapped(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
            tracer = current_tracer()
            if tracer is None:
                return function(*args, **kwargs)
            from opentelemetry.trace import SpanKind, Status, StatusCode

            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            attributes = {"gen_ai.operation.name": operation} | dict(describe(given.arguments))
            name = " ".join([operation, str(attributes.get("gen_ai.request.model", ""))]).strip()
            with tracer.start_as_current_span(
                name,
                kind=SpanKind.CLIENT if remote else SpanKind.INTERNAL,
                attributes=attributes,
                record_exception=False,  # its words may hold a user's
                set_status_on_exception=False,
            ) as span:
                try:
                    result = function(*args, **kwargs)
                except BaseException as error:
                    span.set_attribute("error.type", type(error).__name__)
                    span.set_status(Status(StatusCode.ERROR))
                    raise
                span.set_attributes(dict(found(result)))
                return result

        return wrapped

    return decorate


def of_completion(completion: Completion) -> dict[str, str | int | Sequence[str]]:
    """Return the attributes of what a model answered."""
    reason = "stop" if completion.stop_reason == "end" else completion.stop_reason
    found: dict[str, str | int | Sequence[str]] = {"gen_ai.response.finish_reasons": (reason,)}
    if completion.usage is not None:
        found |= {
            "gen_ai.usage.input_tokens": completion.usage.input_tokens,
            "gen_ai.usage.cache_read.input_tokens": completion.usage.cached_tokens,
            "gen_ai.usage.output_tokens": completion.usage.output_tokens,
        }
    if with_text():
        said = _parts("assistant", completion.text) | {"finish_reason": reason}
        found["gen_ai.output.messages"] = json.dumps([said], ensure_ascii=False)
    return found


def of_messages(messages: Sequence[Message]) -> dict[str, str]:
    """Return the attribute that holds a prompt; none where text is not wanted."""
    if not with_text():
        return {}
    said = [_parts(message.role, message.content) for message in messages]
    return {"gen_ai.input.messages": json.dumps(said, ensure_ascii=False)}


def with_text() -> bool:
    """Return whether what users and models write may go into spans."""
    return os.environ.get(TEXT_VARIABLE, "").lower() == "true"


def _parts(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def current_tracer() -> Tracer | None:
    """Return what makes spans; None where none are wanted.

    Raises:
        TelemetryError: they are wanted and cannot be written or sent.
    """
    wanted = os.environ.get(VARIABLE, "")
    return _tracer(wanted) if wanted else None


@functools.cache
def _tracer(wanted: str) -> Tracer:
    try:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    except ImportError as error:
        raise TelemetryError(
            f"{VARIABLE} is set and OpenTelemetry is not installed here. Run `pip install -r "
            f"requirements-telemetry.txt`, or unset {VARIABLE}."
        ) from error
    if wanted != "otlp":
        # One write a span, at once: several processes share the file, and one may be killed.
        return tracer_of(SimpleSpanProcessor(_file_exporter(Path(wanted))))
    if not any(os.environ.get(name) for name in ENDPOINT_VARIABLES):
        raise TelemetryError(
            f"{VARIABLE} is otlp and no address is given. Set {ENDPOINT_VARIABLES[0]}, or {VARIABLE} to a file's name."
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return tracer_of(BatchSpanProcessor(OTLPSpanExporter()))


def tracer_of(processor: Any) -> Tracer:
    """Return what makes spans and gives them to a span processor of OpenTelemetry's SDK."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": "playground"}))
    provider.add_span_processor(processor)
    return provider.get_tracer("playground")


def _file_exporter(path: Path) -> SpanExporter:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise TelemetryError(
            f"{VARIABLE} names {path}, which cannot be written ({error.strerror}). Name another file."
        ) from error

    class Lines(SpanExporter):
        """Appends a line of JSON for each span."""

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            os.write(descriptor, "".join(f"{span.to_json(indent=None)}\n" for span in spans).encode())
            return SpanExportResult.SUCCESS

    return Lines()
