"""The page of one data item: its files, its tags, where it comes from."""

import re
from dataclasses import dataclass
from typing import Final

from pydantic import ConfigDict, Field

from handlers.access import Who
from handlers.ask import Ask, Page, Values
from handlers.pages.data.uploads import open_uploads
from handlers.pages.lineage import around, holds
from handlers.problem import Problem, problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data import DataItem, Kind
from kqi_hub.domain.data_item_ports import Entry
from kqi_hub.domain.data_rules import LONGEST_TAG
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services.data import DataView

routes = Routes(tag=N_("Data"))
EXAMPLE: Final = {"data_id": "1"}
PER_PAGE: Final = 200
# What agents would take for a byte that is no UTF-8 (kqi_hub/agent/files/names.py).
_AMBIGUOUS: Final = re.compile(r"%(?=25|[89a-f][0-9a-f])")


class Place(Model):
    """Which folder of the item is shown, and from which name on."""

    # Blanks at the ends belong to names.
    model_config = ConfigDict(str_strip_whitespace=False)

    folder: str = Field("", max_length=1024)
    after: str = Field("", max_length=1024)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a folder: its path within the item, and as agents know it."""

    entry: Entry
    path: str
    where: str


@routes.get(
    "/data/{data_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=Place,
        errors=(NotFound, InvalidInput),
        example_path=EXAMPLE,
    ),
)
async def show_item(ask: Ask) -> Page:
    """Show a data item: files, tags, memo, what it was made from and used for."""
    return await item_page(ask)


async def item_page(ask: Ask, error: KqiError | None = None) -> Page:
    """Return the page of an item, with what a change of it was refused for."""
    number = ask.number("data_id")
    place = ask.query(Place) if error is None else Place.model_validate({})
    view = await ask.deps.data.one(ask.asker, number)
    found = await ask.deps.data.level(
        ask.asker, number, place.folder, place.after, PER_PAGE
    )
    graph = await around(ask, Kind.DATA, number)
    tags = await ask.deps.data.known_tags(ask.asker, view.item.tenant)
    lines = await open_uploads(ask, view.item.tenant, number) if view.may_change else ()

    def values() -> Values:
        return {
            **frame_of(ask, view, error),
            "rows": [_row(view.item, place.folder, one) for one in found],
            "folder": place.folder.strip("/"),
            "crumbs": _crumbs(place.folder),
            "is_first": not place.after,
            "next": found[-1].name if len(found) == PER_PAGE else "",
            "around": graph,
            "known_tags": [one.name for one in tags if one.name not in view.item.tags],
            "longest_tag": LONGEST_TAG,
            "uploads": lines,
        }

    return Page("pages/data/detail.html", values, error.status if error else 200)


def frame_of(
    ask: Ask, view: DataView, error: KqiError | None = None
) -> dict[str, object]:
    """Return what every page of an item shows."""
    problem: Problem | None = None
    if error is not None:
        problem = problem_of(error, ask.texts, ask.request_id)
    return {
        "item": view.item,
        "view": view,
        "holds": holds(ask, view.blockers),
        "problem": problem,
    }


def _row(item: DataItem, folder: str, entry: Entry) -> Row:
    path = "/".join(part for part in (folder.strip("/"), entry.name) if part)
    return Row(entry, path, f"{item.id}/{_AMBIGUOUS.sub('%25', path)}")


def _crumbs(folder: str) -> tuple[tuple[str, str], ...]:
    """Return the folders above and this one: name, path."""
    names = [name for name in folder.split("/") if name]
    return tuple((name, "/".join(names[: at + 1])) for at, name in enumerate(names))
