"""One demo beside another, from the first start to the last stop."""

import concurrent.futures
import json
import os
import pwd
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from tests.demo.driver import DEMO, NOTHING, Before, Demo
from tests.demo.host import Host

SERVICES = {
    "munged": "munge",
    "slapd": "openldap",
    "mariadb": "mysql",
    "slurmdbd": "slurm",
    "slurmctld": "slurm",
    "slurmrestd": "slurmrestd",
    "runas": "root",
    "worker": "kqi",
    "slurmd-jup01": "root",
    "slurmd-a100-01": "root",
}
# Longer than a Unix socket's path may be, and with all that a shell trips over.
LONG_NAME = 'a demo\'s "folder" $HOME ünïcode ' + "x" * 120


@pytest.fixture(scope="module")
def host_before() -> Host:
    return Host.look()


@pytest.fixture(scope="module")
def first_up(
    host_before: Host, new_demo: Callable[[str], Demo]
) -> tuple[Demo, subprocess.CompletedProcess[str], float]:
    demo = new_demo(LONG_NAME)
    began = time.monotonic()
    # A careful root's umask must not lock the services out of their own files.
    answer = demo("up", umask=0o077)
    return demo, answer, time.monotonic() - began


@pytest.fixture(scope="module")
def demo(first_up: tuple[Demo, subprocess.CompletedProcess[str], float]) -> Demo:
    demo, answer, _seconds = first_up
    assert answer.returncode == 0, answer.stderr
    return demo


@pytest.fixture(scope="module")
def second(demo: Demo, new_demo: Callable[[str], Demo]) -> Iterator[Demo]:
    """Return another demo, brought up beside the first by two people at once."""
    other = new_demo("second")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: other("up"), range(2)))
    said = "".join(answer.stderr for answer in answers)
    assert [answer.returncode for answer in answers] == [0, 0], said
    assert said.count("Ready after") == 1
    assert "It runs already." in said
    yield other
    other("stop")


def test_the_first_start_tells_each_step_with_its_time(
    first_up: tuple[Demo, subprocess.CompletedProcess[str], float],
) -> None:
    _demo, answer, seconds = first_up
    assert answer.returncode == 0, answer.stderr
    steps = re.findall(r"^  (\S+) +ok +[0-9.]+ s$", answer.stderr, re.MULTILINE)
    assert set(SERVICES) <= set(steps)
    assert len(steps) == len(set(steps))
    assert re.search(r"^Ready after [0-9.]+ s\.$", answer.stderr, re.MULTILINE)
    assert seconds < 40


def test_up_on_a_running_one_says_so_and_changes_nothing(demo: Demo) -> None:
    before = demo.status()["supervisor_pid"]
    answer = demo("up")
    assert (answer.returncode, answer.stderr) == (0, "It runs already.\n")
    assert "slurmctld" in answer.stdout
    assert demo.status()["supervisor_pid"] == before


def test_people_find_both_commands(demo: Demo) -> None:
    assert demo.run("-u", "alice", "kqi", "--version").startswith("kqi, ")
    assert demo.run("kqi-hub", "--version").startswith("kqi-hub, ")


def test_status_tells_programs_what_runs_where(demo: Demo) -> None:
    status = demo.status()
    assert set(status) == {
        "state", "url", "folder", "supervisor_pid", "started_at", "ports", "services",
        "people",
    }  # fmt: skip
    assert status["state"] == "ready"
    assert status["folder"] == str(demo.folder)
    services = {one["name"]: one for one in status["services"]}
    assert services.keys() >= SERVICES.keys()
    for one in services.values():
        assert one["state"] == "ready", one
        assert one["deaths"] == 0, one
        assert Path(one["log"]).is_file(), one
    with socket.create_connection(("127.0.0.1", services["slapd"]["port"]), timeout=5):
        pass


@pytest.mark.parametrize(("service", "user"), SERVICES.items())
def test_each_service_runs_as_its_own_user(demo: Demo, service: str, user: str) -> None:
    pid = next(s["pid"] for s in demo.status()["services"] if s["name"] == service)
    assert demo.run("id", "-u", user).strip() == str(Path(f"/proc/{pid}").stat().st_uid)


def test_people_have_the_code_that_pyotp_computes(demo: Demo) -> None:
    stored: dict[str, Any] = json.loads((demo.folder / "people.json").read_text())
    assert (demo.folder / "people.json").stat().st_mode & 0o777 == 0o600
    people = {one["name"]: one for one in demo.status()["people"]}
    assert people.keys() == {"alice", "bob", "carol", "dave", "erin"}
    for name, person in people.items():
        assert len(person["password"]) >= 12
        assert person["password"] == stored[name]["password"]
        if name == "dave":
            assert person["code"] is None
            continue
        code = pyotp.TOTP(stored[name]["code_secret"])
        assert code.verify(person["code"], valid_window=1)
        assert code.verify(person["next_code"], valid_window=1)
        assert person["next_code"] != person["code"]
        assert 0 < person["code_valid_s"] <= 30


def test_run_keeps_folder_input_and_exit_code(demo: Demo, tmp_path: Path) -> None:
    assert demo.run("pwd", cwd=tmp_path).strip() == str(tmp_path)
    assert demo.run("cat", input="from outside") == "from outside"
    assert demo("run", "sh", "-c", "exit 7").returncode == 7
    assert demo("run", "sh", "-c", "kill -KILL $$").returncode == 128 + 9
    missing = demo("run", "no-such-program")
    assert (missing.returncode, missing.stderr) == (
        127, "no-such-program: No such file or directory\n",
    )  # fmt: skip


def test_run_falls_back_to_the_home_that_a_person_may_enter(demo: Demo) -> None:
    assert demo.run("-u", "alice", "pwd", cwd="/root").strip() == "/home/alice"


def test_run_goes_home_from_a_folder_that_the_person_may_not_write_in(
    demo: Demo,
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "job.sh").write_text("found")
        ran = demo(
            "run", "-u", "alice", "sh", "-c", 'pwd; cat "$0"', "job.sh", cwd=folder
        )
        assert ran.stdout == "/home/alice\nfound"
        assert f"alice may not write in {folder}" in ran.stderr
        folder.chmod(0o777)
        assert demo.run("-u", "alice", "pwd", cwd=folder).strip() == str(folder)


def test_run_becomes_the_person_with_a_clean_environment(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "of the caller")
    monkeypatch.setenv("SLURM_CONF", "/nowhere")
    told = demo.run("-u", "alice", "sh", "-c", "id; env")
    assert "uid=20001(alice) gid=20001(alice)" in told
    assert "20101(vision)" in told
    assert "HOME=/home/alice\n" in told
    assert not re.search("SECRET_TOKEN|SLURM_CONF|KQI_STACK|root", told)


def test_run_refuses_a_stranger(demo: Demo) -> None:
    answer = demo("run", "-u", "mallory", "id")
    assert answer.returncode == 1
    assert "no user 'mallory'" in answer.stderr


def test_run_passes_signals_on(demo: Demo) -> None:
    running = demo.start(
        "run",
        "sh",
        "-c",
        "trap 'echo told; exit 3' TERM; echo on; sleep 60 >/dev/null 2>&1 & wait",
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "on\n"
    running.terminate()
    told, _ = running.communicate(timeout=10)
    assert (told, running.returncode) == ("told\n", 3)


def test_run_works_at_a_terminal(demo: Demo) -> None:
    terminal = subprocess.Popen(
        ["script", "-qec", f"{DEMO} run bash --norc -i", "/dev/null"],
        env=demo.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert terminal.stdin is not None
    assert terminal.stdout is not None

    def type_and_read(text: bytes, until: bytes) -> None:
        assert terminal.stdin is not None
        assert terminal.stdout is not None
        terminal.stdin.write(text)
        terminal.stdin.flush()
        said = b""
        while until not in said:
            assert select.select([terminal.stdout], [], [], 10)[0], said
            said += os.read(terminal.stdout.fileno(), 4096)

    try:
        type_and_read(b"tty\n", b"/dev/pts/")
        type_and_read(b"echo $((40 + 2)); sleep 30\n", b"42\r\n")
        time.sleep(0.3)
        type_and_read(b"\x03", b"^C\r\n")  # Ctrl-C ends the sleep, not the shell
        type_and_read(b"sleep 30\n", b"sleep 30")
        time.sleep(0.3)
        type_and_read(b"\x1a", b"Stopped")  # Ctrl-Z: the shell has job control
        type_and_read(b"fg\n", b"sleep 30\r\n")
        time.sleep(0.3)
        type_and_read(b"\x03", b"^C\r\n")
        type_and_read(b"exit 5\n", b"exit\r\n")
        terminal.wait(timeout=10)
    finally:
        terminal.kill()
        terminal.communicate()
    assert terminal.returncode == 5


def test_people_and_cluster_exist_inside_only(demo: Demo) -> None:
    with pytest.raises(KeyError):
        pwd.getpwnam("alice")
    assert demo.run("hostname").strip() == "kqi-demo"
    assert socket.gethostname() != "kqi-demo"
    assert "jup01" in demo.run("sinfo", "-h", "-N", "-o", "%N")


def test_nothing_of_it_listens_beyond_loopback(demo: Demo) -> None:
    ports = set(demo.status()["ports"].values())
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listeners = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    ours = [a for a in listeners if int(a.split(":")[1], 16) in ports]
    assert len(ours) == len(ports)
    assert {address.split(":")[0] for address in ours} == {"0100007F"}


def test_the_hosts_secrets_stay_outside(demo: Demo) -> None:
    shadow = demo.run("cat", "/etc/shadow")
    assert all(line.split(":")[1] == "*" for line in shadow.splitlines())
    assert demo("run", "-u", "alice", "ls", str(demo.folder)).returncode != 0
    assert demo("run", "-u", "alice", "ls", "/opt/kqi-demo").returncode != 0


def test_a_killed_service_is_started_again(demo: Demo) -> None:
    before = demo.status()["services"]
    pid = next(one["pid"] for one in before if one["name"] == "munged")
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        now = next(s for s in demo.status()["services"] if s["name"] == "munged")
        if now["state"] == "ready" and now["pid"] != pid:
            break
        time.sleep(0.2)
    assert (now["state"], now["deaths"], now["last_exit"]) == ("ready", 1, -9)


def test_logs_shows_a_service_and_names_the_others(demo: Demo) -> None:
    assert "Running as primary controller" in demo("logs", "slurmctld").stdout
    unknown = demo("logs", "../people.json")
    assert unknown.returncode == 1
    assert "slurmctld" in unknown.stderr


def test_service_refuses_what_it_does_not_know(demo: Demo) -> None:
    assert "there are: munged" in demo("service", "no-such", "kill").stderr


def test_two_demos_run_at_once_and_share_nothing(demo: Demo, second: Demo) -> None:
    mine, other = demo.status(), second.status()
    assert mine["state"] == other["state"] == "ready"
    assert not set(mine["ports"].values()) & set(other["ports"].values())
    assert mine["people"][0]["password"] != other["people"][0]["password"]
    demo.run("-u", "alice", "sbatch", "-J", "only-in-the-first", "--wrap", "true")
    names = ("squeue", "-h", "-t", "all", "-o", "%j")
    assert "only-in-the-first" in demo.run(*names)
    assert "only-in-the-first" not in second.run(*names)


def test_killing_the_supervisor_ends_everything(demo: Demo, second: Demo) -> None:
    second.run(
        "-u", "alice", "sbatch", "-J", "long", "-o", "/dev/null", "--wrap", "sleep 300"
    )
    jobs = ("sacct", "-a", "-X", "-n", "-o", "jobname,state")
    while "RUNNING" not in second.run(*jobs):
        time.sleep(0.2)
    password = second.status()["people"][0]["password"]
    before = Before.of(second)
    assert len(before.processes) > 14
    os.kill(second.status()["supervisor_pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while before.left() != NOTHING and time.monotonic() < deadline:
        time.sleep(0.1)
    assert before.left() == NOTHING
    assert second.status()["state"] == "stopped"
    assert "Nothing runs" in second("run", "true").stderr
    again = second("up")
    assert again.returncode == 0, again.stderr
    assert second.status()["people"][0]["password"] == password
    assert "long" in second.run(*jobs)


def test_stop_leaves_nothing_of_one_and_all_of_the_other(
    demo: Demo, second: Demo
) -> None:
    before = Before.of(second)
    answer = second("stop")
    assert answer.returncode == 0, answer.stderr
    assert before.left() == NOTHING
    assert second("stop").stderr == "Nothing runs.\n"
    assert demo.status()["state"] == "ready"


def test_the_last_stop_leaves_the_host_as_it_was(demo: Demo, host_before: Host) -> None:
    before = Before.of(demo)
    answer = demo("stop")
    assert answer.returncode == 0, answer.stderr
    assert before.left() == NOTHING
    assert Host.look() == host_before


def test_reset_asks_and_then_deletes_the_folder(demo: Demo) -> None:
    assert demo("reset", input="n\n").returncode == 1
    assert demo.folder.exists()
    assert demo("reset", input="y\n").returncode == 0
    assert not demo.folder.exists()
