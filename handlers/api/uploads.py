"""Uploads of one's own: tickets for the store, finish, drop."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.api import upload_models as shown
from handlers.api.data_models import data
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    Conflict,
    Incomplete,
    NotFound,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Data"))
_FINISHING: Final = (
    NotFound,
    Conflict,
    Incomplete,
    StoreError,
    StoreFull,
    StoreUnavailable,
)


class Wanted(Model):
    """Which of your uploads to list."""

    tenant: str | None = Field(
        None, max_length=64, description="One tenant; all of yours when left out."
    )


@routes.get("/uploads", Spec(query=Wanted, answer=shown.UploadList))
async def list_uploads(ask: Ask) -> Listing:
    """List your uploads under way and lately dropped, with what has come of them."""
    found = await ask.deps.uploads.mine(ask.asker, ask.query(Wanted).tenant)
    return Listing(lambda: shown.UploadList(uploads=tuple(map(shown.upload, found))))


@routes.get(
    "/uploads/{key}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        answer=shown.Upload,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
    ),
)
async def show_upload(ask: Ask) -> shown.Upload:
    """Show an upload of yours, with a fresh ticket to go on with."""
    return shown.upload(await ask.deps.uploads.one(ask.asker, ask.path["key"]))


@routes.post(
    "/uploads/{key}/finish",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        answer=shown.Finished,
        errors=_FINISHING,
        example_path=shown.EXAMPLE,
    ),
)
async def finish_upload(ask: Ask) -> shown.Finished:
    """Let the files show, all at once; again and again is fine."""
    found = await ask.deps.uploads.finish(ask.asker, ask.path["key"])
    item = None if found.item is None else data(found.item)
    return shown.Finished(state=found.upload.state, data=item)


@routes.delete(
    "/uploads/{key}",
    Spec(errors=(NotFound, Conflict), example_path=shown.EXAMPLE),
)
async def drop_upload(ask: Ask) -> None:
    """Give an upload of yours up, and what has come of it."""
    await ask.deps.uploads.drop(ask.asker, ask.path["key"])
