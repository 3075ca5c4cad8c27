"""Where the file system can, files given by reference cost no room: real XFS."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.store.disks import MIB, small_disk
from tests.adapters.store.running import Store, a_store
from tests.adapters.store.test_offers import UID, offer, one


@pytest.fixture
def sharing(able: None) -> Iterator[Store]:
    """Return a store on a file system where files can share their blocks."""
    with small_disk("xfs") as folder, a_store(folder) as store:
        store.start()
        yield store


def used(folder: Path) -> int:
    seen = os.statvfs(folder)
    return (seen.f_blocks - seen.f_bfree) * seen.f_frsize


def test_a_large_file_is_cloned_and_takes_no_room(sharing: Store) -> None:
    home = sharing.base / "home"
    home.mkdir(mode=0o700)
    mine, data = home / "large", os.urandom(48 * MIB)
    mine.write_bytes(data)
    for path in (home, mine):
        os.chown(path, UID, UID)
    os.sync()
    before = used(sharing.base)
    [_, taken] = offer(sharing, "upload-1", [one(mine, "large")])
    assert taken["ok"]["how"] == {"reflink": 1, "copy": 0}
    sharing.publish("upload-1", 1, 1, len(data))
    os.sync()
    assert used(sharing.base) - before < 4 * MIB

    mine.write_bytes(b"changed")
    kept = sharing.root / "vision/data/1/large"
    assert hashlib.sha256(kept.read_bytes()).digest() == hashlib.sha256(data).digest()
    assert kept.stat().st_uid != UID
