"""Outputs of preprocessings become data, once, whatever ends in between."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.data import DataItem, DataState, Kind, Origin, Thing
from kqi_hub.domain.errors import KqiError, StoreUnavailable
from kqi_hub.domain.preprocessings import NewPreprocessing
from kqi_hub.domain.run_outputs import Offered, OutputRefused, output_key
from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.runs import Run, RunKind, RunState
from kqi_hub.domain.tickets import checked
from kqi_hub.domain.upload_ports import Quota, Quotas
from kqi_hub.services.publishing import Publisher
from kqi_hub.services.run_outputs import RunOutputs
from tests.fakes.data_book import FakeDataBook
from tests.fakes.data_items import data_item
from tests.fakes.datasets import FakeDatasets
from tests.fakes.preprocessings import FakePreprocessingStore
from tests.fakes.runs import SPEC, FakeRunStore
from tests.fakes.store import NOW, FakeStore

KEY = b"k" * 40
RUN = Run(
    id=31,
    kind=RunKind.PREPROCESSING,
    owner="mia",
    key="a" * 26,
    spec=SPEC,
    state=RunState.COLLECTING,
    asked_at=NOW - 100,
    changed_at=NOW,
    ended_at=NOW,
    batch=30,
    task=1,
    preprocessing=1,
    data=1,
    folder="preprocessing/31",
)
FOUND = Collected(RunState.COMPLETED, files=3, bytes=9, outputs=("cats", "dogs"))


@dataclass
class FakeOutputs:
    """OutputFiles: folders with files, which a store takes; `fails` fails next calls.

    `parts` are answers given before the last one, as of large outputs.
    """

    store: FakeStore
    folders: dict[str, dict[str, int]] = field(default_factory=dict)
    fails: list[KqiError] = field(default_factory=list)
    parts: list[Offered] = field(default_factory=list)
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)

    async def offer(
        self, person: str, folder: str, name: str, ticket: str, after: str = ""
    ) -> Offered:
        self.asked.append((person, folder, name, after))
        if self.fails:
            raise self.fails.pop(0)
        if self.parts:
            return self.parts.pop(0)
        key = checked(ticket, KEY, NOW).upload
        for path, size in self.folders.get(name, {}).items():
            self.store.receive(key, path, size)
        return Offered(after="z")


@dataclass
class Lab:
    """The service over fakes."""

    store: FakeStore = field(default_factory=FakeStore)
    book: FakeDataBook = field(default_factory=FakeDataBook)
    uses: FakeDatasets = field(default_factory=FakeDatasets)
    quota: Quota = field(default_factory=Quota)
    now: float = NOW

    def __post_init__(self) -> None:
        self.outputs = FakeOutputs(self.store)
        self.outputs.folders = {"cats": {"1.jpg": 3, "a/2.jpg": 4}, "dogs": {"1": 2}}
        self.book.items[1] = replace(data_item(1), tags=("raw", "july"))
        self.book.last_id = 10
        known = FakePreprocessingStore(FakeRunStore())
        known.create(NewPreprocessing("vision", "Resize 224"), "max", 1.0)
        self.service = RunOutputs(
            self.outputs, self.book, self.book, known, self.uses, self.store,
            Publisher(self.book, self.book, self.store, wall=lambda: self.now),
            lambda: KEY, lambda _: Quotas(self.quota, Quota()),
            wall=lambda: self.now, pause_s=0.0,
        )  # fmt: skip

    def made(self) -> list[DataItem]:
        found = [one for one in self.book.items.values() if one.id > 10]
        return sorted(found, key=lambda one: one.name)


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_each_folder_becomes_data_with_name_tags_and_lineage(lab: Lab) -> None:
    assert await lab.service.products(RUN, FOUND) == FOUND
    cats, dogs = lab.made()
    assert (cats.name, dogs.name) == ("cats", "dogs")
    assert cats.tags == ("Resize 224", "raw", "july")
    assert (cats.files, cats.bytes, cats.state) == (2, 7, DataState.READY)
    assert (cats.origin, cats.parents) == (Origin.PREPROCESSING, (1,))
    assert (cats.created_by, cats.tenant) == ("mia", "vision")
    by = Thing(Kind.PREPROCESSING, "31")
    assert {(one.used, one.by.id) for one in lab.uses.uses.values()} == {
        (by, str(cats.id)),
        (by, str(dogs.id)),
    }
    assert lab.outputs.asked[0] == ("mia", "preprocessing/31", "cats", "")


async def test_doing_it_again_changes_nothing(lab: Lab) -> None:
    await lab.service.products(RUN, FOUND)
    before = lab.made()
    await lab.service.products(RUN, FOUND)
    assert lab.made() == before
    assert len(lab.outputs.asked) == 2


@pytest.mark.parametrize("call", ["received", "publish", "uploaded"])
async def test_what_was_cut_short_is_finished_once(lab: Lab, call: str) -> None:
    lab.store.fails[call] = [StoreUnavailable("The store is silent.")]
    with pytest.raises(StoreUnavailable):
        await lab.service.products(RUN, FOUND)
    await lab.service.products(RUN, FOUND)
    assert [one.name for one in lab.made()] == ["cats", "dogs"]
    assert len(lab.uses.uses) == 2


async def test_what_does_not_pass_for_an_hour_is_left_out_and_told(lab: Lab) -> None:
    lab.outputs.fails = [StoreUnavailable("The store is silent.")]
    lab.now += 3601
    found = await lab.service.products(RUN, FOUND)
    assert found.detail == "cats: The store is silent."
    assert [one.name for one in lab.made()] == ["dogs"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lab: lab.outputs.fails.append(OutputRefused("cats is a link.")),
        lambda lab: setattr(lab, "quota", Quota(most_files=3)),
    ],
)
async def test_what_can_never_be_is_told_and_the_rest_is_made(
    lab: Lab, spoil: Callable[[Lab], None]
) -> None:
    spoil(lab)
    found = await lab.service.products(RUN, FOUND)
    assert found.detail.startswith("cats: ")
    assert [one.name for one in lab.made()] == ["dogs"]
    assert output_key(RUN, "cats") not in lab.store.incoming


async def test_an_empty_folder_is_no_data(lab: Lab) -> None:
    lab.outputs.folders["cats"] = {}
    assert (await lab.service.products(RUN, FOUND)).detail == ""
    assert [one.name for one in lab.made()] == ["dogs"]


@pytest.mark.parametrize(
    "found",
    [replace(FOUND, state=one) for one in RunState if one is not RunState.COMPLETED],
)
async def test_only_a_run_that_went_well_makes_data(lab: Lab, found: Collected) -> None:
    assert await lab.service.products(RUN, found) == found
    assert lab.outputs.asked == []


async def test_other_runs_make_no_data(lab: Lab) -> None:
    await lab.service.products(replace(RUN, kind=RunKind.TRAINING), FOUND)
    assert lab.outputs.asked == []


async def test_large_outputs_take_several_calls_and_misses_are_told(lab: Lab) -> None:
    lab.outputs.parts = [
        Offered("a", more=True, misses=1, missed="fifo: no file"),
        Offered("a", more=True),
        Offered("b", more=True, misses=2, missed="other"),
    ]
    found = await lab.service.products(RUN, FOUND)
    assert [one[3] for one in lab.outputs.asked] == ["", "a", "a", "b", ""]
    assert found.detail == "cats: files left out: 3, such as fifo: no file"
    assert [one.name for one in lab.made()] == ["cats", "dogs"]


async def test_a_store_that_does_not_get_on_is_asked_again_later(lab: Lab) -> None:
    lab.outputs.parts = [Offered("a", more=True)] * 20
    with pytest.raises(StoreUnavailable, match="does not get on"):
        await lab.service.products(RUN, FOUND)
    assert len(lab.outputs.asked) < 12
    assert lab.made() == []


async def test_a_name_that_data_cannot_have_gives_way_to_the_usual_one(
    lab: Lab,
) -> None:
    name = "x" * 220
    lab.outputs.folders[name] = {"1": 1}
    await lab.service.products(RUN, replace(FOUND, outputs=(name,)))
    assert [one.name for one in lab.made()] == ["signs_Resize 224"]


def test_an_output_has_always_the_same_key_and_never_anothers() -> None:
    keys = {
        output_key(replace(RUN, id=number), name)
        for number in (31, 32)
        for name in ("cats", "dogs", "31", "\n")
    }
    assert len(keys) == 8
    assert all(len(one) == 26 and one.isalnum() and one.islower() for one in keys)
    assert output_key(RUN, "cats") == output_key(replace(RUN, changed_at=1), "cats")
