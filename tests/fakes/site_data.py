"""Data, datasets and lineage of a portal in memory, as its routes are given them."""

from dataclasses import dataclass, field

from kqi_hub.domain.data import Placed
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.upload_ports import NewData, NewUpload
from kqi_hub.services.staging import Staging
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.data import NO_QUOTAS, DataLab
from tests.fakes.datasets import FakeDatasets
from tests.fakes.store import NOW

KEY = "abcdefghijklmnopqrstuvwxyz"
FILES = ("a/one.txt", "a/two.txt", "three.bin")


@dataclass
class FakeSiteData:
    """Everything about data of one portal; datasets see the same items."""

    lab: DataLab = field(default_factory=DataLab)
    datasets: FakeDatasets = field(default_factory=FakeDatasets)

    def __post_init__(self) -> None:
        self.datasets.data = self.lab.book.items
        self.staging = Staging(
            self.datasets, self.datasets, self.lab.store, pause_s=0.01
        )

    def asker(self, person: str, tenant: str = "vision") -> Asker:
        """Return somebody who is a member of a tenant."""
        return Asker(Standing(person, (Membership(tenant, Role.MEMBER),)))

    async def make(self, person: str, new: NewData | None = None, size: int = 7) -> int:
        """Keep a data item of three files, as if uploaded; return its number."""
        wanted = new or NewData("vision", "street signs", tags=("raw",))
        who = self.asker(person, wanted.tenant)
        item, sent = await self.lab.uploads.create(
            who, wanted, len(FILES), size * len(FILES)
        )
        for path in FILES:
            self.lab.store.receive(sent.upload.key, path, size, path)
        await self.lab.uploads.finish(who, sent.upload.key)
        self.sync()
        return item.id

    def sync(self) -> None:
        """Let datasets see the files of the items, as one database would."""
        book = self.lab.book
        self.datasets.files = {
            number: [one for _, one in rows.values()]
            for number, rows in book.rows.items()
        }

    async def furnish(self, person: str) -> None:
        """Begin anew, with what the examples of the routes speak of.

        Data 1 and dataset 1 are mia's; the upload of the examples is the asker's.
        """
        self.lab.book.__init__()  # type: ignore[misc]  # all of it, as at first
        self.lab.store.__init__()  # type: ignore[misc]
        self.datasets.__init__()  # type: ignore[misc]
        self.__post_init__()
        number = await self.make("mia")
        entries = (Placed("training", number),)
        self.datasets.create(
            NewDataset("vision", "signs", "", False, entries), "mia", 1
        )
        new = NewData("vision", "more signs")
        upload = NewUpload(KEY, person, 1, 3, NOW, NOW + 1000)
        self.lab.book.begin(new, upload, NO_QUOTAS)
        self.lab.store.receive(KEY, "x.txt", 3)
