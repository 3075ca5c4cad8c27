"""A person's agent behind hub and proxy: started, asked, followed, outlived, ended."""

import asyncio
import json
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.runas.agents import DoorAgents
from kqi_hub.runas.client import SudoDoor
from tests.cluster.agent_lab import AgentLab, agent_lab, browser_of, submit_talker
from tests.cluster.slurm_lab import DOOR
from tests.cluster.stack import Stack, wait_until

HUB_WORDS = {
    "JUPYTERHUB_USER": "alice",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/alice/agent/",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",
    "JUPYTERHUB_BASE_URL": "/",
    "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-alice-agent",
    "JUPYTERHUB_API_TOKEN": "of-no-hub",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES": "[]",
}


@pytest.fixture
def lab(stack: Stack) -> Iterator[AgentLab]:
    with agent_lab(stack, "alice") as lab:
        yield lab


@pytest.fixture
def job(lab: AgentLab) -> Iterator[int]:
    """Return a job of alice's that talks."""
    job = submit_talker("alice")
    yield job
    subprocess.run(["/usr/bin/scancel", str(job)], check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def owner(pid: int) -> str:
    return pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name


def test_it_starts_in_a_moment_and_is_small(lab: AgentLab) -> None:
    took_s = lab.start()
    found = lab.health(lab.token())
    assert (found["person"], owner(found["pid"])) == ("alice", "alice")
    assert found["memory_mb"] < 60
    assert took_s < 3
    print(f"\nagent: ready after {took_s:.2f} s, {found['memory_mb']} MB")  # noqa: T201 - a measurement


def test_a_running_jobs_log_is_followed_live(lab: AgentLab, job: int) -> None:
    lab.start()
    text = ""
    with lab.following(job, lab.token()) as texts:
        for piece in texts:
            text += piece
            if "line 6\n" in text:
                break
    lines = text.splitlines()[:6]
    assert lines == [f"line {n}" for n in range(1, 7)]
    token = lab.token()
    assert lab.get(f"api/run?job={job}", token).json()["log"]["size"] >= 42
    assert lab.get(f"api/log?job={job}&from=0", token).json()["text"].startswith("line")


def test_nobody_but_the_owner_gets_in(lab: AgentLab) -> None:
    lab.start()
    others = {"bob": lab.people.log_in("bob"), "carol": lab.people.log_in("carol")}
    for reply in others.values():
        answer = lab.get("api/health", reply.body["token"])
        assert answer.status_code == 403
    assert lab.get("api/health", "").status_code == 401
    portal = Path("/var/lib/kqi/portal.token").read_text().strip()
    assert lab.get("api/health", portal).status_code == 403


@pytest.mark.parametrize("mode", ["navigate", "cors"])
def test_a_browser_gets_in_by_the_hubs_login(lab: AgentLab, mode: str) -> None:
    lab.start()
    asked = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Site": "same-origin"}
    with browser_of(lab.people, "alice") as browser:
        for _ in range(2):
            answer = browser.get(
                "user/alice/agent/api/health", headers=asked, follow_redirects=True
            )
            assert (answer.status_code, answer.json()["person"]) == (200, "alice")
        assert answer.history == []  # the second time without the hub


@pytest.mark.parametrize("name", ["bob", "carol"])
def test_anothers_browser_is_turned_away(lab: AgentLab, name: str) -> None:
    lab.start()
    asked = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
    with browser_of(lab.people, name) as browser:
        answer = browser.get(
            "user/alice/agent/api/health", headers=asked, follow_redirects=True
        )
    assert answer.status_code == 403
    assert "hub/api/oauth2/authorize" in str(answer.url)


def test_a_revoked_token_closes_within_seconds(lab: AgentLab) -> None:
    lab.start()
    token = lab.token()
    lab.health(token)
    lab.revoke(token)
    began = time.monotonic()
    wait_until(lambda: lab.get("api/health", token).status_code == 403, 15)
    assert time.monotonic() - began < 8


def test_it_and_its_streams_outlive_hub_and_portal(lab: AgentLab, job: int) -> None:
    lab.start()
    token = lab.token()
    pid = lab.health(token)["pid"]
    with lab.following(job, token) as texts:
        next(texts)
        for name in ("hub", "portal"):
            lab.stack.kill(name)
        heard = sum(len(next(texts)) for _ in range(6))
        assert heard > 0
    lab.stack.wait_ready("hub", "portal")
    wait_until(lambda: bool(lab.server().get("ready")), 30, lab.server)
    assert lab.health(token)["pid"] == pid


@pytest.mark.parametrize("restarts", [False, True])
def test_one_that_ended_is_noticed_at_once_and_can_be_started_again(
    lab: AgentLab, restarts: bool
) -> None:
    lab.start()
    token = lab.token()
    pid = lab.health(token)["pid"]
    if restarts:
        lab.stack.kill("hub")
        lab.stack.wait_ready("hub")
        wait_until(lambda: bool(lab.server().get("ready")), 30, lab.server)
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    wait_until(lambda: not lab.server(), 10, lab.server)
    assert time.monotonic() - began < 3
    lab.start()
    assert lab.health(lab.token())["pid"] != pid


def test_it_is_stopped_through_the_door(lab: AgentLab) -> None:
    lab.start()
    pid = lab.health(lab.token())["pid"]
    lab.stop()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 5)


def test_other_options_start_nothing(lab: AgentLab) -> None:
    for options in ({}, {"profile": "notebook"}, {"profile": "agent", "port": 1}):
        answer = lab.ask_for(options)
        assert answer.status_code == 400, (options, answer.text)
    assert not lab.server()


def test_the_token_is_nowhere_to_be_seen(lab: AgentLab) -> None:
    lab.start()
    pid = lab.health(lab.token())["pid"]
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"JUPYTERHUB" not in environment
    audit = Path("/var/log/kqi/runas.log").read_text().splitlines()
    mine = [json.loads(line) for line in audit if '"start-agent"' in line]
    assert set(mine[-1]) == {"time", "caller", "person", "verb", "ms", "outcome"}


async def test_under_sudo_it_lives_on_and_ends_when_idle(lab: AgentLab) -> None:
    agents = DoorAgents(SudoDoor(DOOR))
    told = {
        "version": 1, "port": free_port(), "folder": "/scratch/alice", "idle_s": 3,
        "is_https": False, "hub_version": "", "hub": HUB_WORDS,
    }  # fmt: skip
    process = await agents.start("alice", json.dumps(told))
    assert owner(process.pid) == "alice"
    await asyncio.sleep(1.5)
    assert process.is_alive()
    await asyncio.sleep(3)
    assert not process.is_alive()
    await agents.stop("alice", process)
