"""Outputs of preprocessings: handed to a real store by the person that made them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.runner.collecting.offering import offered
from tests.adapters.store.running import CODE, SOMEBODY, Store

NAME, UID = SOMEBODY
FOLDER, OUTPUT = "preprocessing/7", "cats"
RUN = (
    f"import sys; sys.path.insert(0, {str(CODE)!r}); "
    "from kqi_hub.runner.collect import main; sys.exit(main())"
)


@pytest.fixture
def output(store: Store, request: pytest.FixtureRequest) -> Path:
    """Return the folder of a new item in the output of the person's run."""
    top: str = request.node.name
    place = store.base / top / NAME / "kqi" / FOLDER / "output" / OUTPUT
    (place / "deep/er").mkdir(parents=True)
    (place / "a.txt").write_text("a")
    (place / "deep/er/b.bin").write_bytes(b"b" * 3_000_000)
    (place / "日本 x.txt").write_text("")
    subprocess.run(["chown", "-hR", f"{UID}:{UID}", place.parents[4]], check=True)
    return place


def offer(store: Store, output: Path, key: str, **changes: object) -> dict[str, Any]:
    """Run the program as the person, as the door does."""
    order = {
        "deed": "offer", "place": str(output.parents[3]), "folder": FOLDER,
        "name": OUTPUT, "ticket": store.sender(key, person=NAME).ticket,
    } | changes  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-I", "-c", RUN, "--store", str(store.socket)],
        input=json.dumps(order), user=UID, group=UID, extra_groups=[], check=True,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def test_every_file_of_an_output_comes_into_the_store(
    store: Store, output: Path
) -> None:
    said = offer(store, output, "output-1")
    assert (said["files"], said["bytes"]) == (3, 3_000_001)
    assert (said["refused"], said["more"], said["misses"]) == (None, False, 0)
    assert store.publish("output-1", 71, 3, 3_000_001)["files"] == 3


def test_offering_again_or_the_rest_changes_nothing(store: Store, output: Path) -> None:
    offer(store, output, "output-2")
    assert offer(store, output, "output-2")["refused"] is None
    rest = offer(store, output, "output-2", after="deep/er/b.bin")
    assert (rest["files"], rest["after"]) == (1, "日本 x.txt")
    assert offer(store, output, "output-2", after="日本 x.txt")["files"] == 0
    assert store.publish("output-2", 72, 3, 3_000_001)["files"] == 3


def test_what_is_no_file_is_told_and_left(store: Store, output: Path) -> None:
    (output / "passwd").symlink_to("/etc/passwd")
    (output / "up").symlink_to("..")
    os.mkfifo(output / "fifo")
    (output / "closed").write_text("x")
    (output / "closed").chmod(0)
    (output / "control\x01").write_text("x")
    (output / os.fsdecode(b"\xff")).write_text("x")
    said = offer(store, output, "output-3")
    assert (said["files"], said["misses"]) == (3, 6)
    told = {one["path"]: one["code"] for one in said["missed"]}
    assert told["passwd"] == told["up"] == told["fifo"] == "not-regular"
    assert told["closed"] == "not-permitted"
    assert list(told.values()).count("name") == 2
    assert "root:" not in json.dumps(said)


@pytest.mark.parametrize("where", [OUTPUT, "output", "7"])
def test_an_output_that_is_a_link_is_refused(
    store: Store, output: Path, where: str
) -> None:
    place = next(one for one in (output, *output.parents) if one.name == where)
    place.rename(place.with_name("real"))
    place.symlink_to(place.with_name("real"))
    said = offer(store, output, "output-4")
    assert said["refused"]["code"] == "not-found"
    assert "a link" in said["refused"]["message"]
    assert said["files"] == 0


def test_somebody_elses_ticket_is_refused(store: Store, output: Path) -> None:
    ticket = store.sender("output-5", person="root").ticket
    said = offer(store, output, "output-5", ticket=ticket)
    assert said["refused"] is not None
    assert said["files"] == 0


def test_a_file_that_the_store_refuses_keeps_back_no_other(
    store: Store, output: Path
) -> None:
    offer(store, output, "output-6")
    (output / "a.txt").write_text("changed its size")
    said = offer(store, output, "output-6")
    assert (said["files"], said["misses"]) == (2, 1)
    assert said["missed"][0]["code"] == "other-size"


def test_without_a_store_that_is_told(store: Store, output: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as ended:
        subprocess.run(
            [sys.executable, "-I", "-c", RUN], check=True, capture_output=True,
            input=b'{"deed": "offer", "place": "/", "folder": "a/1", "name": "x"}',
        )  # fmt: skip
    assert b"names no --store" in ended.value.stderr


@pytest.fixture
def never_store(tmp_path: Path) -> Iterator[Path]:
    """Return the socket of a NeverStore: it takes calls and never answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "store.sock"))
        listener.listen()
        yield tmp_path / "store.sock"


def test_a_store_that_hangs_costs_the_time_there_is_and_no_more(
    tmp_path: Path, never_store: Path
) -> None:
    (tmp_path / "me/kqi/preprocessing/7/output/cats").mkdir(parents=True)
    order = {"folder": FOLDER, "name": OUTPUT, "ticket": "t"}
    began = time.monotonic()
    told = offered(str(tmp_path / "me/kqi"), order, str(never_store), began + 0.3)
    assert (told.more, told.refused, told.files) == (True, None, 0)
    assert time.monotonic() - began < 5


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "me/kqi/preprocessing/7/output/cats").mkdir(parents=True)
    order = {"folder": FOLDER, "name": OUTPUT, "ticket": "t"}
    told = offered(str(tmp_path / "me/kqi"), order, "/nonexistent", time.monotonic())
    assert told.refused is not None
    assert told.refused["code"] == "store-silent"
