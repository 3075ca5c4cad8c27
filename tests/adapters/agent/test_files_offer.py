"""Files given to the store: a real store at its socket, real files, as this user."""

import getpass
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.agent.files.offering import unfit
from kqi_hub.domain.data_paths import checked_path
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.tickets import Ticket, signed
from kqi_hub.store.house import House
from kqi_hub.store.socket_face import Asker, SocketFace
from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.file_calls import ask, change, finished, refused, said

KEY = b"k" * 40
PORTAL_UID = 4_000_000_000


@pytest.fixture
def house(tmp_path: Path, lab: Lab) -> Iterator[House]:
    """Return a store at the socket that the agent knows."""
    for name in ("objects", "incoming", "data", "trees", "building", "removing"):
        (tmp_path / "store/lab" / name).mkdir(parents=True)
    house = House(tmp_path / "store")
    SocketFace(tmp_path / "store.sock", house, Asker(PORTAL_UID, KEY)).start()
    yield house


def ticket(person: str = "", files: int = 1000, until: float = 3600) -> str:
    told = Ticket(
        "upload-one", "lab", person or getpass.getuser(), files, 10**9,
        time.time() + until,
    )  # fmt: skip
    return signed(told, KEY)


async def offered(lab: Lab, paths: list[str], **more: object) -> dict[str, Any]:
    asked = {"base": "workspace", "paths": paths, "ticket": ticket(), **more}
    found: dict[str, Any] = await finished(lab, await change(lab, "offer", asked))
    return found


async def test_a_folder_is_offered_and_arrives_under_its_paths(
    lab: Lab, house: House
) -> None:
    top = lab.folder / "workspace/set"
    (top / "sub").mkdir(parents=True)
    for number in range(250):
        (top / f"sub/{number}.txt").write_text(str(number))
    (top / "large.bin").write_bytes(b"x" * 3_000_000)
    (top / "empty").touch()
    (lab.folder / "kqi/other.txt").write_text("elsewhere")
    (top / "link.txt").symlink_to(lab.folder / "kqi/other.txt")
    work = await offered(lab, ["workspace/set"])
    assert (work["state"], work["done"], work["missed"]) == ("done", 253, 0)
    assert work["result"]["copy"] + work["result"]["reflink"] == 253
    kept = {one.path: one.size for one in house.uploaded("lab", "upload-one", "", 5000)}
    assert kept["set/large.bin"] == 3_000_000
    assert kept["set/sub/7.txt"] == 1
    assert kept["set/link.txt"] == len("elsewhere")
    assert len(kept) == 253
    shown = said(await ask(lab, f"offer/{work['id']}"))
    assert shown["state"] == "done"
    again = await offered(lab, ["workspace/set"])
    assert (again["state"], again["done"]) == ("done", 253)


async def test_what_the_store_would_not_take_is_named_and_the_rest_goes(
    lab: Lab, house: House
) -> None:
    top = lab.folder / "workspace"
    for name in ("good", "two\nlines", os.fsdecode(b"caf\xe9")):
        (top / name).write_text("x")
    os.mkfifo(top / "fifo")
    (top / "passwd").symlink_to("/etc/passwd")
    (top / "zero").symlink_to("/dev/zero")
    (top / "to-fifo").symlink_to("fifo")
    (top / "nothing").symlink_to("gone")
    names = [
        "good", "two\nlines", "caf%e9", "fifo", "passwd", "zero", "to-fifo", "nothing",
    ]  # fmt: skip
    work = await offered(lab, [f"workspace/{name}" for name in names])
    assert (work["state"], work["done"], work["missed"]) == ("done", 1, 7)
    assert [one["error"] for one in work["misses"]] == [
        "name", "name", "not-regular", "outside", "outside", "not-regular",
        "not-permitted",
    ]  # fmt: skip


async def test_a_file_at_fault_does_not_hold_the_others_up(
    lab: Lab, house: House
) -> None:
    top = lab.folder / "workspace"
    (top / "a").write_text("first")
    await offered(lab, ["workspace/a"])
    (top / "a").write_text("of another size")
    (top / "b").write_text("b")
    work = await offered(lab, ["workspace/a", "workspace/b"])
    assert (work["state"], work["done"], work["missed"]) == ("done", 1, 1)
    assert work["misses"][0]["error"] == "other-size"


@pytest.mark.parametrize(
    ("bad", "code"),
    [(ticket("nobody"), "not-permitted"), (ticket(until=-1), "bad-ticket"),
     ("kqi1.x.y", "bad-ticket")],
)  # fmt: skip
async def test_somebody_elses_ticket_opens_nothing(
    lab: Lab, house: House, bad: str, code: str
) -> None:
    (lab.folder / "workspace/a").write_text("a")
    work = await offered(lab, ["workspace/a"], ticket=bad)
    assert (work["state"], work["error"]["error"], work["done"]) == ("failed", code, 0)


async def test_more_than_the_ticket_allows_ends_the_offer(
    lab: Lab, house: House
) -> None:
    for name in ("a", "b", "c"):
        (lab.folder / "workspace" / name).write_text(name)
    work = await offered(lab, ["workspace"], base="", ticket=ticket(files=2))
    assert (work["state"], work["error"]["error"]) == ("failed", "too-much")


async def test_a_store_that_is_away_is_said_to_be(lab: Lab) -> None:
    (lab.folder / "workspace/a").write_text("a")
    work = await offered(lab, ["workspace/a"])
    assert (work["state"], work["error"]["error"]) == ("failed", "store-silent")


@pytest.mark.parametrize(
    "asked",
    [{"base": "workspace/x", "paths": ["workspace/a"]}, {"paths": ["workspace"]},
     {"paths": [""], "base": ""}, {"ticket": ""}, {"ticket": "x" * 3000}, {"more": 1}],
)  # fmt: skip
async def test_offers_that_make_no_sense_are_refused(
    lab: Lab, asked: dict[str, object]
) -> None:
    body = {"base": "workspace", "paths": ["workspace/a"], "ticket": "x", **asked}
    answer = await change(lab, "offer", body)
    assert refused(answer) in {(400, "invalid-input"), (403, "not-permitted")}


@pytest.mark.parametrize(
    "path",
    ["a", "a/b", "two\nlines", "tab\t", "caf\udce9", "n" * 255, "n" * 256, "é" * 127,
     "é" * 128, "a/" * 500 + "a", "d/" * 60 + "a", "\x7f", "ok ",
     "日本語/한국어", "\x85"],
)  # fmt: skip
def test_the_agent_and_the_portal_agree_which_paths_can_be_kept(path: str) -> None:
    try:
        checked_path(path)
    except InvalidInput:
        is_kept = False
    else:
        is_kept = True
    assert (unfit(tuple(path.split("/"))) == "") == is_kept
