"""The real proxy, asked by http where it is to be asked by https."""

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from hub_config import proxy
from kqi_hub.settings.loader import parse_settings
from tests.adapters.auth.certificates import Authority

# It starts the real proxy, which a quick run does not install.
pytestmark = pytest.mark.slow

SETTINGS = """
[site]
state_dir = "{state}"
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
[hub]
hub_port = {hub}
proxy_port = {api}
public_url = "https://localhost:{https}/"
listen = "https://127.0.0.1:{https}"
redirect_port = {http}
tls_certificate = "{certificate}"
tls_key = "{key}"
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int, Path]]:
    authority = Authority(tmp_path, "proxy")
    own = authority.sign("hub", "localhost")
    hub, api, https, http = free_ports(4)
    text = SETTINGS.format(
        state=tmp_path, hub=hub, api=api, https=https, http=http,
        certificate=own.pem, key=own.key,
    )  # fmt: skip
    words = proxy.command(parse_settings(text, "kqi.toml"))
    environment = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": "word"}
    with (tmp_path / "proxy.log").open("wb") as log:
        running = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        try:
            for port in (https, http):
                wait_for(port, running)
            yield https, http, authority.pem
        finally:
            running.terminate()
            running.wait(20)


def wait_for(port: int, running: "subprocess.Popen[bytes]") -> None:
    began = time.monotonic()
    while time.monotonic() - began < 30 and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing listens on {port}")


def test_http_leads_to_the_same_page_by_https(ports: tuple[int, int, Path]) -> None:
    https, http, authority = ports
    with closing(HTTPConnection("localhost", http, timeout=20)) as plain:
        plain.request("GET", "/hub/login?next=%2Fx")
        answer = plain.getresponse()
        assert answer.status == 301
        place = f"https://localhost:{https}/hub/login?next=%2Fx"
        assert answer.headers["Location"] == place
    context = ssl.create_default_context(cafile=str(authority))
    with closing(HTTPSConnection("localhost", https, context=context)) as safe:
        safe.request("GET", "/")
        # Nothing answers behind it: the proxy itself says so.
        assert safe.getresponse().status in {502, 503}


def test_what_is_no_http_of_today_is_refused(ports: tuple[int, int, Path]) -> None:
    with socket.create_connection(("127.0.0.1", ports[1]), 20) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert plain.recv(1000).startswith(b"HTTP/1.1 400")
