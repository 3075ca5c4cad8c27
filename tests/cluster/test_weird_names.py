"""Names and comments that people at a terminal choose, through the real Slurm."""

import subprocess
from collections.abc import Iterator

import pytest

from kqi_hub.slurm.rows import Tokens
from tests.cluster.slurm_lab import only_inside, open_cluster, sbatch_as_alice

pytestmark = only_inside

# Separators that somebody has seen in a list of processes, and now uses.
SEEN = Tokens("xseenseensee", "xlastlastlas")
NAMES = [
    *(b"pipe|d", b"tab\tbed", b"line\nbreak", b"\n", b"\nleading", b"trailing\n"),
    *(b"car\rriage", b"bell\x01", b"\x1b[31mred", b"rs\x1eus\x1f", b"quo'te\"d`"),
    *(b"back\\slash\\n", b"$(id)", b"\xff\xfe", b"cut \xe5\x90", b"%s%n%j"),
    *("名前 ünïcödé \U0001f600".encode(), "\u202eevil".encode(), b" both ", b" "),
    *(b"x JobId=1 State=RUNNING", b"NodeName=x State=IDLE", b"--name=x", b"-n"),
    *(b"(null)", b"N/A", b"None", b"a,b:0,c", b"1|1|N/A|RUNNING|1|1|1|1:00|1|1|1"),
    *(b"a" * 1000, SEEN.field.encode(), f"{SEEN.field}{SEEN.row}\n1|1".encode()),
]


@pytest.fixture(scope="module")
def named() -> Iterator[dict[int, bytes]]:
    """Submit a job for each name, all of them held."""
    held = (
        "--hold",
        "--partition=cpu",
        "--mem=10",
        "--output=/dev/null",
        "--wrap=true",
    )
    ids = {
        sbatch_as_alice(*held, b"--job-name=" + name, b"--comment=" + name): name
        for name in NAMES
    }
    yield ids
    subprocess.run(["/usr/bin/scancel", *map(str, ids)], check=True)


def expected_comment(name: bytes) -> str:
    return "" if name == b"(null)" else name.decode(errors="replace")


async def test_every_name_is_read_back_and_breaks_no_other_row(
    named: dict[int, bytes],
) -> None:
    jobs = {job.job_id: job for job in await open_cluster().jobs()}
    for job_id, name in named.items():
        job = jobs[job_id]
        assert job.name == name.decode(errors="replace")
        assert job.comment == expected_comment(name)
        assert (job.user, job.state, job.reason) == ("alice", "PENDING", "JobHeldUser")
        assert (job.partition, job.memory, job.nodes) == ("cpu", "10M", 1)


async def test_a_second_look_tells_the_same(named: dict[int, bytes]) -> None:
    cluster = open_cluster()
    first = {job.job_id: job for job in await cluster.jobs()}
    second = {job.job_id: job for job in await cluster.jobs()}
    assert {i: first[i] for i in named} == {i: second[i] for i in named}
    same = [i for i in named if first[i] is second[i]]
    assert len(same) >= len(named) - 1  # one may have got an expected start meanwhile


async def test_weird_names_do_not_disturb_accounting(named: dict[int, bytes]) -> None:
    cluster = open_cluster()
    assert await cluster.ended(list(named)) == {}
    assert await cluster.find("alice", "no-such-name", 0) == ()
