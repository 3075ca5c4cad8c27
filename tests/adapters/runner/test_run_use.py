"""What a run uses, by real processes; cgroups as Slurm makes them, in a folder."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kqi_hub.runner.runs.gpus import Gpus, GpuUse
from kqi_hub.runner.runs.use import MOST_LINES, Use, pause_s
from kqi_hub.runner.runs.use_lines import (
    HEADER,
    MOST_BYTES,
    Sample,
    samples_of,
    sums_of,
)
from kqi_hub.runner.runs.use_sources import Processes, Taken, source_of
from tests.adapters.runner.run_job import order, run_job

BUSY = (
    f'{sys.executable} -c "import time; b = bytearray(80_000_000); '
    'e = time.process_time() + 1.2\nwhile time.process_time() < e: pass"'
)
V2_MOUNT = "30 24 0:26 / {top} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
V2_PATH = "0::/system.slice/slurmstepd.scope/job_{job}/step_batch/user/task_0\n"
V1_MOUNT = (
    "31 24 0:27 / {top}/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 24 0:28 / {top}/memory rw shared:6 - cgroup cgroup rw,memory\n"
)
V1_PATH = (
    "5:memory:/slurm/uid_7/job_{job}/step_batch\n"
    "4:cpu,cpuacct:/slurm/uid_7/job_{job}/step_batch\n0::/init.scope\n"
)


def test_a_run_leaves_figures_over_time_and_in_all(tmp_path: Path) -> None:
    done = run_job(tmp_path, order(f"{BUSY} & {BUSY}; wait"))
    assert done.code == 0, done.log
    use = done.result["use"]
    # Two programs, 1.2 CPU seconds each, with what bash and Python need to begin.
    assert 2.3 < use["cpu_s"] < 6
    assert (use["source"], use["gpu_percent_mean"]) == ("processes", None)
    assert 80 < use["memory_mb_max"] < 400
    assert 0 < use["memory_mb_mean"] <= use["memory_mb_max"]
    assert 0.2 < use["cores_max"] < 4
    lines = (done.folder / "use.csv").read_text().splitlines()
    assert lines[0] == HEADER
    assert len(lines) - 1 == use["samples"] >= 2
    samples = list(samples_of((done.folder / "use.csv").read_bytes()))
    assert len(samples) == use["samples"]
    assert abs(samples[-1].epoch - time.time()) < 60


def test_a_run_too_short_for_a_sample_is_counted_all_the_same(tmp_path: Path) -> None:
    done = run_job(tmp_path, order("true"))
    use = done.result["use"]
    assert use["samples"] == 1
    assert use["cpu_s"] >= 0


def test_ended_processes_and_their_children_stay_counted() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    source = Processes()
    subprocess.run([sys.executable, "-c", nested], check=True)
    assert 0.4 <= source.read().cpu_s < 5


@pytest.mark.parametrize("what", ["link", "fifo", "folder", "full"])
def test_what_lies_in_the_way_of_the_file_is_no_harm(tmp_path: Path, what: str) -> None:
    file, other = tmp_path / "use.csv", tmp_path / "other"
    other.write_text("mine")
    match what:
        case "link":
            file.symlink_to(other)
        case "fifo":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case _:
            file.symlink_to("/dev/full")
    began = time.monotonic()
    with Use(tmp_path, {}) as use:
        subprocess.run(["/bin/true"], check=True)
    assert time.monotonic() - began < 2
    assert use.told is not None
    assert other.read_text() == "mine"


class Broken:
    name = "broken"

    def read(self) -> Taken:
        raise OSError("gone")


class Hanging:
    name = "hanging"
    reads = 0

    def read(self) -> Taken:
        self.reads += 1
        if self.reads > 1:
            time.sleep(6)
        return Taken(0, 0)


@pytest.mark.parametrize("source", [Broken(), Hanging()])
def test_a_source_that_fails_or_hangs_holds_nothing_up(
    tmp_path: Path, source: Broken | Hanging
) -> None:
    began = time.monotonic()
    with Use(tmp_path, {}, source) as use:
        time.sleep(0.6)
    assert time.monotonic() - began < 4
    assert use.told is None


def test_sampling_costs_less_than_half_a_percent_of_a_core() -> None:
    source, began = Processes(), time.thread_time()
    for _ in range(20):
        source.read()
    cost_s = (time.thread_time() - began) / 20
    assert cost_s / pause_s(10, 10 * cost_s) < 0.005


@pytest.mark.parametrize(
    ("lines", "cost_s", "pause"),
    [(0, 0, 0.5), (3, 0.001, 5), (3, 0.1, 30), (149, 0, 5), (150, 0, 10),
     (450, 0.01, 40), (1_800, 0, 20_480)],
)  # fmt: skip
def test_looks_become_rare_with_time_and_where_they_are_dear(
    lines: int, cost_s: float, pause: float
) -> None:
    assert pause_s(lines, lines * cost_s) == pytest.approx(pause)


@pytest.mark.parametrize(
    ("days", "most"), [(1 / 24, 600), (1, 1_200), (30, 1_900), (365, MOST_LINES)]
)
def test_the_file_stays_small_however_long_a_run_is(days: float, most: int) -> None:
    passed, lines = 0.0, 0
    while passed < days * 86_400 and lines < MOST_LINES:
        passed, lines = passed + pause_s(lines, 0), lines + 1
    assert lines <= most


def cgroups(tmp_path: Path, mount: str, path: str, job: str) -> tuple[Path, Path]:
    proc, top = tmp_path / "proc", tmp_path / "cgroup"
    proc.mkdir()
    (proc / "mountinfo").write_text(mount.format(top=top))
    (proc / "cgroup").write_text(path.format(job=job))
    return proc, top


def test_a_jobs_own_cgroup_is_read_version_2(tmp_path: Path) -> None:
    proc, top = cgroups(tmp_path, V2_MOUNT, V2_PATH, "77")
    group = top / "system.slice/slurmstepd.scope/job_77"
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (group / "memory.stat").write_text("anon 104857600\nfile 9999999\nshmem 1048576\n")
    source = source_of({"SLURM_JOB_ID": "77"}, proc)
    assert (source.name, source.read()) == ("cgroup v2", Taken(2.5, 101.0))


def test_a_jobs_own_cgroup_is_read_version_1(tmp_path: Path) -> None:
    proc, top = cgroups(tmp_path, V1_MOUNT, V1_PATH, "77")
    cpu = top / "cpu,cpuacct/slurm/uid_7/job_77"
    memory = top / "memory/slurm/uid_7/job_77"
    cpu.mkdir(parents=True)
    memory.mkdir(parents=True)
    (cpu / "cpuacct.usage").write_text("2500000000\n")
    (memory / "memory.stat").write_text("rss 1\ntotal_rss 104857600\ntotal_shmem 0\n")
    source = source_of({"SLURM_JOB_ID": "77"}, proc)
    assert (source.name, source.read()) == ("cgroup v1", Taken(2.5, 100.0))


@pytest.mark.parametrize(
    ("path", "job"),
    [(V2_PATH, "770"), (V2_PATH, ""), (V2_PATH, "../.."), ("0::/\n", "77"),
     ("", "77"), ("broken\n", "77"), (V2_PATH, "77")],
)  # fmt: skip
def test_without_a_group_of_its_own_that_can_be_read_processes_are(
    tmp_path: Path, path: str, job: str
) -> None:
    proc, _ = cgroups(tmp_path, V2_MOUNT, path, "77")
    assert source_of({"SLURM_JOB_ID": job}, proc).name == "processes"
    assert source_of({"SLURM_JOB_ID": job}, tmp_path / "none").name == "processes"


def smi(tmp_path: Path, told: str) -> dict[str, str]:
    """Return variables of a job with a stand-in for nvidia-smi, as it prints."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nprintf "{told}"\nexec sleep 60\n'
    )
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    return {"PATH": path, "CUDA_VISIBLE_DEVICES": "0,1"}


def test_gpus_are_told_of_as_nvidia_smi_prints_them(tmp_path: Path) -> None:
    environ = smi(tmp_path, r"0, 40, 2048\n1, 20, 1024\n2, [N/A], 1\nnoise\n")
    gpus = Gpus(environ)
    try:
        until = time.monotonic() + 10
        while (told := gpus.read()) is None and time.monotonic() < until:
            time.sleep(0.05)
        assert told == GpuUse(30.0, 3072.0)
        assert "--id=0,1" in (tmp_path / "asked").read_text()
        (pid,) = gpus.pids
    finally:
        gpus.close()
    assert not Path(f"/proc/{pid}").exists()
    assert gpus.read() is not None  # what was known stays until somebody asks no more


@pytest.mark.parametrize("devices", ["", "0; rm -rf /", "a\nb", "-x" * 2000])
def test_without_gpus_nothing_is_started(tmp_path: Path, devices: str) -> None:
    gpus = Gpus(smi(tmp_path, "0, 1, 1") | {"CUDA_VISIBLE_DEVICES": devices})
    assert (gpus.pids, gpus.read()) == (set(), None)


def test_a_job_with_gpus_ends_without_a_word_about_nvidia_smi(tmp_path: Path) -> None:
    environ = smi(tmp_path, r"0, 40, 2048\n")
    done = run_job(tmp_path, order("sleep 1"), **environ)
    assert done.code == 0, done.log
    assert "left" not in done.log
    use = done.result["use"]
    assert (use["gpu_percent_mean"], use["gpu_memory_mb_max"]) == (40.0, 2048.0)


def test_lines_are_read_as_they_were_written_and_noise_is_not() -> None:
    one = Sample(1_795_000_000.5, 1.25, 2048.0, 40.0, 1024.0)
    two = Sample(1_795_000_010.5, 0.75, 1024.0)
    noise = "\n".join(["nan,1,1,,", "1e400,1,1,,", "-1,1,1,,", "1,2", "x" * 99, "\x00"])
    raw = "\n".join([HEADER, one.line(), noise, two.line(), "1795,1"]).encode()
    assert list(samples_of(raw)) == [one, two]
    said = sums_of(samples_of(raw))
    assert said is not None
    assert (said["source"], said["seconds"], said["cpu_s"]) == ("samples", 10.0, 7.5)
    assert (said["memory_mb_max"], said["gpu_percent_max"]) == (2048.0, 40.0)
    assert sums_of(()) is None
    assert json.dumps(said)


def test_of_a_giant_file_only_the_beginning_is_read() -> None:
    raw = b"1,1,1,,\n" * (2 * MOST_BYTES // 8)
    assert sum(1 for _ in samples_of(raw)) == MOST_BYTES // 8
