"""The reader over programs that print recorded answers or fail as told."""

import logging
from pathlib import Path

import pytest

from kqi_hub.domain.errors import ClusterError, ClusterTimedOut, ClusterUnreachable
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.reader import CliReader
from kqi_hub.slurm.runner import Programs

RECORDED = Path(__file__).parent.parent / "recorded" / "22.05"

# Prints a recorded answer with this call's separators in place of the recorded ones.
SQUEUE = """\
for argument; do case $argument in --Format=*) format=${argument#--Format=};; esac; done
case $format in *Comment*) file=squeue.txt;; *) file=squeue-found.txt;; esac
row=${format##*:0}; field=${format%,*}; field=${field##*:0}
exec sed "s/xFIELDxxxxxx/$field/g;s/xROWxxxxxxxx/$row/g" RECORDED/$file
"""
SACCT = """\
for argument; do
  case $argument in --delimiter=*) field=${argument#--delimiter=};; esac
done
echo "$*" >> calls
case "$*" in *--jobs=*) file=sacct-ended.txt;; *) file=sacct-found.txt;; esac
exec sed "s/xFIELDxxxxxx/$field/g" RECORDED/$file
"""
SACCTMGR = """\
case "$*" in *"show qos"*) exec cat RECORDED/sacctmgr-qos.txt;; esac
exec cat RECORDED/sacctmgr-associations.txt
"""
SCONTROL = """\
case "$*" in *node*) exec cat RECORDED/scontrol-nodes.txt;; esac
exec cat RECORDED/scontrol-partitions.txt
"""
UNREACHABLE = (
    "echo 'error: Unable to contact slurm controller (connect failure)' >&2; exit 1"
)
NO_DATABASE = (
    "echo 'sacct: error: Problem talking to the database: refused' >&2; exit 1"
)


class Installed:
    """A folder of programs, and the reader that asks them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reader = CliReader("scratch", Programs(folder, environment(None), 5))

    def install(self, name: str, body: str) -> None:
        path = self.folder / name
        text = body.replace("RECORDED", str(RECORDED)).replace(
            ">> calls", f">> {self.calls}"
        )
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    @property
    def calls(self) -> Path:
        return self.folder / "calls"


@pytest.fixture
def slurm(tmp_path: Path) -> Installed:
    installed = Installed(tmp_path)
    installed.install("squeue", SQUEUE)
    installed.install("sacct", SACCT)
    installed.install("scontrol", SCONTROL)
    installed.install("sacctmgr", SACCTMGR)
    installed.install("sinfo", "exec cat RECORDED/sinfo-version.txt")
    return installed


async def test_everything_is_read(slurm: Installed) -> None:
    reader = slurm.reader
    assert await reader.version() == "22.05.8"
    assert len(await reader.nodes()) == 5
    assert len(await reader.partitions()) == 5
    assert len(await reader.jobs()) == 31
    assert len(await reader.associations()) == 7
    assert [one.name for one in await reader.qos()] == ["normal", "jupyter", "high"]


async def test_what_has_not_changed_is_not_read_again(slurm: Installed) -> None:
    first_jobs, first_nodes = await slurm.reader.jobs(), await slurm.reader.nodes()
    jobs, nodes = await slurm.reader.jobs(), await slurm.reader.nodes()
    assert jobs == first_jobs
    assert all(one is two for one, two in zip(jobs, first_jobs, strict=True))
    assert all(one is two for one, two in zip(nodes, first_nodes, strict=True))


async def test_a_failed_look_leaves_what_is_known_as_it_was(slurm: Installed) -> None:
    before = await slurm.reader.jobs()
    slurm.install("squeue", UNREACHABLE)
    with pytest.raises(ClusterUnreachable):
        await slurm.reader.jobs()
    slurm.install("squeue", SQUEUE)
    assert await slurm.reader.jobs() == before


@pytest.mark.parametrize(
    ("program", "question"),
    [("squeue", "jobs"), ("scontrol", "nodes"), ("scontrol", "partitions"),
     ("sacctmgr", "associations"), ("sacctmgr", "qos"), ("sinfo", "version")],
)  # fmt: skip
async def test_silence_of_the_controller_is_an_error_for_every_question(
    slurm: Installed, program: str, question: str
) -> None:
    slurm.install(program, UNREACHABLE)
    with pytest.raises(ClusterUnreachable):
        await getattr(slurm.reader, question)()


async def test_an_answer_that_breaks_off_is_no_answer(slurm: Installed) -> None:
    slurm.install(
        "squeue", SQUEUE.rstrip().replace("exec sed", "sed") + " | head -c 2000"
    )
    with pytest.raises(ClusterError, match="breaks off"):
        await slurm.reader.jobs()


@pytest.mark.parametrize("body", ["echo usage: squeue", "printf 'a\\0b'", "echo; echo"])
async def test_an_answer_of_another_shape_is_no_answer(
    slurm: Installed, body: str
) -> None:
    slurm.install("squeue", body)
    with pytest.raises(ClusterError, match="squeue"):
        await slurm.reader.jobs()


async def test_an_empty_queue_is_an_answer(slurm: Installed) -> None:
    slurm.install("squeue", "exit 0")
    assert await slurm.reader.jobs() == ()


async def test_no_version_is_an_error(slurm: Installed) -> None:
    slurm.install("sinfo", "exit 0")
    with pytest.raises(ClusterError, match="sinfo"):
        await slurm.reader.version()


async def test_accounting_is_asked_in_portions_and_about_each_job_once(
    slurm: Installed,
) -> None:
    ended = await slurm.reader.ended([75, *range(1, 1101), 75])
    assert ended[75].exit_code == 3
    calls = slurm.calls.read_text().splitlines()
    assert [line.split("--jobs=")[1].count(",") + 1 for line in calls] == [
        500,
        500,
        100,
    ]


async def test_accounting_is_not_asked_about_nothing(slurm: Installed) -> None:
    assert await slurm.reader.ended([]) == {}
    assert not slurm.calls.exists()


async def test_jobs_are_found_in_the_controller_and_in_accounting(
    slurm: Installed,
) -> None:
    found = await slurm.reader.find("alice", "wrap", 0)
    assert len(found) == len(set(found))
    assert {8, 10009} <= set(found)  # 8 only accounting remembers
    assert found[0] < found[-1]


async def test_a_live_job_is_found_while_accounting_is_away(slurm: Installed) -> None:
    slurm.install("sacct", NO_DATABASE)
    assert 10009 in await slurm.reader.find("alice", "wrap", 0)


async def test_a_job_is_not_declared_absent_while_accounting_is_away(
    slurm: Installed,
) -> None:
    slurm.install("sacct", NO_DATABASE)
    with pytest.raises(ClusterUnreachable):
        await slurm.reader.find("alice", "another", 0)


async def test_a_job_is_not_declared_absent_while_the_controller_is_away(
    slurm: Installed,
) -> None:
    slurm.install("squeue", UNREACHABLE)
    with pytest.raises(ClusterUnreachable):
        await slurm.reader.find("alice", "wrap", 0)


async def test_a_hanging_controller_is_given_up_in_time(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    installed.reader = CliReader("scratch", Programs(tmp_path, environment(None), 0.3))
    installed.install("squeue", "exec sleep 60")
    with pytest.raises(ClusterTimedOut):
        await installed.reader.jobs()


async def test_lines_of_sacctmgr_that_are_left_out_are_logged(
    slurm: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    odd = "echo 'scratch|odd|one|||root|normal|||||||'"
    slurm.install("sacctmgr", f"{odd}; cat RECORDED/sacctmgr-associations.txt")
    with caplog.at_level(logging.WARNING):
        assert len(await slurm.reader.associations()) == 7
    assert "odd|one" in caplog.text
