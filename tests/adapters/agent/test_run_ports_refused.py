"""Ports of runs: what is refused, and requests and answers of two meanings."""

import asyncio
import json
import os
from contextlib import suppress

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError
from tornado.testing import bind_unused_port

from kqi_hub.agent.inside import bridge
from kqi_hub.agent.inside.listeners import Listener
from tests.adapters.agent.conftest import BASE, Lab
from tests.adapters.agent.programs import Program
from tests.adapters.agent.stand_in_jobs import FakeSrun


async def test_a_port_that_was_not_announced_is_refused(
    lab: Lab, srun: FakeSrun, program: Program
) -> None:
    srun.training(13, "41", (program.port + 1,))
    srun.runs("42")  # a job that is no run
    for job in ("41", "42"):
        path = f"proxy/{job}/{program.port}/"
        assert await lab.refusal(path) == (403, "not-announced")
    assert srun.calls("srun") == []


async def test_an_order_of_another_job_announces_nothing(
    lab: Lab, srun: FakeSrun, program: Program
) -> None:
    srun.training(12, "40", (program.port,))
    srun.runs("43", f"training-12-{'b' * 26}")
    assert (await lab.refusal(f"proxy/43/{program.port}/"))[1] == "not-announced"


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
    assert await lab.refusal("proxy/40/8080/") == (403, "not-announced")
    assert await lab.refusal("proxy/40/1/") == (403, "not-announced")


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
    assert (await lab.refusal("proxy/40/8080/"))[0] == 403


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
    assert await lab.refusal("proxy/40/80/") == (409, "not-running")


async def test_slurm_decides_whose_a_job_is(lab: Lab, srun: FakeSrun, way: str) -> None:
    srun.is_foreign("40")
    answer = await lab.get(way)
    assert (answer.code, json.loads(answer.body)["error"]) == (403, "not-yours")


async def test_a_silent_slurm_is_said(lab: Lab, srun: FakeSrun, way: str) -> None:
    (srun.folder / "silent").touch()
    assert await lab.refusal(way) == (503, "slurm-silent")


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
