"""How data look as JSON, and the way there from the services' own types."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from handlers.api.listing_models import WantedCounted
from handlers.route import Model
from kqi_hub.domain import data as domain, data_item_ports as ports
from kqi_hub.domain.data import Kind, Origin, Thing
from kqi_hub.domain.data_list import DataQuestion
from kqi_hub.domain.data_rules import LONGEST_NAME, LONGEST_TAG, MOST_PARENTS, MOST_TAGS
from kqi_hub.domain.dataset_ports import Blocker as Blocking, Why
from kqi_hub.domain.datasets import LONGEST_MEMO
from kqi_hub.services.data import MOST_AT_ONCE, MOST_PATHS, Bulk, DataView

EXAMPLE: Final = {"data_id": "1"}
BLOCKED_EXAMPLE: Final = {"data_id": "2"}
LARGEST_ID: Final = 2**63 - 1
# As many paths as may be named at once, each as long as one may be.
PATHS_LIMIT: Final = 2 * 1024 * 1024
_MOST_NAMED: Final = 1000
LONGEST_PATH: Final = 1024
_LONGEST_TOKEN: Final = 4000
_PAGES: Final = {
    Kind.DATA: "data/{id}?tenant={tenant}",
    Kind.DATASET: "datasets/{id}?tenant={tenant}",
    # Of a preprocessing the graph has the runs, one for each data item.
    Kind.PREPROCESSING: "preprocessing-runs/{id}?tenant={tenant}",
    Kind.TRAINING: "training/{id}?tenant={tenant}",
    Kind.INFERENCE: "inference/{id}?tenant={tenant}",
}

Number = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]
Tag = Annotated[str, Field(max_length=LONGEST_TAG * 2)]
Path = Annotated[str, Field(min_length=1, max_length=LONGEST_PATH)]
Name = Annotated[str, Field(max_length=LONGEST_NAME * 2)]
Memo = Annotated[str, Field(max_length=LONGEST_MEMO)]


class Exact(Model):
    """A model with paths, whose blanks at the ends belong to them."""

    model_config = ConfigDict(str_strip_whitespace=False)


class Wanted(WantedCounted):
    """Which data to list. Texts: contains; with ! before: does not."""

    tag: str = Field(
        "", max_length=1000, description="Tags, commas between; !tag: without it."
    )
    sort: str = Field(
        "-id",
        pattern="^-?(id|name|created_at|created_by|files|bytes)$",
        description="id, name, created_at, created_by, files, bytes; - before: down.",
    )

    def question(self) -> DataQuestion:
        """Return it as the services know it."""
        tags = (self.tag,) if self.tag else ()
        return DataQuestion(**self.model_dump(exclude={"tag"}), tags=tags)


class Data(Model):
    """A named bundle of files. Times are seconds since 1970."""

    id: int = Field(description="Its number.")
    tenant: str = Field(description="Its tenant.")
    name: str = Field(description="Its name.")
    memo: str = Field(description="A note.")
    tags: tuple[str, ...] = Field(description="Its tags.")
    origin: Origin = Field(description="Where its files came from.")
    files: int = Field(description="How many files it has.")
    bytes: int = Field(description="How many bytes they have.")
    version: int = Field(description="It grows when files come or go.")
    parents: tuple[int, ...] = Field(description="What it was made from, by number.")
    created_by: str = Field(description="Who made it.")
    created_at: float = Field(description="When it was made.")
    changed_at: float = Field(description="When it was last changed.")
    page: str = Field(description="Its page, below the portal's address.")


class Relative(Model):
    """Data that others were made from, or that were made from others."""

    id: int = Field(description="Its number.")
    name: str = Field(description="Its name.")
    page: str = Field(description="Its page, below the portal's address.")


class Blocker(Model):
    """One thing that keeps another from being changed or deleted."""

    kind: Kind = Field(description="What it is.")
    id: str = Field(description="Its number.")
    name: str = Field(description="Its name.")
    why: Why = Field(description="Why it does.")
    page: str = Field(description="Its page; empty when there is none.")


class DataNow(Data):
    """Data with what their page says beside them."""

    made_from: tuple[Relative, ...] = Field(description="Parents that are still there.")
    made_to: tuple[Relative, ...] = Field(description="What was made from it.")
    blockers: tuple[Blocker, ...] = Field(description="What needs it as it is.")
    uploads: tuple[str, ...] = Field(description="Uploads into it, by their keys.")
    may_change: bool = Field(description="Whether you may change it, blockers apart.")


class DataList(Model):
    """Data, the newest first unless sorted otherwise."""

    data: tuple[Data, ...] = Field(description="Those of this page.")
    total: int | None = Field(description="How many on all pages, if asked for.")
    unread: dict[str, str] = Field(
        description="Conditions that cannot be read, by field: nothing was found."
    )


class ChangedData(Model):
    """New name or memo; what is left out stays."""

    name: Name | None = Field(None, description="Its name.")
    memo: Memo | None = Field(None, description="A note.")
    changed_at: float | None = Field(
        None,
        strict=True,
        ge=0,
        le=1e12,
        description="The changed_at of what you have seen, if any.",
    )


class File(Exact):
    """One file of a data item."""

    path: str = Field(description="Its path within the data item.")
    size: int = Field(description="Its bytes.")
    sha256: str = Field(description="SHA-256 of its content, as sha256sum prints it.")


class FileList(Exact):
    """A page of files, in the order of their paths' bytes."""

    files: tuple[File, ...] = Field(description="Those of this page.")
    next: str | None = Field(description="Send it as `after`; none: this is the end.")


class PageOfFiles(Exact):
    """Which page of all files."""

    after: str = Field("", max_length=_LONGEST_TOKEN, description="The next of a page.")
    limit: int = Field(1000, ge=1, le=MOST_PATHS, description="How many a page has.")


class Entry(Exact):
    """What lies in a folder of a data item."""

    name: str = Field(description="Its name.")
    is_folder: bool = Field(description="Whether it is a folder.")
    size: int = Field(description="A file's bytes.")
    sha256: str = Field(description="SHA-256 of a file's content.")


class Folder(Exact):
    """A page of what lies directly in a folder."""

    entries: tuple[Entry, ...] = Field(description="Those of this page.")
    next: str | None = Field(description="Send it as `after`; none: this is the end.")


class PageOfFolder(Exact):
    """Which page of which folder."""

    folder: str = Field(
        "", max_length=LONGEST_PATH, description="Path; empty: the top."
    )
    after: str = Field("", max_length=_LONGEST_TOKEN, description="The next of a page.")
    limit: int = Field(1000, ge=1, le=1000, description="How many a page has.")


class Paths(Exact):
    """Files by their paths."""

    paths: Annotated[tuple[Path, ...], Field(min_length=1, max_length=_MOST_NAMED)] = (
        Field(description="Their paths within the data item.")
    )


class OfTenant(Model):
    """Which tenant."""

    tenant: str = Field(max_length=64, description="The tenant.")


class KnownTag(Model):
    """A tag in use."""

    name: str = Field(description="The tag.")
    data: int = Field(description="How many data items have it.")


class TagList(Model):
    """The tags in use in a tenant, by name."""

    tags: tuple[KnownTag, ...] = Field(description="The tags.")


class BlockerList(Model):
    """What keeps data from being changed or deleted."""

    blockers: tuple[Blocker, ...] = Field(description="None: nothing does.")


class Many(Model):
    """One thing to do to many data items."""

    ids: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_AT_ONCE)] = (
        Field(description="Their numbers.")
    )
    action: Bulk = Field(description="tag, untag or delete.")
    tag: Tag = Field("", description="The tag.")


class Done(Model):
    """What came of one data item of many."""

    id: int = Field(description="Its number.")
    done: bool = Field(description="Whether it went well.")
    code: str = Field(description="If not: the code of the error.")
    detail: str = Field(description="If not: what happened.")


class ManyDone(Model):
    """What came of each."""

    outcomes: tuple[Done, ...] = Field(description="One for each number.")


class NewData(Model):
    """What a new data item is to be, and how much will be sent for it."""

    tenant: str = Field(max_length=64, description="Its tenant.")
    name: Name = Field(description="Its name.")
    memo: Memo = Field("", description="A note.")
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] = Field(
        (), description="Its tags."
    )
    parents: Annotated[tuple[Number, ...], Field(max_length=MOST_PARENTS)] = Field(
        (), description="What it was made from, by number."
    )
    origin: Origin = Field(Origin.UPLOAD, description="Where its files come from.")
    files: int = Field(
        strict=True, ge=0, le=2**53, description="How many files will be sent."
    )
    bytes: int = Field(
        strict=True, ge=0, le=2**60, description="How many bytes they have."
    )


def data(found: domain.DataItem) -> Data:
    """Return a data item as JSON."""
    return Data.model_validate(_fields(found))


def data_now(view: DataView) -> DataNow:
    """Return a data item with what is around it as JSON."""
    tenant = view.item.tenant
    more = {
        "made_from": [_relative(one) for one in view.parents],
        "made_to": [_relative(one) for one in view.children],
        "blockers": [blocker(one, tenant) for one in view.blockers],
        "uploads": [one.key for one in view.uploads],
        "may_change": view.may_change,
    }
    return DataNow.model_validate({**_fields(view.item), **more})


def file(found: domain.StoredFile) -> File:
    """Return a file as JSON."""
    return File(path=found.path, size=found.size, sha256=found.sha256)


def entry(found: ports.Entry) -> Entry:
    """Return what lies in a folder as JSON."""
    return Entry(
        name=found.name,
        is_folder=found.is_folder,
        size=found.size,
        sha256=found.sha256,
    )


def blocker(found: Blocking, tenant: str) -> Blocker:
    """Return what keeps a thing of a tenant from changing as JSON."""
    return Blocker(
        kind=found.thing.kind,
        id=found.thing.id,
        name=found.name,
        why=found.why,
        page=page_of(found.thing, tenant),
    )


def page_of(thing: Thing, tenant: str) -> str:
    """Return the page of a thing, below the portal's address; empty: there is none."""
    return _PAGES.get(thing.kind, "").format(id=thing.id, tenant=tenant)


def _relative(found: domain.DataItem) -> Relative:
    page = page_of(Thing(Kind.DATA, str(found.id)), found.tenant)
    return Relative(id=found.id, name=found.name, page=page)


def _fields(found: domain.DataItem) -> dict[str, object]:
    fields: dict[str, object] = {
        name: getattr(found, name) for name in Data.model_fields if name != "page"
    }
    fields["page"] = page_of(Thing(Kind.DATA, str(found.id)), found.tenant)
    return fields
