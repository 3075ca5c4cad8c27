"""How datasets look as JSON, and the way there from the services' own types."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from pydantic import Field

from handlers.api.data_models import (
    LARGEST_ID,
    Blocker,
    Exact,
    Number,
    blocker,
    page_of,
)
from handlers.api.listing_models import WantedCounted
from handlers.route import Model
from kqi_hub.domain import data as domain
from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.dataset_list import DatasetQuestion
from kqi_hub.domain.dataset_ports import DatasetItem, PathPair, Seen
from kqi_hub.domain.datasets import (
    LONGEST_MEMO,
    LONGEST_NAME,
    MOST_ITEMS,
    MOST_TYPES,
    folder_of,
)
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.services.datasets import DatasetView
from kqi_hub.services.staging import StagingState

EXAMPLE: Final = {"dataset_id": "1"}
LOCKED_EXAMPLE: Final = {"dataset_id": "2"}
# As many entries as a dataset may have, each a number.
BODY_LIMIT: Final = 4 * 1024 * 1024
_LONGEST_TYPE: Final = 40
_NUMBER_DIGITS: Final = 19

Numbers = Annotated[tuple[Number, ...], Field(max_length=MOST_ITEMS)]
TypeName = Annotated[str, Field(max_length=_LONGEST_TYPE)]
Entries = Annotated[dict[TypeName, Numbers], Field(max_length=MOST_TYPES)] | Numbers


class Wanted(WantedCounted):
    """Which datasets to list. Texts: contains; with ! before: does not."""

    locked: bool | None = Field(None, description="Whether something locks it.")
    data_id: int | None = Field(
        None, ge=1, le=LARGEST_ID, description="Only those with this data item."
    )
    sort: str = Field(
        "-id",
        pattern="^-?(id|name|created_at|created_by|changed_at)$",
        description="id, name, created_at, created_by, changed_at; - before: down.",
    )

    def question(self) -> DatasetQuestion:
        """Return it as the services know it."""
        given = self.model_dump(exclude={"locked"})
        return DatasetQuestion(**given, is_locked=self.locked)


class Dataset(Model):
    """Data items in groups, as a job finds them. Times are seconds since 1970."""

    id: int = Field(description="Its number.")
    tenant: str = Field(description="Its tenant.")
    name: str = Field(description="Its name.")
    memo: str = Field(description="A note.")
    is_flat: bool = Field(description="Whether it has no types; never changes.")
    items: int = Field(description="How many data items it has.")
    files: int = Field(description="How many files those have.")
    bytes: int = Field(description="How many bytes those have.")
    is_locked: bool = Field(description="Whether its entries may not change.")
    created_by: str = Field(description="Who made it.")
    created_at: float = Field(description="When it was made.")
    changed_at: float = Field(description="When it was last changed.")
    page: str = Field(description="Its page, below the portal's address.")


class TypeCount(Model):
    """A type and how many data items the dataset has of it."""

    type: str = Field(description="Its name; empty in a flat dataset.")
    items: int = Field(description="How many data items.")


class DatasetNow(Dataset):
    """A dataset with what its page says beside it."""

    types: tuple[TypeCount, ...] = Field(description="The types and their items.")
    blockers: tuple[Blocker, ...] = Field(description="What locks it.")
    may_change: bool = Field(description="Whether you may change it, lock apart.")


class DatasetList(Model):
    """Datasets, the newest first unless sorted otherwise."""

    datasets: tuple[Dataset, ...] = Field(description="Those of this page.")
    total: int | None = Field(description="How many on all pages, if asked for.")
    unread: dict[str, str] = Field(
        description="Conditions that cannot be read, by field: nothing was found."
    )


class NewDataset(Model):
    """What a new dataset is to be."""

    tenant: str = Field(max_length=64, description="Its tenant.")
    name: str = Field(max_length=LONGEST_NAME * 2, description="Its name.")
    memo: str = Field("", max_length=LONGEST_MEMO, description="A note.")
    is_flat: bool = Field(False, strict=True, description="Whether it has no types.")
    entries: Entries = Field(
        (), description="Numbers of data items by type; a flat one: just numbers."
    )


class ChangedDataset(Model):
    """New name or memo; what is left out stays. A lock does not forbid this."""

    name: str | None = Field(None, max_length=LONGEST_NAME * 2, description="Its name.")
    memo: str | None = Field(None, max_length=LONGEST_MEMO, description="A note.")


class NewEntries(Model):
    """All entries anew."""

    entries: Entries = Field(
        description="Numbers of data items by type; a flat one: just numbers."
    )
    changed_at: float = Field(
        strict=True, ge=0, le=1e12, description="The changed_at of what you have seen."
    )


class Copy(Model):
    """What to call the copy."""

    name: str = Field(
        "", max_length=LONGEST_NAME * 2, description="Its name; empty: after the first."
    )


class EntryList(Model):
    """Every entry, as it is sent when a dataset is made or changed."""

    is_flat: bool = Field(description="Whether the dataset has no types.")
    entries: Entries = Field(description="Numbers by type; a flat one: numbers.")
    changed_at: float = Field(description="Send it with a change.")


class Item(Model):
    """A data item where it is in a dataset."""

    type: str = Field(description="Its type; empty in a flat dataset.")
    id: int = Field(description="Number of the data item.")
    name: str = Field(description="Its name.")
    tags: tuple[str, ...] = Field(description="Its tags.")
    files: int = Field(description="How many files it has.")
    bytes: int = Field(description="How many bytes it has.")
    folder: str = Field(description="Where it lies below a job's input folder.")


class ItemList(Model):
    """A page of the items, by type and number."""

    items: tuple[Item, ...] = Field(description="Those of this page.")
    next: str | None = Field(description="Send it as `after`; none: this is the end.")


class Pair(Exact):
    """Where a job finds a file, and which file of which item that is."""

    path: str = Field(description="Below the job's input folder.")
    data_id: int = Field(description="Number of the data item.")
    data_name: str = Field(description="Its name.")
    data_path: str = Field(description="Path within the data item.")
    size: int = Field(description="Its bytes.")


class PairList(Exact):
    """A page of the files, by type, item and path."""

    pairs: tuple[Pair, ...] = Field(description="Those of this page.")
    next: str | None = Field(description="Send it as `after`; none: this is the end.")


class PageOfItems(Exact):
    """Which page of the items."""

    type: str | None = Field(
        None, max_length=_LONGEST_TYPE, description="Only those of this type."
    )
    after: str = Field("", max_length=4000, description="The next of a page.")
    limit: int = Field(1000, ge=1, le=1000, description="How many a page has.")


class PageOfFiles(Exact):
    """Which page of the files."""

    after: str = Field("", max_length=4000, description="The next of a page.")
    limit: int = Field(1000, ge=1, le=1000, description="How many a page has.")


class Types(Model):
    """A tenant's types of data: each is a folder in a job's input."""

    types: Annotated[tuple[TypeName, ...], Field(max_length=MOST_TYPES)] = Field(
        description="Their names, in order."
    )


class Staged(Model):
    """How far a dataset is on its way to be read by jobs; ask again while it builds."""

    state: str = Field(description="building or ready.")
    path: str = Field(description="Its folder for jobs, once it is ready.")
    files: int = Field(description="How many files it has.")
    bytes: int = Field(description="How many bytes; none are copied.")
    done: int = Field(description="How many files are linked by now.")


def dataset(found: domain.Dataset) -> Dataset:
    """Return a dataset as JSON."""
    return Dataset.model_validate(_fields(found))


def dataset_now(view: DatasetView) -> DatasetNow:
    """Return a dataset with types and locks as JSON."""
    tenant = view.dataset.tenant
    more = {
        "types": [TypeCount(type=name, items=count) for name, count in view.types],
        "blockers": [blocker(one, tenant) for one in view.blockers],
        "may_change": view.may_change,
    }
    return DatasetNow.model_validate({**_fields(view.dataset), **more})


def item(found: DatasetItem) -> Item:
    """Return an item of a dataset as JSON."""
    return Item(
        type=found.placed.type,
        id=found.placed.data_id,
        name=found.name,
        tags=found.tags,
        files=found.files,
        bytes=found.bytes,
        folder=folder_of(found.placed),
    )


def pair(found: PathPair) -> Pair:
    """Return a file of a dataset as JSON."""
    return Pair(
        path=found.path,
        data_id=found.data_id,
        data_name=found.data_name,
        data_path=found.data_path,
        size=found.size,
    )


def staged(state: StagingState) -> Staged:
    """Return how far staging is; raise why it failed."""
    if state.failure is not None:
        raise state.failure
    done = state.staged
    return Staged(
        state="ready" if done else "building",
        path=done.path if done else "",
        files=done.files if done else state.of,
        bytes=done.bytes if done else 0,
        done=done.files if done else state.done,
    )


def placed(entries: Entries) -> tuple[domain.Placed, ...]:
    """Return entries as the services know them."""
    if isinstance(entries, Mapping):
        return tuple(
            domain.Placed(kind, number)
            for kind, numbers in entries.items()
            for number in numbers
        )
    return tuple(domain.Placed(domain.FLAT, number) for number in entries)


def entry_list(is_flat: bool, found: Iterable[domain.Placed], at: float) -> EntryList:
    """Return every entry as it is sent."""
    by_type: dict[str, list[int]] = {}
    for one in found:
        by_type.setdefault(one.type, []).append(one.data_id)
    flat = by_type.get(domain.FLAT, [])
    entries: Entries = (
        tuple(flat)
        if is_flat
        else {kind: tuple(numbers) for kind, numbers in by_type.items()}
    )
    return EntryList(is_flat=is_flat, entries=entries, changed_at=at)


def token_of(seen: Seen) -> str:
    """Return where a page ended as text: type:number:path."""
    return f"{seen.type}:{seen.data_id}:{seen.path}"


def token_of_pair(found: PathPair) -> str:
    """Return where a page of files ended as text."""
    return token_of(Seen(found.type, found.data_id, found.data_path))


def seen_of(token: str) -> Seen | None:
    """Read where a page ended; None at the beginning."""
    if not token:
        return None
    kind, _, rest = token.partition(":")
    number, sign, path = rest.partition(":")
    is_number = number.isascii() and number.isdigit() and len(number) <= _NUMBER_DIGITS
    if not sign or not is_number or int(number) > LARGEST_ID:
        raise InvalidInput(
            "after: this is not the next of a page before.",
            "Begin without it, and send each page's next as it came.",
        )
    return Seen(kind, int(number), path)


def _fields(found: domain.Dataset) -> dict[str, object]:
    fields: dict[str, object] = {
        name: getattr(found, name) for name in Dataset.model_fields if name != "page"
    }
    fields["page"] = page_of(Thing(Kind.DATASET, str(found.id)), found.tenant)
    return fields
