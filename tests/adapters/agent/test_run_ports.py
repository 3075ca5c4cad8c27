"""Ports of one's own runs: real programs, real sockets; squeue and srun stand in."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from kqi_hub.agent.inside import bridges
from tests.adapters.agent.conftest import BASE, Lab
from tests.adapters.agent.programs import ROOM, Program
from tests.adapters.agent.stand_in_jobs import FakeSrun, is_alive


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
    assert await lab.refusal(way) == (404, "no-such-job")


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
