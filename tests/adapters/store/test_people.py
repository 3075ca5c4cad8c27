"""Two tenants, three people, real uids: who may read, write, link and delete what.

Alice is in both tenants, Bob in nlp, Carol in vision; the store is in none. What is
tried is tried as that uid, on the real file system.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def shop(able: None) -> Iterator[Store]:
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
        yield store


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


def does(store: Store, person: str, code: str, file: Path) -> bool:
    """Try something as a person; whether it went well."""
    uid = PEOPLE[person]
    own = store.base / "homes" / person / "own"
    program = (
        "import os, sys\n"
        f"f, own = {str(file)!r}, {str(own)!r}\n"
        "open(own, 'wb').write(b'mine')\n"
        f"try:\n    {code}\n"
        "except OSError as error:\n    sys.exit(str(error))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", program], user=uid, group=uid, check=False,
        extra_groups=GROUPS[uid], capture_output=True, text=True, umask=0o022,
    )  # fmt: skip
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode == 0


@pytest.mark.parametrize(("person", "tenant", "may"), TABLE)
def test_members_read_what_is_published_and_others_nothing(
    shop: Store, person: str, tenant: str, may: bool
) -> None:
    for file in published(shop, tenant):
        assert does(shop, person, "assert open(f).read()", file) is may
        assert does(shop, person, "os.listdir(os.path.dirname(f))", file) is may


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
def test_nobody_changes_what_is_published(
    shop: Store, person: str, tenant: str, change: str
) -> None:
    for file in published(shop, tenant):
        before = facts(file)
        assert not does(shop, person, CHANGES[change], file), change
        assert (file.read_bytes(), facts(file)) == (b"published", before)


@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
def test_a_hard_link_gives_nobody_a_way_to_write(
    shop: Store, person: str, tenant: str
) -> None:
    for file in published(shop, tenant):
        link = f"own + '.link-{tenant}-{file.parent.name}'"
        # The kernel's own setting may refuse the link itself.
        does(shop, person, f"os.link(f, {link})", file)
        assert not does(shop, person, f"os.close(os.open({link}, os.O_WRONLY))", file)
        assert not does(shop, person, f"os.chmod({link}, 0o666)", file)
        assert file.read_bytes() == b"published"
        assert file.stat().st_uid == STORE


@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
@pytest.mark.parametrize("folder", ["objects", "incoming", "building", "removing"])
def test_nobody_looks_into_what_is_not_published(
    shop: Store, person: str, tenant: str, folder: str
) -> None:
    path = shop.root / tenant / folder
    assert not does(shop, person, "os.listdir(f)", path)
    for inside in path.rglob("*"):
        assert not does(shop, person, "os.stat(f)", inside)
        assert not does(shop, person, "os.open(f, os.O_RDONLY)", inside)


@pytest.mark.parametrize("person", PEOPLE)
def test_nobody_makes_or_swaps_a_tenants_folder(shop: Store, person: str) -> None:
    assert not does(shop, person, "os.mkdir(f)", shop.root / "mine")
    assert not does(shop, person, "os.rename(f, own)", shop.root / "vision")
    assert not does(shop, person, "os.listdir(f)", shop.root)
    assert not does(shop, person, "os.rename(f, own)", shop.root)


def test_everything_is_the_stores_and_its_tenants(shop: Store) -> None:
    for tenant, group in (("vision", VISION), ("nlp", NLP)):
        for one in [shop.root / tenant, *(shop.root / tenant).rglob("*")]:
            seen = one.lstat()
            assert (seen.st_uid, seen.st_gid) == (STORE, group), one
            assert not seen.st_mode & 0o007, one


@pytest.mark.parametrize(("person", "tenant"), MEMBERS)
def test_only_the_portal_may_ask_the_store_to_do_something(
    shop: Store, person: str, tenant: str
) -> None:
    asked = f'{{"verb":"remove","tenant":"{tenant}","data":1}}\\n'
    code = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect(f); "
        f"s.sendall(b'{asked}'); assert b'not-permitted' in s.recv(1000)"
    )
    assert does(shop, person, code, shop.socket)
    assert (shop.root / tenant / "data/1/folder/file").exists()
