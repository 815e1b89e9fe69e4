"""What went wrong at an endpoint, in a sentence for the user. A server's own words are untrusted: cut, cleaned, and
without the key, which some servers repeat in their errors."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

from playground.errors import EndpointError
from playground.models.endpoint.settings import EndpointSettings

if TYPE_CHECKING:
    import openai

_WHERE_THE_KEY_IS = "OPENAI_API_KEY, api_key under [endpoint] in secrets.toml, or the sidebar"
_WORDS_LIMIT = 300
_MODELS_SHOWN = 5
_TOO_LONG = re.compile(r"context[ _](length|size|window)|too (long|large|many tokens)", re.IGNORECASE)


class ResponseBoundError(Exception):
    """A response passed a bound: its size, its duration, or a compression that was not asked for."""

    def __init__(self, bound: Literal["size", "time", "compression"]) -> None:
        super().__init__(bound)
        self.bound = bound


def without_key(text: str, api_key: str | None) -> str:
    """Return ``text`` with every occurrence of the key replaced, also escaped, cut short or with a changed end."""
    if not api_key:
        return text
    forms = {api_key, quote(api_key, safe=""), json.dumps(api_key)[1:-1]}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "[key]")
    if len(api_key) >= 16:
        # A server that cuts its own message may leave the first part of the key at the end.
        text = re.sub(re.escape(api_key[:8]) + r"\S*", "[key]", text)
    return text


def clean(text: str, api_key: str | None, limit: int = _WORDS_LIMIT) -> str:
    """Return a server's text as one printable line of at most ``limit`` characters, without the key."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: limit * 20]).split())
    line = without_key(line, api_key)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def endpoint_error(settings: EndpointSettings, message: str, status: int | None = None) -> EndpointError:
    """Return the error for ``message``; the key is taken out whatever the message was made of."""
    return EndpointError(without_key(message, settings.api_key), status)


def explain_status(
    error: openai.APIStatusError,
    settings: EndpointSettings,
    *,
    model: str,
    attempts: int,
    available: Sequence[str],
) -> EndpointError:
    """Return the error for an HTTP status other than 2xx. ``available``: names of the endpoint's models, if known."""
    status = error.status_code
    host = settings.host
    words = server_words(error, settings.api_key)
    tried = f" after {attempts} attempts" if attempts > 1 else ""
    quoted = f" It says: {words}" if words else ""
    if status == 401:
        # Its words are left out: they are about the key, and often repeat a part of it.
        if settings.api_key is None:
            message = f"{host} asks for a key (401). Set it: {_WHERE_THE_KEY_IS}."
        else:
            message = f"{host} refused the key (401). Check it where it was set: {_WHERE_THE_KEY_IS}."
    elif status == 403:
        message = f"{host} does not let this key use {model!r} (403). Ask for access, or choose another model."
    elif status == 404:
        message = _not_found(settings, model, available)
    elif is_quota(error):
        message = f"The quota of this key at {host} is used up ({status}). Check its billing, or choose another model."
    elif status == 429:
        seconds = error.response.headers.get("retry-after", "")
        wait = f"Wait {seconds} s" if re.fullmatch(r"[0-9]{1,6}", seconds) else "Wait a minute"
        message = f"{host} has too many requests (429{tried}). {wait}, then ask again.{quoted}"
    elif 300 <= status < 400:
        target = clean(urlsplit(error.response.headers.get("location", "")).netloc, settings.api_key, 100)
        message = (
            f"{host} redirects to another address{f' at {target}' if target else ''} ({status}). This is not followed, "
            "because it could lead the key elsewhere. Correct the endpoint address."
        )
    elif status >= 500:
        message = (
            f"{host} failed ({status}{tried}).{quoted} Ask again; if it stays, look into the server's log or choose "
            "another model."
        )
    elif status == 413 or _TOO_LONG.search(words):
        message = (
            f"The prompt and the answer do not fit into the context of {model!r} at {host} ({status}).{quoted} Use "
            "fewer passages, a shorter document or a new conversation."
        )
    else:
        message = f"{host} rejected the request ({status}).{quoted} Check the model name and the server's settings."
    return endpoint_error(settings, message, status)


def _not_found(settings: EndpointSettings, model: str, available: Sequence[str]) -> str:
    if not available or model in available:
        hint = "" if settings.base_url.endswith("/v1") else ", which usually ends in /v1"
        return (
            f"{settings.host} has no chat completions at this address, or does not know the model {model!r} (404). "
            f"Check the address ({settings.base_url}){hint}, and the model's name."
        )
    shown = ", ".join(clean(name, settings.api_key, 100) for name in available[:_MODELS_SHOWN])
    more = f" and {len(available) - _MODELS_SHOWN} more" if len(available) > _MODELS_SHOWN else ""
    return (
        f"{settings.host} does not know the model {model!r} (404). It offers: {shown}{more}. Set one of them as "
        "OPENAI_MODEL, as model under [endpoint] in secrets.toml, or in the sidebar."
    )


def explain_connection(error: Exception, settings: EndpointSettings, *, received_chars: int | None) -> EndpointError:
    """Return the error for a connection that failed, fell silent or carried something else than the protocol.

    ``received_chars`` is the length of the answer so far; None before the answer began.
    """
    import openai

    host = settings.host
    so_far = "" if received_chars is None else f" after {received_chars} characters of the answer"
    causes = _causes(error)
    if isinstance(error, ResponseBoundError):
        message = {
            "size": f"{host} sent far more data than an answer needs{so_far} and was cut off. Check the address.",
            "time": f"The answer of {host} took longer than {settings.total_timeout_s:g} s{so_far} and was stopped. "
            "Ask for a shorter answer, or choose a faster model.",
            "compression": f"{host} compressed its answer although asked not to. Check the address and any proxy.",
        }[error.bound]
    elif isinstance(error, openai.APITimeoutError):
        if any(type(cause).__name__ == "ConnectTimeout" for cause in causes):
            message = (
                f"No connection to {host} within {settings.connect_timeout_s:g} s. Check the address, the network and "
                "whether a firewall is between."
            )
        else:
            message = (
                f"{host} sent nothing for {settings.timeout_s:g} s{so_far}. Ask again; if it stays, look into the "
                "server's log or choose a faster model."
            )
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        message = f"The name in {host} leads to no machine. Check its spelling and the network connection."
    elif tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
        message = f"No secure connection to {host}. {_tls_advice(tls)}"
    elif any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        message = f"Nothing answers at {host}. Start the server, or correct the endpoint address."
    elif isinstance(error, openai.APIConnectionError):
        message = (
            f"The connection to {host} broke{so_far or ' before the answer'}. Ask again; if it stays, look into the "
            "server's log."
        )
    elif isinstance(error, openai.APIError):  # an error object inside the stream
        words = clean(error.message, settings.api_key)
        message = f"{host} reported an error{so_far}: {words} Ask again; if it stays, look into the server's log."
    elif received_chars:
        message = f"{host} sent something unreadable{so_far}. Ask again; if it stays, look into the server's log."
    else:
        message = not_the_protocol(settings)
    return endpoint_error(settings, message)


def not_the_protocol(settings: EndpointSettings) -> str:
    """Return the message for a server that answers with something else."""
    hint = "" if settings.base_url.endswith("/v1") else ", which usually ends in /v1"
    return f"{settings.host} does not answer in the OpenAI protocol. Check the address ({settings.base_url}){hint}."


def server_words(error: openai.APIStatusError, api_key: str | None) -> str:
    """Return what the server said in its error's body, cleaned; empty for a web page or nothing."""
    body = error.body
    if isinstance(body, dict):
        said = body.get("message") or body.get("detail") or body.get("error") or ""
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    else:
        text = body if isinstance(body, str) else ""
    if text.lstrip().startswith("<"):
        return ""
    words = clean(text, api_key)
    return words if not words or words[-1] in ".!?…" else words + "."


def is_quota(error: openai.APIStatusError) -> bool:
    """Whether the error means a used-up quota or balance, which no waiting helps."""
    return error.status_code == 402 or "insufficient_quota" in (error.code, error.type)


def is_broken_connection(error: Exception) -> bool:
    """Whether a connection broke before any response, as a kept-alive one does after a server's restart."""
    return any(type(cause).__name__ in ("RemoteProtocolError", "ReadError", "WriteError") for cause in _causes(error))


def _tls_advice(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "Its certificate is not trusted: correct the address, or install its authority on this machine."
    if error.reason == "WRONG_VERSION_NUMBER":
        return "It does not speak TLS at this port: correct the port, or use http:// if it is a local server."
    return "Check the address and the port, and whether a proxy is between."


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and len(chain) < 10:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain
