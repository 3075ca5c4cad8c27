"""The door in front of a real Slurm, as the service user, through socket and sudo."""

import grp
import json
import os
import pwd
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.skipif(
    "KQI_STACK" not in os.environ,
    reason="only inside the embedded cluster: ./demo run",
)

ROOT = Path(__file__).parents[2]
SOCKET = "/run/kqi/runas.sock"
CONFIG = "/etc/kqi/runas.toml"
AUDIT = Path("/var/log/kqi/runas.log")
SUDO = ["/usr/bin/sudo", "-n"]
ONCE = [
    "/usr/bin/python3", "-I", "/opt/kqi-hub/kqi_hub/runas/helper.py",
    "once", "--config", CONFIG,
]  # fmt: skip
# Runs as the service user: the tests themselves are root, who is no caller.
DRIVER = """
import asyncio, dataclasses, json, sys, time
from kqi_hub.domain.errors import KqiError
from kqi_hub.runas.client import SocketDoor, SudoDoor

async def main():
    way, calls = json.load(sys.stdin)
    door = SocketDoor(way) if isinstance(way, str) else SudoDoor(way)
    results = []
    for verb, person, arguments in calls:
        began = time.perf_counter()
        try:
            answer = dataclasses.asdict(await door.run(verb, person, arguments))
        except KqiError as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        results.append(answer | {"ms": (time.perf_counter() - began) * 1000})
    json.dump(results, sys.stdout)

asyncio.run(main())
"""
SLEEP = "#!/bin/bash\n#SBATCH --partition=cpu --time=30\nsleep 600\n"
# Of this run alone: another cluster's jobs have the same numbers.
OUTPUTS = Path(f"/tmp/kqi-door-{uuid4().hex}")
Answer = dict[str, Any]
Ask = Callable[[str, str, dict[str, object]], Answer]


def as_user(name: str, command: list[str], text: str = "", **more: str) -> Any:
    account = pwd.getpwnam(name)
    return subprocess.run(
        command,
        input=text,
        user=name,
        group=account.pw_gid,
        extra_groups=os.getgrouplist(name, account.pw_gid),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **more},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ask_all(
    way: str | list[str], calls: list[list[object]], **more: str
) -> list[Answer]:
    ran = as_user(
        "kqi", [sys.executable, "-c", DRIVER], json.dumps([way, calls]), **more
    )
    assert ran.returncode == 0, ran.stderr
    answers: list[Answer] = json.loads(ran.stdout)
    return answers


@pytest.fixture(scope="module", autouse=True)
def outputs() -> Iterator[None]:
    OUTPUTS.mkdir()
    OUTPUTS.chmod(0o1777)
    yield
    shutil.rmtree(OUTPUTS)


@pytest.fixture(params=["socket", "sudo"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Return a way to call, the same tests for both."""
    way: str | list[str] = SOCKET if request.param == "socket" else [*SUDO, *ONCE]

    def one(verb: str, person: str, arguments: dict[str, object]) -> Answer:
        return ask_all(way, [[verb, person, arguments]])[0]

    return one


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def field(job: int, name: str) -> str:
    words = slurm("scontrol", "show", "job", str(job)).split()
    return next(word.partition("=")[2] for word in words if word.startswith(f"{name}="))


def wait_for(job: int, *states: str) -> str:
    deadline = time.monotonic() + 60
    while (state := field(job, "JobState")) not in states:
        assert time.monotonic() < deadline, f"job {job} stays {state}"
        time.sleep(0.2)
    return state


def submission(script: str, **changes: object) -> dict[str, object]:
    name = f"kqi-{uuid4().hex}"
    return {"name": name, "script": script, "chdir": str(OUTPUTS)} | changes


def submit(ask: Ask, person: str, script: str, **changes: object) -> int:
    answer = ask("submit", person, submission(script, **changes))
    assert answer.get("exit_code") == 0, answer
    return int(answer["stdout"])


def test_a_job_runs_as_the_person_with_the_persons_groups(ask: Ask) -> None:
    ask("make-scratch", "alice", {})
    script = "#!/bin/bash\n#SBATCH --partition=cpu --time=5\nid; pwd; env; ulimit -Sc\n"
    job = submit(ask, "alice", script, chdir="/scratch/alice/log", comment="a b=c --x")
    assert wait_for(job, "COMPLETED", "FAILED") == "COMPLETED"
    output = Path(f"/scratch/alice/log/slurm-{job}.out")
    lines = output.read_text().splitlines()
    groups = {group.gr_name for group in grp.getgrall() if "alice" in group.gr_mem}
    assert lines[0].startswith("uid=20001(alice) gid=20001(alice) groups=20001(alice),")
    assert groups
    assert all(f"({name})" in lines[0] for name in groups)
    assert lines[1] == "/scratch/alice/log"
    assert (
        lines[-1] == "unlimited"
    )  # the node's limit, not the helper's core limit of 0
    assert output.stat().st_uid == 20001
    assert "Comment=a b=c --x" in slurm("scontrol", "show", "job", str(job))


def test_nothing_of_the_portals_environment_reaches_the_job() -> None:
    smuggled = {
        "SBATCH_ACCOUNT": "nlp",
        "SBATCH_EXPORT": "ALL",
        "SBATCH_TIMELIMIT": "7",
        "SECRET_TOKEN": "of the hub",
        "SLURM_CONF": "/nonexistent",
        "BASH_ENV": "/tmp/evil",
    }
    script = "#!/bin/bash\n#SBATCH --partition=cpu --time=5\nenv\n"
    call: list[object] = ["submit", "alice", submission(script)]
    for way in (SOCKET, [*SUDO, *ONCE]):
        answer = ask_all(way, [call], **smuggled)[0]
        job = int(answer["stdout"])
        assert wait_for(job, "COMPLETED", "FAILED") == "COMPLETED"
        seen = (OUTPUTS / f"slurm-{job}.out").read_text()
        assert "SECRET_TOKEN" not in seen
        assert "/tmp/evil" not in seen
        assert (field(job, "Account"), field(job, "TimeLimit")) == (
            "vision",
            "00:05:00",
        )


def test_a_scripts_own_uid_line_gains_nothing(ask: Ask) -> None:
    script = "#!/bin/bash\n#SBATCH --uid=root --gid=root\nid\n"
    answer = ask("submit", "alice", submission(script))
    assert answer["exit_code"] != 0
    assert "only permitted by root" in answer["stderr"]


def test_a_persons_own_job_can_be_cancelled(ask: Ask) -> None:
    job = submit(ask, "alice", SLEEP)
    assert ask("cancel", "alice", {"job_ids": [job]})["exit_code"] == 0
    wait_for(job, "CANCELLED")


def test_somebody_elses_job_stays_and_slurms_words_come_back(ask: Ask) -> None:
    job = submit(ask, "alice", SLEEP)
    denied = ("Access/permission denied", "Invalid user id")
    for verb, arguments in (
        ("cancel", {"job_ids": [job]}),
        ("signal", {"job_id": job, "name": "KILL"}),
        ("control", {"job_id": job, "action": "hold"}),
        ("control", {"job_id": job, "action": "requeue"}),
        ("time-limit", {"job_id": job, "seconds": 60}),
    ):
        answer = ask(verb, "bob", dict(arguments))
        assert answer["exit_code"] != 0, (verb, answer)
        assert any(words in answer["stderr"] for words in denied), (verb, answer)
    assert field(job, "JobState") in ("PENDING", "RUNNING")
    assert field(job, "TimeLimit") == "00:30:00"
    ask("cancel", "alice", {"job_ids": [job]})


def test_hold_release_and_requeue_are_real(ask: Ask) -> None:
    held = SLEEP.replace("--time=30", "--time=30 --hold --requeue")
    job = submit(ask, "alice", held)
    assert field(job, "JobState") == "PENDING"
    assert (
        ask("control", "alice", {"job_id": job, "action": "release"})["exit_code"] == 0
    )
    wait_for(job, "RUNNING")
    assert (
        ask("control", "alice", {"job_id": job, "action": "requeue"})["exit_code"] == 0
    )
    wait_for(job, "PENDING")
    assert ask("control", "alice", {"job_id": job, "action": "hold"})["exit_code"] == 0
    assert field(job, "Priority") == "0"
    assert field(job, "Restarts") == "1"
    ask("cancel", "alice", {"job_ids": [job]})


def test_a_time_limit_is_shortened_and_never_raised(ask: Ask) -> None:
    job = submit(ask, "alice", SLEEP)
    assert ask("time-limit", "alice", {"job_id": job, "seconds": 601})["exit_code"] == 0
    assert field(job, "TimeLimit") == "00:11:00"
    wait_for(job, "RUNNING")
    answer = ask("time-limit", "alice", {"job_id": job, "seconds": 3600})
    assert answer["exit_code"] == 1
    assert "denied" in answer["stderr"]
    assert field(job, "TimeLimit") == "00:11:00"
    ask("cancel", "alice", {"job_ids": [job]})


def test_a_signal_reaches_the_script(ask: Ask) -> None:
    script = (
        "#!/bin/bash\n#SBATCH --partition=cpu --time=5\n"
        "trap 'echo got USR1; exit 7' USR1\necho ready\nwhile :; do sleep 0.2; done\n"
    )
    job = submit(ask, "alice", script)
    wait_for(job, "RUNNING")
    output = OUTPUTS / f"slurm-{job}.out"
    deadline = time.monotonic() + 30
    while not (output.exists() and "ready" in output.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert ask("signal", "alice", {"job_id": job, "name": "USR1"})["exit_code"] == 0
    wait_for(job, "FAILED")
    assert "got USR1" in output.read_text()
    assert field(job, "ExitCode") == "7:0"


def test_an_array_task_can_be_cancelled_alone(ask: Ask) -> None:
    array = (
        "#!/bin/bash\n#SBATCH --partition=cpu --time=5 --array=1-2 --hold\nsleep 60\n"
    )
    job = submit(ask, "alice", array)
    assert ask("cancel", "alice", {"job_ids": [f"{job}_1"]})["exit_code"] == 0
    states = slurm("squeue", "-h", "-r", "-t", "all", "-j", str(job), "-o", "%K %T")
    assert [text for text in states.splitlines() if "CANCELLED" not in text] == [
        "2 PENDING"
    ]
    ask("cancel", "alice", {"job_ids": [job]})


def test_a_refusal_of_slurm_comes_back_in_its_words(ask: Ask) -> None:
    script = "#!/bin/bash\n#SBATCH --partition=nonexistent\ntrue\n"
    answer = ask("submit", "alice", submission(script))
    assert answer["exit_code"] == 1
    assert "Invalid partition name specified" in answer["stderr"]


def test_scratch_is_made_for_a_person_who_never_was_here(ask: Ask) -> None:
    answer = ask("make-scratch", "dave", {})
    assert answer["exit_code"] == 0, answer
    made = json.loads(answer["stdout"])
    assert len(made["made"] + made["existed"]) == 6
    info = Path("/scratch/dave/.conda/envs").stat()
    assert (info.st_uid, info.st_mode & 0o777) == (pwd.getpwnam("dave").pw_uid, 0o700)


@pytest.mark.parametrize("person", ["root", "kqi", "slurm", "munge", "nobody", "mysql"])
def test_nobody_but_people_of_the_portal_is_acted_for(ask: Ask, person: str) -> None:
    answer = ask("submit", person, submission(SLEEP))
    assert answer["error"] == "DoorRefused"
    assert person in answer["message"]


def test_a_person_cannot_open_the_door(ask: Ask) -> None:
    for name in ("alice", "carol", "slurmrestd"):
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({SOCKET!r})"
        refused = as_user(name, [sys.executable, "-c", code])
        assert "PermissionError" in refused.stderr
        refused = as_user(name, [*SUDO, *ONCE], "{}\n")
        assert refused.returncode == 1
        assert refused.stdout == ""
    assert "exit_code" in ask("ping", "", {})


@pytest.mark.parametrize(
    "command",
    [
        [*ONCE, "--config", "/tmp/evil.toml"],
        [*ONCE[:-1], "/tmp/evil.toml"],
        [*ONCE[:-3], "serve", "--config", CONFIG],
        ["/usr/bin/python3", *ONCE[2:]],
        ["/usr/bin/python3", "-I"],
        ["/usr/bin/id"],
        ["-u", "alice", *ONCE],
        ["SUDO_UID=0", *ONCE],
        ["LD_PRELOAD=/tmp/evil.so", *ONCE],
    ],
    ids=lambda command: " ".join(command)[-30:],
)
def test_the_sudo_rule_allows_the_one_command_line_only(command: list[str]) -> None:
    refused = as_user("kqi", [*SUDO, *command], "{}\n")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "sudo: " in refused.stderr


@pytest.fixture
def documented_sudo() -> Iterator[list[str]]:
    """Install as docs/operators/door.md says, but below /etc, which is private here."""
    page = (ROOT / "docs/operators/door.md").read_text()
    text = page.split("```sudoers\n")[1].split("```")[0]
    program = Path("/etc/kqi/kqi-runas-documented")
    rule = Path("/etc/sudoers.d/zz-kqi-runas-documented")
    program.write_bytes((ROOT / "kqi_hub/runas/helper.py").read_bytes())
    program.chmod(0o755)
    # use_pty is on where sudo comes from a newer distribution.
    text = text.replace("/usr/sbin/kqi-runas", str(program))
    rule.write_text(f"Defaults use_pty\n{text}")
    rule.chmod(0o440)
    try:
        subprocess.run(["/usr/sbin/visudo", "-c"], check=True, capture_output=True)
        yield [*SUDO, str(program), "once", "--config", CONFIG]
    finally:
        rule.unlink()
        program.unlink()


def test_the_documented_sudo_rule_works(documented_sudo: list[str]) -> None:
    script = SLEEP.replace("--time=30", "--time=30 --hold") + "#" * 900_000
    calls: list[list[object]] = [
        ["ping", "", {}],
        ["submit", "alice", submission(script)],
        ["submit", "root", submission(SLEEP)],
    ]
    pong, submitted, refused = ask_all(documented_sudo, calls)
    assert json.loads(pong["stdout"])["version"]
    assert submitted["exit_code"] == 0, submitted
    assert refused["error"] == "DoorRefused"
    job = int(submitted["stdout"])
    ask_all(documented_sudo, [["cancel", "alice", {"job_ids": [job]}]])
    wait_for(job, "CANCELLED")
    others = as_user("kqi", [*documented_sudo[:-1], "/tmp/evil.toml"], "{}\n")
    assert (others.returncode, others.stdout) == (1, "")


def test_a_sudo_that_refuses_means_that_nothing_happened() -> None:
    (answer,) = ask_all([*SUDO, "/usr/bin/id"], [["ping", "", {}]])
    assert answer["error"] == "DoorUnreachable"
    assert "sudo: a password is required" in answer["message"]


def test_every_call_is_in_the_audit_log(ask: Ask) -> None:
    name = f"kqi-{uuid4().hex}"
    job = submit(ask, "alice", SLEEP, name=name)
    ask("cancel", "alice", {"job_ids": [job]})
    entries = [json.loads(line) for line in AUDIT.read_text().splitlines()]
    (entry,) = [entry for entry in entries if entry.get("name") == name]
    assert entry["caller"] == pwd.getpwnam("kqi").pw_uid
    assert (entry["person"], entry["verb"]) == ("alice", "submit")
    assert entry["outcome"] == "exit 0"
    assert (AUDIT.stat().st_uid, AUDIT.stat().st_mode & 0o077) == (0, 0)


def test_a_stopped_controller_makes_an_answer_not_a_hang() -> None:
    (pid,) = slurm("pgrep", "-x", "slurmctld").split()
    os.kill(int(pid), 19)
    try:
        call: list[object] = ["control", "alice", {"job_id": 1, "action": "hold"}]
        (answer,) = ask_all(SOCKET, [call])
    finally:
        os.kill(int(pid), 18)
    assert answer["ms"] < 40_000
    assert answer["exit_code"] == 1
    assert not answer["timed_out"]
    assert answer["stderr"]  # Slurm 22.05: "Unexpected message received"


@pytest.mark.parametrize(("way", "limit_ms"), [(SOCKET, 100), ([*SUDO, *ONCE], 500)])
def test_calls_are_quick(way: str | list[str], limit_ms: int) -> None:
    held = SLEEP.replace("--time=30", "--time=30 --hold")
    calls: list[list[object]] = [["ping", "", {}]] * 10
    calls += [["submit", "alice", submission(held)] for _ in range(10)]
    answers = ask_all(way, calls)
    jobs = [int(answer["stdout"]) for answer in answers[10:]]
    ask_all(SOCKET, [["cancel", "alice", {"job_ids": jobs}]])
    assert len(set(jobs)) == 10
    assert statistics.median(answer["ms"] for answer in answers) < limit_ms
