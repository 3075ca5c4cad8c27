"""Lineage: what was made from what, and what keeps a thing from being deleted."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.api.data_models import Blocker, blocker, page_of
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services.lineage import DEEPEST, USUAL_DEPTH, Lineage, Side

routes = Routes("/api/v1", tag=N_("Lineage"))
_EXAMPLE: Final = {"kind": "data", "thing_id": "1"}


class Depth(Model):
    """How far to look."""

    depth: int = Field(
        USUAL_DEPTH, ge=1, le=DEEPEST, description="Steps from the thing."
    )


class ThingShown(Model):
    """One thing."""

    kind: Kind = Field(description="What it is.")
    id: str = Field(description="Its number; a commit's is repository@hash.")


class Node(ThingShown):
    """One thing of the graph."""

    name: str = Field(description="Its name; empty where that is its owner's business.")
    tenant: str = Field(description="Its tenant.")
    person: str = Field(description="Who made it.")
    at: float | None = Field(description="When, in seconds since 1970.")
    is_locked: bool = Field(description="Whether something locks it.")
    is_gone: bool = Field(description="Whether it is no longer there.")
    page: str = Field(description="Its page; empty when there is none.")


class Edge(Model):
    """One thing was made from, or used, another."""

    source: ThingShown = Field(description="What was used.")
    made: ThingShown = Field(description="What was made, or used it.")


class More(ThingShown):
    """That a thing has more neighbours than are shown."""

    side: Side = Field(description="On which side.")
    count: int = Field(description="How many more.")


class Graph(Model):
    """The graph around a thing, the nearest first."""

    about: ThingShown = Field(description="What was asked about.")
    nodes: tuple[Node, ...] = Field(description="The things.")
    edges: tuple[Edge, ...] = Field(description="What joins them.")
    more: tuple[More, ...] = Field(description="What is left out beside.")
    is_cut: bool = Field(description="Whether there is more.")
    blockers: tuple[Blocker, ...] = Field(
        description="What keeps the thing from being changed or deleted."
    )


@routes.get(
    "/lineage/{kind}/{thing_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=Depth,
        answer=Graph,
        errors=(InvalidInput, NotFound),
        example_path=_EXAMPLE,
    ),
)
async def show_lineage(ask: Ask) -> Listing:
    """Show what a thing was made from, what was made from it, what blocks a delete."""
    about = Thing(_kind(ask.path["kind"]), ask.path["thing_id"])
    graph = ask.deps.lineage
    found = await graph.around(ask.asker, about, ask.query(Depth).depth)
    blockers = await graph.blockers_of(ask.asker, about)
    tenant = next((one.tenant for one in found.nodes if one.thing == found.about), "")

    def make() -> Graph:
        shown = tuple(blocker(one, tenant) for one in blockers)
        return _graph(found, shown)

    return Listing(make)


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise InvalidInput(
            "There is no kind of thing called {kind}.",
            "Choose one of: {known}.",
            kind=ascii(text[:40]),
            known=", ".join(Kind),
        ) from None


def _graph(found: Lineage, blockers: tuple[Blocker, ...]) -> Graph:
    return Graph(
        about=_thing(found.about),
        nodes=tuple(
            Node(
                kind=one.thing.kind,
                id=one.thing.id,
                name=one.name,
                tenant=one.tenant,
                person=one.person,
                at=one.at,
                is_locked=one.is_locked,
                is_gone=one.is_gone,
                page="" if one.is_gone else page_of(one.thing, one.tenant),
            )
            for one in found.nodes
        ),
        edges=tuple(
            Edge(source=_thing(one.source), made=_thing(one.made))
            for one in found.edges
        ),
        more=tuple(
            More(kind=one.thing.kind, id=one.thing.id, side=one.side, count=one.count)
            for one in found.more
        ),
        is_cut=found.is_cut,
        blockers=blockers,
    )


def _thing(one: Thing) -> ThingShown:
    return ThingShown(kind=one.kind, id=one.id)
