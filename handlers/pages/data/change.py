"""Change an item's name, memo and tags; take files off it; delete it."""

from typing import Final, Literal

from pydantic import ConfigDict, Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page
from handlers.pages.data.detail import EXAMPLE, frame_of, item_page
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data import DataItem
from kqi_hub.domain.data_rules import LONGEST_NAME
from kqi_hub.domain.datasets import LONGEST_MEMO
from kqi_hub.domain.errors import (
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
)
from kqi_hub.i18n import N_
from kqi_hub.services.tenant_rights import require_change

routes = Routes(tag=N_("Data"))
_LOOSE: Final = 100_000
_REFUSED: Final = (InvalidInput, Conflict, NotPermitted)


class Named(Model):
    """Name and memo, and when the form was opened."""

    name: str = Field("", max_length=_LOOSE)
    memo: str = Field("", max_length=_LOOSE)
    seen_at: float | None = None


class Tagging(Model):
    """One tag to be given or taken."""

    tag: str = Field("", max_length=_LOOSE)
    then: Literal["tag", "untag"] = "tag"


class Taken(Model):
    """One file to be taken off the item; blanks at the ends belong to its path."""

    model_config = ConfigDict(str_strip_whitespace=False)

    path: str = Field("", max_length=1024)


@routes.get(
    "/data/{data_id}/edit",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=(NotFound,), example_path=EXAMPLE),
)
async def show_item_form(ask: Ask) -> Page:
    """Show the form that changes a data item's name and memo."""
    view = await ask.deps.data.one(ask.asker, ask.number("data_id"))
    item = view.item
    return await _form(ask, Named(name=item.name, memo=item.memo))


@routes.post(
    "/data/{data_id}/edit",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=Named,
        errors=(InvalidInput, Conflict, NotFound, NotPermitted),
        example={"name": "street signs", "memo": ""},
        example_path=EXAMPLE,
    ),
)
async def change_item(ask: Ask) -> Page | GoTo:
    """Change a data item's name and memo, used or not."""
    sent, number = ask.body(Named), ask.number("data_id")
    memo = sent.memo.replace("\r\n", "\n")
    try:
        changed = await ask.deps.data.change(
            ask.asker, number, sent.name, memo, sent.seen_at
        )
    except _REFUSED as error:
        return await _form(ask, sent, error)
    return GoTo(_page(changed), N_("{name} is saved."), {"name": changed.name})


@routes.post(
    "/data/{data_id}/tags",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=Tagging,
        errors=(InvalidInput, NotFound, NotPermitted),
        example={"tag": "checked", "then": "tag"},
        example_path=EXAMPLE,
    ),
)
async def tag_item(ask: Ask) -> Page | GoTo:
    """Give a data item a tag, or take one from it."""
    sent, number = ask.body(Tagging), ask.number("data_id")
    act = ask.deps.data.tag if sent.then == "tag" else ask.deps.data.untag
    try:
        changed = await act(ask.asker, number, sent.tag)
    except _REFUSED as error:
        return await item_page(ask, error)
    return GoTo(f"{_page(changed)}#tags")


@routes.get(
    "/data/{data_id}/take",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        query=Taken,
        errors=(NotFound, NotPermitted),
        example_path=EXAMPLE,
    ),
)
async def show_take_file(ask: Ask) -> Page:
    """Show what is lost when a file is taken off a data item."""
    view = await ask.deps.data.one(ask.asker, ask.number("data_id"))
    require_change(ask.asker, view.item.tenant, view.item.created_by)
    values = {**frame_of(ask, view), "path": ask.query(Taken).path}
    return Page("pages/data/take.html", values)


@routes.post(
    "/data/{data_id}/take",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=Taken,
        errors=(InvalidInput, Conflict, NotFound, NotPermitted),
        example={"path": "a/one.txt"},
        example_path=EXAMPLE,
    ),
)
async def take_file(ask: Ask) -> Page | GoTo:
    """Take a file off a data item that nothing needs as it is."""
    sent, number = ask.body(Taken), ask.number("data_id")
    try:
        left = await ask.deps.data.remove_files(ask.asker, number, [sent.path])
    except _REFUSED as error:
        return await item_page(ask, error)
    said = N_("The file {path} is gone from the data.")
    return GoTo(_page(left), said, {"path": sent.path})


@routes.get(
    "/data/{data_id}/delete",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=(NotFound,), example_path=EXAMPLE),
)
async def show_delete_item(ask: Ask) -> Page:
    """Show what is lost when a data item is deleted, or what keeps it."""
    return await _sure(ask)


@routes.post(
    "/data/{data_id}/delete",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(Conflict, NotFound, NotPermitted),
        example_path=EXAMPLE,
    ),
)
async def delete_item(ask: Ask) -> Page | GoTo:
    """Delete a data item that nothing needs, with its files."""
    number = ask.number("data_id")
    view = await ask.deps.data.one(ask.asker, number)
    try:
        await ask.deps.data.delete(ask.asker, number)
    except _REFUSED as error:
        return await _sure(ask, error)
    way = f"data?tenant={view.item.tenant}"
    return GoTo(way, N_("{name} is deleted."), {"name": view.item.name})


def _page(item: DataItem) -> str:
    return f"data/{item.id}?tenant={item.tenant}"


async def _form(ask: Ask, sent: Named, error: KqiError | None = None) -> Page:
    view = await ask.deps.data.one(ask.asker, ask.number("data_id"))
    values = {
        **frame_of(ask, view, error),
        "name": sent.name,
        "memo": sent.memo,
        "seen_at": repr(sent.seen_at or view.item.changed_at),
        "longest_name": LONGEST_NAME,
        "longest_memo": LONGEST_MEMO,
    }
    return Page("pages/data/form.html", values, error.status if error else 200)


async def _sure(ask: Ask, error: KqiError | None = None) -> Page:
    view = await ask.deps.data.one(ask.asker, ask.number("data_id"))
    values = frame_of(ask, view, error)
    return Page("pages/data/sure.html", values, error.status if error else 200)
