"""What was made from what: one graph around a thing, bounded in depth and size."""

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.dataset_ports import (
    Beside,
    Blocker,
    Blockers,
    Edge,
    LineageStore,
    Node,
)
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.services.tenant_rights import Asker

USUAL_DEPTH: Final = 2
DEEPEST: Final = 10
MOST_NODES: Final = 500
MOST_BESIDE: Final = 50
_LARGEST_ID: Final = 2**63 - 1
_LONGEST_COMMIT: Final = 1100
_NUMBER: Final = re.compile(r"[0-9]{1,19}", re.ASCII)


class Side(StrEnum):
    """On which side of its thing the graph goes on."""

    SOURCES = "sources"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class More:
    """That a thing has more neighbours than the graph shows."""

    thing: Thing
    side: Side
    count: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """The graph around `about`: nodes with the nearest first, and what it leaves out.

    `is_cut`: there is more, further away or beside.
    """

    about: Thing
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    more: tuple[More, ...] = ()
    is_cut: bool = False


@dataclass
class _Growing:
    """The graph while it is read."""

    edges: dict[Edge, None] = field(default_factory=dict)
    nodes: dict[Thing, Node] = field(default_factory=dict)
    more: list[More] = field(default_factory=list)
    is_cut: bool = False


@dataclass(frozen=True)
class LineageGraph:
    """The graph of everybody's things; one a process."""

    store: LineageStore
    blockers: Blockers

    async def around(
        self, asker: Asker, about: Thing, depth: int = USUAL_DEPTH
    ) -> Lineage:
        """Return what a thing was made from and what was made from it.

        NotFound for things of tenants that are not theirs. Of what other tenants made
        with it, nothing is told but that there is more.
        """
        checked = checked_thing(about)
        if not 1 <= depth <= DEEPEST:
            raise InvalidInput(
                "depth: this must be from 1 to {most}.",
                "Ask again with a number in between.",
                most=DEEPEST,
            )
        return await asyncio.to_thread(self._read, asker, checked, depth)

    async def blockers_of(self, asker: Asker, about: Thing) -> tuple[Blocker, ...]:
        """Say what keeps a data item or a dataset from being changed or deleted."""
        checked = checked_thing(about)

        def read() -> tuple[Blocker, ...]:
            self._seen(asker, checked)
            if checked.kind is Kind.DATA:
                number = int(checked.id)
                return self.blockers.of_data([number]).get(number, ())
            if checked.kind is Kind.DATASET:
                return self.blockers.of_dataset(int(checked.id))
            return ()

        return await asyncio.to_thread(read)

    def _read(self, asker: Asker, about: Thing, depth: int) -> Lineage:
        grown = _Growing({}, {about: self._seen(asker, about)})
        for side in Side:
            self._grow(asker, grown, about, side, depth)
        if not grown.nodes[about].tenant and not grown.edges:
            raise _unseen()
        return Lineage(
            about,
            tuple(grown.nodes.values()),
            tuple(grown.edges),
            tuple(grown.more),
            grown.is_cut,
        )

    def _grow(
        self, asker: Asker, grown: _Growing, about: Thing, side: Side, depth: int
    ) -> None:
        """Add one side of the graph, a level at a time."""
        level: Collection[Thing] = [about]
        met = {about}
        for _ in range(depth):
            beside = self._beside(level, side)
            self._take(asker, grown, beside, side)
            level = [
                one
                for known in beside.values()
                for one in known.things
                if one in grown.nodes and one not in met
            ]
            level = list(dict.fromkeys(level))
            met.update(level)
            if not level:
                return
        if any(known.total for known in self._beside(level, side, 1).values()):
            grown.is_cut = True

    def _beside(
        self, level: Collection[Thing], side: Side, most: int = MOST_BESIDE
    ) -> Mapping[Thing, Beside]:
        if side is Side.SOURCES:
            return self.store.sources(level, most)
        return self.store.results(level, most)

    def _take(
        self,
        asker: Asker,
        grown: _Growing,
        beside: Mapping[Thing, Beside],
        side: Side,
    ) -> None:
        """Take over the neighbours that somebody may see, while there is room."""
        new = {one for known in beside.values() for one in known.things}
        nodes = self.store.nodes(new - set(grown.nodes))
        for thing, known in beside.items():
            shown = 0
            for one in known.things:
                if self._takes(asker, grown, one, nodes):
                    shown += 1
                    grown.edges[_edge(thing, one, side)] = None
            if shown < known.total:
                grown.is_cut = True
                grown.more.append(More(thing, side, known.total - shown))

    def _takes(
        self, asker: Asker, grown: _Growing, one: Thing, nodes: Mapping[Thing, Node]
    ) -> bool:
        if one in grown.nodes:
            return True
        node = nodes.get(one)
        if node is None or len(grown.nodes) >= MOST_NODES or not _sees(asker, node):
            return False
        grown.nodes[one] = _shown(asker, node)
        return True

    def _seen(self, asker: Asker, about: Thing) -> Node:
        """Return the node that a graph is asked about. Blocks."""
        node = self.store.nodes([about]).get(about)
        is_theirs = node is not None and _sees(asker, node)
        if node is not None and about.kind is Kind.NOTEBOOK:
            is_theirs = node.person == asker.person or asker.standing.is_operator
        if node is None or not is_theirs:
            raise _unseen()
        return _shown(asker, node)


def checked_thing(thing: Thing) -> Thing:
    """Return a thing whose id could be one, or say what is wrong with it."""
    text = thing.id
    if thing.kind is Kind.COMMIT:
        if 3 <= len(text) <= _LONGEST_COMMIT and "@" in text and text.isprintable():
            return thing
    elif _NUMBER.fullmatch(text) and 1 <= int(text) <= _LARGEST_ID:
        return Thing(thing.kind, str(int(text)))
    raise InvalidInput(
        "id: {id} is no id of a {kind}.",
        "Ids are numbers; a commit's is repository@hash.",
        id=ascii(text)[:80],
        kind=thing.kind.value,
    )


def _unseen() -> NotFound:
    """Return the same error for what is not there and for what is others'."""
    return NotFound(
        "There is no such thing, or it is not yours to see.", "Look at the list again."
    )


def _shown(asker: Asker, node: Node) -> Node:
    """Return a node as somebody may see it: what a notebook is called is private."""
    if node.thing.kind is Kind.NOTEBOOK and node.person != asker.person:
        return replace(node, name="")
    return node


def _edge(thing: Thing, neighbour: Thing, side: Side) -> Edge:
    if side is Side.SOURCES:
        return Edge(source=neighbour, made=thing)
    return Edge(source=thing, made=neighbour)


def _sees(asker: Asker, node: Node) -> bool:
    """Tell whether a node may be shown.

    One without a tenant is a commit's, or of something that is gone: its number says
    nothing, and what is beside it has a tenant of its own.
    """
    return not node.tenant or asker.sees(node.tenant)
