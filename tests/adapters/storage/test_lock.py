"""The lock of the one worker: free after kill -9, not fooled by links."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kqi_hub.storage.lock import FileLock, LockFileUnusable

HOLD = """\
import sys, time
from pathlib import Path
from kqi_hub.storage.lock import FileLock
print(FileLock(Path(sys.argv[1])).take(), flush=True)
time.sleep(100)
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worker.lock"


def test_only_one_has_it(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.drop()
    assert second.take()
    second.drop()


def test_holder_is_named_and_forgotten(path: Path) -> None:
    lock = FileLock(path)
    assert lock.holder() is None
    lock.take()
    assert FileLock(path).holder() == os.getpid()
    lock.drop()
    assert FileLock(path).holder() is None


def test_unreadable_content_still_counts_as_held(path: Path) -> None:
    lock = FileLock(path)
    lock.take()
    path.write_bytes(b"\xff\xfe not a number")
    assert FileLock(path).holder() == 0
    lock.drop()


def test_killed_holder_leaves_it_free(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        assert not FileLock(path).take()
        assert FileLock(path).holder() == other.pid
        other.kill()
    lock = FileLock(path)
    assert lock.take()
    lock.drop()


def test_programs_that_the_holder_starts_do_not_keep_it(path: Path) -> None:
    lock = FileLock(path)
    lock.take()
    with subprocess.Popen(["/usr/bin/sleep", "100"], close_fds=False) as child:
        lock.drop()
        other = FileLock(path)
        # The kernel closes the child's copy a moment after Popen has returned.
        deadline = time.monotonic() + 2
        while not (taken := other.take()) and time.monotonic() < deadline:
            time.sleep(0.01)
        still_runs = child.poll() is None
        child.kill()
    assert taken
    assert still_runs
    other.drop()


@pytest.mark.parametrize("kind", ["symlink", "folder", "fifo"])
def test_something_else_in_its_place_is_refused(path: Path, kind: str) -> None:
    if kind == "symlink":
        path.symlink_to(path.with_name("elsewhere"))
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(LockFileUnusable, match=r"worker\.lock"):
        FileLock(path).take()
    assert not path.with_name("elsewhere").exists()


def test_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(LockFileUnusable, match="its folder does not exist"):
        FileLock(tmp_path / "gone" / "worker.lock").take()


def test_nobody_else_can_read_it(path: Path) -> None:
    lock = FileLock(path)
    lock.take()
    assert path.stat().st_mode & 0o777 == 0o600
    lock.drop()
