"""The page of a dataset: its items, what a job sees, what it was used for."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.api.dataset_models import seen_of, token_of, token_of_pair
from handlers.ask import Ask, Page, Values
from handlers.pages.lineage import around, holds
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data import Kind
from kqi_hub.domain.dataset_ports import Seen
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_
from kqi_hub.services.datasets import DatasetView

routes = Routes(tag=N_("Datasets"))
_EXAMPLE: Final = {"dataset_id": "1"}
PER_PAGE: Final = 100


class Part(Model):
    """Which type is shown, and from where on."""

    type: str | None = Field(None, max_length=100)
    after: str = Field("", max_length=2000)


@routes.get(
    "/datasets/{dataset_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=Part,
        errors=(NotFound, InvalidInput),
        example_path=_EXAMPLE,
    ),
)
async def show_dataset(ask: Ask) -> Page:
    """Show a dataset: its items by type, its lock, what it was used for."""
    number, part = ask.number("dataset_id"), ask.query(Part)
    view = await ask.deps.datasets.one(ask.asker, number)
    known = [name for name, _ in view.types]
    shown = part.type if part.type in known else None
    items = await ask.deps.datasets.items(
        ask.asker, number, shown, seen_of(part.after), PER_PAGE
    )
    graph = await around(ask, Kind.DATASET, number)

    def values() -> Values:
        last = items[-1].placed if len(items) == PER_PAGE else None
        return {
            **frame_of(ask, view),
            "items": items,
            "shown_type": shown,
            "is_first": not part.after,
            "next": token_of(Seen(last.type, last.data_id)) if last else "",
            "around": graph,
        }

    return Page("pages/datasets/detail.html", values)


@routes.get(
    "/datasets/{dataset_id}/paths",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=Part,
        errors=(NotFound, InvalidInput),
        example_path=_EXAMPLE,
    ),
)
async def show_paths(ask: Ask) -> Page:
    """Show what a job would see below its input folder, and which file that is."""
    number, part = ask.number("dataset_id"), ask.query(Part)
    view = await ask.deps.datasets.one(ask.asker, number)
    pairs = await ask.deps.datasets.paths(
        ask.asker, number, seen_of(part.after), PER_PAGE
    )

    def values() -> Values:
        last = pairs[-1] if len(pairs) == PER_PAGE else None
        return {
            **frame_of(ask, view),
            "pairs": pairs,
            "is_first": not part.after,
            "next": token_of_pair(last) if last else "",
        }

    return Page("pages/datasets/paths.html", values)


def frame_of(ask: Ask, view: DatasetView) -> dict[str, object]:
    """Return what every page of a dataset shows."""
    role = ask.asker.role_in(view.dataset.tenant)
    return {
        "dataset": view.dataset,
        "view": view,
        "holds": holds(ask, view.blockers),
        "may_copy": role is not None and role >= Role.MEMBER,
    }
