"""Have a dataset as a folder of links at the store, for jobs and notebooks to read.

A dataset's tree is made once for each content and found again by its key. Its files
are links to what the store has: nothing is copied. Copying to a node's own disk is a
choice that a job's runner carries out.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from kqi_hub.domain.data import Dataset
from kqi_hub.domain.data_ports import Store
from kqi_hub.domain.dataset_ports import (
    Content,
    DatasetStore,
    TreeState,
    TreeStore,
)
from kqi_hub.domain.datasets import tree_key
from kqi_hub.domain.errors import Conflict, KqiError, NotFound
from kqi_hub.domain.people import Role
from kqi_hub.services.tenant_rights import Asker, require
from kqi_hub.services.tree_building import TreeBuilder

# A dataset may change while its tree is made: then the tree of what it is now is made.
_TRIES: Final = 4
# So long whoever asked for a staging may take to ask how it ended.
_TOLD_S: Final = 60.0
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Staged:
    """A dataset that lies ready at the store."""

    path: str
    key: str
    files: int
    bytes: int


@dataclass(slots=True)
class StagingState:
    """How far staging a dataset is, for pages and programs that ask again.

    `done` of `of` files are linked. At the end there is either `staged` or `failure`.
    """

    dataset_id: int
    done: int = 0
    of: int = 0
    staged: Staged | None = None
    failure: KqiError | None = None
    ended_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing goes on any more."""
        return self.staged is not None or self.failure is not None


@dataclass
class Staging:
    """The trees of every tenant's datasets; one a process, used from its loop."""

    datasets: DatasetStore
    trees: TreeStore
    store: Store
    wall: Callable[[], float] = time.time
    # Between two looks at a tree that is being removed, and so many of them.
    pause_s: float = 0.5
    looks: int = 20
    _flights: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)
    _asked: "dict[int, tuple[StagingState, asyncio.Task[None]]]" = field(
        default_factory=dict
    )
    _progress: dict[int, int] = field(default_factory=dict)

    async def stage(self, dataset_id: int, holder: str | None = None) -> Staged:
        """Return where a dataset lies, built if its content lies nowhere yet.

        Who holds it keeps it from being removed, until `release`. Raises NotFound,
        Conflict while files come to one of its items or go, and what the store says.
        """
        for _ in range(_TRIES):
            content = await self._content(dataset_id)
            key = content.key or await self._key(content)
            found = await self._found(content.dataset, key, holder)
            if found is not None:
                return found
            await self._built(content, key)
        raise Conflict(
            "Dataset {id} cannot be made ready: what is in it changes meanwhile.",
            "Try again in a moment. If this lasts, tell the operators.",
            id=dataset_id,
        )

    async def begin(
        self, asker: Asker, dataset_id: int, patience_s: float = 1.0
    ) -> StagingState:
        """Have a dataset staged beside, and say how far that is; ask again for more."""
        found = await _off(lambda: self.datasets.one(dataset_id))
        if found is None or not asker.sees(found.tenant):
            raise NotFound("There is no such dataset.", "Look at the list again.")
        require(asker, found.tenant, Role.MEMBER)
        self._forget_old(dataset_id)
        if dataset_id not in self._asked:
            state = StagingState(dataset_id, of=found.files)
            task = asyncio.create_task(self._follow(state))
            self._asked[dataset_id] = state, task
        state, task = self._asked[dataset_id]
        await asyncio.wait({task}, timeout=patience_s)
        state.done = self._progress.get(dataset_id, state.done)
        if state.is_over:
            self._asked.pop(dataset_id, None)
        return state

    async def release(self, holder: str) -> None:
        """Let go of what a thing holds: it has ended."""
        await _off(lambda: self.trees.release_trees(holder, self.wall()))

    async def close(self) -> None:
        """End what goes on in this process; the store goes on with what it does."""
        tasks = [*self._flights.values(), *(task for _, task in self._asked.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, state: StagingState) -> None:
        try:
            state.staged = await self.stage(state.dataset_id)
            state.done = state.of = state.staged.files
        except KqiError as error:
            state.failure = error
        finally:
            state.ended_at = self.wall()

    def _forget_old(self, dataset_id: int) -> None:
        """Forget an end that nobody asked for: it may be true no longer."""
        state, _ = self._asked.get(dataset_id, (None, None))
        ended_at = None if state is None else state.ended_at
        if ended_at is not None and self.wall() - ended_at > _TOLD_S:
            del self._asked[dataset_id]

    async def _content(self, dataset_id: int) -> Content:
        content = await _off(lambda: self.trees.content(dataset_id))
        if content is None:
            raise NotFound("There is no such dataset.", "Look at the list again.")
        if content.busy is not None:
            raise Conflict(
                "Files are being added to data {data} of dataset {id}, or taken away.",
                "Try again when that is done.",
                data=content.busy,
                id=dataset_id,
            )
        return content

    async def _key(self, content: Content) -> str:
        """Work the key out, and have it remembered for the next time."""
        dataset = content.dataset

        def work() -> str:
            versions = self.trees.versions(dataset.id)
            key = tree_key(dataset.id, dataset.is_flat, versions)
            self.trees.remember_key(dataset.id, content.stamp, key)
            return key

        return await _off(work)

    async def _found(
        self, dataset: Dataset, key: str, holder: str | None
    ) -> Staged | None:
        """Return a tree that is there, held; wait for the end of one that goes."""
        tenant = dataset.tenant
        for _ in range(self.looks):
            now = self.wall()
            if await asyncio.to_thread(self.trees.use, tenant, key, holder, now):
                break
            note = await _off(lambda: self.trees.tree(tenant, key))
            if note is None or note.state is not TreeState.REMOVING:
                return None
            await asyncio.sleep(self.pause_s)
        else:
            raise Conflict(
                "The old tree of dataset {id} is being removed.",
                "Try again in a moment. If this lasts, tell the operators.",
                id=dataset.id,
            )
        tree = await self.store.find_tree(tenant, key)
        if tree is None:
            log.warning("The tree %s of dataset %d is gone: made anew", key, dataset.id)
            await _off(lambda: self.trees.forget(tenant, key))
            return None
        return Staged(tree.path, key, tree.files, tree.bytes)

    async def _built(self, content: Content, key: str) -> None:
        """Have the tree built: by whoever began, however many wait for it."""
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._build(content, key))
            self._flights[key] = flight
        await asyncio.shield(flight)

    async def _build(self, content: Content, key: str) -> None:
        number = content.dataset.id

        def told(done: int, _of: int) -> None:
            self._progress[number] = done

        builder = TreeBuilder(self.datasets, self.trees, self.store, self.wall)
        try:
            await builder.build(content, key, told)
        finally:
            self._progress.pop(number, None)
            self._flights.pop(key, None)


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
