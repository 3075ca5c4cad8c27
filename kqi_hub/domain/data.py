"""What a tenant's data are: items with files, uploads under way, datasets of items."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

USUAL_TYPES: Final = ("training", "testing", "validation")
# In a flat dataset every item lies directly in the input folder.
FLAT: Final = ""


class DataState(StrEnum):
    """How far a data item is; only READY ones are listed, read and put in datasets."""

    UPLOADING = "uploading"
    READY = "ready"
    REMOVING = "removing"


class Origin(StrEnum):
    """Where the files of an item came from."""

    UPLOAD = "upload"
    SCRATCH = "scratch"
    PREPROCESSING = "preprocessing"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of an item: its path within the item, and its content by SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DataItem:
    """A named bundle of files of a tenant.

    The content of a published file never changes; `version` grows when files come or
    go. `parents` are the items that it was made from.
    """

    id: int
    tenant: str
    name: str
    memo: str
    tags: tuple[str, ...]
    state: DataState
    origin: Origin
    files: int
    bytes: int
    version: int
    created_by: str
    created_at: float
    changed_at: float
    parents: tuple[int, ...] = ()


class UploadState(StrEnum):
    """How far an upload is."""

    OPEN = "open"
    PUBLISHING = "publishing"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Upload:
    """Files on their way into an item: nothing of them shows before they are all there.

    `key` names the upload in the store, `files` and `bytes` are what was announced.
    """

    key: str
    data_id: int
    tenant: str
    person: str
    state: UploadState
    files: int
    bytes: int
    began_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A data item's place in a dataset; `type` is FLAT in a flat dataset."""

    type: str
    data_id: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data items in groups, as a job will find them below its input folder."""

    id: int
    tenant: str
    name: str
    memo: str
    is_flat: bool
    items: int
    files: int
    bytes: int
    is_locked: bool
    created_by: str
    created_at: float
    changed_at: float


class Kind(StrEnum):
    """What the graph of lineage joins."""

    DATA = "data"
    DATASET = "dataset"
    PREPROCESSING = "preprocessing"
    TRAINING = "training"
    INFERENCE = "inference"
    NOTEBOOK = "notebook"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Thing:
    """One node of the graph; a commit's id is `repository@hash`."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Use:
    """One thing was made from, or used, another; `locks`: that one may not change."""

    used: Thing
    by: Thing
    at: float
    locks: bool


@dataclass(frozen=True, slots=True)
class StoreUse:
    """What a tenant or a person keeps in the store: as listed, and on the disk."""

    files: int
    bytes: int
    uploading_bytes: int
    most_files: int | None = None
    most_bytes: int | None = None
