"""Kill the store at random moments: what was told stays, all hashes are right."""

import hashlib
import os
import random
import signal
import threading
import time
from http.client import HTTPException

from tests.adapters.store.running import Sender, Store

ROUNDS = 6
LARGE = os.urandom(24_000_000)
SMALL = [(f"small/{n % 17}/{n}", os.urandom(n % 900)) for n in range(4000)]
_CUT = (OSError, HTTPException, ValueError)


def test_an_upload_ends_right_however_often_the_store_is_killed(
    own_store: Store,
) -> None:
    sender = own_store.sender()
    dice = random.Random(7)  # noqa: S311  moments, no secrets
    for _ in range(ROUNDS):
        _killed_meanwhile(own_store, dice, lambda: _send_all(sender))
    while not _try(lambda: _send_all(sender)):
        continue
    files, size = len(SMALL) + 1, len(LARGE) + sum(len(one) for _, one in SMALL)
    for _ in range(ROUNDS):
        _killed_meanwhile(
            own_store, dice, lambda: own_store.publish(sender.key, 1, files, size)
        )
    said = own_store.publish(sender.key, 1, files, size)
    assert said == {"files": files, "bytes": size}
    _check_item(own_store)
    _check_no_strays(own_store)


def test_a_tree_and_a_removal_end_right_however_often_the_store_is_killed(
    own_store: Store,
) -> None:
    sender = own_store.sender()
    sender.pack(SMALL)
    size = sum(len(one) for _, one in SMALL)
    own_store.publish(sender.key, 1, len(SMALL), size)
    dice = random.Random(8)  # noqa: S311  moments, no secrets
    asked = {
        "tenant": "vision", "key": "b" * 40, "meta": {},
        "entries": [["training", 1], ["testing", 1]],
    }  # fmt: skip
    for _ in range(ROUNDS):
        _killed_meanwhile(own_store, dice, lambda: own_store.ask("tree", **asked))
    said = own_store.ask("tree", **asked)
    assert (said["files"], said["bytes"]) == (2 * len(SMALL), 2 * size)
    for _ in range(3):
        _killed_meanwhile(own_store, dice, lambda: _remove_all(own_store, sender.key))
    _remove_all(own_store, sender.key)
    place = own_store.root / "vision"
    deadline = time.monotonic() + 20
    while any(place.glob("objects/*/*")) and time.monotonic() < deadline:
        own_store.wait_until_empty(place / "removing")
        _sweep(own_store)
    left = [one.name for one in place.rglob("*") if one.is_file()]
    assert left == [f"{sender.key}.gone"]


def _remove_all(store: Store, key: str) -> None:
    store.ask("drop_tree", tenant="vision", key="b" * 40)
    store.ask("remove", tenant="vision", data=1)
    store.ask("drop", tenant="vision", upload=key)


def _sweep(store: Store) -> None:
    store.ask(
        "sweep", tenant="vision", uploads=[], data=[], trees=[], remove=True,
        older_than_s=0,
    )  # fmt: skip


def _killed_meanwhile(store: Store, dice: random.Random, work: object) -> None:
    """Begin some work and kill the store a little later, at a random moment."""
    assert callable(work)
    thread = threading.Thread(target=_try, args=(work,))
    thread.start()
    time.sleep(dice.uniform(0.0, 0.6))
    store.stop(signal.SIGKILL)
    thread.join()
    store.start()


def _try(work: object) -> bool:
    assert callable(work)
    try:
        work()
    except _CUT:
        return False
    return True


def _send_all(sender: Sender) -> None:
    """Send what lacks, as a client does: ask what is known, send the rest."""
    done = {
        one["path"]
        for first in range(0, len(SMALL), 2000)
        for one in sender.known(
            [(path, len(data)) for path, data in SMALL[first : first + 2000]]
        )
        if one["done"]
    }
    rest = [one for one in SMALL if one[0] not in done]
    for first in range(0, len(rest), 300):
        status, said = sender.pack(rest[first : first + 300])
        assert status == 200, said
    known = sender.known([("large", len(LARGE))])
    offset = known[0]["offset"] if known else 0
    if known and known[0]["done"]:
        return
    status, said = sender.put("large", LARGE[offset:], len(LARGE), offset)
    assert (status, said["done"]) == (200, True)


def _check_item(store: Store) -> None:
    item = store.root / "vision/data/1"
    found = {str(one.relative_to(item)) for one in item.rglob("*") if one.is_file()}
    assert found == {path for path, _ in SMALL} | {"large"}
    for path, data in [*SMALL, ("large", LARGE)]:
        assert (item / path).read_bytes() == data
    after, listed = "", []
    while page := store.ask(
        "uploaded", tenant="vision", upload="upload-1", after=after
    ):
        listed += page
        after = page[-1][0]
    wanted = {path: hashlib.sha256(data).hexdigest() for path, data in SMALL}
    wanted["large"] = hashlib.sha256(LARGE).hexdigest()
    assert {path: sha256 for path, _, sha256 in listed} == wanted


def _check_no_strays(store: Store) -> None:
    """Every content has its right name, and the sweep tells of all that is left."""
    store.ask("drop", tenant="vision", upload="upload-1")
    place = store.root / "vision"
    store.wait_until_empty(place / "removing")
    said = store.ask(
        "sweep", tenant="vision", uploads=[], data=[1], trees=[], older_than_s=0
    )
    strays = {one["name"] for one in said["strays"] if one["kind"] == "content"}
    for one in place.glob("objects/*/*"):
        assert hashlib.sha256(one.read_bytes()).hexdigest() == one.name
        assert (one.stat().st_nlink == 1) == (one.name in strays)
    # What was being built is removed beside, and its contents after it.
    deadline = time.monotonic() + 20
    while any(one.stat().st_nlink == 1 for one in place.glob("objects/*/*")):
        assert time.monotonic() < deadline, "the sweep leaves contents of nobody's"
        _sweep(store)
        time.sleep(0.2)
