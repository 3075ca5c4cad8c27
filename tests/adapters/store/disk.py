"""Uploads straight onto a store's disk, for tests of what becomes of them."""

import time
from collections.abc import Sequence

from kqi_hub.domain.data_ports import Published
from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.house import House

Files = Sequence[tuple[str, bytes]]


def told(done: int, of: int) -> None:
    """Hear how far it is."""
    assert done >= 0 <= of


def ticket(key: str = "upload-1", tenant: str = "vision", **most: int) -> Ticket:
    """Return what the portal allows."""
    until = time.time() + 60
    files, size = most.get("files", 10**6), most.get("bytes", 10**12)
    return Ticket(key, tenant, "alice", files, size, until)


def send(house: House, files: Files, key: str = "upload-1") -> None:
    """Send small files."""
    word = ticket(key)
    upload = house.uploads.take(word)
    try:
        upload.put(word, files)
    finally:
        house.uploads.leave(word)


def publish(
    house: House, files: Files, data_id: int, key: str = "upload-1"
) -> Published:
    """Send and publish."""
    send(house, files, key)
    announced = Published(len(files), sum(len(data) for _, data in files))
    return house.publish("vision", key, data_id, announced, told)


def settle(house: House) -> None:
    """Wait until everything that was removed is gone."""
    assert house.tenants.removal("vision").wait(20)
