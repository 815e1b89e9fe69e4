"""Where an OpenAI-compatible endpoint is, which model to ask for, and the key; read from the environment or secrets."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from playground.errors import EndpointError

OPENAI_BASE_URL = "https://api.openai.com/v1"
DEFAULT_CONTEXT_LIMIT = 8192

_TABLE_KEYS = ("base_url", "model", "api_key", "context_limit")
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_URL_CHARS_LIMIT = 2048


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """How to reach one model at one endpoint. An instance is always usable: its fields are checked when it is made.

    ``base_url`` is stored without a trailing slash. ``timeout_s`` is the longest silence of the server,
    ``total_timeout_s`` the longest duration of one completion, ``connect_timeout_s`` the longest wait for a
    connection. ``context_limit`` is in tokens; the protocol has no way to ask for it, so it is the user's word.
    The key is left out of ``repr``.

    Plain http is accepted only for hosts of this machine or of a private network, because the key, the policy and
    the question travel in the request.

    Raises:
        EndpointError: a field cannot be used; the message names the field and never repeats the key.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 60.0
    connect_timeout_s: float = 5.0
    max_retries: int = 2
    context_limit: int = DEFAULT_CONTEXT_LIMIT
    total_timeout_s: float = 300.0

    def __post_init__(self) -> None:
        # A frozen dataclass is normalised through object.__setattr__, once, before anybody sees it.
        object.__setattr__(self, "base_url", _checked_url(self.base_url))
        object.__setattr__(self, "model", _checked_model(self.model))
        object.__setattr__(self, "api_key", _checked_key(self.api_key))
        for name in ("timeout_s", "connect_timeout_s", "total_timeout_s"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds > 0):
                raise EndpointError(f"The endpoint's {name} must be a number of seconds above 0. Correct it.")
        if self.max_retries < 0:
            raise EndpointError("The endpoint's max_retries must be 0 or more. Correct it.")
        if self.context_limit < 1:
            raise EndpointError("The endpoint's context_limit must be a number of tokens above 0. Correct it.")

    @property
    def host(self) -> str:
        """Host and port as a message shows them, for instance ``localhost:8000``."""
        return urlsplit(self.base_url).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint runs on this machine."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")


def settings_from(environment: Mapping[str, str], secrets: Mapping[str, object]) -> EndpointSettings | None:
    """Read endpoint settings from environment variables and from the ``[endpoint]`` table of ``secrets``.

    Variables: ``OPENAI_BASE_URL``, ``OPENAI_MODEL``, ``OPENAI_API_KEY``, ``OPENAI_CONTEXT_LIMIT``. Keys of the table:
    ``base_url``, ``model``, ``api_key``, ``context_limit``. The environment wins, field by field, with one exception:
    **a key goes only to the address that was set beside it**. With an address in the table alone, the table's key is
    used, even when ``OPENAI_API_KEY`` is set, so a key for OpenAI is never sent to another server; and the other way
    round. Without any address, OpenAI's own is used. Empty values count as not set. Neither mapping is changed.

    Returns:
        The settings; None when nothing names an endpoint (a key alone does not: it may be there for other programs).

    Raises:
        EndpointError: an address is set but no model, or a value cannot be used.
    """
    table = _table(secrets)
    model = _value(environment, "OPENAI_MODEL") or table.get("model")
    environment_url = _value(environment, "OPENAI_BASE_URL")
    environment_key = _value(environment, "OPENAI_API_KEY")
    base_url = environment_url or table.get("base_url")
    if environment_url:
        api_key = environment_key
    elif base_url:
        api_key = table.get("api_key")
    else:
        api_key = environment_key or table.get("api_key")
    if not model:
        if base_url is None:
            return None
        raise EndpointError(
            "An endpoint address is set but no model. Set OPENAI_MODEL, or model in the [endpoint] table of "
            "secrets.toml, to a name that the endpoint serves."
        )
    context_limit = _value(environment, "OPENAI_CONTEXT_LIMIT") or table.get("context_limit")
    return EndpointSettings(
        base_url=base_url or OPENAI_BASE_URL,
        model=model,
        api_key=api_key,
        context_limit=_context_limit(context_limit),
    )


def _value(environment: Mapping[str, str], name: str) -> str | None:
    return environment.get(name, "").strip() or None


def _table(secrets: Mapping[str, object]) -> dict[str, str]:
    table = secrets.get("endpoint")
    if table is None:
        return {}
    if not isinstance(table, Mapping):
        raise EndpointError("In secrets.toml, endpoint must be a table: write [endpoint] on a line of its own.")
    values: dict[str, str] = {}
    for name, value in table.items():
        if name not in _TABLE_KEYS:
            raise EndpointError(
                f"In secrets.toml, [endpoint] has an unknown key {str(name)[:40]!r}. Known: {', '.join(_TABLE_KEYS)}."
            )
        if name == "context_limit" and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # noqa: PLW2901 - a number in TOML, text in the environment
        if not isinstance(value, str):
            raise EndpointError(f"In secrets.toml, {name} under [endpoint] must be text in quotation marks.")
        if value.strip():
            values[name] = value.strip()
    return values


def _context_limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_CONTEXT_LIMIT
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise EndpointError("The endpoint's context limit must be a whole number of tokens, for instance 8192.")
    return int(value)


def _checked_url(base_url: str) -> str:
    text = base_url.strip()
    if len(text) > _URL_CHARS_LIMIT or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise EndpointError("The endpoint address is not a URL. Give one such as http://localhost:8000/v1.")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port  # raises when the port is not a number up to 65535
    except ValueError:
        raise EndpointError("The endpoint address is not a URL. Give one such as http://localhost:8000/v1.") from None
    # Everything below speaks about the address without repeating it: it may hold a password.
    if parts.scheme not in ("http", "https") or not host:
        raise EndpointError(
            "The endpoint address must begin with http:// or https:// and a host, for instance http://localhost:8000/v1."
        )
    if "@" in parts.netloc:
        raise EndpointError("The endpoint address holds a user name or password. Remove it; give the key separately.")
    if parts.query or parts.fragment:
        raise EndpointError(
            "The endpoint address must end before any ? or #. Remove that part; give the key separately."
        )
    if parts.scheme == "http" and not _is_private(host):
        raise EndpointError(
            f"The endpoint at {host[:100]} would get the key and the documents unencrypted. Use https, or a tunnel to "
            "localhost; plain http is accepted only for this machine and private networks."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _checked_model(model: str) -> str:
    name = model.strip()
    if not name or len(name) > 256 or not name.isprintable():
        raise EndpointError("The endpoint's model name is empty or unusable. Give a name that the endpoint serves.")
    return name


def _checked_key(api_key: str | None) -> str | None:
    key = (api_key or "").strip()
    if not key:
        return None
    # It travels in a header: anything else would be refused deep inside the HTTP client, with the key in the message.
    if len(key) > 4096 or not re.fullmatch(r"[\x21-\x7e]+", key):
        raise EndpointError("The endpoint's key has characters that no key has. Copy it again, without spaces around.")
    return key


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    """Whether a host belongs to this machine or a private network, judged by its name alone (nothing is looked up)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name without a dot resolves only locally: a container, a machine in the office.
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)
    # Link-local is left out: that is where clouds keep their credentials service.
    return address.is_private and not address.is_link_local
