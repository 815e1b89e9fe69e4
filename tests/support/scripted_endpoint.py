"""A loopback HTTP server that answers what a test scripts: one reply after another, the last one again and again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["_Handler"], None]


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about clients that left."""


@dataclass
class ScriptedEndpoint:
    base_url: str
    replies: list[Reply] = field(default_factory=list)
    models: Reply | None = None
    requests: list[Request] = field(default_factory=list)
    client_left: threading.Event = field(default_factory=threading.Event)
    finish: threading.Event = field(default_factory=threading.Event)

    def completions(self) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/chat/completions")]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ScriptedEndpoint

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        self._answer(json.loads(self.rfile.read(length) or b"null"))

    def do_GET(self) -> None:
        self._answer(None)

    def _answer(self, body: Any) -> None:
        script = self.script
        script.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if self.path.endswith("/models"):
            reply = script.models or status(404, {"error": {"message": "no list"}})
        else:
            reply = script.replies.pop(0) if len(script.replies) > 1 else script.replies[0]
        try:
            reply(self)
        except OSError:  # the client closed the connection while we were writing
            self.close_connection = True
            script.client_left.set()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def begin(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_part(self, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def send_chunk(self, chunk: object) -> None:
        self.send_part(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def begin_stream(handler: _Handler) -> None:
    handler.begin(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})


def piece(text: str | None, finish: str | None = None, **delta: object) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}],
    }


def usage(prompt: object, completion: object, cached: object = None) -> dict[str, Any]:
    details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion, **details}}


def stream(*chunks: object) -> Reply:
    """Server-sent events, properly ended."""

    def reply(handler: _Handler) -> None:
        begin_stream(handler)
        for chunk in chunks:
            handler.send_chunk(chunk)
        handler.send_part(b"data: [DONE]\n\n")
        handler.send_part(b"")

    return reply


def answer(*texts: str, finish: str = "stop") -> Reply:
    """A usual answer: a piece for each text, the reason of its end, the usage."""
    return stream(*(piece(text) for text in texts), piece(None, finish), usage(11, len(texts)))


def events(*parts: bytes, end: bool = True) -> Reply:
    """Raw bytes of an event stream; without ``end`` the connection breaks instead."""

    def reply(handler: _Handler) -> None:
        begin_stream(handler)
        for part in parts:
            handler.send_part(part)
        if end:
            handler.send_part(b"")
        handler.close_connection = True

    return reply


def status(code: int, body: object, **headers: str) -> Reply:
    """A body of JSON, or of text when ``body`` is a string."""

    def reply(handler: _Handler) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        kind = "text/html" if isinstance(body, str) else "application/json"
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.begin(code, {"content-type": kind, "content-length": str(len(content)), **names})
        handler.wfile.write(content)

    return reply


def error(code: int, message: str, /, **fields: object) -> Reply:
    return status(code, {"error": {"message": message, **fields}})


def models(*names: str) -> Reply:
    return status(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def endless(part: bytes) -> Reply:
    """Begin a stream and send ``part`` until the client leaves; a client that never does is left after seconds."""

    def reply(handler: _Handler) -> None:
        begin_stream(handler)
        end = time.monotonic() + 5
        while not handler.script.finish.is_set() and time.monotonic() < end:
            handler.send_part(part)
        handler.close_connection = True

    return reply


def dripping(part: bytes) -> Reply:
    """As `endless`, slowly."""

    def reply(handler: _Handler) -> None:
        begin_stream(handler)
        end = time.monotonic() + 5
        while not handler.script.finish.wait(0.02) and time.monotonic() < end:
            handler.send_part(part)
        handler.close_connection = True

    return reply


def silent(*chunks: object) -> Reply:
    """Send ``chunks`` (not even a status line when there is none), then nothing until the test ends."""

    def reply(handler: _Handler) -> None:
        if chunks:
            begin_stream(handler)
            for chunk in chunks:
                handler.send_chunk(chunk)
        handler.script.finish.wait(10)
        handler.close_connection = True

    return reply


def hang_up(handler: _Handler) -> None:
    """Close the connection without a byte."""
    handler.close_connection = True


@contextmanager
def scripted_endpoint() -> Iterator[ScriptedEndpoint]:
    server = _Server(("127.0.0.1", 0), _Handler)
    script = ScriptedEndpoint(base_url=f"http://127.0.0.1:{server.server_port}/v1")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"script": script})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.finish.set()
        server.shutdown()
        server.server_close()
        thread.join()
