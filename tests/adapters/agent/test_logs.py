"""Logs in pieces and as they grow, and what must not be opened."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.agent import logs
from kqi_hub.agent.logfile import read_piece
from tests.adapters.agent.conftest import BASE, Lab

Event = tuple[str, dict[str, Any]]


async def piece(lab: Lab, query: str) -> dict[str, Any]:
    answer = await lab.get(f"api/log?{query}")
    found: dict[str, Any] = json.loads(answer.body)
    return found | {"code": answer.code}


async def test_a_log_is_read_from_an_offset_on(lab: Lab) -> None:
    lab.log(7).write_bytes(b"one\ntwo\nthree\n")
    found = await piece(lab, "job=7&from=4")
    assert (found["from"], found["to"], found["size"]) == (4, 14, 14)
    assert found["text"] == "two\nthree\n"


@pytest.mark.parametrize(
    ("start", "text"),
    [("-6", "three\n"), ("-99", "one\ntwo\nthree\n"), ("14", ""), ("99", "")],
)
async def test_offsets_may_count_from_the_end_or_lie_beyond(
    lab: Lab, start: str, text: str
) -> None:
    lab.log(7).write_bytes(b"one\ntwo\nthree\n")
    found = await piece(lab, f"job=7&from={start}")
    assert found["text"] == text
    assert found["to"] <= found["size"]


async def test_a_piece_is_of_bounded_size_and_the_next_goes_on(lab: Lab) -> None:
    whole = "日本語のログ\n" * 40_000
    lab.log(7).write_text(whole)
    text, position, pieces = "", 0, 0
    while position < len(whole.encode()):
        found = await piece(lab, f"job=7&from={position}")
        text, position, pieces = text + found["text"], found["to"], pieces + 1
        assert len(found["text"].encode()) <= 256 * 1024
    assert text == whole
    assert pieces == 3


async def test_a_tail_begins_with_a_whole_character(lab: Lab) -> None:
    lab.log(7).write_text("日本語")
    for back in (4, 5):
        found = await piece(lab, f"job=7&from=-{back}")
        assert (found["text"], found["from"]) == ("語", 6)


async def test_bytes_that_are_no_text_are_replaced(lab: Lab) -> None:
    lab.log(7).write_bytes(b"caf\xe9 \xff\x00\x1b[31m end")
    assert (await piece(lab, "job=7&from=0"))[
        "text"
    ] == "caf\ufffd \ufffd\0\x1b[31m end"


async def test_half_a_character_waits_for_its_other_half(lab: Lab) -> None:
    lab.log(7).write_bytes("日本".encode()[:5])
    assert await piece(lab, "job=7&from=0") | {"changed_at": 0} == {
        "code": 200, "job": 7, "from": 0, "to": 3, "size": 5, "changed_at": 0,
        "text": "日",
    }  # fmt: skip


BAD_JOBS = [
    "", "0", "-1", "07", "1.0", "1e3", "abc", "../7", "7/../8", "7.log", "\u0667",
    "7\n", "7\0", "1" * 11, " 7", "12_", "_3", "12_3_4", "12_x", "%2e%2e",
]  # fmt: skip


@pytest.mark.parametrize("path", ["api/log", "api/log/follow", "api/run"])
@pytest.mark.parametrize("job", BAD_JOBS)
async def test_a_job_that_is_no_number_is_refused(
    lab: Lab, path: str, job: str
) -> None:
    answer = await lab.get(f"{path}?job={quote(job)}")
    assert answer.code == 400
    assert json.loads(answer.body)["error"] == "invalid-input"


@pytest.mark.parametrize(
    "query",
    ["", "job=7&job=8", "job=7&from=x", "job=7&from=--1", "job=7&from=1&from=2",
     "job=7&from=" + "9" * 16],
)  # fmt: skip
async def test_other_odd_queries_are_refused(lab: Lab, query: str) -> None:
    lab.log(7).write_text("here")
    assert (await lab.get(f"api/log?{query}")).code == 400


def make_link(log: Path) -> None:
    log.with_suffix(".txt").write_text("not to be seen")
    log.symlink_to(log.with_suffix(".txt"))


def make_folder_link(log: Path) -> None:
    real = log.parent.with_name("elsewhere")
    real.mkdir()
    (real / log.name).write_text("not to be seen")
    log.parent.rmdir()
    log.parent.symlink_to(real)


PLANTED: dict[str, Callable[[Path], object]] = {
    "link": make_link,
    "loop": lambda log: log.symlink_to(log),
    "link to the machine": lambda log: log.symlink_to("/etc/passwd"),
    "fifo": os.mkfifo,
    "folder": lambda log: log.mkdir(),
    "folder link": make_folder_link,
    "device": lambda log: os.mknod(log, 0o20666, os.makedev(1, 5)),
}


@pytest.mark.parametrize("kind", PLANTED)
async def test_links_and_special_files_are_not_opened(lab: Lab, kind: str) -> None:
    if kind == "device" and os.geteuid() != 0:
        pytest.skip("only root can make a device")
    PLANTED[kind](lab.log(7))
    began = time.monotonic()
    found = await piece(lab, "job=7")
    assert (found["code"], found["error"]) == (403, "not-regular")
    assert (await lab.get("api/run?job=7")).code == 403
    async with follow(lab, "job=7") as events:
        name, said = await anext(events)
    assert (name, "special file" in said["message"]) == ("failed", True)
    assert time.monotonic() - began < 2


async def test_a_log_that_is_not_there_is_not_found(lab: Lab) -> None:
    found = await piece(lab, "job=7")
    assert (found["code"], found["error"]) == (404, "not-there")


@asynccontextmanager
async def follow(
    lab: Lab, query: str, whose: str = "alices", last: str = ""
) -> AsyncIterator[AsyncIterator[Event]]:
    """Give the events of a job's log as a browser reads them."""
    async with follow_path(lab, f"api/log/follow?{query}", whose, last) as events:
        yield events


@asynccontextmanager
async def follow_path(
    lab: Lab, path: str, whose: str = "alices", last: str = ""
) -> AsyncIterator[AsyncIterator[Event]]:
    """Give the events of a stream as a browser reads them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
    head = f"GET {BASE}{path} HTTP/1.1\r\nHost: x\r\n"
    head += f"Authorization: Bearer {whose}\r\n"
    head += f"Last-Event-ID: {last}\r\n" if last else ""
    writer.write(f"{head}\r\n".encode())
    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    try:
        yield _events(reader)
    finally:
        writer.close()
        await writer.wait_closed()


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[Event]:
    text = ""
    while size := int(await asyncio.wait_for(reader.readline(), 20), 16):
        text += (await reader.readexactly(size)).decode()
        await reader.readline()
        while "\n\n" in text:
            block, text = text.split("\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in fields:
                yield fields["event"], json.loads(fields["data"])


async def read_until(events: AsyncIterator[Event], end: str) -> str:
    text = ""
    async for name, said in events:
        assert name in {"log", "waiting"}, (name, said)
        text += str(said.get("text", ""))
        if text.endswith(end):
            return text
    raise AssertionError(f"the stream ended after {text!r}")


async def test_a_log_is_followed_from_before_it_is_there(lab: Lab) -> None:
    async with follow(lab, "job=7") as events:
        assert await anext(events) == ("waiting", {"job": 7})
        lab.log(7).write_text("first\n")
        assert await read_until(events, "first\n") == "first\n"
        with lab.log(7).open("a") as log:
            log.write("日本\n")
        assert await read_until(events, "日本\n") == "日本\n"


async def test_what_is_written_shows_within_a_second(lab: Lab) -> None:
    lab.log(7).write_text("x\n")
    async with follow(lab, "job=7") as events:
        await read_until(events, "x\n")
        await asyncio.sleep(1.5)  # it looks seldom by now
        with lab.log(7).open("a") as log:
            log.write("news\n")
        began = time.monotonic()
        await read_until(events, "news\n")
        assert time.monotonic() - began < 1.5


async def test_a_browser_goes_on_where_its_connection_broke(lab: Lab) -> None:
    lab.log(7).write_text("one\ntwo\n")
    async with follow(lab, "job=7&from=0", last="4") as events:
        assert await read_until(events, "two\n") == "two\n"


@pytest.mark.parametrize("way", ["shortened", "replaced"])
async def test_a_log_that_begins_anew_is_told(lab: Lab, way: str) -> None:
    lab.log(7).write_text("a long first run\n")
    async with follow(lab, "job=7") as events:
        await read_until(events, "run\n")
        if way == "replaced":
            lab.log(7).rename(lab.log(8))
        lab.log(7).write_text("again\n")
        assert (await anext(events))[0] == "restarted"
        assert await read_until(events, "again\n") == "again\n"


async def test_a_flood_is_skipped_and_its_end_shown(lab: Lab) -> None:
    lab.log(7).write_text("begin\n")
    async with follow(lab, "job=7") as events:
        await read_until(events, "begin\n")
        with lab.log(7).open("a") as log:
            log.write("x" * 99 + "\n")
            log.write(("y" * 99 + "\n") * 500_000)
            log.write("the end\n")
        name, said = await anext(events)
        assert name == "skipped"
        assert said["to"] - said["from"] > 40_000_000
        assert (await read_until(events, "the end\n")).count("y") < 70_000


async def test_a_reader_who_leaves_is_noticed(lab: Lab) -> None:
    async with follow(lab, "job=7") as events:
        await anext(events)
        assert lab.agent.use.streams == 1
        assert lab.agent.use.left_s == 60
    await asyncio.sleep(0.5)
    assert lab.agent.use.streams == 0
    assert 59 < lab.agent.use.left_s < 60


async def test_a_stream_ends_soon_after_its_token_is_revoked(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_CHECK_TOKEN_S", 0.2)
    async with follow(lab, "job=7") as events:
        await anext(events)
        del lab.hub.tokens["alices"]
        assert [event async for event in events] == []


async def test_a_hub_that_restarts_ends_no_stream(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_CHECK_TOKEN_S", 0.2)
    async with follow(lab, "job=7") as events:
        await anext(events)
        lab.hub.fails_with = 503
        await asyncio.sleep(1.0)
        lab.log(7).write_text("still here\n")
        await read_until(events, "still here\n")


async def test_more_streams_than_any_page_needs_are_refused(lab: Lab) -> None:
    lab.agent.use.streams = 32
    assert (await lab.get("api/log/follow?job=7")).code == 429


async def test_a_run_lists_its_log_and_the_workspace(lab: Lab) -> None:
    lab.log(7).write_text("12345")
    workspace = lab.folder / "workspace"
    (workspace / "b.txt").write_text("xy")
    (workspace / "a").mkdir()
    (workspace / "link").symlink_to("/etc/shadow")
    os.mkfifo(workspace / "pipe")
    (workspace / os.fsdecode(b"\xff\n<b>")).touch()
    found = json.loads((await lab.get("api/run?job=7")).body)
    assert (found["log"]["path"], found["log"]["size"]) == ("log/7.log", 5)
    assert [(e["name"], e["kind"]) for e in found["folders"][0]["entries"]] == [
        ("a", "folder"), ("b.txt", "file"), ("link", "link"), ("pipe", "other"),
        ("\ufffd\n<b>", "file"),
    ]  # fmt: skip


async def test_a_huge_workspace_is_listed_in_part(lab: Lab) -> None:
    for number in range(600):
        (lab.folder / "workspace" / f"{number:03}").touch()
    found = json.loads((await lab.get("api/run?job=7")).body)
    assert found["log"] is None
    assert found["folders"][0]["total"] == 600
    names = [entry["name"] for entry in found["folders"][0]["entries"]]
    assert names == [f"{number:03}" for number in range(500)]


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/7.log").write_text("x")
    os.mkfifo(tmp_path / "log/8.log")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path.iterdir opens one too
    for job in (7, 8, 9):
        for _ in range(20):
            try:
                read_piece(tmp_path, job, 0)
            except OSError as error:
                assert job != 7, error
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - as above
