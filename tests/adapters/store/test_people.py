"""Two tenants, three people, real uids: who may read, write, link and delete what.

Alice is in both tenants, Bob in nlp, Carol in vision; the store is in none. What is
tried is tried as that uid, on the real file system.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adapters.store.running import (
    ALICE,
    BOB,
    CAROL,
    NLP,
    STORE,
    VISION,
    Store,
    a_store,
)

GROUPS = {ALICE: [VISION, NLP], BOB: [NLP], CAROL: [VISION]}
PEOPLE = {"alice": ALICE, "bob": BOB, "carol": CAROL}
MEMBERS = {
    ("alice", "vision"): True,
    ("alice", "nlp"): True,
    ("bob", "vision"): False,
    ("bob", "nlp"): True,
    ("carol", "vision"): True,
    ("carol", "nlp"): False,
}
TABLE = [(person, tenant, yes) for (person, tenant), yes in MEMBERS.items()]
CHANGES = {
    "write": "open(f, 'wb')",
    "append": "open(f, 'ab')",
    "read and write": "os.open(f, os.O_RDWR)",
    "truncate": "os.truncate(f, 0)",
    "chmod": "os.chmod(f, 0o666)",
    "chown": "os.chown(f, os.getuid(), -1)",
    "touch": "os.utime(f, (1, 1))",
    "mark": "os.setxattr(f, 'user.kqi', b'1')",
    "delete": "os.unlink(f)",
    "rename": "os.rename(f, f + '.old')",
    "replace": "os.rename(own, f)",
    "put beside": "open(f + '.new', 'wb')",
    "link beside": "os.symlink('/etc/passwd', f + '.link')",
    "make a folder": "os.mkdir(f + '.folder')",
    "swap the folder": "os.rename(os.path.dirname(f), own + '.folder')",
}


# What a person's process runs: a line tells what to try, with which file and which own.
TRIES = """
import json, os, sys
for line in sys.stdin:
    code, f, own = json.loads(line)
    open(own, 'wb').write(b'mine')
    try:
        exec(code, {"os": os, "f": f, "own": own})
    except OSError:
        print("refused", flush=True)
    else:
        print("done", flush=True)
"""


@pytest.fixture(scope="module")
def trying(able: None) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Return a process of each person that tries what it is told."""
    made = {
        name: subprocess.Popen(
            [sys.executable, "-I", "-c", TRIES],
            user=uid,
            group=uid,
            umask=0o022,
            extra_groups=GROUPS[uid],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, uid in PEOPLE.items()
    }
    yield made
    ends = {name: process.communicate() for name, process in made.items()}
    assert [process.returncode for process in made.values()] == [0, 0, 0], ends


@dataclass(frozen=True)
class Shop:
    """A store, and people who try things on its file system."""

    store: Store
    trying: dict[str, subprocess.Popen[str]]

    def does(self, person: str, code: str, file: Path) -> bool:
        """Try something as a person; whether it went well."""
        process = self.trying[person]
        assert process.stdin is not None
        assert process.stdout is not None
        own = self.store.base / "homes" / person / "own"
        process.stdin.write(json.dumps([code, str(file), str(own)]) + "\n")
        process.stdin.flush()
        said = process.stdout.readline()
        # Whatever else is raised ends the process: that is a fault of the test.
        assert said in {"done\n", "refused\n"}, f"{person}: {code}"
        return said == "done\n"


@pytest.fixture(scope="module")
def shop(trying: dict[str, subprocess.Popen[str]]) -> Iterator[Shop]:
    """Return a store whose tenants have an item, a tree and an upload each."""
    with a_store() as store:
        store.tenants = {"vision": VISION, "nlp": NLP}
        store.furnish()
        homes = store.base / "homes"
        homes.mkdir()
        for name, uid in PEOPLE.items():
            (homes / name).mkdir()
            os.chown(homes / name, uid, uid)
        store.start()
        for tenant in store.tenants:
            _fill(store, tenant)
        yield Shop(store, trying)


def _fill(store: Store, tenant: str) -> None:
    sender = store.sender(f"{tenant}-upload", tenant=tenant)
    sender.pack([("folder/file", b"published")])
    ask = {"tenant": tenant, "upload": sender.key, "data": 1, "files": 1, "bytes": 9}
    assert store.ask("publish", **ask) == {"files": 1, "bytes": 9}
    store.ask("tree", tenant=tenant, key="d" * 40, entries=[["training", 1]], meta={})
    sender = store.sender(f"{tenant}-open-upload", tenant=tenant)
    sender.pack([("secret", b"not yet")])


def published(store: Store, tenant: str) -> list[Path]:
    root = store.root / tenant
    return [
        root / "data/1/folder/file",
        root / "trees" / ("d" * 40) / "training/1/folder/file",
    ]


def facts(file: Path) -> tuple[object, ...]:
    """Return what a change would change."""
    seen = file.lstat()
    return (
        seen.st_mode, seen.st_uid, seen.st_gid, seen.st_size, seen.st_ino,
        seen.st_nlink, seen.st_mtime_ns, os.listxattr(file),
    )  # fmt: skip


@pytest.mark.parametrize(("person", "tenant", "may"), TABLE)
def test_members_read_what_is_published_and_others_nothing(
    shop: Shop, person: str, tenant: str, may: bool
) -> None:
    for file in published(shop.store, tenant):
        assert shop.does(person, "assert open(f).read()", file) is may
        assert shop.does(person, "os.listdir(os.path.dirname(f))", file) is may


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
def test_nobody_changes_what_is_published(
    shop: Shop, person: str, tenant: str, change: str
) -> None:
    for file in published(shop.store, tenant):
        before = facts(file)
        assert not shop.does(person, CHANGES[change], file), change
        assert (file.read_bytes(), facts(file)) == (b"published", before)


@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
def test_a_hard_link_gives_nobody_a_way_to_write(
    shop: Shop, person: str, tenant: str
) -> None:
    for file in published(shop.store, tenant):
        link = f"own + '.link-{tenant}-{file.parent.name}'"
        # The kernel's own setting may refuse the link itself.
        shop.does(person, f"os.link(f, {link})", file)
        assert not shop.does(person, f"os.close(os.open({link}, os.O_WRONLY))", file)
        assert not shop.does(person, f"os.chmod({link}, 0o666)", file)
        assert file.read_bytes() == b"published"
        assert file.stat().st_uid == STORE


@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
@pytest.mark.parametrize("folder", ["objects", "incoming", "building", "removing"])
def test_nobody_looks_into_what_is_not_published(
    shop: Shop, person: str, tenant: str, folder: str
) -> None:
    path = shop.store.root / tenant / folder
    assert not shop.does(person, "os.listdir(f)", path)
    for inside in path.rglob("*"):
        assert not shop.does(person, "os.stat(f)", inside)
        assert not shop.does(person, "os.open(f, os.O_RDONLY)", inside)


@pytest.mark.parametrize("person", PEOPLE)
def test_nobody_makes_or_swaps_a_tenants_folder(shop: Shop, person: str) -> None:
    assert not shop.does(person, "os.mkdir(f)", shop.store.root / "mine")
    assert not shop.does(person, "os.rename(f, own)", shop.store.root / "vision")
    assert not shop.does(person, "os.listdir(f)", shop.store.root)
    assert not shop.does(person, "os.rename(f, own)", shop.store.root)


def test_everything_is_the_stores_and_its_tenants(shop: Shop) -> None:
    for tenant, group in (("vision", VISION), ("nlp", NLP)):
        for one in [shop.store.root / tenant, *(shop.store.root / tenant).rglob("*")]:
            seen = one.lstat()
            assert (seen.st_uid, seen.st_gid) == (STORE, group), one
            assert not seen.st_mode & 0o007, one


@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
def test_only_the_portal_may_ask_the_store_to_do_something(
    shop: Shop, person: str, tenant: str
) -> None:
    asked = f'{{"verb":"remove","tenant":"{tenant}","data":1}}\\n'
    code = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect(f); "
        f"s.sendall(b'{asked}'); assert b'not-permitted' in s.recv(1000)"
    )
    assert shop.does(person, code, shop.store.socket)
    assert (shop.store.root / tenant / "data/1/folder/file").exists()
