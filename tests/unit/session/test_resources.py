"""What a job uses of what it was given."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kqi_hub.session.ports import listeners
from kqi_hub.session.resources import Given, Meter, Use, given, told
from kqi_hub.session.texts import catalogue

TEXTS = catalogue("tools.json")["en"]
MB = 1 << 20


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Given(None, None)),
        ({"SLURM_CPUS_ON_NODE": "4"}, Given(4, None)),
        ({"SLURM_MEM_PER_NODE": "2048"}, Given(None, 2048 * MB)),
        ({"SLURM_CPUS_ON_NODE": "4", "SLURM_MEM_PER_CPU": "512"}, Given(4, 2048 * MB)),
        # 0 is Slurm's word for "all of the node": how much that is, it does not say.
        ({"SLURM_MEM_PER_NODE": "0", "SLURM_CPUS_ON_NODE": "x"}, Given(None, None)),
    ],
)
def test_what_slurm_gave(environ: Mapping[str, str], expected: Given) -> None:
    assert given(environ) == expected


def test_line_says_use_and_what_there_is() -> None:
    said = told(Use(1.26, 900 * MB), Given(4, 1024 * MB), TEXTS)
    assert said["line"] == "CPU 1.3 of 4 cores · Memory 900 MB of 1.0 GB"
    assert said["is_tight"] is False


def test_memory_that_is_nearly_full_is_tight() -> None:
    assert told(Use(0, 950 * MB), Given(1, 1000 * MB), TEXTS)["is_tight"] is True


def test_without_slurm_only_the_use_is_said() -> None:
    assert (
        told(Use(0.0, MB), Given(None, None), TEXTS)["line"] == "CPU 0.0 · Memory 1 MB"
    )


def process(proc: Path, pid: int, parent: int, ticks: int, memory_kb: int) -> None:
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    words = ["S", parent, pid, pid, 0, 0, 0, 0, 0, 0, 0, ticks, 0, 0, 0, 20, 0, 1, 0, 5]
    (folder / "stat").write_text(f"{pid} (python) " + " ".join(map(str, words)))
    (folder / "smaps_rollup").write_text(f"a-b rollup\nPss: {memory_kb} kB\n")


def test_processes_below_the_top_are_counted_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("kqi_hub.session.resources.time.monotonic", lambda: now[0])
    process(tmp_path, 10, 1, 0, 1024)
    process(tmp_path, 11, 10, 0, 2048)
    process(tmp_path, 99, 1, 0, 9999)
    meter = Meter(10, tmp_path)
    assert meter.measure() == Use(0.0, 3 * MB)
    now[0] += 2
    process(tmp_path, 11, 10, 300, 2048)
    process(tmp_path, 99, 1, 800, 9999)
    assert meter.measure() == Use(1.5, 3 * MB)
    # Asked again at once, it measures nothing anew.
    process(tmp_path, 11, 10, 900, 2048)
    now[0] += 0.5
    assert meter.measure() == Use(1.5, 3 * MB)


def test_listeners_of_a_port_are_found_at_every_address(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st\n"
    rest = "00000000:00000000 00:00000000 00000000"
    four, six = tmp_path / "tcp", tmp_path / "tcp6"
    four.write_text(
        f"{head}  0: 0100007F:1F90 00000000:0000 0A {rest}  1001 0 7 1\n"
        f"  1: 0100007F:1F90 0100007F:9999 01 {rest}  1003 0 8 1\n"
        f"  2: 0100007F:1F91 00000000:0000 0A {rest}  1004 0 9 1\n"
    )
    six.write_text(
        f"{head}  0: {'0' * 32}:1F90 {'0' * 32}:0000 0A {rest}  1002 0 7 1\nx\n"
    )
    assert listeners(8080, (four, six)) == {1001, 1002}
    assert listeners(8082, (four, six)) == set()
    assert listeners(8080, (four, tmp_path / "none")) == {1001}
