"""Files of secrets: written as the person, through no link, told to nobody."""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.runas.house import ALICE, BOB, House, told, wait_until

SECRET = '{"token": "only-for-alice 日本"}'


@pytest.fixture
def scratch(house: House) -> Path:
    """Return alice's scratch folder, as good as new."""
    made = house.scratch / "alice"
    subprocess.run(["rm", "-rf", str(made)], check=True)
    assert house.ask("make-scratch", "alice", {})["ok"]
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def files_in(scratch: Path) -> list[str]:
    return [file.name for file in (scratch / "kqi/secrets").iterdir()]


def put(house: House, name: object = "nb-1-x", text: object = SECRET) -> dict[str, Any]:
    return house.ask("put-secret", "alice", {"name": name, "text": text})


def test_a_submission_finds_its_secret_written(house: House, scratch: Path) -> None:
    seen = house.seen_by_program(name="nb-1-x", secret=SECRET)
    file = scratch / "kqi/secrets/nb-1-x"
    assert file.read_text() == SECRET
    assert (mode(file), file.stat().st_uid) == (0o600, ALICE)
    assert (mode(file.parent), file.parent.stat().st_uid) == (0o700, ALICE)
    assert "only-for-alice" not in json.dumps(seen)


def test_sbatch_inherits_nothing_of_the_writing(house: House, scratch: Path) -> None:
    assert house.seen_by_program(secret=SECRET)["fds"] == [0, 1, 2]


def test_a_secret_is_replaced_as_a_whole(house: House, scratch: Path) -> None:
    put(house, text="x" * 60_000)
    with (scratch / "kqi/secrets/nb-1-x").open() as held:
        assert put(house)["exit_code"] == 0
        assert held.read() == "x" * 60_000  # a reader keeps what it opened
    assert (scratch / "kqi/secrets/nb-1-x").read_text() == SECRET
    assert files_in(scratch) == ["nb-1-x"]


def test_secrets_are_removed_and_absent_ones_are_no_error(
    house: House, scratch: Path
) -> None:
    names = {"names": ["a", "b", "gone"]}
    assert house.ask("drop-secret", "alice", names)["exit_code"] == 0
    put(house, "a"), put(house, "b"), put(house, "c")
    assert house.ask("drop-secret", "alice", names)["exit_code"] == 0
    assert files_in(scratch) == ["c"]


@pytest.mark.parametrize("where", ["kqi", "kqi/secrets"])
def test_a_link_on_the_way_is_refused_and_nothing_submitted(
    house: House, scratch: Path, where: str
) -> None:
    elsewhere = house.base / "home/alice/elsewhere"
    elsewhere.mkdir(exist_ok=True)
    os.chown(elsewhere, ALICE, ALICE)
    if where == "kqi":
        (scratch / "kqi").rmdir()
    (scratch / where).symlink_to(elsewhere)
    answer = house.submit(secret=SECRET, **told("pause"))
    assert not answer["ok"]
    assert f"no secret written in {scratch}/kqi/secrets" in answer["message"]
    assert "only-for-alice" not in json.dumps(answer)
    assert not any(elsewhere.rglob("*"))
    assert put(house)["exit_code"] == 1


def test_a_folder_of_somebody_else_is_refused(house: House, scratch: Path) -> None:
    (scratch / "kqi/secrets").mkdir(mode=0o777)
    (scratch / "kqi/secrets").chmod(0o777)
    os.chown(scratch / "kqi/secrets", BOB, BOB)
    assert "somebody else's" in put(house)["stderr"]
    assert not files_in(scratch)


@pytest.mark.parametrize("kind", ["link", "fifo", "dangling"])
def test_whatever_lies_there_already_is_replaced_not_written_to(
    house: House, scratch: Path, kind: str
) -> None:
    put(house, "first")
    place, victim = scratch / "kqi/secrets/nb-1-x", house.base / "home/alice/victim"
    victim.write_text("mine")
    if kind == "fifo":
        os.mkfifo(place)
    else:
        place.symlink_to(victim if kind == "link" else "/nonexistent/x")
    assert put(house)["exit_code"] == 0
    assert victim.read_text() == "mine"
    assert stat.S_ISREG(place.lstat().st_mode)
    assert place.read_text() == SECRET


def test_a_loose_folder_is_closed(house: House, scratch: Path) -> None:
    put(house)
    (scratch / "kqi/secrets").chmod(0o777)
    put(house)
    assert mode(scratch / "kqi/secrets") == 0o700


def test_without_scratch_it_is_refused(house: House) -> None:
    answer = house.submit("bob", secret=SECRET)
    assert not answer["ok"]
    assert "No such file" in answer["message"]


def test_on_a_full_disk_nothing_is_submitted_and_nothing_is_left(
    empty_house: House,
) -> None:
    house = empty_house
    size = "mount -t tmpfs -o size=64k,mode=755 tmpfs"
    house.wrapped_in = ("sh", "-c", f'{size} {house.scratch} && exec "$@"', "sh")
    house.start()
    assert house.ask("make-scratch", "alice", {})["ok"]
    assert put(house, "filler", "x" * 60_000)["exit_code"] == 0
    answer = house.submit(secret="y" * 10_000)
    assert not answer["ok"]
    assert "No space left on device" in answer["message"]
    assert house.ask("drop-secret", "alice", {"names": ["filler"]})["exit_code"] == 0
    # The unfinished draft is gone too: there is room for almost everything again.
    assert house.submit(secret="y" * 50_000)["ok"]


@pytest.mark.parametrize(
    "text", [None, 1, "", [], {"a": 1}, "x" * 1_048_577, "日" * 350_000, "\ud800secret"]
)
def test_an_unfit_secret_is_refused_without_being_quoted(
    house: House, text: object
) -> None:
    for answer in (house.submit(secret=text), put(house, text=text)):
        assert not answer["ok"]
        assert "expected UTF-8 text of 1 to 1048576 bytes" in answer["message"]
        assert "secret" not in answer["message"].partition(":")[2]


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".x", "a/b", "../x", "a\0", "a\n", "-rf", "x" * 201, 7]
)
def test_a_name_that_is_no_plain_file_name_is_refused(
    house: House, name: object
) -> None:
    assert not put(house, name)["ok"]
    assert not house.ask("drop-secret", "alice", {"names": ["a", name]})["ok"]
    assert not house.submit(secret=SECRET, name=name)["ok"]


def test_the_log_has_names_and_no_secret(house: House, scratch: Path) -> None:
    house.submit(name="nb-9-y", secret=SECRET)
    put(house, "nb-10-z")
    house.ask("drop-secret", "alice", {"names": ["nb-10-z"]})
    wait_until(lambda: house.audit()[-1]["verb"] == "drop-secret")
    text = house.log.read_text()
    assert "only-for-alice" not in text
    assert [line.get("name") for line in house.audit()[-3:]] == [
        "nb-9-y",
        "nb-10-z",
        None,
    ]
