"""What the doctor thinks of directory, door, worker and namespaces."""

from dataclasses import replace

import pytest

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import DoorRefused, DoorUnreachable
from kqi_hub.domain.health import Certificate, FileFacts, Sandbox
from kqi_hub.services.checks import portal
from tests.fakes.health import FakeDoor, folder

SOCKET = FileFacts("/run/kqi/runas.sock", "socket", 0o660, 0, "root", "kqi")
HELPER = FileFacts("/usr/sbin/kqi-runas", "file", 0o755, 0, "root", "root")
DAY = 86400


@pytest.mark.parametrize(
    ("days", "level", "word"),
    [(100, "ok", "days left: 100"), (20, "warn", "Renew"), (0, "warn", "days left: 0")],
)
def test_certificate(days: int, level: str, word: str) -> None:
    certificate = Certificate("ldap.example.org", 1000.0 + days * DAY + 5)
    finding = portal.judge_certificate("directory", certificate, 1000.0)
    assert finding.level == level
    assert word in f"{finding.seen} {finding.todo}"


@pytest.mark.parametrize(
    ("socket", "around", "level", "word"),
    [
        (SOCKET, folder("/run/kqi"), "ok", "0660"),
        (replace(SOCKET, kind="missing"), folder("/run/kqi"), "fail", "Start"),
        (replace(SOCKET, kind="file"), folder("/run/kqi"), "fail", "is a file"),
        (replace(SOCKET, uid=7, owner="x"), folder("/run/kqi"), "fail", "answer as"),
        (SOCKET, folder("/run/kqi", "kqi", 0o755, 990), "fail", "belongs to kqi"),
        (SOCKET, folder("/run/kqi", mode=0o775), "fail", "swapped"),
        (replace(SOCKET, mode=0o666), folder("/run/kqi"), "warn", "anybody"),
    ],
)
def test_door_socket(
    socket: FileFacts, around: FileFacts, level: str, word: str
) -> None:
    finding = portal.judge_door_socket(socket, around)
    assert finding.level == level
    assert word in f"{finding.seen} {finding.todo}"


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (HELPER, "ok"),
        (replace(HELPER, mode=0o775), "fail"),
        (replace(HELPER, mode=0o757), "fail"),
        (replace(HELPER, uid=990, owner="kqi"), "fail"),
        (replace(HELPER, kind="missing"), "fail"),
    ],
)
def test_door_program(facts: FileFacts, level: str) -> None:
    assert portal.judge_door_program(facts).level == level


async def test_door_that_refuses_root_is_well() -> None:
    finding = await portal.try_door(FakeDoor())
    assert finding.level == "ok"
    assert finding.seen == "version 1 answers and refuses root: root is a system user"


async def test_door_that_becomes_root_fails() -> None:
    finding = await portal.try_door(FakeDoor(refuses_root=False))
    assert finding.level == "fail"
    assert "Stop kqi-runas at once" in finding.todo


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (DoorUnreachable("no socket"), "systemctl start kqi-runas"),
        (DoorRefused("uid 5 may not call this helper"), "service user"),
    ],
)
async def test_door_that_does_not_answer_us_fails(fault: Exception, word: str) -> None:
    finding = await portal.try_door(FakeDoor(fault=fault))
    assert finding.level == "fail"
    assert word in finding.todo


@pytest.mark.parametrize("answer", ["", "not json", "[]", '{"verbs": []}'])
async def test_door_that_says_nothing_sensible_is_of_unknown_version(
    answer: str,
) -> None:
    door = FakeDoor()
    ping = replace(door.scratch_answer, stdout=answer)

    class Odd(FakeDoor):
        async def run(self, verb, person, arguments):  # type: ignore[no-untyped-def]  # as in FakeDoor
            if verb == "ping":
                return ping
            return await super().run(verb, person, arguments)

    assert "version unknown" in (await portal.try_door(Odd())).seen


@pytest.mark.parametrize(
    ("holder", "freshness", "level", "word"),
    [
        (12, Freshness(3, 995.0, 995.0), "ok", "process 12"),
        (0, Freshness(3, 995.0, 995.0), "ok", "runs."),
        (None, Freshness(3, 995.0, 995.0), "fail", "none runs"),
        (12, Freshness(0, None, None), "fail", "No picture"),
        (12, Freshness(3, 900.0, 900.0), "fail", "STALE"),
        (12, Freshness(3, 990.0, 995.0, "No controller."), "fail", "No controller."),
        (12, Freshness(3, 995.0, 995.0, "job 3 unsure"), "warn", "job 3 unsure"),
    ],
)
def test_worker(
    holder: int | None, freshness: Freshness, level: str, word: str
) -> None:
    finding = portal.judge_worker(holder, freshness, 1000.0, 40.0)
    assert finding.level == level
    assert word in finding.seen


@pytest.mark.parametrize(
    ("sandbox", "level", "word"),
    [
        (Sandbox("/usr/bin/bwrap", True, ""), "ok", "works"),
        (Sandbox("", False, ""), "warn", "Install bubblewrap"),
        (
            Sandbox("/b", False, "no", {"user.max_user_namespaces": "0"}),
            "warn",
            "sysctl",
        ),
        (
            Sandbox("/b", False, "", {"kernel.unprivileged_userns_clone": "0"}),
            "warn",
            "kernel.unprivileged_userns_clone=1",
        ),
        (
            Sandbox(
                "/b", False, "", {"kernel.apparmor_restrict_unprivileged_userns": "1"}
            ),
            "warn",
            "AppArmor",
        ),
        (Sandbox("/b", False, "setting up uid map"), "warn", "setting up uid map"),
    ],
)
def test_sandbox(sandbox: Sandbox, level: str, word: str) -> None:
    finding = portal.judge_sandbox(sandbox)
    assert finding.level == level
    assert word in f"{finding.seen} {finding.todo}"
    assert "here" in finding.seen
