"""`kqi tensorboard` against the real server of a notebook."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kqi_hub.cli.main import kqi
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.config import Config, save
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.notebook_server import NotebookServer
from kqi_hub.sdk.notebooks import Way
from tests.adapters.runner.order_file import PREFIX
from tests.adapters.session.job import Job, job
from tests.fakes.session_hub import until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with job(tmp_path_factory.mktemp("alice")) as started:
        (started.top / "workspace/logs").mkdir(parents=True)
        yield started


@pytest.fixture
def inside(
    running: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Be in a terminal of the notebook."""
    port = until(running.hub.port_of_server)
    for name in [one for one in os.environ if one.startswith(("KQI_", "JUPYTERHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    url = f"http://127.0.0.1:{port}{PREFIX}"
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", url)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "the-token")
    monkeypatch.chdir(running.top / "workspace")
    yield url
    with NotebookServer.around() as server:
        for one in server.tensorboards():
            server.stop_tensorboard(one.number)


def run(*words: str) -> Result:
    return CliRunner().invoke(kqi, ["tensorboard", *words], catch_exceptions=False)


def test_in_a_terminal_it_starts_and_prints_where(inside: str) -> None:
    del inside
    save(Config("https://hub.example.org/", "", "word"))
    said = run("logs").stdout.strip()
    assert said.startswith(f"https://hub.example.org{PREFIX}kqi/tensorboard/")
    again = run("logs", "--json")
    made = json.loads(again.stdout)
    assert said.endswith(made["path"])
    assert made["logdir"].endswith("/workspace/logs")
    listed = json.loads(run("--list", "--json").stdout)
    assert [one["number"] for one in listed] == [made["number"]]
    assert "logs" in run("--list").stdout
    assert "is stopped" in run("--stop", str(made["number"])).output
    assert json.loads(run("--list", "--json").stdout) == []


def test_portal_that_is_not_known_here_is_not_invented(inside: str) -> None:
    del inside
    said = run("logs").output
    assert said.startswith(f"{PREFIX}kqi/tensorboard/")
    assert "portal's own address" in said


def test_folder_that_is_not_there_is_said(inside: str) -> None:
    del inside
    with pytest.raises(PortalError, match="There is no folder"):
        run("none")


def test_outside_of_a_notebook_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JUPYTERHUB_SERVICE_URL", raising=False)
    with pytest.raises(PortalError, match="--notebook NAME"):
        run("logs")


def test_from_afar_it_goes_the_way_that_the_portal_shows(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTERHUB_SERVICE_URL")
    root = inside.removesuffix(PREFIX.lstrip("/"))
    save(Config(root, "", "word"))
    asked: list[int] = []

    def way(self: Client, number: int) -> Way:
        del self
        asked.append(number)
        return Way(f"{PREFIX.strip('/')}/lab", 60, "the-token")

    class Found:
        id = 12

    monkeypatch.setattr("kqi_hub.cli.tensorboard.find", lambda *_: Found())
    monkeypatch.setattr(Client, "open_notebook", way)
    said = run("logs", "--notebook", "mine").stdout.strip()
    assert said.startswith(f"{root.rstrip('/')}{PREFIX}kqi/tensorboard/")
    assert asked == [12]
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", inside)


def test_wrong_token_is_no_traceback(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        NotebookServer(inside, "another-token") as server,
        pytest.raises(PortalError, match="answers"),
    ):
        server.tensorboards()
    del monkeypatch
