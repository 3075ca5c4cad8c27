"""The folders that every person gets, and what stands in the way of making them."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.runas.house import (
    ALICE,
    BOB,
    PEOPLE,
    PYTHON,
    House,
    answer_in,
    line,
    read_all,
)

PARTS = ("workspace", "log", ".conda", ".conda/envs", "kqi")


@pytest.fixture
def scratch(own_house: House) -> Path:
    return own_house.scratch


def make(house: House, person: str = "alice") -> dict[str, Any]:
    return house.ask("make-scratch", person, {})


def owner(path: Path) -> tuple[int, int, int]:
    info = path.lstat()
    return info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)


def everything_below(path: Path) -> dict[str, tuple[int, int, int, int]]:
    found = [path, *path.rglob("*")]
    return {str(p): (*owner(p), p.lstat().st_ctime_ns) for p in found}


def test_a_new_person_gets_every_folder_closed_to_others(own_house: House) -> None:
    answer = make(own_house)
    assert answer["exit_code"] == 0, answer
    top = own_house.scratch / "alice"
    assert json.loads(answer["stdout"]) == {
        "made": [str(top), *(str(top / part) for part in PARTS)],
        "existed": [],
    }
    for path in (top, *(top / part for part in PARTS)):
        assert owner(path) == (ALICE, ALICE, 0o700)


def test_a_second_time_changes_nothing(own_house: House) -> None:
    make(own_house)
    before = everything_below(own_house.scratch)
    answer = make(own_house)
    assert json.loads(answer["stdout"])["made"] == []
    assert len(json.loads(answer["stdout"])["existed"]) == 6
    assert everything_below(own_house.scratch) == before


def test_a_folder_that_the_person_opened_to_others_stays_open(own_house: House) -> None:
    make(own_house)
    (own_house.scratch / "alice").chmod(0o755)
    make(own_house)
    assert owner(own_house.scratch / "alice")[2] == 0o755


def test_only_what_is_missing_is_made(own_house: House) -> None:
    make(own_house)
    top = own_house.scratch / "alice"
    (top / "log").rmdir()
    assert json.loads(make(own_house)["stdout"])["made"] == [str(top / "log")]


def test_the_primary_group_owns_the_folder(own_house: House) -> None:
    make(own_house, "bob")
    assert owner(own_house.scratch / "bob") == (BOB, PEOPLE, 0o700)


def test_a_link_in_the_persons_place_is_refused_and_not_followed(
    own_house: House, scratch: Path, tmp_path: Path
) -> None:
    target = own_house.base / "precious"
    target.mkdir(mode=0o755)
    (scratch / "alice").symlink_to(target)
    before = everything_below(target)
    answer = make(own_house)
    assert answer["error"] == "refused"
    assert "is not a folder" in answer["message"]
    assert everything_below(target) == before


def test_a_link_to_etc_in_the_persons_place_is_refused(
    own_house: House, scratch: Path
) -> None:
    (scratch / "alice").symlink_to("/etc")
    before = owner(Path("/etc"))
    assert make(own_house)["error"] == "refused"
    assert owner(Path("/etc")) == before
    assert not Path("/etc/workspace").exists()


@pytest.mark.parametrize("kind", ["fifo", "file", "socket", "dangling"])
def test_something_else_in_the_persons_place_is_refused(
    own_house: House, scratch: Path, kind: str
) -> None:
    place = scratch / "alice"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "file":
        place.write_text("mine")
    elif kind == "socket":
        os.mknod(place, stat.S_IFSOCK | 0o600)
    else:
        place.symlink_to("/nonexistent")
    answer = make(own_house)
    assert answer["error"] == "refused"
    assert "exists and is not a folder" in answer["message"]
    assert place.is_symlink() == (kind == "dangling")


def test_somebody_elses_folder_in_the_persons_place_is_refused(
    own_house: House, scratch: Path
) -> None:
    (scratch / "alice").mkdir(mode=0o777)
    os.chown(scratch / "alice", BOB, BOB)
    before = everything_below(scratch / "alice")
    answer = make(own_house)
    assert answer["error"] == "refused"
    assert f"uid {BOB}" in answer["message"]
    assert everything_below(scratch / "alice") == before


def test_roots_own_folder_with_something_in_it_is_not_given_away(
    own_house: House, scratch: Path
) -> None:
    (scratch / "alice").mkdir()
    (scratch / "alice/accounts.db").touch()
    assert "not empty" in make(own_house)["message"]
    assert owner(scratch / "alice")[:2] == (0, 0)


def test_a_folder_left_by_a_call_killed_half_way_is_finished(
    own_house: House, scratch: Path
) -> None:
    (scratch / "alice").mkdir(mode=0o700)  # made, and not yet the person's
    assert make(own_house)["exit_code"] == 0
    assert owner(scratch / "alice") == (ALICE, ALICE, 0o700)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["fifo", "file", "dangling"])
def test_something_else_among_the_folders_is_reported_as_the_person_sees_it(
    own_house: House, scratch: Path, part: str, kind: str
) -> None:
    place = scratch / "alice" / part
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "file":
        place.touch()
    else:
        place.symlink_to("/nonexistent")
    for path in (place, place.parent, scratch / "alice"):
        os.chown(path, ALICE, ALICE, follow_symlinks=False)
    answer = make(own_house)
    assert answer["ok"]
    assert answer["exit_code"] == 1
    assert part in answer["stderr"]


def test_a_link_among_the_folders_reaches_only_what_the_person_could(
    own_house: House, scratch: Path
) -> None:
    (scratch / "alice").mkdir(mode=0o700)
    os.chown(scratch / "alice", ALICE, ALICE)
    root_only = own_house.base / "root-only"
    root_only.mkdir(mode=0o755)
    (scratch / "alice/.conda").symlink_to(root_only)
    answer = make(own_house)
    assert answer["exit_code"] == 1
    assert "Permission denied" in answer["stderr"]
    assert list(root_only.iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o2775])
def test_a_scratch_that_others_may_rearrange_is_refused(
    own_house: House, scratch: Path, mode: int
) -> None:
    scratch.chmod(mode)
    answer = make(own_house)
    assert answer["error"] == "refused"
    assert not (scratch / "alice").exists()


def test_a_sticky_scratch_is_used(own_house: House, scratch: Path) -> None:
    scratch.chmod(0o1777)
    assert make(own_house)["exit_code"] == 0
    assert owner(scratch / "alice") == (ALICE, ALICE, 0o700)


RACE = """
import os, sys, time
os.chdir(sys.argv[1])
end = time.monotonic() + 2
while time.monotonic() < end:
    for make in (lambda: os.symlink("/etc", "alice"), lambda: os.mkdir("alice")):
        try:
            make()
            os.rmdir("alice") if not os.path.islink("alice") else os.unlink("alice")
        except OSError:
            pass
"""


def test_somebody_who_swaps_the_place_all_the_time_wins_nothing(
    own_house: House, scratch: Path
) -> None:
    scratch.chmod(0o1777)
    before = owner(Path("/etc"))
    command = [PYTHON, "-I", "-c", RACE, str(scratch)]
    with subprocess.Popen(command, user=BOB, group=BOB, extra_groups=[]) as racer:
        outcomes = []
        while racer.poll() is None:
            answer = make(own_house)
            outcomes.append(answer["ok"])
            made = answer["ok"] and own_house.scratch / "alice"
            if made:
                assert answer["exit_code"] == 0, answer
                assert owner(made) == (ALICE, ALICE, 0o700)
                shutil.rmtree(made)
    assert len(outcomes) > 20  # won by either side, as it happens
    assert owner(Path("/etc")) == before
    assert not Path("/etc/workspace").exists()


def test_a_scratch_that_belongs_to_somebody_is_refused(
    own_house: House, scratch: Path
) -> None:
    os.chown(scratch, ALICE, ALICE)
    assert make(own_house)["error"] == "refused"


def test_a_scratch_that_is_a_link_is_refused(own_house: House, scratch: Path) -> None:
    elsewhere = own_house.base / "elsewhere"
    elsewhere.mkdir()
    scratch.rmdir()
    scratch.symlink_to(elsewhere)
    assert make(own_house)["error"] == "refused"
    assert list(elsewhere.iterdir()) == []


def test_a_scratch_that_is_not_mounted_is_refused(
    own_house: House, scratch: Path
) -> None:
    scratch.rmdir()
    answer = make(own_house)
    assert answer["error"] == "refused"
    assert str(scratch) in answer["message"]


def test_many_calls_at_once_make_each_folder_once(own_house: House) -> None:
    request = line({"verb": "make-scratch", "person": "alice", "arguments": {}})
    doors = [own_house.connect() for _ in range(10)]
    for door in doors:
        door.sendall(request)
    made: list[str] = []
    for door in doors:
        with door:
            answer = answer_in(read_all(door))
            assert answer["exit_code"] == 0, answer
            made += json.loads(answer["stdout"])["made"]
    parts = [str(own_house.scratch / "alice" / part) for part in PARTS]
    assert [made.count(part) for part in parts] == [1] * len(parts)
