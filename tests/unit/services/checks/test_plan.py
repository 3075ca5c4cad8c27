"""The doctor as a whole: a healthy site, and one where everything is broken."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import (
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    DatabaseNotReady,
    DirectoryUnavailable,
    DoorUnreachable,
)
from kqi_hub.domain.health import FileFacts
from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import BatchScript, DoorAnswer
from kqi_hub.services.checks.examine import Check, examine, exit_code
from kqi_hub.services.checks.finding import Finding, Level
from kqi_hub.services.checks.person_checks import Volunteer
from kqi_hub.services.checks.plan import all_checks
from kqi_hub.services.checks.sources import Sources, Target
from tests.fakes.health import (
    FakeDirectory,
    FakeDoor,
    FakeMachine,
    FakeSlurmProbe,
    folder,
    fresh,
)
from tests.fakes.slurm_reader import ScriptedReader, make_job

TARGET = Target(
    cluster="gpu1",
    slurm_bin="/usr/bin",
    state_dir="/var/lib/kqi",
    scratch_root="/scratch",
    sqlite_file="/var/lib/kqi/kqi.sqlite",
    directory_servers=("ldaps://a", "ldaps://b"),
    door_socket="/run/kqi/runas.sock",
    door_programs=(),
    door_config="/etc/kqi/runas.toml",
)
ALICE = Volunteer("alice", "0123456789abcdef")


class Slurm(ScriptedReader):
    """A cluster whose job answers in its comment, unless told otherwise."""

    comment = "kqi-doctor bwrap=works scratch=works clock=1000000000"
    state = "COMPLETED"

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[BatchScript] = []
        self.cancelled: list[tuple[str, tuple[int, ...]]] = []
        self.submit_fault: Exception | None = None
        self.left_behind: tuple[int, ...] = ()

    async def submit(self, person: str, script: BatchScript) -> int:
        self.scripts.append(script)
        if self.submit_fault is not None:
            raise self.submit_fault
        job = make_job(77, self.state, comment=self.comment, starts_at=1_000_000_000)
        self.job_list = (replace(job, node_list="cpu01"),)
        return 77

    async def cancel(self, person: str, job_ids: Sequence[int | str]) -> None:
        self.cancelled.append((person, tuple(int(one) for one in job_ids)))

    async def find(self, user: str, name: str, since: float) -> tuple[int, ...]:
        return self.left_behind

    async def signal(self, person: str, job_id: int, name: str) -> None:
        raise AssertionError("the doctor sends no signals")

    async def hold(self, person: str, job_id: int | str) -> None:
        raise AssertionError("the doctor changes no job")

    async def release(self, person: str, job_id: int | str) -> None:
        raise AssertionError("the doctor changes no job")

    async def requeue(self, person: str, job_id: int) -> None:
        raise AssertionError("the doctor changes no job")

    async def set_time_limit(self, person: str, job_id: int, seconds: int) -> None:
        raise AssertionError("the doctor changes no job")


@dataclass
class House:
    """Sources whose parts a test may break."""

    cluster: Slurm = field(default_factory=Slurm)
    slurm: FakeSlurmProbe = field(default_factory=FakeSlurmProbe)
    machine: FakeMachine = field(default_factory=FakeMachine)
    directory: FakeDirectory | None = field(default_factory=FakeDirectory)
    door: FakeDoor = field(default_factory=FakeDoor)
    database_fault: Exception | None = None
    freshness_now: Freshness = field(default_factory=fresh)
    now: float = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def check_database(self) -> str:
        if self.database_fault is not None:
            raise self.database_fault
        return "0001"

    def freshness(self) -> Freshness:
        if self.database_fault is not None:
            raise self.database_fault
        return self.freshness_now

    def strays(self) -> tuple[Job, ...]:
        if self.database_fault is not None:
            raise self.database_fault
        return ()

    def checks(self, volunteer: Volunteer | None = None) -> list[Check]:
        sources = Sources(
            cluster=self.cluster,
            slurm=self.slurm,
            machine=self.machine,
            directory=self.directory,
            door=self.door,
            check_database=self.check_database,
            freshness=self.freshness,
            strays=self.strays,
            worker_holder=lambda: 12,
            wall=lambda: self.now,
            sleep=self.sleep,
        )
        return all_checks(TARGET, sources, volunteer)

    async def examine(self, volunteer: Volunteer | None = None) -> dict[str, Finding]:
        findings = await examine(self.checks(volunteer))
        return {finding.name: finding for finding in findings}


async def test_healthy_site_is_all_ok() -> None:
    findings = await House().examine()
    assert {f.level for f in findings.values()} == {Level.OK}, findings
    assert len(findings) == 22
    assert exit_code(list(findings.values())) == 0


async def test_broken_controller_is_one_failure_and_the_rest_is_skipped() -> None:
    house = House()
    house.slurm.fault = ClusterUnreachable("No controller.", "Start slurmctld.")
    house.cluster.fault = house.slurm.fault
    findings = await house.examine()
    failed = [f.name for f in findings.values() if f.level is Level.FAIL]
    assert failed == ["slurm controller"]
    skipped = {f.name for f in findings.values() if f.level is Level.SKIP}
    assert skipped == {
        "slurm nodes",
        "slurm limits",
        "slurm privacy",
        "slurm memory of jobs",
        "clock",
    }


async def test_broken_accounting_is_told_once() -> None:
    house = House()
    house.slurm.accounting_fault = ClusterUnreachable("slurmdbd is away.")
    findings = await house.examine()
    assert findings["slurm accounting"].level is Level.FAIL
    assert findings["slurm privacy"].level is Level.SKIP
    assert findings["slurm controller"].level is Level.OK


async def test_everything_broken_at_once_is_still_a_line_each() -> None:
    house = House()
    house.slurm.fault = ClusterTimedOut("hangs")
    house.slurm.accounting_fault = ClusterUnreachable("away")
    house.cluster.fault = house.slurm.fault
    house.cluster.submit_fault = house.slurm.fault
    house.machine.fault = OSError(5, "Input/output error")
    house.directory = FakeDirectory(DirectoryUnavailable("refused", "See slapd."))
    house.door.fault = DoorUnreachable("no socket")
    house.database_fault = DatabaseNotReady("no tables", "Run: kqi-hub db upgrade")
    healthy = await House().examine(ALICE)
    findings = await house.examine(ALICE)
    assert list(findings) == list(healthy)
    told = {f.name for f in findings.values() if f.level is not Level.OK}
    assert told == set(healthy) - {"slurm version"}
    assert all(f.todo for f in findings.values() if f.level is Level.FAIL)
    assert findings["database"].todo == "Run: kqi-hub db upgrade"


async def test_helper_s_configuration_that_others_may_write_fails() -> None:
    house = House()
    path = "/etc/kqi/runas.toml"
    house.machine.files[path] = FileFacts(path, "file", 0o664, 0, "root", "kqi")
    finding = (await house.examine())["door files"]
    assert finding.level is Level.FAIL
    assert f"chmod go-w {path}" in finding.todo


async def test_each_directory_server_has_its_line() -> None:
    house = House(directory=FakeDirectory(DirectoryUnavailable("refused", "See it.")))
    findings = await house.examine()
    assert findings["directory ldaps://a"].seen == "refused"
    assert findings["directory ldaps://b"].todo == "See it."


async def test_site_without_directory_is_warned() -> None:
    findings = await House(directory=None).examine()
    assert findings["directory"].level is Level.WARN


async def test_missing_scratch_fails_once() -> None:
    house = House()
    house.machine.files = {"/var/lib/kqi": folder("/var/lib/kqi", "kqi", 0o700, 990)}
    findings = await house.examine()
    assert findings["scratch root"].level is Level.FAIL
    assert findings["scratch folders"].level is Level.SKIP


async def test_without_a_name_nothing_is_done_as_anybody() -> None:
    house = House()
    await house.examine()
    assert house.cluster.scripts == []
    assert house.door.calls == [("ping", ""), ("make-scratch", "root")]


async def test_person_s_job_answers_for_the_node_and_is_cleaned_up() -> None:
    house = House(now=1_000_000_000.0)
    findings = await house.examine(ALICE)
    names = [
        "scratch of alice",
        "job of a person",
        "namespaces on a node",
        "scratch on a node",
        "clock of a node",
    ]
    assert [findings[name].level for name in names] == [Level.OK] * 5
    assert ("make-scratch", "alice") in house.door.calls
    assert house.cluster.cancelled == [("alice", (77,))]
    (script,) = house.cluster.scripts
    assert script.name == "kqi-doctor-0123456789abcdef"
    assert script.chdir == "/scratch/alice"


@pytest.mark.parametrize(
    ("comment", "name", "level", "word"),
    [
        ("bwrap=missing scratch=works", "namespaces on a node", "warn", "Install"),
        ("bwrap=refused scratch=works", "namespaces on a node", "warn", "Allow"),
        ("bwrap=works scratch=refused", "scratch on a node", "fail", "not writable"),
    ],
)
async def test_what_the_job_saw_is_judged(
    comment: str, name: str, level: str, word: str
) -> None:
    house = House(now=1_000_000_000.0)
    house.cluster.comment = f"kqi-doctor {comment} clock=1000000001"
    finding = (await house.examine(ALICE))[name]
    assert finding.level == level
    assert word in f"{finding.seen} {finding.todo}"


@pytest.mark.parametrize(
    ("clock", "level", "word"),
    [
        (999_999_999, "ok", "agrees"),
        (1_000_000_004, "ok", "agrees"),
        (999_999_970, "warn", "30 s behind"),
        (1_000_000_062, "warn", "60 s ahead"),
        (1_000_003_602, "fail", "3600 s ahead"),
    ],
)
async def test_clock_of_the_node_is_judged(clock: int, level: str, word: str) -> None:
    house = House(now=1_000_000_000.0)
    house.cluster.comment = f"kqi-doctor bwrap=works scratch=works clock={clock}"
    finding = (await house.examine(ALICE))["clock of a node"]
    assert finding.level == level
    assert word in finding.seen


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("PENDING", "no node took job 77 within 30 s"),
        ("RUNNING", "said nothing within 30 s"),
        ("FAILED", "ended as FAILED and said nothing"),
    ],
)
async def test_job_without_an_answer_fails_and_is_cancelled(
    state: str, word: str
) -> None:
    house = House()
    house.cluster.state, house.cluster.comment = state, "something else"
    findings = await house.examine(ALICE)
    assert word in findings["job of a person"].seen
    assert findings["clock of a node"].level is Level.SKIP
    assert house.cluster.cancelled == [("alice", (77,))]


async def test_submission_that_timed_out_leaves_no_job_behind() -> None:
    house = House()
    house.cluster.submit_fault = ClusterTimedOut("no answer")
    house.cluster.left_behind = (78,)
    findings = await house.examine(ALICE)
    assert findings["job of a person"].seen == "no answer"
    assert house.cluster.cancelled == [("alice", (78,))]


async def test_refused_submission_says_slurm_s_reason() -> None:
    house = House()
    house.cluster.submit_fault = ClusterRefused("Invalid account", "Ask.", "why")
    findings = await house.examine(ALICE)
    assert findings["job of a person"].seen == "Invalid account"
    assert house.cluster.cancelled == []


async def test_scratch_that_the_door_cannot_make_is_told() -> None:
    house = House()
    house.door.scratch_answer = DoorAnswer(1, "", "disk quota exceeded")
    finding = (await house.examine(ALICE))["scratch of alice"]
    assert finding.level is Level.FAIL
    assert "disk quota exceeded" in finding.seen


async def test_names_in_the_script_are_quoted() -> None:
    house = House()
    await house.examine(Volunteer("al'ice; rm -rf", "k"))
    (script,) = house.cluster.scripts
    assert "/scratch/al'\"'\"'ice; rm -rf'/.kqi-doctor" in script.text
