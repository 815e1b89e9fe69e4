"""Who may talk to the app: every route, with foreign names in Host and Origin, against a real server."""

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
from starlette.datastructures import Headers
from streamlit import config

from playground.ui.shared.own_names import is_own
from tests.support.running_app import running_app

_ROUTES = (
    "/",
    "/contract_clauses",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/stream",
    "/_stcore/upload_file/a/b",
    "/media/a",
    "/static/a",
    "/component/a/b",
)
_UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


class _Outside:
    """A proxy for the server's own requests that counts who comes, and answers nobody."""

    def __init__(self) -> None:
        self.asked = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.asked += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(scope="module")
def outside() -> Iterator[_Outside]:
    proxy = _Outside()
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def app(outside: _Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), outside.url)
    with running_app(tmp_path_factory.mktemp("app"), {**proxies, "NO_PROXY": "", "no_proxy": ""}) as url:
        yield url


def _status(app: str, route: str, *, host: str = "", **more: str) -> int:
    address = app.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=20)
    upgrade = _UPGRADE if route == "/_stcore/stream" else {}
    try:
        connection.putrequest("GET", route, skip_host=True)
        for name, value in {"Host": host or address, **upgrade, **more}.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("route", _ROUTES)
def test_a_foreign_host_is_refused_on_every_route(app: str, route: str) -> None:
    port = app.rpartition(":")[2]
    foreign = f"shop.example:{port}"
    assert _status(app, route, host=foreign) == 403
    assert _status(app, route, host=foreign, Origin=f"http://{foreign}") == 403


@pytest.mark.parametrize("route", _ROUTES)
def test_a_foreign_origin_is_refused_on_every_route_and_nobody_outside_is_asked(
    app: str, outside: _Outside, route: str
) -> None:
    for origin in ("http://shop.example", "https://127.0.0.1.shop.example", "null", "http://localhost:1", "http://[x"):
        assert _status(app, route, Origin=origin) == 403
    assert outside.asked == 0


def test_a_session_begins_from_the_apps_own_page(app: str) -> None:
    port = app.rpartition(":")[2]
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{port}"
        assert _status(app, "/_stcore/stream", host=host, Origin=f"http://{host}") == 101
        assert _status(app, "/", host=host) == 200


@pytest.fixture
def allowed() -> Iterator[list[str]]:
    names: list[str] = []
    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", names)
    yield names
    config.set_option("server.allowedHosts", before)


def test_one_setting_adds_a_name(allowed: list[str]) -> None:
    request = Headers({"host": "demo.example:8501", "origin": "https://demo.example:8501"})
    allowed.append("localhost")
    assert not is_own(request)
    allowed.append("demo.example")
    assert is_own(request)


def test_without_the_setting_nobody_is_let_in(allowed: list[str]) -> None:
    assert allowed == []
    assert not is_own(Headers({"host": "localhost:8501"}))


def test_two_hosts_or_two_origins_are_refused(allowed: list[str]) -> None:
    allowed.append("localhost")
    host, origin = (b"host", b"localhost"), (b"origin", b"http://localhost")
    assert is_own(Headers(raw=[host, origin]))
    assert not is_own(Headers(raw=[host, host]))
    assert not is_own(Headers(raw=[host, origin, origin]))
    assert not is_own(Headers(raw=[origin]))
