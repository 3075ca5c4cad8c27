"""Have a dataset's tree built at the store, and note it if it is what it should be."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kqi_hub.domain.data import Dataset
from kqi_hub.domain.data_ports import Store, Told, Tree
from kqi_hub.domain.dataset_ports import (
    Content,
    DatasetItem,
    DatasetStore,
    Seen,
    TreeNote,
    TreeState,
    TreeStore,
)
from kqi_hub.domain.errors import StoreError

META_VERSION: Final = 1
_PAGE: Final = 1000
T = TypeVar("T")


@dataclass(frozen=True)
class TreeBuilder:
    """Builds one tree after the other."""

    datasets: DatasetStore
    trees: TreeStore
    store: Store
    wall: Callable[[], float] = time.time

    async def build(self, content: Content, key: str, told: Told) -> None:
        """Build the tree of a content; noted only if the dataset holds that still.

        StoreError where the store has other files than the list: such a tree goes.
        """
        dataset = content.dataset
        items = await _off(lambda: self._items(dataset.id))
        # An item that has lost its last file need not be in the store.
        placed = [one.placed for one in items if one.files]
        meta = meta_of(dataset, items)
        tree = await self.store.tree(dataset.tenant, key, placed, meta, told)
        after = await _off(lambda: self.trees.content(dataset.id))
        if after is None or (after.stamp, after.busy) != (content.stamp, None):
            return
        if (tree.files, tree.bytes) != (after.dataset.files, after.dataset.bytes):
            # Nobody reads it: it was never noted.
            await self.store.drop_tree(dataset.tenant, key)
            raise _disagreement(after.dataset, tree)
        note = _note_of(dataset, key, tree, self.wall())
        await _off(lambda: self.trees.built(note))

    def _items(self, dataset_id: int) -> list[DatasetItem]:
        """Return everything in a dataset. Blocks."""
        items: list[DatasetItem] = []
        after: Seen | None = None
        while page := self.datasets.items(dataset_id, None, after, _PAGE):
            items += page
            after = Seen(page[-1].placed.type, page[-1].placed.data_id)
        return items


def meta_of(dataset: Dataset, items: Sequence[DatasetItem]) -> dict[str, Any]:
    """Return the description in a tree, meta.json: names, tags, counts of files."""
    types = dict.fromkeys(one.placed.type for one in items)
    return {
        "version": META_VERSION,
        "id": dataset.id,
        "name": dataset.name,
        "memo": dataset.memo,
        "tenant": dataset.tenant,
        "is_flat": dataset.is_flat,
        "types": [] if dataset.is_flat else list(types),
        "items": [
            {
                "type": one.placed.type,
                "id": one.placed.data_id,
                "name": one.name,
                "tags": list(one.tags),
                "files": one.files,
                "bytes": one.bytes,
            }
            for one in items
        ],
    }


def _note_of(dataset: Dataset, key: str, tree: Tree, now: float) -> TreeNote:
    return TreeNote(
        tenant=dataset.tenant,
        key=key,
        dataset_id=dataset.id,
        state=TreeState.READY,
        files=tree.files,
        bytes=tree.bytes,
        built_at=now,
        used_at=now,
    )


def _disagreement(dataset: Dataset, tree: Tree) -> StoreError:
    return StoreError(
        "For dataset {id} the data store has files: {has}, bytes: {has_bytes}; there "
        "should be files: {files}, bytes: {bytes}.",
        "Tell the operators: `kqi-hub data compare` says what is wrong.",
        has=tree.files,
        has_bytes=tree.bytes,
        id=dataset.id,
        files=dataset.files,
        bytes=dataset.bytes,
    )


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
