"""What uploads ask of the database, as a protocol, and what it is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.data import DataItem, Origin, StoredFile, Upload


@dataclass(frozen=True, slots=True)
class NewData:
    """What somebody wants a new data item to be."""

    tenant: str
    name: str
    memo: str = ""
    tags: tuple[str, ...] = ()
    parents: tuple[int, ...] = ()
    origin: Origin = Origin.UPLOAD


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An upload as it begins; `key` names it for ever."""

    key: str
    person: str
    files: int
    bytes: int
    at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Quota:
    """As much as somebody may keep; None is no limit."""

    most_files: int | None = None
    most_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Quotas:
    """What holds for one upload: the quota of its tenant, and that of its person."""

    tenant: Quota
    person: Quota


class UploadStore(Protocol):
    """Uploads in the database, each change in one statement. Blocks.

    Unknown keys raise NotFound.
    """

    def begin(
        self, new: NewData, upload: NewUpload, quotas: Quotas
    ) -> tuple[DataItem, Upload]:
        """Keep a new item, UPLOADING, and its upload; NoRoom beyond a quota.

        What other uploads have announced counts as used. NotFound for a parent that
        is no READY item of the tenant. Conflict for a key that is known.
        """

    def begin_more(self, data_id: int, upload: NewUpload, quotas: Quotas) -> Upload:
        """Keep an upload into a READY item."""

    def upload(self, key: str) -> Upload | None:
        """Return one."""

    def of_person(self, person: str, tenant: str | None = None) -> tuple[Upload, ...]:
        """Return a person's uploads under way and lately dropped, newest first."""

    def into(self, data_id: int) -> tuple[Upload, ...]:
        """Return the uploads under way into an item."""

    def extend(self, key: str, expires_at: float) -> Upload:
        """Let an OPEN upload live longer; never shorter."""

    def publishing(self, key: str, now: float) -> Upload:
        """Begin to publish, or go on: return it as it is then.

        Conflict while another upload of the same item is being published or files are
        taken from it, and when the item is no longer there.
        """

    def add_files(self, key: str, files: Sequence[StoredFile], now: float) -> bool:
        """Keep a page of published files, not shown yet; repeating it is fine.

        False when the upload is no longer PUBLISHING: somebody else has ended it.
        """

    def published(self, key: str, now: float) -> DataItem | None:
        """Show the files: the upload is DONE, the item READY and a version further.

        None when the item is gone. Raises Incomplete, and changes nothing, while
        files lack.
        """

    def reopen(self, key: str, now: float) -> Upload:
        """Go back to OPEN: nothing of it has been published."""

    def drop(self, key: str, now: float) -> Upload:
        """End an OPEN upload; an item that was to begin with it goes too.

        Conflict while it is PUBLISHING; one that is DONE or DROPPED stays so.
        """

    def expired(self, now: float, limit: int = 100) -> tuple[Upload, ...]:
        """Return OPEN uploads whose time is over."""

    def interrupted(self, before: float, limit: int = 100) -> tuple[Upload, ...]:
        """Return PUBLISHING uploads that nothing happened to since a moment."""

    def left_over(self, before: float, limit: int = 100) -> tuple[Upload, ...]:
        """Return uploads ended before a moment that the store may still have."""

    def cleared(self, key: str) -> None:
        """Note that the store has nothing of an ended upload any more."""

    def keys(self, tenant: str) -> tuple[str, ...]:
        """Return a tenant's uploads that the store may have something of."""

    def forget_ended(self, before: float) -> int:
        """Remove cleared uploads that ended before a moment; return how many."""
