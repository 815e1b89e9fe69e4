"""Chat models behind an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, llama.cpp's server and others.

Settings come from `endpoint_settings`, the HTTP client and its bounds from `endpoint_http`, the reading of streamed
chunks from `endpoint_stream`, the wording of errors from `endpoint_errors`. Protocol: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import email.utils
import itertools
import json
import logging
import math
import re
import string
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from playground import pricing
from playground.errors import EndpointError
from playground.models.endpoint.errors import (
    ResponseBoundError,
    clean,
    endpoint_error,
    explain_connection,
    explain_status,
    is_broken_connection,
    is_quota,
    not_the_protocol,
    server_words,
)
from playground.models.endpoint.settings import EndpointSettings, settings_from
from playground.models.endpoint.stream import Received, read_chunk
from playground.models.repetition import RepetitionWatch
from playground.telemetry import of_completion, of_messages, traced
from playground.types import Completion, Message, OnToken, StopReason, Usage

if TYPE_CHECKING:
    import openai

__all__ = ["EndpointChatModel", "EndpointSettings", "list_models", "load_endpoint", "settings_from"]

ANSWER_CHARS_LIMIT = 200_000
MODELS_LIMIT = 200
RETRY_AFTER_LIMIT_S = 20.0
LIST_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)
_WORD_BYTES = (string.ascii_letters + string.whitespace).encode()
_ASCII_BYTES = bytes(range(128))
_RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# Parameters that some servers or models refuse; asking again without them is better than no answer.
_OPTIONAL_PARAMETERS = ("stream_options", "max_tokens", "temperature", "seed")


def _span_attributes(given: Mapping[str, Any]) -> dict[str, str | int | float]:
    model = given["self"]
    address = urlsplit(model.base_url)
    return {
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": given["adapter"] or model.model_id,
        "gen_ai.request.max_tokens": given["max_tokens"],
        "gen_ai.request.temperature": given["temperature"],
        "gen_ai.request.seed": given["seed"],
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
        **of_messages(given["messages"]),
    }


class EndpointChatModel:
    """A `playground.types.ChatModel` at an endpoint. Safe to share between threads.

    Args:
        settings: which endpoint and model.
        client: an ``openai.OpenAI`` from `endpoint_http.load_client`, which bounds what comes back.
        sleep: waits between attempts; replaced in tests.
    """

    def __init__(
        self, settings: EndpointSettings, client: openai.OpenAI, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._client = client
        self._sleep = sleep
        self._refused: frozenset[str] = frozenset()

    @property
    def model_id(self) -> str:
        return self._settings.model

    @property
    def context_limit(self) -> int:
        """Most tokens of prompt and completion together, as the settings say; the protocol cannot tell."""
        return self._settings.context_limit

    @property
    def base_url(self) -> str:
        """Address of the endpoint; prices are looked up by it."""
        return self._settings.base_url

    def count_tokens(self, text: str) -> int:
        """Estimate the tokens of ``text``, meant to be high rather than low, because no tokenizer is at hand.

        Rule: 3.5 ASCII letters or white space a token, one token for every other ASCII character (many vocabularies
        split numbers into digits), 1.5 bytes of UTF-8 a token for all other characters; rounded up. Against SmolLM2's
        vocabulary this is 15 to 30 % high on English policies. The true count of a prompt is in the completion's usage.
        """
        encoded = text.encode("utf-8", "replace")
        rest = encoded.translate(None, _WORD_BYTES)
        other = rest.translate(None, _ASCII_BYTES)
        return math.ceil((len(encoded) - len(rest)) / 3.5 + (len(rest) - len(other)) + len(other) / 1.5)

    def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
        """Estimate the tokens of ``messages`` in the server's chat format: 6 more for each, 4 to begin the answer.

        ChatML spends 5 and 3. A system prompt that the server puts in by itself is not counted.
        """
        return sum(self.count_tokens(message.content) + 6 for message in messages) + 4

    def cost_usd(self, usage: Usage | None) -> float | None:
        """Return the price of the tokens at this endpoint; None when unknown, as for any server that sells none.

        A server on this machine is not taken for free: it may pass requests on to one that is paid.
        """
        return pricing.cost_usd(usage, self._settings.model, provider_base_url=self._settings.base_url)

    def close(self) -> None:
        """Close the connections to the endpoint. The model cannot be used afterwards."""
        self._client.close()

    @traced("chat", _span_attributes, of_completion, remote=True)
    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        on_token: OnToken | None = None,
        adapter: str | None = None,
    ) -> Completion:
        """Complete the conversation, streaming.

        ``adapter`` is sent as the model's name: that is how vLLM serves LoRA adapters. An exception from ``on_token``
        closes the connection, which makes servers stop generating, and reaches the caller. ``first_token_s`` and
        ``duration_s`` count from the call, waits and further attempts included. ``usage`` is the server's own count;
        None when it sends none. An answer far longer than ``max_tokens`` allows is cut, with ``stop_reason`` "length"
        and ``usage`` None; so is one that repeats itself, with "repetition".

        Raises:
            EndpointError: no or no whole answer came; the message says why and what to do.
            ValueError: ``max_tokens`` is below 1.
        """
        if max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {max_tokens}")
        started = time.perf_counter()
        deadline = started + self._settings.total_timeout_s
        model = adapter or self._settings.model
        sent = tuple(Message(m.role, m.content.encode("utf-8", "replace").decode()) for m in messages)
        stream = self._open(
            {
                "model": model,
                "messages": [{"role": m.role, "content": m.content} for m in sent],
                "max_tokens": max_tokens,
                "temperature": temperature,
                "seed": seed,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
            deadline,
        )
        # A token is rarely longer than 16 characters; a server that goes on regardless must not fill the memory.
        chars_limit = min(ANSWER_CHARS_LIMIT, 256 + 16 * max_tokens)
        received, watch = Received(), RepetitionWatch()
        try:
            for piece in self._pieces(stream, received, deadline):
                fitting = piece[: chars_limit - len(received.text)]
                if received.first_token_s is None:
                    received.first_token_s = time.perf_counter() - started
                received.text += fitting
                if on_token is not None and fitting:
                    on_token(fitting)
                if watch.add(fitting):
                    received.finish_reason, received.usage = "repetition", None
                    break
                if len(fitting) < len(piece):
                    received.finish_reason, received.usage = "length", None
                    break
        finally:
            stream.close()
        return Completion(
            text=received.text,
            model_id=self._settings.model,
            messages=sent,
            usage=received.usage,
            first_token_s=received.first_token_s,
            duration_s=time.perf_counter() - started,
            stop_reason=self._stop_reason(received),
            adapter=adapter,
        )

    def _open(self, request: dict[str, Any], deadline: float) -> openai.Stream[Any]:
        """Send the request, without the parameters that the server refuses and again where that can help."""
        import openai

        from playground.models.endpoint.http import timeout

        refused = self._refused
        retries = 0
        while True:
            remaining_s = deadline - time.perf_counter()
            create: Any = self._client.chat.completions.create
            failure: Exception
            try:
                stream: openai.Stream[Any] = create(
                    **_request_without(request, refused), timeout=timeout(self._settings, remaining_s)
                )
            except (openai.APIError, ResponseBoundError, ValueError) as error:
                failure = error
            else:
                # Remembered only now: a refusal that dropping did not cure was about something else.
                for left_out in sorted(refused - self._refused):
                    # Without temperature or seed its answers are not deterministic.
                    _log.warning("the endpoint refused %s, which is no longer sent", left_out)
                self._refused |= refused
                return stream
            # Outside the except block, so that nothing of the request (the key) hangs on our error as its context.
            if parameter := _refused_parameter(failure, request, refused):
                refused |= {parameter}
                continue
            delay_s = _retry_delay_s(failure, retries) if retries < self._settings.max_retries else None
            if delay_s is None or time.perf_counter() + delay_s >= deadline:
                self._fail(_as_budget(failure, deadline), model=request["model"], attempts=retries + 1)
            retries += 1
            self._sleep(delay_s)

    def _pieces(self, stream: openai.Stream[Any], received: Received, deadline: float) -> Iterator[str]:
        """Yield the text of each chunk, not empty; note everything else in ``received``. Errors are ours."""
        import openai

        iterator = iter(stream)
        while True:
            failure: Exception
            try:
                chunk = next(iterator)
                piece = read_chunk(chunk, received)
            except StopIteration:
                return
            except (openai.APIError, ResponseBoundError, ValueError, TypeError, RecursionError) as error:
                failure = error
            else:
                if piece:
                    yield piece
                if time.perf_counter() <= deadline:
                    continue
                failure = ResponseBoundError("time")
            if received.finish_reason is None:
                raise explain_connection(
                    _as_budget(failure, deadline), self._settings, received_chars=len(received.text)
                )
            return  # the answer is whole; only the usage that follows it is missing

    def _stop_reason(self, received: Received) -> StopReason:
        settings = self._settings
        if received.finish_reason in ("length", "repetition"):
            return "length" if received.finish_reason == "length" else "repetition"
        if received.finish_reason == "content_filter":
            raise endpoint_error(
                settings,
                f"The content filter of {settings.host} stopped the answer after {len(received.text)} characters. "
                "Rephrase the question, or choose another model.",
            )
        if received.finish_reason is not None:
            return "end"
        if received.choices:
            raise endpoint_error(
                settings,
                f"{settings.host} stopped in the middle, after {len(received.text)} characters of the answer. "
                "Ask again; if it stays, look into the server's log.",
            )
        if received.chunks:
            raise endpoint_error(
                settings,
                f"{settings.host} returned no answer (its list of choices is empty). Ask again; if it stays, look into "
                "the server's log.",
            )
        raise endpoint_error(settings, not_the_protocol(settings))

    def _fail(self, failure: Exception, *, model: str, attempts: int) -> NoReturn:
        import openai

        if not isinstance(failure, openai.APIStatusError):
            raise explain_connection(failure, self._settings, received_chars=None)
        available: tuple[str, ...] = ()
        if failure.status_code == 404:
            try:
                available = _model_names(self._client, self._settings)
            except EndpointError:
                available = ()  # the first error is the one to tell
        raise explain_status(failure, self._settings, model=model, attempts=attempts, available=available)


def load_endpoint(settings: EndpointSettings, *, sleep: Callable[[float], None] = time.sleep) -> EndpointChatModel:
    """Return the chat model for ``settings``, which waits by ``sleep``. Nothing is sent before the first completion."""
    from playground.models.endpoint.http import load_client

    return EndpointChatModel(settings, load_client(settings), sleep=sleep)


def list_models(settings: EndpointSettings) -> tuple[str, ...]:
    """Return the names of the models that the endpoint offers, at most 200, in its order.

    Raises:
        EndpointError: the endpoint did not answer, or not with a list of models.
    """
    from playground.models.endpoint.http import load_client

    with load_client(settings) as client:
        return _model_names(client, settings)


def _model_names(client: openai.OpenAI, settings: EndpointSettings) -> tuple[str, ...]:
    import httpx2
    import openai

    from playground.models.endpoint.http import timeout

    failure: Exception
    try:
        # The bare response, because the package's own page object takes any shape that the server sends.
        response = client.get(
            "/models", cast_to=httpx2.Response, options={"timeout": timeout(settings, LIST_TIMEOUT_S)}
        )
        entries = json.loads(response.content)["data"]
        names = (entry.get("id") for entry in itertools.islice(entries, MODELS_LIMIT))
        return tuple(clean(name, settings.api_key, 200) for name in names if isinstance(name, str) and name)
    except openai.APIStatusError as error:
        failure = explain_status(error, settings, model=settings.model, attempts=1, available=())
    except (openai.APIError, ResponseBoundError) as error:
        failure = explain_connection(error, settings, received_chars=None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        failure = endpoint_error(settings, not_the_protocol(settings))
    raise failure


def _as_budget(failure: Exception, deadline: float) -> Exception:
    """Return ``failure``, or a passed time budget when a read was cut short because the budget ended."""
    import openai

    if isinstance(failure, openai.APITimeoutError) and time.perf_counter() >= deadline:
        return ResponseBoundError("time")
    return failure


def _request_without(request: Mapping[str, Any], refused: frozenset[str]) -> dict[str, Any]:
    kept = {name: value for name, value in request.items() if name not in refused}
    if "max_tokens" in refused:
        kept["max_completion_tokens"] = request["max_tokens"]
    return kept


def _refused_parameter(failure: Exception, request: Mapping[str, Any], refused: frozenset[str]) -> str | None:
    """Return the parameter that a server's 400 or 422 names as not supported, if one that can be left out."""
    import openai

    if not isinstance(failure, openai.APIStatusError) or failure.status_code not in (400, 422):
        return None
    candidates = [name for name in _OPTIONAL_PARAMETERS if name in request and name not in refused]
    words = server_words(failure, None)
    if failure.param in candidates:
        return failure.param
    return next((name for name in candidates if re.search(rf"(?<![\w]){name}(?![\w])", words)), None)


def _retry_delay_s(failure: Exception, retries: int) -> float | None:
    """Return how long to wait before another attempt; None when none can help or the server asks for too long."""
    import openai

    backoff_s: float = 0.5 * 2**retries
    if not isinstance(failure, openai.APIStatusError):
        return backoff_s if is_broken_connection(failure) else None
    if failure.status_code not in _RETRIED_STATUSES or is_quota(failure):
        return None
    wanted_s = _retry_after_s(failure.response.headers.get("retry-after"))
    if wanted_s is None:
        return backoff_s
    return wanted_s if wanted_s <= RETRY_AFTER_LIMIT_S else None


def _retry_after_s(header: str | None) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds or a date; None when absent or unreadable."""
    if header is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*", header):
        return float(header)
    try:
        seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds)
