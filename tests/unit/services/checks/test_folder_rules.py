"""What the doctor thinks of folders and disks: every rule by its table."""

from dataclasses import replace
from typing import Any

import pytest

from kqi_hub.domain.health import FileFacts, Process
from kqi_hub.services.checks import folders
from tests.fakes.health import GIB, folder, space

ROOT = folder("/scratch")
STATE = folder("/var/lib/kqi", "kqi", 0o700, 990)


@pytest.mark.parametrize(
    ("facts", "level", "word"),
    [
        (ROOT, "ok", "root's"),
        (replace(ROOT, mode=0o1777), "ok", "1777"),
        (replace(ROOT, mode=0o777), "fail", "chmod 0755 /scratch"),
        (replace(ROOT, mode=0o775), "fail", "0775"),
        (replace(ROOT, mode=0o750), "fail", "cannot enter"),
        (replace(ROOT, uid=1001, owner="alice"), "fail", "belongs to alice"),
        (replace(ROOT, kind="missing"), "fail", "does not exist"),
        (replace(ROOT, kind="symlink"), "fail", "is a symlink"),
    ],
)
def test_scratch_root(facts: FileFacts, level: str, word: str) -> None:
    finding = folders.judge_scratch_root(facts, space())
    assert finding.level == level
    assert word in f"{finding.seen} {finding.todo}"


def test_scratch_that_is_no_mount_is_a_warning() -> None:
    finding = folders.judge_scratch_root(ROOT, space(is_mount_point=False))
    assert finding.level == "warn"


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (folder("/scratch/alice", "bob", 0o700, 1002), "belongs to bob"),
        (folder("/scratch/alice", "alice", 0o770, 1001), "0770"),
        (folder("/scratch/alice", "alice", 0o702, 1001), "0702"),
        (FileFacts("/scratch/alice", "symlink", 0o777, 0, "root", "root"), "a symlink"),
    ],
)
def test_wrong_scratch_folders_are_named(facts: FileFacts, word: str) -> None:
    good = folder("/scratch/bob", "bob", 0o700, 1002)
    finding = folders.judge_scratch_folders([good, facts], 100)
    assert finding.level == "fail"
    assert word in finding.seen
    assert "1 of 2" in finding.seen
    assert folders.judge_own_folder("alice", facts).level == "fail"


def test_group_may_read_a_scratch_folder() -> None:
    facts = folder("/scratch/alice", "alice", 0o750, 1001)
    assert folders.judge_scratch_folders([facts], 100).level == "ok"
    assert folders.judge_own_folder("alice", facts).level == "ok"


def test_many_wrong_folders_stay_one_line() -> None:
    wrong = [folder(f"/scratch/p{i}", "bob") for i in range(5000)]
    finding = folders.judge_scratch_folders(wrong, 5000)
    assert "5000 of 5000" in finding.seen
    assert len(finding.seen) < 400


@pytest.mark.parametrize(
    ("facts", "uid", "level", "word"),
    [
        (STATE, 990, "ok", "kqi's"),
        (STATE, 0, "ok", "kqi's"),
        (replace(STATE, mode=0o750), 990, "ok", "0750"),
        (replace(STATE, mode=0o755), 990, "fail", "chmod 0700"),
        (replace(STATE, mode=0o770), 990, "fail", "secrets"),
        (replace(STATE, kind="missing"), 990, "fail", "install -d"),
        (STATE, 1001, "warn", "sudo -u kqi"),
    ],
)
def test_state_folder(facts: FileFacts, uid: int, level: str, word: str) -> None:
    finding = folders.judge_state_folder(facts, Process(uid, "who", 990))
    assert finding.level == level
    assert word in f"{finding.seen} {finding.todo}"


@pytest.mark.parametrize(
    ("more", "level"),
    [
        ({}, "ok"),
        ({"free_bytes": 0}, "fail"),
        ({"free_bytes": 65_535}, "fail"),
        ({"free_bytes": 65_536}, "warn"),
        ({"free_inodes": 0}, "fail"),
        ({"free_bytes": 4 * GIB}, "warn"),
        ({"free_inodes": 10}, "warn"),
        ({"free_inodes": 0, "total_inodes": 0}, "ok"),
        ({"free_bytes": 0, "total_bytes": 0}, "ok"),
        ({"free_bytes": GIB - 1, "total_bytes": 2 * GIB}, "warn"),
    ],
)
def test_space(more: dict[str, Any], level: str) -> None:
    least = GIB if more.get("total_bytes") != 0 else 0
    assert folders.judge_space("space", space(**more), least).level == level


@pytest.mark.parametrize("fs_type", ["nfs4", "lustre", "gpfs", "ceph"])
def test_sqlite_on_a_network_file_system_fails(fs_type: str) -> None:
    finding = folders.judge_database_disk("database", space(fs_type=fs_type))
    assert finding is not None
    assert finding.level == "fail"


def test_sqlite_on_a_local_disk_is_nothing_to_speak_of() -> None:
    assert folders.judge_database_disk("database", space(fs_type="xfs")) is None


def test_sizes_are_readable() -> None:
    finding = folders.judge_space("s", space(free_bytes=2**50, total_bytes=2**50))
    assert "1024.0 TiB of 1024.0 TiB free" in finding.seen
