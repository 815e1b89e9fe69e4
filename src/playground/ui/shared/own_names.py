"""Answer only requests that name this app by a name of its own, and that come from its own pages.

A web page elsewhere can have its name resolve to this machine (DNS rebinding) and then talk to the app as if it were
the app's own page; the browser still says the foreign name in ``Host`` or ``Origin``. Streamlit compares ``Host`` with
``server.allowedHosts`` where a session begins, and asks an outside address for this machine's external address when
``Origin`` is foreign. Here both are compared on every route, before Streamlit sees the request: nobody outside is
asked.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

SETTING = "server.allowedHosts"
_POLICY_VIOLATION = 1008


class OwnNamesOnly:
    """ASGI middleware that refuses foreign names with 403, a session with the same before it begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or is_own(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            sentence = f"This app does not go by that name. Add the name to {SETTING} in .streamlit/config.toml.\n"
            await PlainTextResponse(sentence, status_code=403)(scope, receive, send)


def is_own(headers: Headers) -> bool:
    """Tell whether a request names this app by a name of its own and, where it says so, comes from its own pages.

    Without any ``server.allowedHosts`` nobody is let in: a setting that is lost must not open the app.
    """
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or len(origins) > 1 or not config.get_option(SETTING) or not is_host_allowed(hosts[0]):
        return False
    return not origins or _is_same(origins[0], hosts[0])


def _is_same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()
    except ValueError:
        return False


OWN_NAMES_ONLY = Middleware(OwnNamesOnly)
