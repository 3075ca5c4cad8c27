"""Folders and files, looked at through the agent's routes: real files, odd ones too."""

import json
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.adapters.agent.conftest import Lab

FILES = "api/files"
ODD_NAMES = [
    b"two\nlines.txt", b"it's \"quoted\"", b"<script>alert(1)<script>", b"caf\xe9.txt",
    b"\xff\xfe", b"100% done", b"100%25", b"%ff", b"n" * 255,
    "データ 한글.csv".encode(),
    b"back\\slash", b" space ", b"-rf", b"semi;colon&amp", b"\x1b[31mred", b"a:b?c*d",
]  # fmt: skip


async def ask(lab: Lab, route: str, **query: object) -> Any:
    asked = "&".join(f"{name}={quote(str(value), '')}" for name, value in query.items())
    return await lab.get(f"{FILES}/{route}?{asked}")


def make(file: Path, content: bytes) -> None:
    file.write_bytes(content)


async def listed(lab: Lab, path: str = "", **query: object) -> dict[str, Any]:
    answer = await ask(lab, "list", path=path, **query)
    assert answer.code == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def names(page: dict[str, Any]) -> list[str]:
    return [one["name"] for one in page["entries"]]


async def test_a_folder_is_listed_folders_first_with_what_they_are(lab: Lab) -> None:
    place = lab.folder / "workspace"
    (place / "b").mkdir()
    (place / "a.txt").write_text("hello")
    (place / "Z.txt").write_text("")
    page = await listed(lab, "workspace")
    assert names(page) == ["b", "a.txt", "Z.txt"]
    assert (page["total"], page["matched"], page["next"]) == (3, 3, None)
    assert page["entries"][1] | {"changed_at": 0} == {
        "name": "a.txt", "kind": "file", "size": 5, "changed_at": 0,
        "mode": page["entries"][1]["mode"],
    }  # fmt: skip
    assert (page["absolute"], page["may_change"]) == (str(place), True)


@pytest.mark.parametrize("sort", ["name", "size", "time"])
@pytest.mark.parametrize("order", ["up", "down"])
async def test_pages_together_are_the_folder_each_name_once(
    lab: Lab, sort: str, order: str
) -> None:
    place = lab.folder / "workspace"
    for number in range(60):
        file = place / f"f{number:02}"
        file.write_bytes(b"x" * (number % 7))
        os.utime(file, (number % 5, number % 5))
        if number % 10 == 0:
            (place / f"d{number}").mkdir()
    asked: dict[str, object] = {"sort": sort, "order": order, "limit": 7}
    page = await listed(lab, "workspace", **asked)
    seen = page["entries"]
    while page["next"]:
        page = await listed(lab, "workspace", **asked, after=page["next"])
        seen += page["entries"]
        assert page["total"] == 66
    assert len(seen) == len({one["name"] for one in seen}) == 66
    assert [one["kind"] for one in seen[:6]] == ["folder"] * 6
    values = [
        one[{"size": "size", "time": "changed_at", "name": "name"}[sort]]
        for one in seen[6:]
    ]
    assert values == sorted(values, reverse=order == "down")


@pytest.mark.parametrize(
    ("query", "expected"),
    [({"filter": "LOSS"}, ["loss.csv", "train-loss.txt"]),
     ({"filter": "*.csv"}, ["acc.csv", "loss.csv"]),
     ({"filter": "[x]"}, ["odd[x].py"]), ({"filter": "?cc.*"}, ["acc.csv"]),
     ({"kinds": "folder"}, ["plots"]), ({"hidden": 0, "filter": "h"}, []),
     ({"filter": "nothing"}, [])],
)  # fmt: skip
async def test_the_server_filters(
    lab: Lab, query: dict[str, object], expected: list[str]
) -> None:
    place = lab.folder / "workspace"
    for name in ("loss.csv", "acc.csv", "train-loss.txt", "odd[x].py", ".hidden"):
        (place / name).touch()
    (place / "plots").mkdir()
    page = await listed(lab, "workspace", **query)
    assert names(page) == expected
    assert (page["total"], page["matched"]) == (6, len(expected))


@pytest.mark.parametrize("raw", ODD_NAMES, ids=ascii)
async def test_any_name_is_listed_told_read_and_saved(lab: Lab, raw: bytes) -> None:
    make(lab.folder / "workspace" / os.fsdecode(raw), b"content of " + raw[:20])
    page = await listed(lab, "workspace")
    (name,) = names(page)
    path = f"workspace/{name}"
    assert json.loads((await ask(lab, "stat", path=path)).body)["kind"] == "file"
    answer = await ask(lab, "content", path=path)
    assert answer.body == b"content of " + raw[:20]
    header = answer.headers["Content-Disposition"]
    assert header.startswith('attachment; filename="')
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert (await listed(lab, "workspace", filter=name))["matched"] == 1


async def test_a_file_is_saved_under_another_name(lab: Lab) -> None:
    make(lab.folder / "log" / "77.log", b"step 1")
    about = {"path": "log/77.log", "save_as": 'run "12" 学習.log'}
    answer = await ask(lab, "content", **about)
    assert answer.body == b"step 1"
    named = answer.headers["Content-Disposition"]
    assert named.startswith('attachment; filename="')
    assert named.endswith("%E5%AD%A6%E7%BF%92.log")
    assert named.isascii()
    assert named.count('"') == 2


@pytest.mark.parametrize("name", ["a/b", "..", ".", "a\0", "/", "x" * 5000])
async def test_what_is_no_name_saves_nothing(lab: Lab, name: str) -> None:
    make(lab.folder / "log" / "77.log", b"step 1")
    answer = await ask(lab, "content", path="log/77.log", save_as=name)
    assert answer.code == 400
    assert json.loads(answer.body)["error"] in {"invalid-input", "too-long"}


@pytest.mark.parametrize(
    "path",
    ["..", "workspace/..", "workspace/../../bob", "a//b", "./x", "a\0b",
     "../etc/passwd", "workspace/%2e%2e/..", "x" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("route", ["list", "stat", "view", "content"])
async def test_paths_that_lead_elsewhere_are_refused(
    lab: Lab, route: str, path: str
) -> None:
    answer = await ask(lab, route, path=path)
    assert answer.code == 400
    assert json.loads(answer.body)["error"] in {"invalid-input", "too-long"}


async def test_links_lead_where_the_site_allows_and_nowhere_else(
    lab: Lab, tmp_path: Path
) -> None:
    place = lab.folder / "workspace"
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob/shared.txt").write_text("of bob")
    (place / "colleague").symlink_to(tmp_path / "bob")
    (place / "etc").symlink_to("/etc")
    (place / "passwd").symlink_to("/etc/passwd")
    (place / "gone").symlink_to("nowhere")
    (place / "round").symlink_to("round")
    links = {one["name"]: one["link"]["to"] for one in (
        await listed(lab, "workspace"))["entries"]}  # fmt: skip
    assert links == {
        "colleague": "folder", "etc": "outside", "passwd": "outside",
        "gone": "nothing", "round": "nothing",
    }  # fmt: skip
    answer = await ask(lab, "content", path="workspace/colleague/shared.txt")
    assert answer.body == b"of bob"
    for route, path in (
        ("list", "workspace/etc"), ("content", "workspace/passwd"),
        ("view", "workspace/etc/passwd"), ("stat", "workspace/etc/shadow"),
    ):  # fmt: skip
        answer = await ask(lab, route, path=path)
        assert (answer.code, json.loads(answer.body)["error"]) == (403, "outside")
    assert (await ask(lab, "stat", path="workspace/gone")).code == 404


async def test_special_files_are_told_and_never_opened(lab: Lab) -> None:
    place = lab.folder / "workspace"
    os.mkfifo(place / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place / "socket"))
    (place / "zero").symlink_to("/dev/zero")
    page = await listed(lab, "workspace")
    kinds = {one["name"]: one["kind"] for one in page["entries"]}
    assert kinds == {"fifo": "other", "socket": "other", "zero": "link"}
    for name in ("fifo", "socket"):
        for route in ("content", "view"):
            answer = await ask(lab, route, path=f"workspace/{name}")
            assert (answer.code, json.loads(answer.body)["error"]) == (
                403, "not-regular",
            )  # fmt: skip
    answer = await ask(lab, "content", path="workspace/zero")
    assert json.loads(answer.body)["error"] == "outside"
    assert (await ask(lab, "content", path="workspace")).code == 400
    assert (await ask(lab, "list", path="workspace/fifo")).code == 403


@pytest.mark.parametrize(
    "query",
    [{"sort": "no"}, {"order": "x"}, {"limit": 0}, {"limit": 5001}, {"limit": "1e3"},
     {"after": "xyz"}, {"after": "W10="}, {"kinds": "file,dog"}, {"after": "\u00e9"},
     {"after": "WyJzaXplIiwwLDEsIngiXQ=="}],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(
    lab: Lab, query: dict[str, object]
) -> None:
    answer = await ask(lab, "list", path="", **query)
    assert answer.code == 400, answer.body


@pytest.mark.parametrize("root", ["etc", "/etc", "data:../x", "data:", "data:x/y", ""])
async def test_roots_are_those_of_the_site(lab: Lab, root: str) -> None:
    answer = await ask(lab, "list", root=root, path="")
    assert (answer.code, json.loads(answer.body)["error"]) == (404, "no-such-root")


async def test_a_tenants_store_and_the_sites_folders_are_roots(
    lab: Lab, tmp_path: Path
) -> None:
    (tmp_path / "store/lab/data/7").mkdir(parents=True)
    (tmp_path / "store/lab/data/7/one.txt").write_text("1")
    (tmp_path / "shared").mkdir()
    page = await listed(lab, "7", root="data:lab")
    assert (names(page), page["may_change"]) == (["one.txt"], False)
    roots = json.loads((await lab.get(f"{FILES}/roots")).body)["roots"]
    assert [one["root"] for one in roots] == ["scratch", str(tmp_path / "shared")]
    assert (await listed(lab, "", root=str(tmp_path / "shared")))["may_change"]


async def test_a_folder_with_event_files_is_one_for_tensorboard(lab: Lab) -> None:
    (lab.folder / "workspace/events.out.tfevents.1.host").touch()
    assert (await listed(lab, "workspace"))["hints"] == ["tensorboard"]
    assert (await listed(lab, ""))["hints"] == []


async def test_without_a_token_nothing_is_shown(lab: Lab) -> None:
    for route in ("roots", "list", "stat", "view", "content"):
        assert (await lab.get(f"{FILES}/{route}?path=", None)).code == 401
        assert (await lab.get(f"{FILES}/{route}?path=", "bobs")).code == 403
