"""Data in memory: what the database keeps, joined with a fake store to the services.

    lab = data_lab()
    item, sent = await lab.uploads.create(asker("ann"), NewData("vision", "a"), 1, 3)
    lab.store.receive(sent.upload.key, "x.txt", 3)
    await lab.uploads.finish(asker("ann"), sent.upload.key)

or, where the way does not matter: `item = await lab.data_of("ann", {"x.txt": 3})`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from kqi_hub.domain.data import DataItem
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.upload_ports import NewData, Quota, Quotas
from kqi_hub.services.data import DataItems
from kqi_hub.services.data_use import DataUse
from kqi_hub.services.publishing import Publisher
from kqi_hub.services.tenant_rights import Asker
from kqi_hub.services.uploads import Uploads
from tests.fakes.data_book import FakeDataBook
from tests.fakes.login import FakeAuditLog
from tests.fakes.store import NOW, FakeStore

TICKET_KEY = b"k" * 32
NO_QUOTAS = Quotas(Quota(), Quota())


@dataclass
class DataLab:
    """Everything about data, joined in memory; `now` is what the clocks say."""

    book: FakeDataBook = field(default_factory=FakeDataBook)
    store: FakeStore = field(default_factory=FakeStore)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)
    quotas: Quotas = NO_QUOTAS
    now: float = NOW

    def __post_init__(self) -> None:
        self.publisher = Publisher(self.book, self.book, self.store, self.wall)
        self.uploads = Uploads(
            self.book,
            self.book,
            self.store,
            self.publisher,
            lambda: TICKET_KEY,
            lambda tenant: self.quotas,
            self.audit,
            wall=self.wall,
        )
        self.items = DataItems(
            self.book,
            self.book,
            self.store,
            self.book,
            self.audit,
            ZoneInfo("Asia/Tokyo"),
            self.wall,
        )
        self.use = DataUse(self.book, self.store, lambda tenant: self.quotas)

    def wall(self) -> float:
        return self.now

    async def data_of(
        self, person: str, files: Mapping[str, int], new: NewData | None = None
    ) -> DataItem:
        """Return a READY item that the person has made of files of these sizes."""
        who = asker(person)
        wanted = new or NewData("vision", f"data of {person}")
        size = sum(files.values())
        _, sent = await self.uploads.create(who, wanted, len(files), size)
        for path, one in files.items():
            self.store.receive(sent.upload.key, path, one)
        done = await self.uploads.finish(who, sent.upload.key)
        assert done.item is not None
        return done.item


def data_lab() -> DataLab:
    """Return a lab with nothing in it."""
    return DataLab()


def asker(
    person: str, role: Role | None = Role.MEMBER, tenant: str = "vision"
) -> Asker:
    """Return somebody with one tenant; no role is somebody of nowhere."""
    memberships = () if role is None else (Membership(tenant, role),)
    return Asker(Standing(person, memberships), "192.0.2.7")
