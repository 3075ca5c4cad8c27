"""Ports of one's own runs: real programs, real sockets; squeue and srun stand in."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from kqi_hub.agent.inside import bridge, bridges
from kqi_hub.agent.inside.listeners import Listener
from tests.adapters.agent.conftest import BASE, Lab
from tests.adapters.agent.stand_in_jobs import FakeSrun, is_alive

ROOM = "".join(chr(65 + at % 26) for at in range(3_000_000)).encode()


class _Echo(RequestHandler):
    def _said(self) -> None:
        self.set_cookie("theirs", "1")
        self.add_header("Set-Cookie", "kqi-agent=stolen; Path=/")
        self.add_header("Set-Cookie", "wide=1; Domain=example.org; Path=/")
        self.set_header("Service-Worker-Allowed", "/")
        self.set_header("Clear-Site-Data", '"*"')
        self.set_header("X-Own", "yes")
        about = {
            "method": self.request.method, "uri": self.request.uri,
            "headers": sorted(self.request.headers.get_all()),
            "body": len(self.request.body),
        }  # fmt: skip
        self.write(json.dumps(about))

    get = post = put = delete = patch = options = _said


class _Away(RequestHandler):
    def get(self) -> None:
        self.redirect(self.get_argument("to"))


class _Large(RequestHandler):
    async def get(self) -> None:
        for at in range(0, len(ROOM), 100_000):
            self.write(ROOM[at : at + 100_000])
            await self.flush()


class _Socket(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        if message == "headers":
            await self.write_message(json.dumps(dict(self.request.headers)))
        elif message == "bye":
            self.close(4321, "as you wish")
        else:
            await self.write_message(message, isinstance(message, bytes))

    def check_origin(self, origin: str) -> bool:
        return origin.partition("://")[2] == self.request.host


class Program:
    """A program of the person's on a port of 127.0.0.1."""

    def __init__(self) -> None:
        app = Application(
            [("/away", _Away), ("/large", _Large), ("/ws", _Socket), (".*", _Echo)],
            log_function=lambda handler: None,
        )
        self.server = HTTPServer(app, max_body_size=10**9)
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)


@pytest.fixture
def srun(lab: Lab) -> FakeSrun:
    return FakeSrun(lab.slurm.folder, lab.folder)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    found = Program()
    yield found
    found.server.stop()
    await found.server.close_all_connections()


@pytest.fixture
async def way(lab: Lab, srun: FakeSrun, program: Program) -> str:
    srun.training(12, "40", (program.port,))
    return f"proxy/40/{program.port}/"


async def said(lab: Lab, path: str, **more: Any) -> dict[str, Any]:
    answer = await lab.get(path, **more)
    assert answer.code == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_a_page_of_a_program_is_fetched(
    lab: Lab, way: str, srun: FakeSrun
) -> None:
    found = await said(lab, f"{way}a%2Fb/c?x=%20y&x=2")
    assert (found["method"], found["uri"]) == ("GET", "/a%2Fb/c?x=%20y&x=2")
    for _ in range(5):
        await said(lab, way)
    assert len(srun.calls("squeue")) == 1  # asked once, remembered
    assert len(srun.calls("srun")) == 1  # one step, however many connections


async def test_an_absolute_address_is_given_on_whole(
    lab: Lab, way: str, program: Program
) -> None:
    path = f"proxy/absolute/40/{program.port}/deep/er?q=1"
    assert (await said(lab, path))["uri"] == f"{BASE}{path}"


async def test_what_opens_the_portal_is_not_shown_to_the_program(
    lab: Lab, way: str
) -> None:
    cookies = "jupyterhub-session-id=s; mine=1; kqi-agent=k; _xsrf=x; kqi-portal=p"
    found = await said(
        lab, way,
        headers={"Cookie": cookies, "X-XSRFToken": "t", "X-Forwarded-For": "8.8.8.8",
                 "Connection": "keep-alive, X-Secret", "X-Secret": "1"},
    )  # fmt: skip
    headers = dict(found["headers"])
    assert headers["Cookie"] == "mine=1"
    names = {name.lower() for name in headers}
    assert not names & {"authorization", "x-xsrftoken", "x-forwarded-for", "x-secret"}
    assert headers["X-Forwarded-Prefix"] == f"{BASE}{way}".rstrip("/")


async def test_what_a_program_says_reaches_no_further_than_its_addresses(
    lab: Lab, way: str
) -> None:
    answer = await lab.get(way)
    assert answer.headers["X-Own"] == "yes"
    assert "Service-Worker-Allowed" not in answer.headers
    assert "Clear-Site-Data" not in answer.headers
    cookies = answer.headers.get_list("Set-Cookie")
    assert len(cookies) == 2
    assert all(f"Path={BASE}{way}" in one for one in cookies)
    assert not any("kqi-agent" in one or "Domain" in one for one in cookies)


@pytest.mark.parametrize(
    ("to", "leads"),
    [("/there?a=1#b", "WAYthere?a=1#b"), ("near", "near"), ("//evil/x", "//evil/x"),
     ("https://example.org/x", "https://example.org/x"),
     ("http://HOST/x", "WAYx")],
)  # fmt: skip
async def test_a_redirect_stays_within_the_program(
    lab: Lab, way: str, to: str, leads: str
) -> None:
    host = f"127.0.0.1:{lab.port}"
    asked = to.replace("HOST", host).replace("#", "%23").replace("&", "%26")
    answer = await lab.get(f"{way}away?to={asked}")
    assert answer.headers["Location"] == leads.replace("WAY", f"{BASE}{way}")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_large_body_goes_through(lab: Lab, way: str, method: str) -> None:
    found = await said(lab, way, method=method, body=ROOM)
    assert (found["method"], found["body"]) == (method, len(ROOM))


async def test_a_large_answer_comes_through_whole(lab: Lab, way: str) -> None:
    answers = await asyncio.gather(*(lab.get(f"{way}large") for _ in range(4)))
    assert all(one.body == ROOM for one in answers)


async def test_without_the_slash_one_is_led_to_it(lab: Lab, way: str) -> None:
    answer = await lab.get(f"{way.rstrip('/')}?q=1")
    assert (answer.code, answer.headers["Location"]) == (302, f"{BASE}{way}?q=1")


async def connected(lab: Lab, path: str, **headers: str) -> Any:
    url = f"ws://127.0.0.1:{lab.port}{BASE}{path}"
    return await websocket_connect(HTTPRequest(url, headers=headers))


async def test_a_websocket_goes_through_both_ways(lab: Lab, way: str) -> None:
    socket = await connected(lab, f"{way}ws", Authorization="Bearer alices")
    await socket.write_message("headers")
    headers = json.loads(await socket.read_message())
    assert "Authorization" not in headers
    await socket.write_message(ROOM[:500_000], binary=True)
    assert await socket.read_message() == ROOM[:500_000]
    await socket.write_message("bye")
    assert await socket.read_message() is None
    assert (socket.close_code, socket.close_reason) == (4321, "as you wish")
    socket.close()


@pytest.mark.parametrize(
    ("origin", "code"),
    [("https://evil.example", 403), ("null", 403), (None, 403), ("OWN", 101)],
)
async def test_a_cookie_opens_a_websocket_for_this_sites_pages_only(
    lab: Lab, way: str, origin: str | None, code: int
) -> None:
    cookie = f"kqi-agent={lab.agent.logins.keep('alices')}"
    headers = {"Cookie": cookie}
    if origin is not None:
        headers["Origin"] = origin.replace("OWN", f"http://127.0.0.1:{lab.port}")
    if code == 101:
        socket = await connected(lab, f"{way}ws", **headers)
        await socket.write_message("hello")
        assert await socket.read_message() == "hello"
        socket.close()
        return
    headers |= {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert (await lab.get(f"{way}ws", None, headers=headers)).code == code


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_sites_page_gets_nothing_with_the_cookie(
    lab: Lab, way: str, method: str
) -> None:
    cookie = f"kqi-agent={lab.agent.logins.keep('alices')}"
    body = b"x" if method == "POST" else None
    for more in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await lab.get(
            way, None, method=method, body=body, headers={"Cookie": cookie, **more}
        )
        assert answer.code == 403, more
        assert json.loads(answer.body)["error"] == "other-site"


@pytest.mark.parametrize("whose", ["bobs", "operators", "portals", "alices-other"])
async def test_nobody_else_is_led_there(lab: Lab, way: str, whose: str) -> None:
    assert (await lab.get(way, whose)).code == 403


async def test_a_browser_without_a_login_is_sent_to_it(lab: Lab, way: str) -> None:
    answer = await lab.get(way, None, headers={"Accept": "text/html"})
    assert answer.code == 302
    assert answer.headers["Location"].startswith("/hub/api/oauth2/authorize?")


async def refusal(lab: Lab, path: str) -> tuple[int, str]:
    answer = await lab.get(path)
    return answer.code, json.loads(answer.body)["error"]


async def test_a_port_that_was_not_announced_is_refused(
    lab: Lab, srun: FakeSrun, program: Program
) -> None:
    srun.training(13, "41", (program.port + 1,))
    srun.runs("42")  # a job that is no run
    for job in ("41", "42"):
        path = f"proxy/{job}/{program.port}/"
        assert await refusal(lab, path) == (403, "not-announced")
    assert srun.calls("srun") == []


async def test_an_order_of_another_job_announces_nothing(
    lab: Lab, srun: FakeSrun, program: Program
) -> None:
    srun.training(12, "40", (program.port,))
    srun.runs("43", f"training-12-{'b' * 26}")
    assert (await refusal(lab, f"proxy/43/{program.port}/"))[1] == "not-announced"


@pytest.mark.parametrize(
    "order",
    [b"", b"[]", b"{", b'{"run": []}', b'{"run": {"ports": "8080"}}', b"[" * 90_000,
     b'{"run": {"job_name": "training-12-abcdefghijklmnopqrstuvwxyz", '
     b'"ports": [true, "8080", 1.5, -1, 0, 65536, null]}}', b" " * 300_000],
)  # fmt: skip
async def test_an_order_that_makes_no_sense_announces_nothing(
    lab: Lab, srun: FakeSrun, order: bytes
) -> None:
    folder = srun.training(12, "40", (8080,))
    (folder / "order.json").write_bytes(order)
    assert await refusal(lab, "proxy/40/8080/") == (403, "not-announced")
    assert await refusal(lab, "proxy/40/1/") == (403, "not-announced")


@pytest.mark.parametrize("kind", ["link", "fifo"])
async def test_an_order_that_is_no_file_is_not_opened(
    lab: Lab, srun: FakeSrun, kind: str
) -> None:
    order = srun.training(12, "40", (8080,)) / "order.json"
    text = order.read_text()
    order.unlink()
    if kind == "fifo":
        os.mkfifo(order)
    else:
        (lab.folder / "elsewhere").write_text(text)
        order.symlink_to(lab.folder / "elsewhere")
    assert (await refusal(lab, "proxy/40/8080/"))[0] == 403


@pytest.mark.parametrize(
    ("path", "code"),
    [("proxy/0/80/", 404), ("proxy/x/80/", 404), ("proxy/40;id/80/", 404),
     ("proxy/--jobs=1/80/", 404), ("proxy/40%0a/80/", 404), ("proxy/40,41/80/", 404),
     ("proxy/40/0/", 404), ("proxy/40/65536/", 404), ("proxy/40/80.1/", 404),
     ("proxy/40/-1/", 404), ("proxy/40/8%0d%0a/", 404), ("proxy/99/80/", 404),
     ("proxy/%D9%A4/80/", 404), ("proxy/absolute/40/x/", 404)],
)  # fmt: skip
async def test_hostile_addresses_lead_nowhere(
    lab: Lab, srun: FakeSrun, path: str, code: int
) -> None:
    srun.training(12, "40", (80,))
    answer = await lab.get(path)
    assert answer.code == code
    assert srun.calls("srun") == []


async def test_a_job_that_does_not_run_is_refused(lab: Lab, srun: FakeSrun) -> None:
    srun.runs("40", state="PENDING")
    assert await refusal(lab, "proxy/40/80/") == (409, "not-running")


async def test_slurm_decides_whose_a_job_is(lab: Lab, srun: FakeSrun, way: str) -> None:
    srun.is_foreign("40")
    answer = await lab.get(way)
    assert (answer.code, json.loads(answer.body)["error"]) == (403, "not-yours")


async def test_a_silent_slurm_is_said(lab: Lab, srun: FakeSrun, way: str) -> None:
    (srun.folder / "silent").touch()
    assert await refusal(lab, way) == (503, "slurm-silent")


async def test_a_port_that_nobody_listens_on_is_said(lab: Lab, srun: FakeSrun) -> None:
    sock, port = bind_unused_port()
    sock.close()
    srun.training(14, "44", (port,))
    answer = await lab.get(f"proxy/44/{port}/")
    assert answer.code == 502
    assert f"Nothing listens on port {port}" in json.loads(answer.body)["message"]


async def test_somebody_elses_program_on_the_port_is_not_shown(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user cannot be had without a cluster: the kernel's word is changed."""
    theirs = (Listener("127.0.0.1", 0), Listener("127.0.0.1", 54321))
    monkeypatch.setattr(bridge, "listeners", lambda port: theirs)
    with pytest.raises(bridge.NoWay, match="is not yours"):
        await bridge.connect(json.dumps({"port": program.port}).encode())


async def test_a_program_that_is_replaced_while_it_is_connected_to_is_not_shown(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = Listener("127.0.0.1", os.geteuid()), Listener("127.0.0.1", 54321)
    answers = iter([(own,), (own,), (other,)])
    monkeypatch.setattr(bridge, "listeners", lambda port: next(answers))
    with pytest.raises(bridge.NoWay, match="is not yours"):
        await bridge.connect(json.dumps({"port": program.port}).encode())


async def raw(lab: Lab, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
    writer.write(text)
    with suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(65536), 10)
    writer.close()
    return answer


SMUGGLED = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"POST %s HTTP/1.1\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n",
         SMUGGLED),
        (b"POST %s HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 30\r\n", SMUGGLED),
        (b"POST %s HTTP/1.1\r\nContent-Length: +3\r\n", SMUGGLED),
        (b"POST %s HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n", SMUGGLED),
        (b"DELETE %s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", SMUGGLED),
        (b"GET %sa b HTTP/1.1\r\n", b""),
        (b"GET %s HTTP/1.1\r\nX-A: b\r\n Host: c\r\nX\x00: 1\r\n", b""),
    ],
)  # fmt: skip
async def test_requests_of_two_meanings_are_refused(
    lab: Lab, way: str, head: bytes, body: bytes
) -> None:
    start = head.replace(b"%s", f"{BASE}{way}".encode())
    more = b"Host: h\r\nAuthorization: Bearer alices\r\nConnection: close\r\n\r\n"
    answer = await raw(lab, start + more + body)
    assert b"smuggled" not in answer
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"411")


async def test_a_length_that_connection_names_is_not_dropped(
    lab: Lab, way: str
) -> None:
    start = f"POST {BASE}{way} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer alices\r\n"
    body = b"GET /smuggled HTTP/1.1\r\n\r\n"
    head = (
        f"{start}Connection: close, content-length\r\nContent-Length: {len(body)}\r\n"
    )
    answer = await raw(lab, head.encode() + b"\r\n" + body)
    assert b'"body": 26' in answer
    assert b'"uri": "/smuggled"' not in answer


async def raw_program(answer: bytes) -> tuple[asyncio.Server, int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"", 502), (b"nonsense\r\n\r\n", 502),
     (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200),
     (b"HTTP/1.0 200 OK\r\n\r\nok", 200),
     (b"HTTP/1.1 204 No\r\n\r\n", 204), (b"HTTP/1.1 304 No\r\nEtag: 1\r\n\r\n", 304),
     (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", 599),
     (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 599),
     (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk", 599),
     (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", 502)],
)  # fmt: skip
async def test_odd_and_broken_answers_are_told_from_whole_ones(
    lab: Lab, srun: FakeSrun, answer: bytes, code: int
) -> None:
    server, port = await raw_program(answer)
    srun.training(15, "45", (port,))
    if code == 599:  # it breaks for the browser as it broke for us
        with pytest.raises(HTTPStreamClosedError):
            await lab.get(f"proxy/45/{port}/")
    else:
        got = await lab.get(f"proxy/45/{port}/")
        assert got.code == code, got.body
        assert code != 200 or got.body == b"ok"
    server.close()


async def test_events_arrive_as_they_are_sent(lab: Lab, srun: FakeSrun) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        writer.write(head + b"data: 1\n\n")
        await reader.read()
        writer.close()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    srun.training(16, "46", (port,))
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
    writer.write(
        f"GET {BASE}proxy/46/{port}/ HTTP/1.1\r\nHost: h\r\n"
        "Authorization: Bearer alices\r\n\r\n".encode()
    )
    await asyncio.wait_for(reader.readuntil(b"data: 1\n\n"), 10)
    writer.close()
    await asyncio.wait_for(gone.wait(), 10)  # who leaves, is let go of there too
    server.close()


async def test_a_way_that_nobody_uses_is_closed_and_opened_again(
    lab: Lab, way: str, srun: FakeSrun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridges, "_UNUSED_S", 0.2)
    monkeypatch.setattr(bridges, "_LOOK_S", 0.1)
    await said(lab, way)
    pid = only_bridge(lab)
    await until(lambda: not is_alive(pid))
    await said(lab, way)
    assert len(srun.calls("srun")) == 2


async def test_a_way_that_breaks_with_its_job_is_not_kept(
    lab: Lab, way: str, srun: FakeSrun
) -> None:
    await said(lab, way)
    pid = only_bridge(lab)
    srun.ends("40")
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not lab.agent.inside.bridges._open)
    assert await refusal(lab, way) == (404, "no-such-job")


def only_bridge(lab: Lab) -> int:
    (found,) = lab.agent.inside.bridges._open.values()
    return found.process.pid


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to be")


async def test_the_client_does_not_wait_for_a_reader_who_is_slow(
    lab: Lab, way: str
) -> None:
    slow_reader, slow = await asyncio.open_connection("127.0.0.1", lab.port)
    slow.write(
        f"GET {BASE}{way}large HTTP/1.1\r\nHost: h\r\n"
        "Authorization: Bearer alices\r\n\r\n".encode()
    )
    await slow_reader.readexactly(1)  # and reads no more
    for _ in range(3):
        answer = await AsyncHTTPClient().fetch(
            f"{lab.url}{way}large", headers={"Authorization": "Bearer alices"},
            request_timeout=15,
        )  # fmt: skip
        assert answer.body == ROOM
    slow.close()
