"""kqi_hub.face.peer over connections and processes that are really there."""

import os
import socket
import subprocess
from collections.abc import Callable

import pytest

from kqi_hub.face import peer
from kqi_hub.face.peer import asker_address, owner_of
from tests.fakes.connection import connection
from tests.fakes.hub_request import FakeHandler

ME = os.geteuid()
NOBODY = 65534
FORWARDED = {"X-Forwarded-For": "198.51.100.7"}
# Connects, says so, and keeps the connection until its standard input ends.
STRANGER = """\
import socket, sys
door = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sys.stdin.read()
"""
as_root = pytest.mark.skipif(ME != 0, reason="only root can be somebody else")

Ways = Callable[[peer.Address, peer.Address], tuple[int, int] | None]


@pytest.mark.parametrize("way", [peer._asked_of_kernel, peer._read_in_table])
def test_both_ways_tell_who_holds_an_end(way: Ways) -> None:
    with connection() as (here, there):
        found = way(there.getsockname(), here.getsockname())
        assert found == (ME, os.fstat(there.fileno()).st_ino)


@pytest.mark.parametrize("way", [peer._asked_of_kernel, peer._read_in_table])
def test_both_ways_know_nothing_of_a_connection_that_is_not_there(way: Ways) -> None:
    with connection() as (here, _):
        assert way(("127.0.0.1", 1), here.getsockname()) is None


def test_an_end_that_was_closed_is_nobodys() -> None:
    with connection() as (here, there):
        end = there.getsockname()
        there.close()
        assert owner_of(end, here.getsockname()) is None


def test_a_kernel_without_the_quick_answer_is_read_at_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer, "_SOCK_DIAG", 30)  # a protocol that no kernel has
    with connection() as (here, there):
        assert peer._asked_of_kernel(there.getsockname(), here.getsockname()) is None
        assert owner_of(there.getsockname(), here.getsockname()) == ME


def test_what_our_own_proxy_says_is_believed() -> None:
    with connection() as (here, _):
        handler = FakeHandler(headers=FORWARDED, here=here)
        assert asker_address(handler.request, ()) == "198.51.100.7"


def test_what_is_said_over_a_connection_that_was_closed_is_not_believed() -> None:
    handler = FakeHandler(headers=FORWARDED)
    assert asker_address(handler.request, ()) == "127.0.0.1"


@as_root
def test_what_somebody_else_of_this_machine_says_is_not_believed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        words = ["/usr/bin/python3", "-c", STRANGER, str(door.getsockname()[1])]
        with subprocess.Popen(
            words, user=NOBODY, group=NOBODY, cwd="/", stdin=subprocess.PIPE
        ) as stranger:
            here, end = door.accept()
            with here:
                handler = FakeHandler(headers=FORWARDED, here=here)
                assert owner_of(end, here.getsockname()) == NOBODY
                assert asker_address(handler.request, ()) == "127.0.0.1"
            stranger.communicate(b"", timeout=20)
    assert stranger.returncode == 0
