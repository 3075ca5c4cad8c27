"""A notebook from the hub's start to Slurm's accounts, and what may not be done."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kqi_hub.domain.notebooks import Cause, Phase
from tests.cluster.notebook_lab import (
    PERSON,
    SCRATCH,
    NotebookLab,
    notebook_lab,
    output,
    wait_for,
)
from tests.cluster.stack import Stack
from tests.cluster.watching import watching

PWNED = Path("/var/tmp/kqi-notebook-exploit")


@pytest.fixture
def lab(stack: Stack) -> Iterator[NotebookLab]:
    PWNED.unlink(missing_ok=True)
    with notebook_lab(stack) as made:
        yield made
    PWNED.unlink(missing_ok=True)


def test_a_notebook_starts_serves_both_faces_and_stops_in_its_account(
    lab: NotebookLab,
) -> None:
    session = lab.ready()
    assert [lab.status(session, page) for page in ("lab", "tree")] == [200, 200]
    phases = [phase for phase, _ in session.reached]
    assert phases == list(Phase)
    lab.stop(session)
    ended = lab.wait_ended(session)
    assert ended.cause is Cause.STOPPED
    wait_for(lambda: lab.jobs(session), 30, "accounting has no such job")
    [job] = lab.jobs(session)
    fields = ("sacct", "-X", "-n", "-P", "-j", job, "-o", "User,Account,Partition")
    assert output(*fields).strip() == "alice|vision|cpu"
    assert lab.status(session) == 424 or lab.status(session) == 302
    secret = SCRATCH / "kqi/secrets" / session.job_name
    wait_for(lambda: not secret.exists(), 10, "the secret file stayed")


def test_the_job_is_told_its_secrets_in_a_file_of_its_owners(lab: NotebookLab) -> None:
    session = lab.ready()
    path = SCRATCH / "kqi/secrets" / session.job_name
    assert (path.stat().st_mode & 0o777, path.owner()) == (0o600, PERSON)
    token = lab.secret(session)["hub"]["JUPYTERHUB_API_TOKEN"]
    job = str(lab.now(session).job_id)
    for told in (
        output("scontrol", "show", "job", "-dd", job),
        output("scontrol", "write", "batch_script", job, "-"),
        output("ps", "axww", "-o", "args"),
    ):
        assert token not in told


def test_after_a_kill_the_secrets_of_the_session_are_gone(lab: NotebookLab) -> None:
    session = lab.ready()
    secret = SCRATCH / "kqi/secrets" / session.job_name
    assert secret.exists()
    job = str(lab.now(session).job_id)
    # Nobody in the job has a last word.
    output("scancel", "--signal=KILL", "--full", job)
    lab.wait_ended(session, 120)
    wait_for(lambda: not secret.exists(), 60, "the secret file stayed")


def test_one_start_costs_three_calls_of_slurmctld_and_one_stop_one(
    lab: NotebookLab,
) -> None:
    counted = ("SUBMIT_BATCH_JOB", "JOB_INFO_SINGLE", "FED_INFO", "KILL_JOB")

    def calls() -> dict[str, int]:
        lines = output("sdiag").partition("by message type")[2].partition("by user")[0]
        return {
            name: int(line.split("count:")[1].split()[0])
            for line in lines.splitlines()
            for name in counted
            if line.strip().startswith(f"REQUEST_{name} ")
        }

    before = calls()
    session = lab.ready()
    started = calls()
    lab.stop(session)
    lab.wait_ended(session)
    stopped = calls()
    spawn = sum(started.values()) - sum(before.values())
    stop = sum(stopped.values()) - sum(started.values())
    assert spawn <= 3, (before, started)
    assert stop == 1, (started, stopped)


# The three of NOTES-jupyterhub, once root on the hub, and others of their kind.
BAD_PORTS: list[Any] = [
    {"exec_prefix": f"id > {PWNED}; runuser -u alice --"},
    {"port": 40001, "exec_prefix": f"id > {PWNED};"},
    {"port": 40001, "job_id": "1; id"},
    {"port": "40001"},
    {"port": True},
    {"port": 22},
    {"port": 65536},
    {"port": 40001.5},
    {"cmd": ["sh", "-c", "id"]},
    {},
    [],
    None,
    "port",
    [["port", 40001]],
]


def test_a_servers_token_sets_nothing_at_the_hub(lab: NotebookLab) -> None:
    session = lab.ready()
    with lab.server_client(session) as server:
        for body in BAD_PORTS:
            answer = server.post("hub/api/batchspawner", json=body)
            assert answer.status_code == 400, body
    assert lab.status(session) == 200
    assert not PWNED.exists()


BAD_STARTS: list[Any] = [
    {"profile": "notebook", "partition": "gpu", "prologue": f"id > {PWNED}"},
    {"profile": "notebook", "exec_prefix": f"id > {PWNED};"},
    {"profile": "notebook\nprologue: id"},
    {"profile": "preset:none"},
    {"profile": "local"},
    {"profile": "agent"},
    {"profile": ["notebook"]},
    {"profile": None},
    {"profile": ""},
    {"partition": "gpu"},
    {},
    None,
    ["notebook"],
    {"user_options": {"profile": "notebook", "x": 1}},
    {"user_options": {"profile": "notebook"}, "display_name": "x"},
    {"user_options": None},
]


def test_options_beside_a_known_profile_start_nothing(lab: NotebookLab) -> None:
    session = lab.ask()
    for body in BAD_STARTS:
        assert lab.post(session, body).status_code == 400, body
    time.sleep(0.5)
    assert lab.now(session).job_id is None
    assert lab.jobs(session) == []
    assert not PWNED.exists()


def test_servers_of_other_names_are_not_started(lab: NotebookLab) -> None:
    for server in ("", "x", "nb-", "nb-0", "nb-01", "nb-1x", "agent"):
        path = f"hub/api/users/{PERSON}/servers/{server}"
        answer = lab.portal.post(path, json={"profile": "notebook"})
        assert answer.status_code == 400, server
    bare = f"hub/api/users/{PERSON}/server"
    assert lab.portal.post(bare, json={"profile": "notebook"}).status_code == 400


# What the portal keeps; the third exploit read the hub's own from a short `squeue`.
SECRETS = (
    *("keys", "portal.token", "proxy.token", "store.token"),
    *("hub.cookie_secret", "portal.cookie_secret"),
)


def test_the_hubs_surroundings_are_in_no_job(lab: NotebookLab) -> None:
    kept = [Path("/var/lib/kqi", name).read_text().strip() for name in SECRETS]
    assert all(len(secret) > 30 for secret in kept)
    with watching(PERSON) as seen:
        # On a busy machine a program of a moment may pass between two looks.
        for _ in range(4):
            session = lab.ready()
            lab.stop(session)
            lab.wait_ended(session)
            if {"sbatch", "scancel"} <= seen.keys():
                break
    # The programs of a moment were seen too, and so was the job's own Python.
    assert {"sbatch", "scancel"} <= seen.keys()
    assert any("kqi_hub.runner.notebook" in told for told in seen["python"])
    for program, told in seen.items():
        for text in told:
            assert not any(secret in text for secret in kept), program
            assert "KQI_CONFIG" not in text, program
            assert "CRYPT_KEY" not in text, program


def test_people_cannot_start_servers_past_the_portal(lab: NotebookLab) -> None:
    session = lab.ask()
    answer = lab.person.post(lab.api(session), json={"profile": "notebook"})
    assert answer.status_code in {403, 404}
    for method in ("PUT", "PATCH"):
        refused = lab.portal.request(method, lab.api(session), json={"name": "nb-99"})
        assert refused.status_code == 405
    assert lab.jobs(session) == []


def test_links_and_forms_start_nothing(lab: NotebookLab) -> None:
    session = lab.ask()
    link = f"hub/spawn/{PERSON}/{session.server}?profile=notebook"
    for answer in (lab.person.get(link), lab.person.post(link, data={"profile": "x"})):
        assert answer.status_code in {302, 403}
    assert lab.now(session).job_id is None
    assert lab.jobs(session) == []


def test_another_servers_or_persons_token_tells_nothing(lab: NotebookLab) -> None:
    first, second = lab.ready(), lab.ask()
    lab.start(second)
    with lab.server_client(first) as server:
        # It is its own server's word, which has told its port.
        assert (
            server.post("hub/api/batchspawner", json={"port": 4000}).status_code == 409
        )
    for client in (lab.person, lab.portal):
        for path, body in (
            ("hub/api/batchspawner", {"port": 40_000}),
            ("hub/api/kqi/session", {"ended": {"exit_code": 0}}),
        ):
            assert client.post(path, json=body).status_code == 403
    bare = httpx2.post(f"{lab.url}hub/api/batchspawner", json={"port": 40_000})
    assert bare.status_code == 403
    ready = lab.wait_phase(second, Phase.READY)
    assert ready.port not in {4000, 40_000}


def test_a_server_learns_which_queues_have_room_and_slurm_is_not_asked(
    lab: NotebookLab,
) -> None:
    session = lab.ready()
    with lab.server_client(session) as server:
        told = server.get("hub/api/kqi/queues").json()
    assert told["trust"] in {"fresh", "partial"}
    assert told["age_s"] < 60
    nodes = dict(
        line.split() for line in output("sinfo", "-h", "-o", "%R %D").splitlines()
    )
    assert {one["name"]: str(one["total"]) for one in told["queues"]} == nodes
    assert all(0 <= one["free"] <= one["total"] for one in told["queues"])
    for client in (lab.person, lab.portal):
        assert client.get("hub/api/kqi/queues").status_code == 403
    assert httpx2.get(f"{lab.url}hub/api/kqi/queues").status_code == 403
    lab.stop(session)
    lab.wait_ended(session)


BAD_WORDS: list[Any] = [
    {"phase": "ready"},
    {"phase": "node", "port": 1},
    {"phase": ["node"]},
    {"ending": "stopped", "seen": {}},
    {"ending": "idle"},
    {"ending": "idle", "seen": {"Kernels": 1}},
    {"ending": "idle", "seen": {f"k{chr(97 + n)}": 1 for n in range(9)}},
    {"ending": "idle", "seen": {"kernels": -1}},
    {"ended": {"exit_code": 256}},
    {"ended": {"exit_code": 0, "x": 1}},
    {"ended": 0},
    {"idle": {}},
    [],
    None,
]


def test_a_session_says_nothing_but_its_words(lab: NotebookLab) -> None:
    session = lab.ready()
    with lab.server_client(session) as server:
        for body in BAD_WORDS:
            answer = server.post("hub/api/kqi/session", json=body)
            assert answer.status_code == 400, body
        huge = json.dumps({"phase": "n" * 100_000})
        answer = server.post("hub/api/kqi/session", content=huge)
        assert answer.status_code == 400
    assert lab.now(session).is_live


def test_a_server_that_ends_itself_is_noticed_at_once(lab: NotebookLab) -> None:
    session = lab.ready()
    with lab.server_client(session) as server:
        answer = server.post(f"user/{PERSON}/{session.server}/api/shutdown", timeout=10)
    assert answer.status_code in {200, 204}
    wait_for(lambda: lab.status(session) != 200, 10, "its route stayed")
    ended = lab.wait_ended(session, 60)
    assert ended.cause is Cause.FINISHED


def test_a_job_cancelled_outside_is_noticed(lab: NotebookLab) -> None:
    session = lab.ready()
    output("scancel", str(lab.now(session).job_id))
    wait_for(lambda: lab.status(session) != 200, 30, "its route stayed")
