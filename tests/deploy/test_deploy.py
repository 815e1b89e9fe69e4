"""The examples of deploy/ hold together: names, limits, health routes; and nginx keeps a visitor with one copy."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from playground.paths import ROOT

DEPLOY = ROOT / "deploy"
HEALTH = "/_stcore/health"


def kubernetes(name: str) -> dict[str, dict[str, Any]]:
    text = (DEPLOY / "kubernetes" / f"{name}.yaml").read_text(encoding="utf-8")
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return services


def test_every_service_has_limits_a_health_check_and_adapters_that_it_cannot_change() -> None:
    for name, service in compose().items():
        assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"]), name
        assert "healthcheck" in service or name == "app", "the app's stands in the Dockerfile"
        assert all(volume.endswith(":ro") for volume in service["volumes"]), name
    assert "HEALTHCHECK" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_every_container_has_probes_limits_and_adapters_that_it_cannot_change() -> None:
    for name in ("app", "model"):
        pod = kubernetes(name)["Deployment"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
        assert container["securityContext"]["readOnlyRootFilesystem"]
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts["adapters"]["readOnly"]
    probe = kubernetes("app")["Deployment"]["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]
    assert probe["path"] == HEALTH
    assert probe["httpHeaders"] == [{"name": "Host", "value": "localhost"}], "a host that the app answers to"


def test_the_app_asks_the_model_under_the_name_that_the_server_gives_it() -> None:
    model = kubernetes("model")["Deployment"]["spec"]["template"]["spec"]["containers"][0]["args"]
    app = kubernetes("app")["Deployment"]["spec"]["template"]["spec"]["containers"][0]["env"]
    named = {one["name"]: one.get("value") for one in app}
    assert model[model.index("--alias") + 1] == named["OPENAI_MODEL"]
    assert kubernetes("model")["Service"]["metadata"]["name"] in str(named["OPENAI_BASE_URL"])
    for arguments in (model, compose()["model"]["command"]):
        assert arguments[arguments.index("--cache-ram") + 1] == "0", (
            "a cache across adapters answers with the wrong one"
        )


def test_signing_in_is_required_and_the_example_has_what_streamlit_asks_for() -> None:
    assert compose()["app"]["environment"]["PLAYGROUND_REQUIRE_SIGN_IN"] == "1"
    auth = tomllib.loads((DEPLOY / "secrets.example.toml").read_text(encoding="utf-8"))["auth"]
    assert set(auth) == {"redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"}
    assert auth["redirect_uri"].endswith("/oauth2callback")


class Copy(BaseHTTPRequestHandler):
    """Answers with the port of its copy."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.server.server_address[1]).encode())

    def log_message(self, *_about: object) -> None:
        return


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[int]:
    """nginx with our settings before two copies."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        pytest.skip("nginx is not installed here")
    copies = [ThreadingHTTPServer(("127.0.0.1", 0), Copy) for _ in range(2)]
    for copy in copies:
        threading.Thread(target=copy.serve_forever, daemon=True).start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    servers = "\n".join(f"server 127.0.0.1:{copy.server_address[1]};" for copy in copies)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    text = text.replace("server app:8501 max_fails=2 fail_timeout=10s;", servers)
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    assert servers in text
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\ndaemon off;\n{text}")
    command = [nginx, "-p", str(tmp_path), "-e", str(tmp_path / "log"), "-c", str(tmp_path / "nginx.conf")]
    process = subprocess.Popen([*command, "-g", f"error_log {tmp_path}/log;"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()
        for copy in copies:
            copy.shutdown()
            copy.server_close()


def asked(port: int, path: str = "/", cookie: str = "") -> tuple[str, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    response = connection.getresponse()
    found = response.read().decode(), (response.headers["Set-Cookie"] or "").partition(";")[0]
    connection.close()
    return found


def test_a_visitor_stays_with_one_copy_and_visitors_spread_over_all(proxy: int) -> None:
    copies = set()
    for _visitor in range(16):
        first, cookie = asked(proxy)
        assert {asked(proxy, cookie=cookie)[0] for _ in range(4)} == {first}
        copies.add(first)
    assert len(copies) == 2
    assert asked(proxy, "/healthz")[0] == "ok\n"
