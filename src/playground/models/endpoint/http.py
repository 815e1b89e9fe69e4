"""The HTTP client for an endpoint: what leaves this machine, and how much may come back.

The openai package reads its environment for keys, organisations and extra headers, follows redirects and reads bodies
of any size. Here a request carries only what the protocol needs, and a response is bounded in bytes and time, also
while it is being read: a server that never ends a line would otherwise fill the memory inside the package's parser.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2

from playground.models.endpoint.errors import ResponseBoundError
from playground.models.endpoint.settings import EndpointSettings

if TYPE_CHECKING:
    import openai

# A token of the answer costs 200 to 400 bytes on the wire, so this is far above any answer that we ask for.
STREAM_BYTES_LIMIT = 32 * 2**20
BODY_BYTES_LIMIT = 4 * 2**20

_SENT_HEADERS = frozenset({"accept", "connection", "content-length", "content-type", "host", "user-agent"})


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, *, bytes_limit: int, seconds_limit: float) -> None:
        self._stream = stream
        self._bytes_limit = bytes_limit
        self._deadline = time.monotonic() + seconds_limit

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for part in self._stream:
            received += len(part)
            if received > self._bytes_limit:
                raise ResponseBoundError("size")
            if time.monotonic() > self._deadline:
                raise ResponseBoundError("time")
            yield part

    def close(self) -> None:
        self._stream.close()


def timeout(settings: EndpointSettings, remaining_s: float) -> httpx2.Timeout:
    """Return the time-outs of one request that has ``remaining_s`` seconds of its budget left."""
    return httpx2.Timeout(
        max(0.001, min(settings.timeout_s, remaining_s)),
        connect=max(0.001, min(settings.connect_timeout_s, remaining_s)),
    )


def load_client(settings: EndpointSettings) -> openai.OpenAI:
    """Return a client for ``settings``; nothing is sent yet. Close it after use.

    The client does not retry (the caller does, within its time budget) and does not follow redirects (they could lead
    the key and the documents to another host). Proxies of the environment are used, except for this machine itself.
    """
    import openai

    def send_only_what_is_needed(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name.lower() not in _SENT_HEADERS:
                del request.headers[name]
        # Compressed bytes could unfold to a thousand times their size after they were counted.
        request.headers["Accept-Encoding"] = "identity"
        if settings.api_key:
            request.headers["Authorization"] = f"Bearer {settings.api_key}"

    def bound_response(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise ResponseBoundError("compression")
        is_stream = response.headers.get("content-type", "").lower().startswith("text/event-stream")
        stream = response.stream
        assert isinstance(stream, httpx2.SyncByteStream)  # noqa: S101 - a synchronous client has no other kind
        response.stream = _BoundedStream(
            stream,
            bytes_limit=STREAM_BYTES_LIMIT if is_stream else BODY_BYTES_LIMIT,
            seconds_limit=settings.total_timeout_s,
        )

    http_client = httpx2.Client(
        timeout=timeout(settings, settings.total_timeout_s),
        follow_redirects=False,
        trust_env=not settings.is_loopback,
        event_hooks={"request": [send_only_what_is_needed], "response": [bound_response]},
    )
    # The package would take OPENAI_API_KEY from the environment if it got none; the hook above has the last word.
    return openai.OpenAI(
        base_url=settings.base_url,
        api_key=settings.api_key or "none",
        max_retries=0,
        http_client=http_client,
    )
