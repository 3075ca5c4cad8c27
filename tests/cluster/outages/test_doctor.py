"""kqi-hub doctor on the real site: well, then broken one thing at a time."""

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from kqi_hub.db.schema import VERSION_TABLE
from tests.cluster.portal_lab import ENVIRONMENT, PORTAL, Portal, kqi_hub, wait_for
from tests.cluster.slurm_lab import only_inside, service

pytestmark = only_inside
SETTINGS = Path("/etc/kqi/kqi.toml")
ALICE = ("/usr/sbin/runuser", "-u", "alice", "--")
Findings = dict[str, dict[str, str]]


def examine(*words: str, config: Path = SETTINGS) -> Findings:
    done = kqi_hub("--config", str(config), "doctor", "--json", *words)
    assert done.stderr == ""
    data = json.loads(done.stdout)
    assert done.returncode == (0 if data["ok"] else 1)
    return {check["name"]: check for check in data["checks"]}


def not_ok(findings: Findings) -> dict[str, str]:
    # Use is compared with Slurm once a day: a young site has nothing to tell yet.
    fine = {("use and Slurm", "skip")}
    return {
        name: f"{check['level']}: {check['seen']} -> {check['todo']}"
        for name, check in findings.items()
        if check["level"] != "ok" and (name, check["level"]) not in fine
    }


def line_of(findings: Findings, name: str) -> dict[str, str]:
    """Return a check's line; the directory's name ends with its address."""
    (found,) = [
        check
        for key, check in findings.items()
        if key == name or key.startswith(f"{name}://")
    ]
    return found


@pytest.fixture(autouse=True)
def _well() -> None:
    """Begin every test with a site at which nothing is broken."""
    portal = Portal()
    wait_for(portal.is_fresh, 150, f"no fresh picture: {portal.standing()}")
    # Slurm drains a node on which a killed controller's jobs surprise it.
    resume = ("/usr/bin/scontrol", "update", "NodeName=ALL", "State=RESUME")
    subprocess.run(resume, check=False, capture_output=True)
    for _ in range(60):
        wrong = not_ok(examine())
        if not wrong:
            return
        time.sleep(1)
    pytest.fail(f"the site is not well before the test: {wrong}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in which the service user may read what a test writes."""
    made = Path("/var/tmp/doctor-test")
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


@contextmanager
def mode(name: str, wrong: int) -> Iterator[None]:
    path = Path(name)
    before = path.stat().st_mode & 0o7777
    path.chmod(wrong)
    try:
        yield
    finally:
        path.chmod(before)


@contextmanager
def owner(path: str, wrong: int) -> Iterator[None]:
    before = Path(path).stat()
    os.chown(path, wrong, wrong)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)


def stopped(name: str) -> AbstractContextManager[None]:
    return service(name, "stop", "start")


def paused(name: str) -> AbstractContextManager[None]:
    return service(name, "pause", "resume")


def test_healthy_site_is_all_ok_with_a_job_on_a_node() -> None:
    findings = examine("--person", "alice")
    assert not_ok(findings) == {}
    assert len(findings) == 35
    assert "alice's ran on" in findings["job of a person"]["seen"]
    left = subprocess.run(
        ["/usr/bin/squeue", "-h", "-u", "alice", "-o", "%j"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "kqi-doctor" not in left.stdout


@pytest.mark.parametrize(
    ("broken", "name", "words"),
    [
        (lambda: stopped("slurmctld"), "slurm controller", "slurmctld runs"),
        (lambda: paused("slurmctld"), "slurm controller", ""),
        (lambda: stopped("slurmdbd"), "slurm accounting", "slurmdbd runs"),
        (lambda: stopped("munged"), "munge", "systemctl status munge"),
        (lambda: stopped("slapd"), "directory ldaps", "Connection refused"),
        (lambda: paused("slapd"), "directory ldaps", "Check"),
        (lambda: stopped("runas"), "door", "systemctl start kqi-runas"),
        (lambda: paused("runas"), "door", ""),
        (lambda: stopped("worker"), "worker", "systemctl start kqi-worker"),
        (lambda: mode("/scratch", 0o777), "scratch root", "chmod 0755 /scratch"),
        (lambda: mode("/scratch/alice", 0o777), "scratch folders", "/scratch/alice"),
        (lambda: owner("/scratch/alice", 65534), "scratch folders", "belongs to"),
        (lambda: mode("/var/lib/kqi", 0o755), "state folder", "chmod 0700"),
        (lambda: mode("/run/kqi", 0o777), "door files", "chmod 0755 /run/kqi"),
    ],
    ids=[
        "slurmctld-stopped",
        "slurmctld-frozen",
        "slurmdbd-stopped",
        "munged-stopped",
        "slapd-stopped",
        "slapd-frozen",
        "runas-stopped",
        "runas-frozen",
        "worker-stopped",
        "scratch-open",
        "folder-open",
        "folder-of-another",
        "state-open",
        "socket-swappable",
    ],
)
def test_what_is_broken_is_the_line_that_fails(
    broken: Callable[[], AbstractContextManager[None]], name: str, words: str
) -> None:
    Path("/scratch/alice").mkdir(mode=0o700, exist_ok=True)
    shutil.chown("/scratch/alice", "alice", "alice")
    with broken():
        findings = examine()
    line = line_of(findings, name)
    assert line["level"] == "fail", findings
    assert line["todo"]
    assert words in f"{line['seen']} {line['todo']}"
    assert findings["settings"]["level"] == "ok"
    assert findings["database"]["level"] == "ok"


@pytest.mark.parametrize(
    ("was", "becomes", "name", "words"),
    [
        ("ca.pem", "server.pem", "directory ldaps", "correct directory.ca_file"),
        ("ldaps://localhost", "ldaps://kqi-demo", "directory ldaps", "Use a name"),
        ('name = "demo"', 'name = "other"', "slurm accounting", 'name = "demo"'),
        ("cn=kqi,ou", "cn=nobody,ou", "directory ldaps", "directory.bind_dn"),
        ("ou=people", "ou=gone", "directory ldaps", "directory.people_base"),
        ('root = "/scratch"', 'root = "/gone"', "scratch root", "does not exist"),
        ("/run/kqi/runas.sock", "/run/kqi/gone.sock", "door files", "does not exist"),
    ],
)
def test_wrong_setting_is_the_line_that_fails(
    folder: Path, was: str, becomes: str, name: str, words: str
) -> None:
    text = SETTINGS.read_text()
    assert was in text
    config = folder / "kqi.toml"
    config.write_text(text.replace(was, becomes))
    findings = examine(config=config)
    line = line_of(findings, name)
    assert line["level"] == "fail", findings
    assert words in f"{line['seen']} {line['todo']}"


def test_old_schema_is_the_line_that_fails(folder: Path) -> None:
    state = folder / "state"
    shutil.copytree("/var/lib/kqi", state)
    with closing(sqlite3.connect(state / "kqi.sqlite")) as database:
        assert VERSION_TABLE == "kqi_schema"
        database.execute("UPDATE kqi_schema SET version_num = '0001'")
        database.commit()
    for path in (state, *state.iterdir()):
        shutil.chown(path, "kqi", "kqi")
    config = folder / "kqi.toml"
    config.write_text(SETTINGS.read_text().replace("/var/lib/kqi", str(state)))
    findings = examine(config=config)
    assert findings["database"]["level"] == "fail"
    assert "schema 0001" in findings["database"]["seen"]
    assert "kqi-hub db upgrade" in findings["database"]["todo"]


def test_person_outside_of_the_portal_is_refused_by_the_door() -> None:
    findings = examine("--person", "slurm")
    assert findings["scratch of slurm"]["level"] == "fail"
    assert "slurm" in findings["scratch of slurm"]["seen"]
    assert findings["job of a person"]["level"] == "fail"
    assert findings["clock of a node"]["level"] == "skip"


def test_somebody_else_s_doctor_says_who_should_run_it(folder: Path) -> None:
    config = folder / "kqi.toml"
    config.write_text(SETTINGS.read_text())
    done = subprocess.run(
        [*ALICE, *PORTAL, "--config", config, "doctor"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
    )
    assert done.returncode == 1
    assert "sudo -u kqi kqi-hub doctor" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
