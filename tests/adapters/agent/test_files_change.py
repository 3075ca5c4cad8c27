"""Files and folders made, moved, deleted, edited: only where and how it is meant."""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.agent.files import handler, renaming
from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.file_calls import (
    ask,
    change,
    finished,
    put,
    refused,
    said,
    write_text,
)


def names_in(place: Path) -> set[str]:
    return {one.name for one in place.iterdir()}


def make_like(place: Path, mode: int) -> None:
    place.chmod(mode)


@pytest.fixture
def place(lab: Lab) -> Path:
    return lab.folder / "workspace"


async def test_a_file_arrives_whole_or_in_pieces(lab: Lab, place: Path) -> None:
    body = bytes(range(256)) * 9000
    answer = await put(lab, "workspace/whole.bin", body)
    assert (answer.code, said(answer)["done"]) == (201, True)
    assert (place / "whole.bin").read_bytes() == body
    size, cut = len(body), 1_000_001
    answer = await put(lab, "workspace/two.bin", body[:cut], size=size)
    assert (answer.code, said(answer)["done"], said(answer)["offset"]) == (
        200, False, cut,
    )  # fmt: skip
    assert not (place / "two.bin").exists()
    answer = await put(lab, "workspace/two.bin", body[5:], size=size, offset=5)
    assert (*refused(answer), said(answer)["offset"]) == (409, "offset", cut)
    answer = await put(lab, "workspace/two.bin", body[cut:], size=size, offset=cut)
    assert said(answer)["path"] == "workspace/two.bin"
    assert (place / "two.bin").read_bytes() == body
    assert names_in(place) == {"whole.bin", "two.bin"}


async def test_a_file_of_nothing_and_folders_on_the_way(lab: Lab, place: Path) -> None:
    assert (await put(lab, "workspace/a/b/empty", b"")).code == 404
    assert (await put(lab, "workspace/a/b/empty", b"", parents=1)).code == 201
    assert (place / "a/b/empty").read_bytes() == b""


async def test_another_file_of_that_name_and_size_does_not_go_on_with_it(
    lab: Lab, place: Path
) -> None:
    await put(lab, "workspace/x", b"one", size=6, mark="first")
    answer = await put(lab, "workspace/x", b"second", mark="second")
    assert answer.code == 201
    assert (place / "x").read_bytes() == b"second"


@pytest.mark.parametrize(
    ("exists", "code", "names", "content"),
    [("refuse", 409, {"a.tar.gz"}, b"old"), ("overwrite", 201, {"a.tar.gz"}, b"new"),
     ("keep-both", 201, {"a.tar.gz", "a (2).tar.gz"}, b"old")],
)  # fmt: skip
async def test_what_is_there_is_overwritten_only_if_asked(
    lab: Lab, place: Path, exists: str, code: int, names: set[str], content: bytes
) -> None:
    (place / "a.tar.gz").write_bytes(b"old")
    answer = await put(lab, "workspace/a.tar.gz", b"new", exists=exists)
    assert answer.code == code
    assert names_in(place) == names
    assert (place / "a.tar.gz").read_bytes() == content


async def test_new_files_may_be_read_by_whoever_may_read_their_folder(
    lab: Lab, place: Path
) -> None:
    for mode, expected in ((0o755, 0o644), (0o700, 0o600), (0o2770, 0o660)):
        make_like(place, mode)
        name = f"workspace/{mode}"
        assert (await put(lab, f"{name}.bin", b"x")).code == 201
        assert (
            await write_text(lab, f"{name}.txt", b"x", If_None_Match="*")
        ).code == 200
        assert (await change(lab, "folder", {"path": f"{name}.d"})).code == 201
        for ending in ("bin", "txt"):
            found = (place / f"{mode}.{ending}").stat().st_mode
            assert stat.S_IMODE(found) == expected
        made = stat.S_IMODE((place / f"{mode}.d").stat().st_mode)
        assert made == mode & 0o2777


@pytest.mark.parametrize(
    "said_of_it",
    [{"size": -1}, {"size": "x"}, {"size": 2, "offset": 3}, {"exists": "maybe"},
     {"mark": "x" * 201}, {"parents": "yes"}],
)  # fmt: skip
async def test_uploads_that_make_no_sense_are_refused(
    lab: Lab, place: Path, said_of_it: dict[str, object]
) -> None:
    answer = await put(lab, "workspace/x", b"ab", **said_of_it)
    assert refused(answer) == (400, "invalid-input")
    assert refused(await put(lab, "workspace/x", b"abc", size=2)) == (413, "too-much")
    assert names_in(place) == set()


async def test_a_file_larger_than_the_room_is_refused_before_it_comes(
    lab: Lab, place: Path
) -> None:
    answer = await put(lab, "workspace/x", b"", size=10**14)
    assert refused(answer) == (507, "disk-full")


async def test_links_and_fifos_in_the_place_of_a_part_are_not_written_to(
    lab: Lab, place: Path, tmp_path: Path
) -> None:
    await put(lab, "workspace/x", b"one", size=6)
    (name,) = names_in(place)
    part = place / name
    part.unlink()
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    part.symlink_to(target)
    assert refused(await put(lab, "workspace/x", b"", size=6)) == (403, "not-regular")
    part.unlink()
    os.mkfifo(part)
    assert refused(await put(lab, "workspace/x", b"", size=6)) == (403, "not-regular")
    part.unlink()
    part.hardlink_to(target)
    assert refused(await put(lab, "workspace/x", b"", size=6, offset=4))[0] == 403
    assert target.read_bytes() == b"mine"


@pytest.mark.parametrize("renames_in_one_step", [True, False])
async def test_things_are_renamed_and_moved_and_nothing_is_replaced(
    lab: Lab, place: Path, renames_in_one_step: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not renames_in_one_step:
        monkeypatch.setattr(renaming, "_NO_REPLACE", 1 << 20)  # a flag nobody knows
    for name in ("a", "b", "two\nlines"):
        (place / name).write_text(name)
    (place / "d").mkdir()
    (place / "d/b").write_text("taken")
    answer = await change(
        lab, "move", {"path": "workspace/a", "to": "workspace/caf%e9"}
    )
    assert said(answer)["moved"] == ["workspace/caf%e9"]
    assert os.fsdecode(b"caf\xe9") in names_in(place)
    answer = await change(lab, "move", {"path": "workspace/b", "to": "workspace/d"})
    assert refused(answer) == (409, "exists")
    several = ["workspace/b", "workspace/two\nlines", "workspace/gone", ""]
    answer = await change(lab, "move", {"paths": several, "into": "workspace/d"})
    assert said(answer)["moved"] == ["workspace/d/two\nlines"]
    codes = [one["error"] for one in said(answer)["refused"]]
    assert codes == ["exists", "not-there", "not-permitted"]
    assert (place / "d/b").read_text() == "taken"
    answer = await change(lab, "move", {"path": "workspace/d", "to": "workspace/d/e"})
    assert answer.code in {403, 409}


async def test_a_folder_is_made_once(lab: Lab, place: Path) -> None:
    made = {"path": "workspace/n/m"}
    assert (await change(lab, "folder", made)).code == 404
    assert (await change(lab, "folder", {**made, "parents": True})).code == 201
    assert refused(await change(lab, "folder", made)) == (409, "exists")
    assert (place / "n/m").is_dir()


async def test_folders_are_deleted_whole_and_links_never_followed(
    lab: Lab, place: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("keep")
    (place / "d/e/f").mkdir(parents=True)
    (place / "d/link").symlink_to(outside)
    (place / "d/e/hard").hardlink_to(outside / "keep")
    os.mkfifo(place / "d/e/fifo")
    (place / "single").touch()
    (place / "to-outside").symlink_to(outside)
    paths = [f"workspace/{one}" for one in ("d", "single", "to-outside", "gone")]
    work = await finished(lab, await change(lab, "delete", {"paths": paths}))
    assert (work["state"], work["done"], work["missed"]) == ("done", 8, 1)
    assert work["misses"][0]["error"] == "not-there"
    assert names_in(place) == set()
    assert (outside / "keep").read_text() == "keep"
    known = said(await ask(lab, "work"))["works"]
    assert known[0]["id"] == work["id"]
    again = await lab.send(f"api/files/work/{work['id']}/cancel", {})
    assert said(again)["state"] == "done"


async def test_a_folder_deeper_than_descriptors_reach_is_deleted(
    lab: Lab, place: Path
) -> None:
    here = os.open(place, os.O_RDONLY)
    for _ in range(450):
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    found = said(await ask(lab, "use", path="workspace"))
    assert (found["folders"], found["missed"]) == (101, 1)
    work = await finished(
        lab, await change(lab, "delete", {"paths": ["workspace/deep"]})
    )
    assert (work["state"], work["done"], work["missed"]) == ("done", 450, 0)
    assert names_in(place) == set()


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("folder", {"path": "PLACE/new"}),
    ("move", {"path": "PLACE/one", "to": "PLACE/other"}),
    ("delete", {"paths": ["PLACE/one"]}),
]


@pytest.mark.parametrize(("route", "body"), CHANGES)
async def test_nothing_changes_outside_ones_own_folder(
    lab: Lab, place: Path, tmp_path: Path, route: str, body: dict[str, Any]
) -> None:
    colleague = tmp_path / "bob"
    colleague.mkdir()
    (colleague / "one").write_text("1")
    (place / "link").symlink_to(colleague)
    (tmp_path / "store/lab/data/7").mkdir(parents=True)
    (tmp_path / "store/lab/data/7/one").write_text("1")
    for where, root, expected in (
        ("workspace/link", "scratch", "outside"), ("7", "data:lab", "read-only"),
    ):  # fmt: skip
        asked = {
            key: [one.replace("PLACE", where) for one in value]
            if isinstance(value, list)
            else value.replace("PLACE", where)
            for key, value in body.items()
        }
        answer = await change(lab, route, {"root": root, **asked})
        found = said(answer)
        codes = [one["error"] for one in found.get("misses", [])]
        assert expected in (*codes, found.get("error"))
    assert sorted(one.name for one in colleague.iterdir()) == ["one"]
    assert (tmp_path / "store/lab/data/7/one").exists()
    for path, root in (("workspace/link/x", "scratch"), ("7/x", "data:lab")):
        answer = await put(lab, path, b"x", root=root)
        assert answer.code == 403


@pytest.mark.parametrize(
    ("route", "body"),
    [("folder", {}), ("folder", {"path": 3}), ("folder", {"path": "a", "more": 1}),
     ("folder", {"path": "../x"}), ("folder", {"path": "a", "parents": "yes"}),
     ("move", {"path": "workspace"}), ("move", {"paths": [], "into": "workspace"}),
     ("move", {"paths": [1], "into": "x"}), ("delete", {"paths": "workspace"}),
     ("delete", {"paths": ["a\0b"]}), ("delete", {"paths": ["a"] * 10_001}),
     ("delete", []), ("delete", b"\xff")],
)  # fmt: skip
async def test_orders_that_make_no_sense_are_refused(
    lab: Lab, route: str, body: object
) -> None:
    assert (await change(lab, route, body)).code == 400


async def test_roots_stay_where_they_are(lab: Lab) -> None:
    for path in ("", "/"):
        assert (await change(lab, "delete", {"paths": [path]})).code == 403
        assert (await change(lab, "move", {"path": path, "to": "x"})).code == 403
        assert (await change(lab, "folder", {"path": path})).code == 403
        assert (await put(lab, path, b"x")).code == 403
    assert lab.folder.is_dir()


@pytest.mark.parametrize("route", ["folder", "move", "delete", "text", "content"])
async def test_a_cookie_alone_changes_nothing(lab: Lab, route: str) -> None:
    name = lab.agent.logins.keep("alices")
    method = "PUT" if route in {"text", "content"} else "POST"
    answer = await lab.get(
        f"api/files/{route}?path=workspace/x&size=1", None, method=method, body=b"x",
        headers={"Cookie": f"kqi-agent={name}"},
    )  # fmt: skip
    assert refused(answer) == (403, "needs-token")


async def test_a_text_is_edited_unless_somebody_else_was_quicker(
    lab: Lab, place: Path
) -> None:
    file = place / "run.sh"
    file.write_text("echo 1\n")
    file.chmod(0o750)
    found = said(await ask(lab, "text", path="workspace/run.sh"))
    assert found["text"] == "echo 1\n"
    version = f'"{found["version"]}"'
    path = "workspace/run.sh"
    answer = await write_text(lab, path, "echo 2 한 é\n".encode(), If_Match=version)
    assert answer.code == 200
    assert file.read_text() == "echo 2 한 é\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    answer = await write_text(lab, path, b"lost", If_Match=version)
    assert refused(answer) == (412, "changed")
    assert refused(await write_text(lab, path, b"lost")) == (428, "needs-version")
    answer = await write_text(lab, path, b"lost", If_None_Match="*")
    assert refused(answer) == (409, "exists")
    newer = f'"{said(await ask(lab, "text", path=path))["version"]}"'
    assert refused(await write_text(lab, path, b"\xff", If_Match=newer))[0] == 400
    assert names_in(place) == {"run.sh"}


async def test_a_link_to_a_text_stays_a_link(lab: Lab, place: Path) -> None:
    (place / "real.txt").write_text("old")
    (place / "link.txt").symlink_to("real.txt")
    found = said(await ask(lab, "text", path="workspace/link.txt"))
    await write_text(
        lab, "workspace/link.txt", b"new", If_Match=f'"{found["version"]}"'
    )
    assert (place / "link.txt").is_symlink()
    assert (place / "real.txt").read_text() == "new"


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xff\xfe", (409, "not-text")), (b"a\0b", (409, "not-text")),
     (b"x" * (1024 * 1024 + 1), (413, "too-large"))],
)  # fmt: skip
async def test_what_is_no_small_text_is_not_edited(
    lab: Lab, place: Path, content: bytes, expected: tuple[int, str]
) -> None:
    (place / "x").write_bytes(content)
    assert refused(await ask(lab, "text", path="workspace/x")) == expected


async def test_use_counts_every_name_and_its_room_once(lab: Lab, place: Path) -> None:
    (place / "d").mkdir()
    (place / "d/a").write_bytes(b"x" * 500_000)
    alone = said(await ask(lab, "use", path="workspace"))["on_disk"]
    (place / "b").hardlink_to(place / "d/a")
    both = said(await ask(lab, "use", path="workspace"))
    assert (both["files"], both["bytes"]) == (2, 1_000_000)
    assert alone <= both["on_disk"] < alone + 100_000
    (place / "c").write_bytes(b"y" * 10)
    (place / "out").symlink_to("/usr")
    found = said(await ask(lab, "use", path="workspace"))
    assert (found["files"], found["folders"], found["missed"]) == (4, 2, 0)
    assert found["bytes"] == 1_000_010 + len("/usr")
    assert {one["name"] for one in found["entries"]} == {"d", "b", "c", "out"}
    answer = await ask(
        lab, "use", path="workspace", headers={"Accept": "text/event-stream"}
    )
    assert b"event: done" in answer.body


UPLOAD = (
    b"PUT /user/alice/agent/api/files/content?path=workspace/x&size=10 HTTP/1.1\r\n"
    b"Host: x\r\nAuthorization: Bearer alices\r\nContent-Length: 10\r\n\r\n"
)


def place_entries(place: Path) -> list[Path]:
    return list(place.iterdir())


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_a_sender_that_falls_silent_is_given_up_and_what_came_stays(
    lab: Lab, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "SILENT_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
    writer.write(UPLOAD + b"12345")
    assert await reader.read() == b""
    await until(lambda: not lab.agent.files.receiving)
    assert [one.stat().st_size for one in place_entries(place)] == [5]
    writer.close()


async def test_the_agent_stays_while_something_is_on_its_way(
    lab: Lab, place: Path
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
    writer.write(UPLOAD + b"12345")
    await writer.drain()
    await until(lambda: bool(names_in(place)))
    await asyncio.sleep(0.1)
    assert lab.agent.use.left_s == 60.0
    writer.close()
    await until(lambda: lab.agent.use.left_s < 60.0)
    answer = await put(lab, "workspace/x", b"67890", size=10, offset=5)
    assert (answer.code, said(answer)["done"]) == (201, True)
    assert (place / "x").read_bytes() == b"1234567890"
    assert await reader.read() == b""
