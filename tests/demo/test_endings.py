"""Every way in which a demo ends, or does not begin, leaves nothing behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.demo.driver import DEMO, NOTHING, Before, Demo


@pytest.fixture(scope="module")
def demo(new_demo: Callable[[str], Demo]) -> Demo:
    return new_demo("endings")


def _in_foreground(demo: Demo, launcher: subprocess.Popen[str]) -> Before:
    """Wait until a ./demo in the foreground says that it is up."""
    assert launcher.stderr is not None
    said = ""
    for line in launcher.stderr:
        said += line
        if "It stops with Ctrl-C." in line:
            return Before.of(demo)
    raise AssertionError(said)


def _assert_gone_soon(before: Before) -> None:
    deadline = time.monotonic() + 20
    while before.left() != NOTHING and time.monotonic() < deadline:
        time.sleep(0.1)
    assert before.left() == NOTHING


def test_ctrl_c_stops_it_in_order(demo: Demo) -> None:
    with demo.start() as launcher:
        before = _in_foreground(demo, launcher)
        launcher.send_signal(signal.SIGINT)
        _out, said = launcher.communicate(timeout=30)
    assert launcher.returncode == 0
    assert "slurmctld" in said
    assert before.left() == NOTHING
    assert "slurmctld: Terminate signal" in demo("logs", "slurmctld").stdout


def test_a_killed_launcher_takes_it_along(demo: Demo) -> None:
    with demo.start() as launcher:
        before = _in_foreground(demo, launcher)
        launcher.kill()
    _assert_gone_soon(before)


def test_a_killed_parent_takes_it_along(demo: Demo) -> None:
    # The shell is the parent: `wait` keeps it from replacing itself by ./demo.
    shell = subprocess.Popen(
        ["bash", "-c", f"{DEMO} & wait"],
        env=demo.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with shell:
        before = _in_foreground(demo, shell)
        shell.kill()
    _assert_gone_soon(before)


def test_ctrl_c_during_the_start_leaves_nothing(demo: Demo) -> None:
    with demo.start("up") as launcher:
        assert launcher.stderr is not None
        for line in launcher.stderr:
            if "mariadb" in line:
                break
        before = Before.of(demo)
        launcher.send_signal(signal.SIGINT)
        launcher.communicate(timeout=30)
    assert launcher.returncode != 0
    assert before.left() == NOTHING
    assert demo.status()["state"] == "stopped"


def test_a_step_that_fails_shows_its_log_until_it_is_put_right(demo: Demo) -> None:
    own = demo.folder / "local/slurm.conf"
    own.write_text("PartitionName=broken Nodes=no-such-node\n")
    began = time.monotonic()
    answer = demo("up")
    assert answer.returncode == 1
    assert "slurmctld failed: it ended 3 times" in answer.stderr
    assert "Invalid node names in partition broken" in answer.stderr
    assert str(demo.folder / "log/slurmctld.log") in answer.stderr
    assert "./demo up" in answer.stderr
    assert demo.status()["state"] == "stopped"
    assert time.monotonic() - began < 30
    # Put right, it starts, and what is added to slurm.conf arrives.
    own.write_text("MaxJobCount=54321\n")
    assert demo("up").returncode == 0
    assert "54321" in demo.run("sh", "-c", "scontrol show config | grep MaxJobCount")


def test_tables_of_the_folders_own_are_added_to_the_portals_settings(
    demo: Demo,
) -> None:
    if not demo.folder.exists():
        assert demo("up").returncode == 0
    assert demo("stop").returncode == 0
    (demo.folder / "local/terms.txt").write_text("# Rules of the demo\n\nBe kind.\n")
    terms = '[terms]\nversion = "demo-1"\nfile = "/etc/kqi/terms.txt"\n'
    (demo.folder / "local/kqi.toml").write_text(terms)
    try:
        assert demo("up").returncode == 0
        assert "Be kind." in demo.run("cat", "/etc/kqi/terms.txt")
        assert "demo-1" in demo.run("kqi-hub", "config", "show")
    finally:
        (demo.folder / "local/kqi.toml").write_text("")
        demo("stop")


def test_a_supervisor_that_hangs_is_ended(demo: Demo) -> None:
    assert demo("up").returncode == 0
    before = Before.of(demo)
    os.kill(demo.status()["supervisor_pid"], signal.SIGSTOP)
    assert demo("stop").returncode == 0
    assert before.left() == NOTHING


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    tmp_path.chmod(0o755)
    for command in ("up", "stop", "reset", "status"):
        answer = Demo(tmp_path)(command)
        assert answer.returncode == 1
        assert "holds other things" in answer.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_somebody_who_is_not_root_is_told_so(tmp_path: Path) -> None:
    become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run([*become, "test", "-x", DEMO], check=False).returncode:
        pytest.skip("nobody may not enter the checkout")
    demo = Demo(tmp_path / "none")
    answer = subprocess.run(
        [*become, DEMO, "up"],
        env=demo.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 77
    assert "needs root" in answer.stderr
    assert "Nothing was started" in answer.stderr
    assert not demo.folder.exists()
