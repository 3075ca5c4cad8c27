"""Data: named bundles of files of a tenant, with tags, for datasets and jobs."""

from typing import Final

from handlers.access import Who
from handlers.api import data_models as shown
from handlers.api.upload_models import Begun, MoreFiles, Upload, upload
from handlers.ask import Ask, Listing
from handlers.route import Routes, Spec
from kqi_hub.domain.data_errors import Blocked, NoRoom
from kqi_hub.domain.errors import Conflict, InvalidInput, KqiError, NotFound
from kqi_hub.domain.upload_ports import NewData
from kqi_hub.i18n import N_, Texts
from kqi_hub.services.data import Outcome

routes = Routes("/api/v1", tag=N_("Data"))
_NEW: Final = {"tenant": "vision", "name": "street signs", "files": 2, "bytes": 2048}
_TAGGED: Final = {**shown.EXAMPLE, "tag": "checked"}


@routes.get(
    "/data",
    Spec(query=shown.Wanted, answer=shown.DataList, errors=(InvalidInput, NotFound)),
)
async def list_data(ask: Ask) -> Listing:
    """List the data of your tenants."""
    wanted = ask.query(shown.Wanted).question()
    found = await ask.deps.data.list(ask.asker, wanted)
    return Listing(
        lambda: shown.DataList(
            data=tuple(map(shown.data, found.items)),
            total=found.total,
            unread=dict(found.unread),
        ),
        found.total,
    )


@routes.post(
    "/data",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.NewData,
        answer=Begun,
        status=201,
        errors=(InvalidInput, NotFound, Conflict, NoRoom),
        example=_NEW,
    ),
)
async def create_data(ask: Ask) -> Begun:
    """Make a data item, which shows when its upload is finished, and begin that."""
    sent = ask.body(shown.NewData)
    new = NewData(
        tenant=sent.tenant,
        name=sent.name,
        memo=sent.memo,
        tags=sent.tags,
        parents=sent.parents,
        origin=sent.origin,
    )
    item, begun = await ask.deps.uploads.create(ask.asker, new, sent.files, sent.bytes)
    return Begun(data=shown.data(item), upload=upload(begun))


@routes.get(
    "/data/tags",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=shown.OfTenant,
        answer=shown.TagList,
        errors=(NotFound,),
    ),
)
async def list_tags(ask: Ask) -> Listing:
    """List the tags in use in a tenant."""
    tenant = ask.query(shown.OfTenant).tenant
    found = await ask.deps.data.known_tags(ask.asker, tenant)
    return Listing(
        lambda: shown.TagList(
            tags=tuple(shown.KnownTag(name=one.name, data=one.items) for one in found)
        )
    )


@routes.post(
    "/data/bulk",
    Spec(
        body=shown.Many,
        answer=shown.ManyDone,
        errors=(InvalidInput,),
        example={"ids": [1], "action": "tag", "tag": "checked"},
    ),
)
async def change_many(ask: Ask) -> shown.ManyDone:
    """Tag, untag or delete many data items; each succeeds or fails for itself."""
    sent = ask.body(shown.Many)
    found = await ask.deps.data.bulk(ask.asker, sent.ids, sent.action, sent.tag)
    return shown.ManyDone(outcomes=tuple(_done(one, ask.texts) for one in found))


@routes.get(
    "/data/{data_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=shown.DataNow,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
    ),
)
async def show_data(ask: Ask) -> shown.DataNow:
    """Show a data item: what it was made from, what needs it."""
    return await _now(ask)


@routes.patch(
    "/data/{data_id}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.ChangedData,
        answer=shown.DataNow,
        errors=(InvalidInput, NotFound, Conflict),
        example_path=shown.EXAMPLE,
        example={"memo": "from the south gate"},
    ),
)
async def change_data(ask: Ask) -> shown.DataNow:
    """Change name or memo of a data item, used or not."""
    sent, number = ask.body(shown.ChangedData), ask.number("data_id")
    await ask.deps.data.change(ask.asker, number, sent.name, sent.memo, sent.changed_at)
    return await _now(ask)


@routes.delete(
    "/data/{data_id}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(NotFound, Conflict, Blocked),
        example_path=shown.EXAMPLE,
    ),
)
async def delete_data(ask: Ask) -> None:
    """Delete a data item that nothing needs; its space is free a little later."""
    await ask.deps.data.delete(ask.asker, ask.number("data_id"))


@routes.get(
    "/data/{data_id}/files",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=shown.PageOfFiles,
        answer=shown.FileList,
        errors=(InvalidInput, NotFound),
        example_path=shown.EXAMPLE,
    ),
)
async def list_files(ask: Ask) -> Listing:
    """List all files of a data item with their hashes, a page at a time."""
    asked, number = ask.query(shown.PageOfFiles), ask.number("data_id")
    found = await ask.deps.data.files(ask.asker, number, asked.after, asked.limit)
    after = found[-1].path if len(found) == asked.limit else None
    return Listing(
        lambda: shown.FileList(files=tuple(map(shown.file, found)), next=after)
    )


@routes.get(
    "/data/{data_id}/folder",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=shown.PageOfFolder,
        answer=shown.Folder,
        errors=(InvalidInput, NotFound),
        example_path=shown.EXAMPLE,
    ),
)
async def list_folder(ask: Ask) -> Listing:
    """List what lies directly in a folder of a data item, a page at a time."""
    asked, number = ask.query(shown.PageOfFolder), ask.number("data_id")
    found = await ask.deps.data.level(
        ask.asker, number, asked.folder, asked.after, asked.limit
    )
    after = found[-1].name if len(found) == asked.limit else None
    return Listing(
        lambda: shown.Folder(entries=tuple(map(shown.entry, found)), next=after)
    )


@routes.post(
    "/data/{data_id}/uploads",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=MoreFiles,
        answer=Upload,
        status=201,
        errors=(InvalidInput, NotFound, Conflict, Blocked, NoRoom),
        example_path=shown.EXAMPLE,
        example={"files": 1, "bytes": 100},
    ),
)
async def add_files(ask: Ask) -> Upload:
    """Begin an upload of more files into a data item that nothing needs as it is."""
    sent, number = ask.body(MoreFiles), ask.number("data_id")
    return upload(await ask.deps.uploads.add(ask.asker, number, sent.files, sent.bytes))


@routes.post(
    "/data/{data_id}/files/remove",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.Paths,
        body_limit=shown.PATHS_LIMIT,
        answer=shown.DataNow,
        errors=(InvalidInput, NotFound, Conflict, Blocked),
        example_path=shown.EXAMPLE,
        example={"paths": ["a/one.txt"]},
    ),
)
async def remove_files(ask: Ask) -> shown.DataNow:
    """Take files off a data item that nothing needs as it is, all or none."""
    sent = ask.body(shown.Paths)
    await ask.deps.data.remove_files(ask.asker, ask.number("data_id"), sent.paths)
    return await _now(ask)


@routes.put(
    "/data/{data_id}/tags/{tag}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(InvalidInput, NotFound),
        example_path=_TAGGED,
    ),
)
async def add_tag(ask: Ask) -> None:
    """Tag a data item; a tag that it has is no error."""
    await ask.deps.data.tag(ask.asker, ask.number("data_id"), ask.path["tag"])


@routes.delete(
    "/data/{data_id}/tags/{tag}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(InvalidInput, NotFound),
        example_path=_TAGGED,
    ),
)
async def remove_tag(ask: Ask) -> None:
    """Take a tag off a data item; one that it has not is no error."""
    await ask.deps.data.untag(ask.asker, ask.number("data_id"), ask.path["tag"])


@routes.get(
    "/data/{data_id}/blockers",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=shown.BlockerList,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
    ),
)
async def list_blockers(ask: Ask) -> shown.BlockerList:
    """List what keeps a data item from being changed or deleted."""
    view = await ask.deps.data.one(ask.asker, ask.number("data_id"))
    tenant = view.item.tenant
    return shown.BlockerList(
        blockers=tuple(shown.blocker(one, tenant) for one in view.blockers)
    )


async def _now(ask: Ask) -> shown.DataNow:
    view = await ask.deps.data.one(ask.asker, ask.number("data_id"))
    return shown.data_now(view)


def _done(outcome: Outcome, texts: Texts) -> shown.Done:
    error: KqiError | None = outcome.error
    return shown.Done(
        id=outcome.data_id,
        done=error is None,
        code=error.code if error else "",
        detail=texts.message(error) if error else "",
    )
