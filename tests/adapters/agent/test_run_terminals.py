"""Terminals in jobs: a real bash on a real terminal; squeue and srun stand in."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    websocket_connect,
)

from kqi_hub.agent.inside import terminal_routes, terminals
from tests.adapters.agent.conftest import BASE, Lab
from tests.adapters.agent.stand_in_jobs import FakeSrun, is_alive

LIST = "api/terminals"


@pytest.fixture
def srun(lab: Lab) -> FakeSrun:
    found = FakeSrun(lab.slurm.folder, lab.folder)
    found.runs("40")
    return found


class Window:
    """Somebody who looks at a terminal, and says what has been shown."""

    def __init__(self, socket: WebSocketClientConnection, shows: bool = True) -> None:
        self.socket, self.shows = socket, shows
        self.seen = bytearray()
        self.told: list[dict[str, Any]] = []

    async def type(self, text: str) -> None:
        await self.socket.write_message(text.encode(), binary=True)

    async def tell(self, **said: object) -> None:
        await self.socket.write_message(json.dumps(said))

    async def next(self) -> bool:
        message = await asyncio.wait_for(self.socket.read_message(), 20)
        if message is None:
            return False
        if isinstance(message, bytes):
            self.seen += message
            if self.shows:
                with suppress(WebSocketClosedError):
                    await self.tell(shown=len(message))
        else:
            self.told.append(json.loads(message))
        return True

    async def until(self, text: str) -> str:
        wanted, looked_at = text.encode(), 0
        while wanted not in self.seen[max(0, looked_at - len(wanted)) :]:
            looked_at = len(self.seen)
            assert await self.next(), self.seen[-2000:]
        return self.seen.decode(errors="replace")

    async def interrupt_until(self, line: str, text: str) -> None:
        """Press ctrl-c and type until a shell answers: an end takes keys along."""
        for _ in range(10):
            await self.type("\x03")
            await asyncio.sleep(0.3)
            await self.type(line)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.until(text), 3)
                return
        raise AssertionError(self.seen[-2000:])

    async def to_the_end(self) -> None:
        while await self.next():
            pass


class Desk:
    """Opens terminals, and closes what a test has opened."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.windows: list[Window] = []

    async def asked(self, path: str = LIST, /, **body: object) -> dict[str, Any]:
        answer = await self.lab.send(path, body)
        assert answer.code in (200, 201), answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def look(self, found: dict[str, Any], **more: Any) -> Window:
        shows = more.pop("shows", True)
        headers = {
            "Origin": f"http://127.0.0.1:{self.lab.port}",
            "Sec-WebSocket-Protocol": f"kqi.terminal, ticket.{found['ticket']}",
        } | more  # fmt: skip
        url = f"ws://127.0.0.1:{self.lab.port}{BASE}terminals/{found['id']}"
        request = HTTPRequest(url, headers=headers)
        window = Window(await websocket_connect(request), shows)
        self.windows.append(window)
        return window

    async def open(self, **body: object) -> tuple[dict[str, Any], Window]:
        found = await self.asked(LIST, **{"job": "40", **body})
        return found, await self.look(found)

    async def refused(self, found: dict[str, Any], **headers: str) -> int:
        asked = {"Upgrade": "websocket", "Connection": "Upgrade",
                 "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" * 22 + "==",
                 **headers}  # fmt: skip
        answer = await self.lab.get(f"terminals/{found['id']}", None, headers=asked)
        return answer.code


@pytest.fixture
async def desk(lab: Lab, srun: FakeSrun) -> AsyncIterator[Desk]:
    found = Desk(lab)
    yield found
    for window in found.windows:
        window.socket.close()
    lab.agent.inside.terminals.close()
    for one in lab.agent.inside.terminals.all():
        await asyncio.wait_for(one.terminal.ended.wait(), 10)
    await asyncio.sleep(0.05)


def error(answer: HTTPResponse) -> tuple[int, str]:
    return answer.code, json.loads(answer.body)["error"]


async def test_what_is_typed_is_done_in_a_shell_of_the_job(desk: Desk) -> None:
    _, window = await desk.open()
    await window.type("echo job-$SLURM_JOB_ID $TERM; tty; ps -o stat= -p $$\n")
    shown = await window.until("/dev/pts/")
    # Its own session; a test that is given another niceness has S<s or SNs.
    assert re.search(r"S[<N]?s", await window.until("s\r\n"))
    assert "job-40 xterm-256color" in shown
    assert "no job control" not in shown  # the terminal is the shell's own


async def test_the_step_shares_the_job_and_not_the_agents_limits(
    desk: Desk, srun: FakeSrun
) -> None:
    _, window = await desk.open()
    await window.type("echo a-$((1+1))\n")
    await window.until("a-2")
    (call,) = srun.calls("srun")
    for option in ("--jobid=40", "--overlap", "--pty", "--propagate=NONE"):
        assert f"'{option}'" in call
    assert call.endswith("'/bin/bash', '-l']")


async def test_programs_get_every_signal_whoever_started_the_agent(
    desk: Desk,
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _, window = await desk.open()
        await window.type("grep SigIgn /proc/self/status; echo a-$((1+1))\n")
        shown = await window.until("a-2")
    finally:
        signal.signal(signal.SIGINT, before)
    ignored = int(shown.partition("SigIgn:\t")[2][:16], 16)
    # Those from 32 on are libc's own.
    assert ignored & 0x7FFFFFFF == 0


async def test_nothing_of_the_hubs_is_around_the_shell(desk: Desk) -> None:
    _, window = await desk.open()
    await window.type("echo found-$(env | grep -ci jupyterhub)-$((1+1))\n")
    assert "found-0-2" in await window.until("-2\r\n")


async def test_a_terminal_of_a_run_that_prepares_begins_in_its_folder(
    desk: Desk, srun: FakeSrun
) -> None:
    folder = srun.training(12, "41")
    (folder / "state.json").write_text('{"phase": "cloning"}')
    _, window = await desk.open(job="41", run="training/12")
    await window.type("echo [$(pwd)] in-$((1+1))\n")
    assert f"[{folder}] in-2" in await window.until("in-2")


async def test_a_terminal_of_a_run_is_where_its_command_is(
    desk: Desk, srun: FakeSrun
) -> None:
    """A real command of this machine's stands for the run's; it has no mounts."""
    folder = srun.training(12, "41")
    git = folder / "git"
    git.mkdir()
    command = await asyncio.create_subprocess_exec(
        "sleep",
        "60",
        env={"KQI_GIT": str(git), "KQI_OUTPUT": "/kqi/output", "A": "b c"},
    )
    told = {"phase": "running", "command_pid": command.pid}
    (folder / "state.json").write_text(json.dumps(told))
    _, window = await desk.open(job="41", run="training/12")
    await window.type("echo [$(pwd)] [$A] $KQI_OUTPUT $TERM-$((1+1))\n")
    shown = await window.until("xterm-256color-2")
    assert f"[{git}] [b c] /kqi/output" in shown
    command.kill()
    await command.wait()


async def test_an_array_task_has_a_terminal_too(desk: Desk, srun: FakeSrun) -> None:
    (srun.folder / "job-50_3").write_text("53|RUNNING|node1|1:00|sweep\n")
    found, window = await desk.open(job="50_3")
    await window.type("echo in-$SLURM_JOB_ID\n")
    await window.until("in-53")
    assert found["job"] == 53


async def test_the_window_can_be_resized(desk: Desk) -> None:
    _, window = await desk.open(columns=90, rows=30)
    await window.type("stty size\n")
    await window.until("30 90")
    await window.tell(columns=101, rows=41)
    await window.type("stty size\n")
    await window.until("41 101")


async def test_ctrl_c_ends_what_runs_and_not_the_shell(desk: Desk) -> None:
    _, window = await desk.open()
    await window.type("echo rea''dy; sleep 100\n")
    await window.until("ready")
    await asyncio.sleep(0.3)
    await window.interrupt_until("echo still-$((40+2))\n", "still-42")


async def test_the_end_of_the_shell_is_told_with_its_code(desk: Desk) -> None:
    found, window = await desk.open()
    await window.type("exit 7\n")
    await window.to_the_end()
    assert window.told == [{"ended": 7}]
    assert window.socket.close_code == 1000
    listed = json.loads((await desk.lab.get(LIST)).body)["terminals"]
    assert listed == []
    assert found["id"]


async def test_one_can_come_back_and_sees_what_was_there(desk: Desk) -> None:
    found, window = await desk.open()
    await window.type("echo one-$((1+0)); sleep 1; echo two-$((1+1))\n")
    await window.until("one-1")
    window.socket.close()
    await asyncio.sleep(1.5)  # it goes on while nobody looks
    again = await desk.look(await desk.asked(f"{LIST}/{found['id']}"))
    shown = await again.until("two-2")
    assert "one-1" in shown


async def test_a_second_window_takes_over_from_the_first(desk: Desk) -> None:
    found, first = await desk.open()
    await first.type("echo a-$((1+1))\n")
    await first.until("a-2")
    second = await desk.look(await desk.asked(f"{LIST}/{found['id']}"))
    await first.to_the_end()
    assert first.socket.close_code == 4001
    await second.type("echo b-$((1+2))\n")
    await second.until("b-3")


async def test_a_flood_waits_for_the_window_and_the_shell_lives(desk: Desk) -> None:
    found = await desk.asked(job="40")
    window = await desk.look(found, shows=False)
    await window.type("yes 0123456789012345678901234567890123456789\n")
    (one,) = desk.lab.agent.inside.terminals.all()
    arrived, quiet = 0, 0
    while quiet < (4 if arrived > 64 * 1024 else 60):
        try:
            message = await asyncio.wait_for(window.socket.read_message(), 0.5)
        except TimeoutError:
            quiet += 1
            continue
        assert message is not None
        arrived, quiet = arrived + len(message), 0
        assert arrived < 1024 * 1024
    assert arrived > 64 * 1024
    assert one.terminal._unsent_bytes <= 192 * 1024
    assert arrived < 1024 * 1024  # and no more until it says that it has shown it
    await window.tell(shown=arrived)
    window.shows = True
    await window.interrupt_until("echo out-$((6*7))\n", "out-42")


async def test_a_terminal_that_nobody_comes_back_to_is_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.lab.agent.inside.terminals._unwatched_s = 0.4
    _, window = await desk.open()
    await window.type("echo a-$((1+1))\n")
    await window.until("a-2")
    (one,) = desk.lab.agent.inside.terminals.all()
    window.socket.close()
    await asyncio.wait_for(one.terminal.ended.wait(), 10)
    assert not is_alive(one.terminal.pid)


async def test_closing_it_ends_the_shell(desk: Desk) -> None:
    found, window = await desk.open()
    await window.type("echo a-$((1+1))\n")
    await window.until("a-2")
    (one,) = desk.lab.agent.inside.terminals.all()
    answer = await desk.lab.get(f"{LIST}/{found['id']}", method="DELETE")
    assert answer.code == 204
    await window.to_the_end()
    assert not is_alive(one.terminal.pid)


async def test_what_a_shell_leaves_behind_does_not_keep_the_terminal(
    desk: Desk,
) -> None:
    _, window = await desk.open()
    await window.type("(trap '' HUP; while :; do echo x; sleep 0.2; done) & sleep 1\n")
    await window.until("x\r\n")
    await window.type("exit\nexit\n")
    await window.to_the_end()
    assert window.told and "ended" in window.told[0]


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"},
                                     {"Origin": "null"}])  # fmt: skip
async def test_a_ticket_works_for_a_page_of_this_site_only(
    desk: Desk, headers: dict[str, str]
) -> None:
    found = await desk.asked(job="40")
    protocol = {"Sec-WebSocket-Protocol": f"kqi.terminal, ticket.{found['ticket']}"}
    assert await desk.refused(found, **protocol, **headers) == 403


async def test_a_ticket_works_once_and_for_its_terminal(desk: Desk) -> None:
    found, other = await desk.asked(job="40"), await desk.asked(job="40")
    await desk.look(found)
    own = {"Origin": f"http://127.0.0.1:{desk.lab.port}"}
    for ticket in (found["ticket"], "x", ""):
        said = {"Sec-WebSocket-Protocol": f"kqi.terminal, ticket.{ticket}", **own}
        assert await desk.refused(found, **said) == 403
    swapped = {"Sec-WebSocket-Protocol": f"ticket.{other['ticket']}", **own}
    assert await desk.refused(found, **swapped) == 403
    assert await desk.refused(found, **own) == 403


async def test_an_old_ticket_opens_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminals, "_TICKET_S", -1.0)
    found = await desk.asked(job="40")
    said = {"Sec-WebSocket-Protocol": f"ticket.{found['ticket']}",
            "Origin": f"http://127.0.0.1:{desk.lab.port}"}  # fmt: skip
    assert await desk.refused(found, **said) == 403


@pytest.mark.parametrize("whose", ["bobs", "operators", "portals", "nobodys"])
async def test_nobody_else_opens_or_sees_a_terminal(desk: Desk, whose: str) -> None:
    found = await desk.asked(job="40")
    token = {"Authorization": f"Bearer {whose}"}
    assert await desk.refused(found, **token) == 403
    for method, path in (("POST", LIST), ("GET", LIST), ("POST", f"{LIST}/x"),
                         ("DELETE", f"{LIST}/x")):  # fmt: skip
        body = b"{}" if method == "POST" else None
        answer = await desk.lab.get(path, whose, method=method, body=body)
        assert answer.code == 403


async def test_a_cookie_alone_opens_none(desk: Desk) -> None:
    cookie = {"Cookie": f"kqi-agent={desk.lab.agent.logins.keep('alices')}"}
    answer = await desk.lab.send(LIST, {"job": "40"}, None, headers=cookie)
    assert error(answer) == (403, "needs-token")
    found = await desk.asked(job="40")
    own = {"Origin": f"http://127.0.0.1:{desk.lab.port}", **cookie}
    assert await desk.refused(found, **own) == 403


async def test_a_program_opens_it_with_the_token(desk: Desk) -> None:
    found = await desk.asked(job="40")
    request = HTTPRequest(
        f"ws://127.0.0.1:{desk.lab.port}{BASE}terminals/{found['id']}",
        headers={"Authorization": "Bearer alices"},
    )
    window = Window(await websocket_connect(request))
    desk.windows.append(window)
    await window.type("echo a-$((1+1))\n")
    await window.until("a-2")


async def test_a_revoked_token_closes_it_soon(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_routes, "_CHECK_TOKEN_S", 0.1)
    _, window = await desk.open()
    await window.type("echo a-$((1+1))\n")
    await window.until("a-2")
    del desk.lab.hub.tokens["alices"]
    await window.to_the_end()
    assert window.socket.close_code == 4003


@pytest.mark.parametrize(
    "message",
    ["", "x", "[]", "null", "7", '{"columns": 0}', '{"columns": "80"}', "[" * 5000,
     '{"columns": 80, "rows": 1000000}', '{"shown": "x"}'],
)  # fmt: skip
async def test_nonsense_closes_the_window_and_not_the_terminal(
    desk: Desk, message: str
) -> None:
    found, window = await desk.open()
    await window.socket.write_message(message)
    await window.to_the_end()
    assert window.socket.close_code == 1003
    again = await desk.look(await desk.asked(f"{LIST}/{found['id']}"))
    await again.type("echo a-$((1+1))\n")
    await again.until("a-2")


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", {"job": "0"}, {"job": "40; id"}, {"job": "--uid=0"},
     {"job": True}, {"job": ["40"]}, {"job": "40\n"}, {"job": "40,41"},
     {"job": "40", "columns": 1}, {"job": "40", "rows": "24"},
     {"job": "40", "run": "training"}, {"job": "40", "run": "../12"},
     {"job": "40", "run": "training/../../x"}, {"job": "40", "run": "secrets/1"},
     {"job": "40", "run": 12}],
)  # fmt: skip
async def test_hostile_wishes_start_nothing(
    lab: Lab, srun: FakeSrun, body: object
) -> None:
    assert error(await lab.send(LIST, body)) == (400, "invalid-input")
    assert srun.calls("srun") == []


async def test_other_jobs_are_refused(lab: Lab, srun: FakeSrun) -> None:
    srun.runs("44", state="PENDING")
    assert error(await lab.send(LIST, {"job": "99"})) == (404, "no-such-job")
    assert error(await lab.send(LIST, {"job": "44"})) == (409, "not-running")
    (srun.folder / "silent").touch()
    assert error(await lab.send(LIST, {"job": "45"})) == (503, "slurm-silent")


async def test_what_slurm_says_of_a_job_that_is_not_ones_own_is_shown(
    desk: Desk, srun: FakeSrun
) -> None:
    srun.is_foreign("40")
    _, window = await desk.open()
    await window.to_the_end()
    assert b"Access/permission denied" in window.seen
    assert window.told == [{"ended": 1}]


async def test_there_is_an_end_to_how_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminals, "MOST", 2)
    await desk.asked(job="40")
    await desk.asked(job="40")
    answer = await desk.lab.send(LIST, {"job": "40"})
    assert error(answer) == (429, "too-many-terminals")


async def test_no_srun_is_said(lab: Lab, srun: FakeSrun) -> None:
    (srun.folder / "srun").unlink()
    assert error(await lab.send(LIST, {"job": "40"})) == (503, "no-terminal")
