"""Environments in which pip has broken Jupyter: the server starts, and says what is."""

import asyncio
import json
import secrets
import shutil
import sys
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.adapters.runner.order_file import PREFIX
from tests.adapters.session.job import Job, job
from tests.fakes.session_hub import until

SITE = next(one for one in sys.path if one.endswith("site-packages"))
BROKEN = "raise SystemExit('pip broke it')\n"
SPEC = {
    "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3",
    "language": "python",
}


def make(envs: Path, name: str) -> Path:
    """Make an environment that runs a kernel: a venv that borrows packages."""
    prefix = envs / name
    venv.create(prefix, symlinks=True)
    place = next(prefix.glob("lib/python3*/site-packages"))
    (place / "borrowed.pth").write_text(f"{SITE}\n")
    kernel = prefix / "share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(SPEC))
    return place


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    top = tmp_path_factory.mktemp("alice")
    envs = top / ".conda" / "envs"
    make(envs, "good")
    site = make(envs, "bad")
    for package in ("jupyterhub", "tornado", "pip"):
        (site / package).mkdir(exist_ok=True)
        (site / package / "__init__.py").write_text(
            "raise SystemExit('pip broke it')\n"
        )
    make(envs, "gone")
    (envs / "gone/bin/python").unlink()
    with job(top, environment="bad") as started:
        yield started


def execute(running: Job, kernel: str, code: str) -> list[dict[str, Any]]:
    """Return what a kernel says when some code is to run."""
    made = running.ask("api/kernels", "POST", {"name": kernel})
    assert made.status == 201, made.body
    port = until(running.hub.port_of_server)
    url = f"ws://127.0.0.1:{port}{PREFIX}api/kernels/{made.json()['id']}/channels"
    # A browser of other tests may have this thread's event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _execute(url, code)).result(60)


async def _execute(url: str, code: str) -> list[dict[str, Any]]:
    headers = {"Authorization": "token the-token"}
    socket = await websocket_connect(HTTPRequest(url, headers=headers))
    number = secrets.token_hex(8)
    header = {
        "msg_id": number,
        "session": number,
        "username": "",
        "msg_type": "execute_request",
        "version": "5.3",
    }
    message = {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
    }
    content = {"code": code, "silent": False, "store_history": False}
    await socket.write_message(json.dumps({**message, "content": content}))
    said: list[dict[str, Any]] = []
    reply: dict[str, Any] = {}
    is_idle = False
    while not (reply and is_idle) and (text := await socket.read_message()):
        told = json.loads(text)
        if told["parent_header"].get("msg_id") != number:
            continue
        is_idle = is_idle or told["content"].get("execution_state") == "idle"
        if told["msg_type"] == "execute_reply":
            reply = told["content"]
        else:
            said.append({"type": told["msg_type"], **told["content"]})
    socket.close()
    while await socket.read_message() is not None:
        pass  # until the other side has closed as well
    return [*said, reply]


def titles(running: Job) -> dict[str, str]:
    found = running.ask("api/kernelspecs").json()["kernelspecs"]
    return {name: one["spec"]["display_name"] for name, one in found.items()}


def test_server_starts_and_lists_what_is_broken(running: Job) -> None:
    assert running.ask("lab").status == 200
    found = titles(running)
    names = {"conda-good", "conda-bad", "conda-gone"}
    assert set(found) == names | {"python3", "site-python3"}
    assert "broken: repair it" in found["conda-gone"]
    assert "broken" not in found["conda-good"]


def test_sites_own_python_runs_whatever_was_chosen(running: Job) -> None:
    said = execute(running, "site-python3", "import sys; print(sys.prefix)")
    text = "".join(one.get("text", "") for one in said)
    assert sys.prefix in text


def test_python3_is_the_chosen_environments_and_explains_itself(running: Job) -> None:
    assert "kqi env repair bad" in execute(running, "python3", "1")[-1]["evalue"]


def test_kernel_that_starts_runs_cells_and_its_use_is_noted(running: Job) -> None:
    said = execute(running, "conda-good", "import sys; print(sys.prefix)")
    text = "".join(one.get("text", "") for one in said)
    assert str(running.top / ".conda/envs/good") in text
    assert (running.top / ".conda/kqi/used/good").is_file()


def test_broken_kernel_says_why_in_the_cell_and_is_called_broken_from_then_on(
    running: Job,
) -> None:
    said = execute(running, "conda-bad", "1 + 1")
    errors = [one for one in said if one.get("type") == "error"]
    assert errors[0]["ename"] == "BrokenEnvironment"
    assert "pip broke it" in errors[0]["evalue"]
    assert "kqi env repair bad" in errors[0]["evalue"]
    assert said[-1]["status"] == "error"
    assert "The environment bad is broken" in running.said
    until(lambda: "broken: repair it" in titles(running)["conda-bad"], 20)


def test_python_that_is_missing_says_so_in_the_cell(running: Job) -> None:
    said = execute(running, "conda-gone", "1")
    assert "cannot be run" in said[-1]["evalue"]


def test_repaired_environment_runs_again_without_a_new_session(running: Job) -> None:
    envs = running.top / ".conda/envs"
    site = make(envs, "mended")
    (site / "tornado").mkdir()
    (site / "tornado/__init__.py").write_text("raise SystemExit('for now')\n")
    until(lambda: "conda-mended" in titles(running))
    assert execute(running, "conda-mended", "1")[-1]["status"] == "error"
    shutil.rmtree(site / "tornado")
    assert execute(running, "conda-mended", "1")[-1]["status"] == "ok"
    until(lambda: "broken" not in titles(running)["conda-mended"])
