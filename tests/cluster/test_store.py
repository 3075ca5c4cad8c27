"""The data store in the embedded cluster: its way through the proxy, real accounts."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from kqi_hub.devstack import layout
from kqi_hub.domain.tickets import Ticket, signed
from tests.cluster.stack import Stack, run_as

KEY_FILE = Path("/etc/kqi/store.key")
ROOT = Path("/scratch/kqi-store")
# Far beyond what the portal will have counted to.
FIRST = 900_000_000
_ASK = """
import asyncio, sys
from pathlib import Path
from kqi_hub.domain.data_ports import Published
from kqi_hub.storage.store_client import SocketStore
store = SocketStore(Path("/run/kqi-store/store.sock"))
verb, tenant, key, data = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
asyncio.run(
    store.publish(tenant, key, data, Published(2, 10))
    if verb == "publish"
    else store.remove(tenant, data)
)
"""


@dataclass(frozen=True)
class Item:
    """A published item of a tenant's, made through the proxy."""

    tenant: str
    key: str
    id: int

    @property
    def file(self) -> Path:
        return ROOT / self.tenant / "data" / str(self.id) / "folder/a"


def ask(item: Item, verb: str, person: str = "kqi") -> str:
    """Ask the store as somebody; what went wrong, or nothing."""
    ran = run_as(
        person, "env", f"PYTHONPATH={layout.CODE}", str(layout.PYTHON), "-c", _ASK,
        verb, item.tenant, item.key, str(item.id),
    )  # fmt: skip
    return ran.stderr if ran.returncode else ""


@pytest.fixture(params=["vision", "nlp"])
def item(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Item]:
    """Send two files through the proxy and publish them as the portal would."""
    key = secrets.token_hex(8)
    made = Item(request.param, key, FIRST + secrets.randbelow(10**8))
    until = time.time() + 600
    ticket = Ticket(key, made.tenant, "alice", 2, 10, until)
    word = signed(ticket, KEY_FILE.read_bytes().strip())
    address = f"http://127.0.0.1:{stack.ports['proxy']}/services/store/uploads/{key}"
    with httpx2.Client(headers={"Authorization": f"Bearer {word}"}) as client:
        for path in ("folder/a", "b"):
            asked = {"path": path, "size": 5, "offset": 0}
            said = client.put(f"{address}/file", params=asked, content=b"hello")
            assert said.status_code == 200, said.text
    assert ask(made, "publish") == ""
    yield made
    assert ask(made, "remove") == ""


MEMBERS = {"vision": ("alice", "dave"), "nlp": ("alice", "bob")}


@pytest.mark.parametrize("person", ["alice", "bob", "dave", "kqi", "nobody"])
def test_members_read_and_nobody_writes_what_came_through_the_proxy(
    item: Item, person: str
) -> None:
    read = run_as(person, "cat", str(item.file))
    may = person in MEMBERS[item.tenant]
    assert (read.returncode == 0, read.stdout) == (may, "hello" if may else "")
    for command in (
        ("truncate", "-s", "0"), ("rm", "-f"), ("chmod", "a+w"), ("touch",),
        ("chown", person),
    ):  # fmt: skip
        assert run_as(person, *command, str(item.file)).returncode != 0
    assert item.file.read_bytes() == b"hello"


def test_nobody_but_the_portal_removes_an_item(item: Item) -> None:
    for person in ("alice", "bob", "nobody"):
        assert "may" in ask(item, "remove", person)
    assert item.file.exists()


def test_the_doctor_finds_the_store_well(stack: Stack) -> None:
    ran = run_as("kqi", "kqi-hub", "store", "check")
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count("ok  ") == 5


def test_a_store_that_is_held_fails_the_doctor_and_is_well_again(stack: Stack) -> None:
    stack.hold("store")
    ran = run_as("kqi", "kqi-hub", "store", "check")
    assert ran.returncode == 1
    assert "does not answer" in ran.stdout
    stack.release("store")
    stack.wait_ready("store")
    assert run_as("kqi", "kqi-hub", "store", "check").returncode == 0


def test_nobody_but_root_prepares_a_tenants_folder(stack: Stack) -> None:
    ran = run_as("kqi", "kqi-hub", "store", "prepare", "vision")
    assert ran.returncode == 3
    assert "Only root" in ran.stderr
