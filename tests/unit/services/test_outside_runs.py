"""Preprocessings that were run elsewhere: opened once, filled, gone on with, ended."""

from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.data import DataItem, DataState, Kind, Origin, Thing
from kqi_hub.domain.data_errors import Blocked, NoRoom
from kqi_hub.domain.dataset_ports import Blocker, Why
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.outside_runs import MOST_OUTPUTS, NewOutput, OutsideRun
from kqi_hub.domain.people import Role
from kqi_hub.domain.preprocessings import NewPreprocessing
from kqi_hub.domain.runs import Run, RunKind, RunState
from kqi_hub.domain.upload_ports import Quota, Quotas
from kqi_hub.services.outside_runs import Added, OutsideRuns
from kqi_hub.services.preprocessing_runs import PreprocessingRuns
from kqi_hub.services.preprocessings import Preprocessings
from tests.fakes.data import DataLab
from tests.fakes.data_items import data_item, somebody
from tests.fakes.login import FakeAuditLog
from tests.fakes.notebooks import open_to_all
from tests.fakes.outside_outputs import FakeOutsideOutputs
from tests.fakes.preprocessings import FakePreprocessingStore
from tests.fakes.queues import FakeQueues
from tests.fakes.runs import FakeRuns

MIA, MAX = somebody("mia"), somebody("max")
VICTOR = somebody("victor", Role.VIEWER)
MALLORY = somebody("mallory", Role.MEMBER, "nlp")
CUT = NewOutput("cut", 2, 10, "by hand", ("windows",))


@dataclass
class Lab:
    """The services over fakes: data 1 of vision and 2 of nlp, preprocessing 1."""

    fakes: FakeRuns = field(default_factory=FakeRuns)
    data: DataLab = field(default_factory=DataLab)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)

    def __post_init__(self) -> None:
        self.runs = self.fakes.runs(open_to_all(["mia", "max", "victor"], FakeQueues()))
        self.outputs = FakeOutsideOutputs(self.fakes.store)
        store = FakePreprocessingStore(self.fakes.store)
        store.create(NewPreprocessing("vision", "Cut 2"), "max", 1.0)
        book, uses = self.data.book, self.fakes.datasets
        kinds = Preprocessings(store, self.runs, book, self.audit)
        self.outside = OutsideRuns(kinds, self.outputs, self.data.uploads)
        self.history = PreprocessingRuns(
            self.runs, book, uses, uses, book, self.data.store, self.outputs,
            self.data.uploads,
        )  # fmt: skip
        book.items[1] = replace(data_item(1), tags=("raw",))
        book.items[2] = data_item(2, "nlp")
        book.last_id = 2

    async def opened(self) -> int:
        return (await self.outside.open(MIA, OutsideRun(1, 1))).run.id

    async def sent(self, added: Added, *, finishes: bool = True) -> None:
        """Send the two files of `CUT`."""
        assert added.sent is not None
        key = added.sent.upload.key
        for path in ("a.png", "b.png"):
            self.data.store.receive(key, path, 5)
        if finishes:
            await self.data.uploads.finish(MIA, key)

    def run(self, number: int = 1) -> Run:
        return self.fakes.store.runs[number]

    def items(self) -> list[DataItem]:
        return [one for one in self.data.book.items.values() if one.id > 2]


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_only_the_name_of_a_preprocessing_is_needed_to_open_a_run(
    lab: Lab,
) -> None:
    view = await lab.outside.open(MIA, OutsideRun(1, 1, "on my own machine"))
    run = view.run
    assert (run.state, run.owner, run.name) == (RunState.OPENED, "mia", "cut-2")
    assert (run.preprocessing, run.data, run.memo) == (1, 1, "on my own machine")
    assert (run.job_id, run.spec.queue, run.spec.is_outside) == (None, "", True)
    assert view.actions == ("delete", "change", "copy")
    assert view.cost is None
    assert lab.fakes.submission.begun == []
    assert lab.fakes.store.live() == ()
    assert [one.action for one in lab.audit.events] == ["preprocessing-opened"]


async def test_a_preprocessing_is_done_once_on_an_item_here_or_elsewhere(
    lab: Lab,
) -> None:
    await lab.opened()
    for asker in (MIA, MAX):
        with pytest.raises(Conflict, match="by run 1"):
            await lab.outside.open(asker, OutsideRun(1, 1))
    assert len(lab.fakes.store.runs) == 1


@pytest.mark.parametrize(
    ("asker", "asked", "error"),
    [
        (VICTOR, OutsideRun(1, 1), NotPermitted),
        (MALLORY, OutsideRun(1, 2), NotFound),
        (MIA, OutsideRun(1, 2), InvalidInput),
        (MIA, OutsideRun(1, 99), InvalidInput),
        (MIA, OutsideRun(1, 0), InvalidInput),
        (MIA, OutsideRun(1, 2**63), InvalidInput),
        (MIA, OutsideRun(2, 1), NotFound),
        (MIA, OutsideRun(-1, 1), NotFound),
        (MIA, OutsideRun(1, 1, "\0"), InvalidInput),
        (MIA, OutsideRun(1, 1, "x" * 4001), InvalidInput),
    ],
)
async def test_what_nobody_may_open_leaves_nothing(
    lab: Lab, asker: object, asked: OutsideRun, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await lab.outside.open(asker, asked)  # type: ignore[arg-type]  # an Asker
    assert lab.fakes.store.runs == {}


async def test_a_folder_becomes_data_with_lineage_and_tags(lab: Lab) -> None:
    number = await lab.opened()
    added = await lab.outside.add(MIA, number, CUT)
    assert added.sent is not None
    assert added.sent.ticket
    item = added.item
    assert (item.name, item.memo, item.parents) == ("cut", "by hand", (1,))
    assert set(item.tags) == {"Cut 2", "raw", "windows"}
    assert (item.origin, item.state) == (Origin.PREPROCESSING, DataState.UPLOADING)
    assert await lab.history.products(MAX, number) == ()
    await lab.sent(added)
    [made] = await lab.history.products(MAX, number)
    assert (made.id, made.files) == (item.id, 2)
    done = (await lab.outside.complete(MIA, number)).run
    assert (done.state, done.files, done.bytes) == (RunState.COMPLETED, 2, 10)
    assert lab.outputs.kept == {}
    assert [one.id for one in await lab.history.products(MAX, number)] == [item.id]
    assert (await lab.outside.complete(MIA, number)).run == done
    with pytest.raises(Conflict, match="not open"):
        await lab.outside.add(MIA, number, replace(CUT, name="more"))


async def test_after_a_cut_the_same_folder_goes_on_with_the_same_upload(
    lab: Lab,
) -> None:
    number = await lab.opened()
    first = await lab.outside.add(MIA, number, CUT)
    again = await lab.outside.add(MIA, number, CUT)
    assert first.sent is not None
    assert again.sent is not None
    assert again.sent.upload.key == first.sent.upload.key
    assert len(lab.items()) == 1
    await lab.sent(again)
    whole = await lab.outside.add(MIA, number, CUT)
    assert (whole.item.id, whole.sent) == (first.item.id, None)
    # Its upload is forgotten after some days: what it made is known all the same.
    lab.data.book.kept_uploads.clear()
    assert (await lab.outside.add(MIA, number, CUT)).sent is None
    assert len(lab.items()) == 1


async def test_a_crash_between_upload_and_its_note_makes_no_second_item(
    lab: Lab,
) -> None:
    number = await lab.opened()
    first = await lab.outside.add(MIA, number, CUT)
    kept = lab.outputs.kept[number]["cut"]
    lab.outputs.kept[number]["cut"] = replace(kept, data=None)
    again = await lab.outside.add(MIA, number, CUT)
    assert again.item.id == first.item.id
    assert lab.outputs.kept[number]["cut"] == kept
    lab.outputs.kept[number]["cut"] = replace(kept, data=None)
    await lab.sent(again)
    await lab.outside.complete(MIA, number)
    assert [one.id for one in await lab.history.products(MIA, number)] == [
        first.item.id
    ]


async def test_a_folder_that_has_changed_or_was_dropped_begins_anew(lab: Lab) -> None:
    number = await lab.opened()
    first = await lab.outside.add(MIA, number, CUT)
    other = await lab.outside.add(MIA, number, replace(CUT, files=1, bytes=5))
    assert first.sent is not None
    assert other.sent is not None
    assert other.item.id != first.item.id
    assert [one.id for one in lab.items()] == [other.item.id]
    await lab.data.uploads.drop(MIA, other.sent.upload.key)
    third = await lab.outside.add(MIA, number, CUT)
    await lab.sent(third)
    # Somebody deletes what came of it.
    lab.data.book.begin_removal(third.item.id, 5.0)
    fourth = await lab.outside.add(MIA, number, CUT)
    assert fourth.sent is not None
    assert fourth.item.id not in {first.item.id, other.item.id, third.item.id}


async def test_a_run_is_not_complete_while_a_folder_is_under_way(lab: Lab) -> None:
    number = await lab.opened()
    added = await lab.outside.add(MIA, number, CUT)
    await lab.sent(added, finishes=False)
    with pytest.raises(Conflict, match="cut is not uploaded whole"):
        await lab.outside.complete(MIA, number)
    assert added.sent is not None
    await lab.data.uploads.drop(MIA, added.sent.upload.key)
    assert (await lab.outside.complete(MIA, number)).run.files == 0


@pytest.mark.parametrize(
    "about",
    [
        {"name": ""}, {"name": " "}, {"name": "a\nb"}, {"name": "\0"},
        {"name": "x" * 201}, {"name": "\ud800"}, {"files": -1}, {"files": 2**60},
        {"bytes": -1}, {"bytes": 2**61}, {"memo": "\0"}, {"tags": ("a,b",)},
        {"tags": ("!a",)}, {"tags": ("\n",)},
    ],
)  # fmt: skip
async def test_a_folder_that_cannot_be_meant_leaves_nothing(
    lab: Lab, about: dict[str, object]
) -> None:
    number = await lab.opened()
    with pytest.raises(InvalidInput):
        await lab.outside.add(MIA, number, replace(CUT, **about))  # type: ignore[arg-type]  # as named
    assert (lab.items(), lab.outputs.kept) == ([], {})


async def test_names_that_look_like_paths_are_names(lab: Lab) -> None:
    number = await lab.opened()
    for name in ("..", "../../etc", "'; drop table runs; --", "$(id)", "日本"):
        added = await lab.outside.add(MIA, number, replace(CUT, name=name))
        assert added.item.name == name
    assert len(lab.items()) == 5


async def test_a_run_has_so_many_folders_at_most(lab: Lab) -> None:
    number = await lab.opened()
    for one in range(MOST_OUTPUTS):
        lab.outputs.reserve(number, f"f{one}", f"key{one}")
    with pytest.raises(Conflict, match="at most 1000"):
        await lab.outside.add(MIA, number, CUT)


async def test_a_quota_refuses_a_folder_and_the_next_try_may_be_smaller(
    lab: Lab,
) -> None:
    number = await lab.opened()
    lab.data.quotas = Quotas(Quota(most_bytes=48), Quota())
    with pytest.raises(NoRoom):
        await lab.outside.add(MIA, number, CUT)
    assert lab.items() == []
    small = await lab.outside.add(MIA, number, replace(CUT, files=1, bytes=5))
    assert small.sent is not None


async def test_nobody_else_adds_completes_or_deletes(lab: Lab) -> None:
    number = await lab.opened()
    for asker, error in ((MAX, NotPermitted), (VICTOR, NotPermitted),
                         (MALLORY, NotFound)):  # fmt: skip
        with pytest.raises(error):
            await lab.outside.add(asker, number, CUT)
        with pytest.raises(error):
            await lab.outside.complete(asker, number)
        with pytest.raises(error):
            await lab.history.delete(asker, number)
    assert lab.run().state is RunState.OPENED


async def test_a_run_of_slurm_takes_nothing_from_elsewhere(lab: Lab) -> None:
    number = await lab.opened()
    run = lab.run(number)
    for state in (RunState.RUNNING, RunState.COMPLETED, RunState.KILLED):
        lab.fakes.store.runs[number] = replace(
            run, state=state, spec=replace(run.spec, is_outside=False)
        )
        with pytest.raises(Conflict, match="not open"):
            await lab.outside.add(MIA, number, CUT)
        with pytest.raises(Conflict, match="not open"):
            await lab.outside.complete(MIA, number)


async def test_there_is_nothing_to_stop(lab: Lab) -> None:
    number = await lab.opened()
    with pytest.raises(Conflict, match="no job to stop"):
        await lab.runs.stop(MIA, RunKind.PREPROCESSING, number)


async def test_deleting_an_open_run_gives_up_what_is_under_way(lab: Lab) -> None:
    number = await lab.opened()
    await lab.sent(await lab.outside.add(MIA, number, CUT))
    await lab.outside.add(MIA, number, replace(CUT, name="second"))
    await lab.history.delete(MIA, number)
    assert lab.fakes.store.runs == {}
    assert lab.items() == []
    again = await lab.opened()
    assert again != number


async def test_data_in_use_keep_an_open_run_as_it_is(lab: Lab) -> None:
    number = await lab.opened()
    added = await lab.outside.add(MIA, number, CUT)
    await lab.sent(added)
    second = await lab.outside.add(MIA, number, replace(CUT, name="second"))
    user = Blocker(Thing(Kind.DATASET, "7"), Why.IN_LOCKED_DATASET)
    lab.data.book.blocked[added.item.id] = (user,)
    with pytest.raises(Blocked):
        await lab.history.delete(MIA, number)
    assert lab.run().state is RunState.OPENED
    assert [one.id for one in lab.items()] == [added.item.id, second.item.id]
