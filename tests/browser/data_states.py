"""Data and datasets as people leave them, for the pages that show them."""

import hashlib
from collections.abc import Mapping, Sequence

from kqi_hub.domain.data import (
    DataItem,
    DataState,
    Kind,
    Origin,
    Placed,
    StoredFile,
    Thing,
)
from kqi_hub.domain.datasets import NewDataset
from tests.fakes.site import FakeSite

NOW = 1_795_000_000.0
DAY = 86_400
FOLDER = {"train/cat.png": 120_000, "train/dog.png": 98_000, "notes.txt": 1_200}
HOSTILE = (
    "<script>alert('name')</script>",
    "\u202etxt.exe \u202dright to left",
    "x" * 200,
    "猫の写真・第一回撮影分・屋外・曇り",
)


def keep(
    site: FakeSite,
    name: str,
    files: Mapping[str, int] = FOLDER,
    tags: Sequence[str] = (),
    **about: object,
) -> DataItem:
    """Add a data item of mia's with its files."""
    book = site.data.lab.book
    book.last_id += 1
    number = book.last_id
    stored = [
        StoredFile(path, size, hashlib.sha256(f"{path}{size}".encode()).hexdigest())
        for path, size in files.items()
    ]
    values: dict[str, object] = {
        "id": number,
        "tenant": "vision",
        "name": name,
        "memo": "",
        "tags": tuple(tags),
        "state": DataState.READY,
        "origin": Origin.UPLOAD,
        "files": len(stored),
        "bytes": sum(one.size for one in stored),
        "version": 1,
        "created_by": "mia",
        "created_at": NOW - number * DAY,
        "changed_at": NOW - number * DAY,
    }
    item = DataItem(**{**values, **about})  # type: ignore[arg-type]  # as above
    book.items[number] = item
    book.rows[number] = {one.path: (1, one) for one in stored}
    site.data.sync()
    return item


def furnish_data(site: FakeSite) -> FakeSite:
    """Keep data of every kind, two datasets, one of them locked."""
    signs = keep(site, "street signs", tags=("raw", "2026"), memo="From the gate.")
    cats = keep(site, "cats", {"cat.jpg": 90_000}, ("raw", "animals"))
    keep(site, "signs, cropped", tags=("cropped", "2026"), parents=(signs.id,))
    keep(site, "made by max", created_by="max", origin=Origin.SCRATCH)
    keep(site, "empty", {})
    for name in HOSTILE:
        keep(site, name, {f"{name[:40].replace('/', '-')}.txt": 3}, (name[:60],),
             memo=name * 3)  # fmt: skip
    sets = site.data.datasets
    for number, (name, entries) in enumerate(
        (
            ("signs 2026", (Placed("training", signs.id), Placed("testing", cats.id))),
            ("free one", (Placed("training", cats.id),)),
            (HOSTILE[0], ()),
        )
    ):
        sets.create(
            NewDataset("vision", name, HOSTILE[3] if number else "", False, entries),
            "mia",
            NOW - number * DAY,
        )
    sets.lock(1, Thing(Kind.TRAINING, "7"), NOW)
    site.data.lab.book.blocked = dict(sets.of_data(tuple(sets.data)))
    return site
