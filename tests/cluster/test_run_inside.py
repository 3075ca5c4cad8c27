"""Into real jobs of a real Slurm, behind hub and proxy: shells, ports, TensorBoards."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from kqi_hub.devstack.layout import Folder
from tests.cluster.agent_lab import AgentLab, agent_lab
from tests.cluster.stack import Stack, run_as, wait_until

NAME = f"training-770077-{'abcdefghijklmnopqrstuvwxyz'}"
FOLDER = Path("/scratch/alice/kqi/training/770077")
# Below those that the kernel gives to connections, and those of demo clusters.
PORT = 13_471
# A page that says what it was asked, on the node's 127.0.0.1.
PROGRAM = """\
import http.server, json, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {"path": self.path, "job": os.environ["SLURM_JOB_ID"],
                "cookie": self.headers.get("Cookie", "")}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", %d), Page).serve_forever()
"""


def submit(person: str, script: str, name: str = "inside", minutes: int = 10) -> int:
    ran = run_as(
        person, "sbatch", "--parsable", "--partition=cpu", f"--time={minutes}",
        "--mem=200M", f"--job-name={name}", "--output=/dev/null",
        "--chdir=/tmp", input=f"#!/bin/bash\n{script}\n",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout.split(";")[0])


def runs(job: int) -> bool:
    ran = run_as("root", "squeue", f"--jobs={job}", "--noheader", "--format=%T")
    return ran.stdout.strip() == "RUNNING"


def cancel(*jobs: int) -> None:
    subprocess.run(["/usr/bin/scancel", *map(str, jobs)], check=False)


def write_as(person: str, path: Path, text: str) -> None:
    folder = str(path.parent)
    assert run_as(person, "mkdir", "-p", folder).returncode == 0
    assert run_as(person, "tee", str(path), input=text).returncode == 0


@pytest.fixture(scope="module")
def lab() -> Iterator[AgentLab]:
    with agent_lab(Stack(Folder(Path(os.environ["KQI_STACK"]))), "alice") as lab:
        if lab.server():
            lab.stop()
        lab.start()
        yield lab
        run_as("alice", "rm", "-rf", str(FOLDER), f"{FOLDER.parents[1]}/tensorboards")


@pytest.fixture(scope="module")
def job(lab: AgentLab) -> Iterator[int]:
    """A training that was asked for with a port, submitted by hand with sbatch."""
    order = {"version": 1, "run": {"job_name": NAME, "ports": [PORT, PORT + 1]}}
    write_as("alice", FOLDER / "order.json", json.dumps(order))
    write_as("alice", FOLDER / "output/notes.txt", "x")
    found = submit("alice", f"exec python3 -c '{PROGRAM % PORT}'", NAME)
    wait_until(lambda: runs(found), 60)
    yield found
    cancel(found)


class Program:
    """What has alice's token, without a browser."""

    def __init__(self, lab: AgentLab) -> None:
        self.lab, self.token = lab, lab.token()
        self._headers = {"Authorization": f"Bearer {self.token}"}

    def ask(self, method: str, path: str, body: object = None) -> httpx2.Response:
        return httpx2.request(
            method, self.lab.url + path, headers=self._headers, json=body, timeout=60
        )

    def asked(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self.ask(method, path, body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def in_terminal(self, opened: dict[str, Any], typed: str, until: str) -> str:
        """Type something into a terminal; return what it shows until a text."""
        return asyncio.run(self._in_terminal(opened, typed, until))

    async def _in_terminal(self, opened: dict[str, Any], typed: str, until: str) -> str:
        url = f"{self.lab.url}terminals/{opened['id']}".replace("http", "ws", 1)
        socket = await websocket_connect(HTTPRequest(url, headers=self._headers))
        await socket.write_message(typed.encode(), binary=True)
        shown = b""
        try:
            async with asyncio.timeout(60):
                while until.encode() not in shown:
                    message = await socket.read_message()
                    if message is None or isinstance(message, str):
                        shown += f"\n[{message}]".encode()
                        break
                    shown += message
        finally:
            socket.close()
            async with asyncio.timeout(10):
                while await socket.read_message() is not None:
                    continue  # until the other end has closed it, too
        return shown.decode(errors="replace")


@pytest.fixture
def alice(lab: AgentLab) -> Program:
    return Program(lab)


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_a_shell_in_the_job_is_the_persons_and_the_jobs(
    alice: Program, job: int
) -> None:
    began = time.monotonic()
    opened = alice.asked("POST", "api/terminals", {"job": str(job), "columns": 91})
    shown = alice.in_terminal(
        opened,
        "echo [$SLURM_JOB_ID $(id -un) $(stty size) $(ulimit -v)]; tty\n",
        "/dev/pts/",
    )
    print(f"\nterminal: {time.monotonic() - began:.2f} s")  # noqa: T201 - a measurement
    assert f"[{job} alice 24 91 unlimited]" in shown
    assert alice.ask("DELETE", f"api/terminals/{opened['id']}").status_code == 204


def test_one_comes_back_to_the_same_shell(alice: Program, job: int) -> None:
    opened = alice.asked("POST", "api/terminals", {"job": str(job)})
    alice.in_terminal(opened, "mine=here-$((40+2)); echo set-$((1+1))\n", "set-2")
    shown = alice.in_terminal(opened, "echo found-$mine\n", "found-here-42")
    assert "found-here-42" in shown
    alice.ask("DELETE", f"api/terminals/{opened['id']}")


def test_a_shell_ends_with_its_job(alice: Program) -> None:
    job = submit("alice", "sleep 300")
    wait_until(lambda: runs(job), 60)
    opened = alice.asked("POST", "api/terminals", {"job": str(job)})
    alice.in_terminal(opened, "echo up-$((1+1))\n", "up-2")
    cancel(job)
    shown = alice.in_terminal(opened, "", '{"ended"')
    assert '"ended"' in shown
    wait_until(
        lambda: opened["id"] not in json.dumps(alice.asked("GET", "api/terminals")), 30
    )


def test_other_peoples_jobs_are_none_of_hers(alice: Program) -> None:
    job = submit("bob", "sleep 300")
    wait_until(lambda: runs(job), 60)
    try:
        answer = alice.ask("POST", "api/terminals", {"job": str(job)})
        assert refusal(answer) == (404, "no-such-job")
        answer = alice.ask("GET", f"proxy/{job}/{PORT}/")
        assert refusal(answer) == (404, "no-such-job")
    finally:
        cancel(job)


def test_a_program_on_127_0_0_1_of_the_node_is_opened(alice: Program, job: int) -> None:
    began = time.monotonic()
    wait_until(
        lambda: alice.ask("GET", f"proxy/{job}/{PORT}/").status_code == 200, 30,
        lambda: alice.ask("GET", f"proxy/{job}/{PORT}/").text,
    )  # fmt: skip
    first_s = time.monotonic() - began
    began = time.monotonic()
    said = alice.asked("GET", f"proxy/{job}/{PORT}/deep?q=1")
    print(f"\nport: first {first_s:.2f} s, then {time.monotonic() - began:.3f} s")  # noqa: T201 - a measurement
    assert said == {"path": "/deep?q=1", "job": str(job), "cookie": ""}


def test_a_port_that_was_not_announced_is_refused(alice: Program, job: int) -> None:
    answer = alice.ask("GET", f"proxy/{job}/{PORT + 2}/")
    assert refusal(answer) == (403, "not-announced")


def test_somebody_elses_program_on_an_announced_port_is_not_shown(
    alice: Program, job: int
) -> None:
    """All nodes here share one network, so bob's job stands for one on her node."""
    other = submit("bob", f"exec python3 -c '{PROGRAM % (PORT + 1)}'")
    wait_until(lambda: runs(other), 60)
    try:
        way = f"proxy/{job}/{PORT + 1}/"
        wait_until(lambda: "not yours" in alice.ask("GET", way).text, 30,
                   lambda: alice.ask("GET", way).text)  # fmt: skip
        assert refusal(alice.ask("GET", way)) == (502, "nothing-there")
    finally:
        cancel(other)


def test_a_page_ends_with_its_job(alice: Program) -> None:
    order = {"version": 1, "run": {"job_name": f"{NAME}b", "ports": [PORT + 5]}}
    write_as("alice", FOLDER / "order.json", json.dumps(order))
    job = submit("alice", f"exec python3 -c '{PROGRAM % (PORT + 5)}'", f"{NAME}b")
    way = f"proxy/{job}/{PORT + 5}/"
    wait_until(lambda: alice.ask("GET", way).status_code == 200, 60)
    cancel(job)
    wait_until(lambda: alice.ask("GET", way).status_code in {404, 409}, 60,
               lambda: alice.ask("GET", way).text)  # fmt: skip


def test_a_tensorboard_of_a_run_is_a_job_that_shows_it(
    alice: Program, job: int
) -> None:
    way = "api/runs/training/770077/tensorboard"
    began = time.monotonic()
    wish = {"hours": 1, "queue": "cpu", "tenant": ""}
    first = alice.asked("POST", way, wish)
    assert alice.asked("POST", way, wish)["job"] == first["job"]
    try:
        wait_until(
            lambda: alice.asked("GET", way)["state"] == "running", 120,
            lambda: alice.asked("GET", way),
        )  # fmt: skip
        print(f"\nTensorBoard: {time.monotonic() - began:.1f} s")  # noqa: T201 - a measurement
        page = alice.ask("GET", "tensorboard/training-770077/")
        assert "<title>TensorBoard</title>" in page.text
        data = alice.ask("GET", "tensorboard/training-770077/data/runs")
        assert data.json() == []
        ran = run_as("root", "squeue", f"--jobs={first['job']}", "-h", "-o", "%C %l %u")
        assert ran.stdout.split() == ["1", "1:00:00", "alice"]
    finally:
        assert alice.asked("DELETE", way)["state"] == "ended"
    assert alice.asked("GET", way)["state"] == "ended"
