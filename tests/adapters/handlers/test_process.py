"""The portal's own process: where it listens, what it refuses, how it stops."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from handlers.portal import Busy
from handlers.service import Folders
from hub_config.portal import check_frontend
from hub_config.portal_place import hub_auth, hub_token, place_of
from kqi_hub.bootstrap.database import upgrade_database
from kqi_hub.bootstrap.keys import generate_keys
from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.model import Settings
from tests.fakes.hub import SECRET
from tests.fakes.site import FakeSite

SETTINGS = """
[site]
name = "Lab"
state_dir = "{folder}"
[cluster]
name = "lab"
[database]
url = "sqlite:///{folder}/kqi.sqlite"
[directory]
servers = ["ldaps://127.0.0.1:1"]
people_base = "ou=people"
groups_base = "ou=groups"
[hub]
public_url = "{public_url}"
hub_port = 4001
portal_port = 4002
"""
MANAGED = {
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:4003",
    "JUPYTERHUB_SERVICE_PREFIX": "/lab/services/portal/",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:4004/lab/hub/api",
    "JUPYTERHUB_API_TOKEN": SECRET,
    "JUPYTERHUB_BASE_URL": "/lab/",
    "JUPYTERHUB_CLIENT_ID": "service-other",
    "JUPYTERHUB_HOST": "https://hub.example.org",
}


def text_of(folder: Path, public_url: str = "https://hub.example.org/") -> str:
    return SETTINGS.format(folder=folder, public_url=public_url)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    tmp_path.chmod(0o700)
    return parse_settings(text_of(tmp_path), "kqi.toml")


def test_a_process_beside_the_hub_takes_its_place_from_the_settings(
    settings: Settings,
) -> None:
    place = place_of(settings, {})
    assert (place.host, place.port) == ("127.0.0.1", 4002)
    assert place.api_url == "http://127.0.0.1:4001/hub/api"
    assert (place.prefix, place.base) == ("/services/portal/", "/")
    assert place.client_id == "service-portal"


def test_a_process_that_the_hub_started_takes_its_place_from_the_hub(
    settings: Settings,
) -> None:
    place = place_of(settings, MANAGED)
    assert (place.host, place.port) == ("127.0.0.1", 4003)
    assert place.api_url == "http://127.0.0.1:4004/lab/hub/api"
    assert (place.prefix, place.base) == ("/lab/services/portal/", "/lab/")
    assert (place.client_id, place.hub_host) == (
        "service-other",
        "https://hub.example.org",
    )
    assert hub_token(settings, MANAGED) == SECRET


@pytest.mark.parametrize(
    "url",
    ["http://0.0.0.0:4003", "http://192.0.2.1:80", "http://hub:1", "http://[::]:1"],
)
def test_an_address_that_others_reach_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(SettingsError, match="cannot listen"):
        place_of(settings, {**MANAGED, "JUPYTERHUB_SERVICE_URL": url})


@pytest.mark.parametrize(
    ("url", "secure"), [("https://hub.example.org/", True), ("http://10.0.0.1/", False)]
)
def test_cookies_are_secure_where_people_come_by_https(
    tmp_path: Path, url: str, secure: bool
) -> None:
    settings = parse_settings(text_of(tmp_path, url), "kqi.toml")
    auth = hub_auth(place_of(settings, {}), SECRET, settings)
    assert auth.cookie_options["secure"] is secure
    assert auth.cookie_options["samesite"] == "Lax"
    assert auth.cache_max_age <= 60


def test_pages_without_their_libraries_are_refused(
    folders: Folders, tmp_path: Path
) -> None:
    check_frontend(folders)
    with pytest.raises(SettingsError, match="front-end libraries"):
        check_frontend(replace(folders, static=tmp_path))


async def test_stopping_waits_for_what_is_under_way_but_not_for_ever() -> None:
    busy = Busy()
    assert await busy.wait_idle(0)
    busy.begin()
    assert not await busy.wait_idle(0.01)
    asyncio.get_running_loop().call_later(0.02, busy.end)
    assert await busy.wait_idle(5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A portal's process and what it wrote."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url

    async def answers(self, path: str) -> int:
        """Ask until there is somebody to answer; return the status."""
        client = AsyncHTTPClient()
        while True:
            try:
                answer = await client.fetch(
                    self.url + path, raise_error=False, follow_redirects=False
                )
            except OSError:
                if self.process.returncode is not None:
                    raise
                await asyncio.sleep(0.05)
            else:
                return int(answer.code)

    async def stop(self) -> tuple[int, str]:
        """Send SIGTERM; return the exit code and what was logged."""
        self.process.send_signal(signal.SIGTERM)
        _, logged = await asyncio.wait_for(self.process.communicate(), 20)
        return self.process.returncode or 0, logged.decode()


@pytest.fixture
async def process(settings: Settings, tmp_path: Path) -> AsyncIterator[Process]:
    upgrade_database(settings)
    generate_keys(settings, "tests")
    (tmp_path / "kqi.toml").write_text(text_of(tmp_path))
    port = free_port()
    environment = {
        **os.environ,
        **MANAGED,
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
        "KQI_CONFIG": str(tmp_path / "kqi.toml"),
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hub_config.portal"),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    yield Process(started, f"http://127.0.0.1:{port}/lab/services/portal/")
    if started.returncode is None:
        started.kill()
        await started.wait()


@pytest.mark.skipif(
    not (FakeSite().folders.static / "vendor/icons.svg").exists(),
    reason="npm's files are not here; ./test brings them, ./test FAST does not",
)
@pytest.mark.slow
async def test_the_process_answers_and_stops_when_it_is_told_to(
    process: Process,
) -> None:
    assert await asyncio.wait_for(process.answers("healthz"), 30) == 200
    assert await process.answers("") == 302
    assert await process.answers("api/v1/whoami?token=hunter2") == 401
    parts = urlsplit(process.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"PUT /lab/services/portal/api/v1/me/preferences HTTP/1.1\r\n")
    writer.write(
        b"Host: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    )
    await writer.drain()
    stopping = asyncio.ensure_future(process.stop())
    await asyncio.sleep(0.3)
    writer.write(b"{}")
    head = await reader.readline()
    writer.close()
    code, logged = await stopping
    assert b" 401 " in head, "what was under way is answered"
    assert code == 0
    assert "GET /lab/services/portal/healthz 200" in logged
    assert "stopped" in logged
    assert "hunter2" not in logged
    assert SECRET not in logged
    assert "Traceback" not in logged


async def test_the_loop_is_favoured_over_threads_and_the_collector() -> None:
    """In a process of its own: what is set here holds for all of a process."""
    code = (
        "import gc, sys; from hub_config.portal import favour_the_loop as favour; "
        "favour(); print(sys.getswitchinterval(), gc.get_freeze_count() > 10_000)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.decode().split() == ["0.001", "True"]
