"""Datasets: data items in groups, as jobs find them below their input folder."""

from typing import Final

from handlers.access import Who
from handlers.api import dataset_models as shown
from handlers.ask import Ask, Listing
from handlers.route import Routes, Spec
from kqi_hub.domain.data_errors import Blocked
from kqi_hub.domain.dataset_ports import Seen
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Datasets"))
STAGING: Final = (NotFound, Conflict, StoreError, StoreFull, StoreUnavailable)
_NEW: Final = {
    "tenant": "vision",
    "name": "street signs",
    "entries": {"training": [1]},
}


@routes.get(
    "/datasets",
    Spec(query=shown.Wanted, answer=shown.DatasetList, errors=(InvalidInput, NotFound)),
)
async def list_datasets(ask: Ask) -> Listing:
    """List the datasets of your tenants."""
    wanted = ask.query(shown.Wanted).question()
    found = await ask.deps.datasets.search(ask.asker, wanted)
    return Listing(
        lambda: shown.DatasetList(
            datasets=tuple(map(shown.dataset, found.items)),
            total=found.total,
            unread=dict(found.unread),
        ),
        found.total,
    )


@routes.post(
    "/datasets",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.NewDataset,
        body_limit=shown.BODY_LIMIT,
        answer=shown.DatasetNow,
        status=201,
        errors=(InvalidInput, NotFound),
        example=_NEW,
    ),
)
async def create_dataset(ask: Ask) -> shown.DatasetNow:
    """Make a dataset of data items."""
    sent = ask.body(shown.NewDataset)
    new = NewDataset(
        sent.tenant, sent.name, sent.memo, sent.is_flat, shown.placed(sent.entries)
    )
    made = await ask.deps.datasets.create(ask.asker, new)
    return await _now(ask, made.id)


@routes.get(
    "/datasets/{dataset_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=shown.DatasetNow,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
    ),
)
async def show_dataset(ask: Ask) -> shown.DatasetNow:
    """Show a dataset: its types, and what locks it."""
    return await _now(ask, ask.number("dataset_id"))


@routes.patch(
    "/datasets/{dataset_id}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.ChangedDataset,
        answer=shown.DatasetNow,
        errors=(InvalidInput, NotFound),
        example_path=shown.EXAMPLE,
        example={"memo": "checked by hand"},
    ),
)
async def rename_dataset(ask: Ask) -> shown.DatasetNow:
    """Change name or memo of a dataset, locked or not."""
    sent, number = ask.body(shown.ChangedDataset), ask.number("dataset_id")
    await ask.deps.datasets.rename(ask.asker, number, sent.name, sent.memo)
    return await _now(ask, number)


@routes.put(
    "/datasets/{dataset_id}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.NewEntries,
        body_limit=shown.BODY_LIMIT,
        answer=shown.DatasetNow,
        errors=(InvalidInput, NotFound, Conflict, Blocked),
        example_path=shown.EXAMPLE,
        example={"entries": {"testing": [1]}, "changed_at": 1_795_000_000},
    ),
)
async def replace_entries(ask: Ask) -> shown.DatasetNow:
    """Replace all entries of a dataset that nothing locks."""
    sent, number = ask.body(shown.NewEntries), ask.number("dataset_id")
    entries = shown.placed(sent.entries)
    await ask.deps.datasets.replace(ask.asker, number, entries, sent.changed_at)
    return await _now(ask, number)


@routes.delete(
    "/datasets/{dataset_id}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(NotFound, Conflict, Blocked),
        example_path=shown.EXAMPLE,
    ),
)
async def delete_dataset(ask: Ask) -> None:
    """Delete a dataset that nothing locks; its data stay."""
    await ask.deps.datasets.delete(ask.asker, ask.number("dataset_id"))


@routes.post(
    "/datasets/{dataset_id}/copy",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.Copy,
        answer=shown.DatasetNow,
        status=201,
        errors=(InvalidInput, NotFound),
        example_path=shown.EXAMPLE,
        example={"name": ""},
    ),
)
async def copy_dataset(ask: Ask) -> shown.DatasetNow:
    """Make a dataset with the same entries, free to be changed."""
    name, number = ask.body(shown.Copy).name, ask.number("dataset_id")
    made = await ask.deps.datasets.copy(ask.asker, number, name)
    return await _now(ask, made.id)


@routes.get(
    "/datasets/{dataset_id}/entries",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=shown.EntryList,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
    ),
)
async def list_entries(ask: Ask) -> Listing:
    """List the numbers of all data items of a dataset, as they are sent."""
    number = ask.number("dataset_id")
    view = await ask.deps.datasets.one(ask.asker, number)
    found = await ask.deps.datasets.entries(ask.asker, number)
    dataset = view.dataset
    return Listing(lambda: shown.entry_list(dataset.is_flat, found, dataset.changed_at))


@routes.get(
    "/datasets/{dataset_id}/items",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=shown.PageOfItems,
        answer=shown.ItemList,
        errors=(InvalidInput, NotFound),
        example_path=shown.EXAMPLE,
    ),
)
async def list_items(ask: Ask) -> Listing:
    """List the data items of a dataset, a page at a time."""
    asked, number = ask.query(shown.PageOfItems), ask.number("dataset_id")
    after = shown.seen_of(asked.after)
    found = await ask.deps.datasets.items(
        ask.asker, number, asked.type, after, asked.limit
    )

    def make() -> shown.ItemList:
        last = found[-1].placed if len(found) == asked.limit else None
        token = shown.token_of(Seen(last.type, last.data_id)) if last else None
        return shown.ItemList(items=tuple(map(shown.item, found)), next=token)

    return Listing(make)


@routes.get(
    "/datasets/{dataset_id}/path-pairs",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=shown.PageOfFiles,
        answer=shown.PairList,
        errors=(InvalidInput, NotFound),
        example_path=shown.EXAMPLE,
    ),
)
async def list_path_pairs(ask: Ask) -> Listing:
    """List what a job would see: each file, where it comes from, a page at a time."""
    asked, number = ask.query(shown.PageOfFiles), ask.number("dataset_id")
    after = shown.seen_of(asked.after)
    found = await ask.deps.datasets.paths(ask.asker, number, after, asked.limit)

    def make() -> shown.PairList:
        token = shown.token_of_pair(found[-1]) if len(found) == asked.limit else None
        return shown.PairList(pairs=tuple(map(shown.pair, found)), next=token)

    return Listing(make)


@routes.post(
    "/datasets/{dataset_id}/stage",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        answer=shown.Staged,
        errors=STAGING,
        example_path=shown.EXAMPLE,
    ),
)
async def stage_dataset(ask: Ask) -> shown.Staged:
    """Have a dataset ready for jobs as a folder of links; ask again while it builds."""
    number = ask.number("dataset_id")
    return shown.staged(await ask.deps.staging.begin(ask.asker, number))


@routes.get("/tenants/{tenant}/dataset-types", Spec(who=Who.VIEWER, answer=shown.Types))
async def list_types(ask: Ask) -> shown.Types:
    """List a tenant's types of data."""
    found = await ask.deps.datasets.types(ask.asker, ask.path["tenant"])
    return shown.Types(types=found)


@routes.put(
    "/tenants/{tenant}/dataset-types",
    Spec(
        who=Who.MANAGER,
        body=shown.Types,
        answer=shown.Types,
        errors=(InvalidInput, Conflict),
        example={"types": ["training", "testing", "validation", "calibration"]},
    ),
)
async def replace_types(ask: Ask) -> shown.Types:
    """Replace a tenant's types of data; datasets keep what they have."""
    sent = ask.body(shown.Types).types
    tenant = ask.path["tenant"]
    return shown.Types(types=await ask.deps.datasets.set_types(ask.asker, tenant, sent))


async def _now(ask: Ask, number: int) -> shown.DatasetNow:
    return shown.dataset_now(await ask.deps.datasets.one(ask.asker, number))
