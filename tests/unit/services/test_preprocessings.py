"""Defining preprocessings, running them on data, deleting their runs with products."""

from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.data import Kind, Thing, Use
from kqi_hub.domain.data_errors import Blocked
from kqi_hub.domain.dataset_ports import Blocker, Why
from kqi_hub.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RegistryUnavailable,
)
from kqi_hub.domain.listing import MadeQuestion
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.people import Role
from kqi_hub.domain.preprocessings import (
    BatchRequest,
    NewPreprocessing,
    PreprocessingChange,
    run_name,
)
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.runs import RunKind, RunState, Source
from kqi_hub.services.preprocessing_runs import PreprocessingRuns
from kqi_hub.services.preprocessings import Preprocessings
from tests.fakes.data import DataLab
from tests.fakes.data_book import FakeDataBook
from tests.fakes.data_items import data_item, somebody
from tests.fakes.images import DIGEST
from tests.fakes.login import FakeAuditLog
from tests.fakes.notebooks import open_to_all
from tests.fakes.outside_outputs import FakeOutsideOutputs
from tests.fakes.preprocessings import FakePreprocessingStore
from tests.fakes.queues import FakeQueues
from tests.fakes.runs import FakeRuns
from tests.fakes.store import FakeStore

MIA, MAX = somebody("mia"), somebody("max")
VICTOR = somebody("victor", Role.VIEWER)
MANAGER = somebody("manager", Role.MANAGER)
MALLORY = somebody("mallory", Role.MEMBER, "nlp")
NEW = NewPreprocessing("vision", "Resize 224", command="python resize.py")
SOURCE = Source("https://git.example.org/vision/resize.git", "main")
PREPROCESSING = RunKind.PREPROCESSING


@dataclass
class Lab:
    """The services over fakes, with data 1 to 3 of vision, 4 of another tenant."""

    fakes: FakeRuns = field(default_factory=FakeRuns)
    book: FakeDataBook = field(default_factory=FakeDataBook)
    disk: FakeStore = field(default_factory=FakeStore)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)

    def __post_init__(self) -> None:
        queues = open_to_all(["mia", "max", "victor"], FakeQueues())
        runs = self.fakes.runs(queues)
        self.store = FakePreprocessingStore(self.fakes.store)
        self.service = Preprocessings(self.store, runs, self.book, self.audit)
        self.history = PreprocessingRuns(
            runs, self.book, self.fakes.datasets, self.fakes.datasets, self.book,
            self.disk, FakeOutsideOutputs(self.fakes.store), DataLab(self.book).uploads,
        )  # fmt: skip
        for number in (1, 2, 3):
            self.book.items[number] = data_item(number)
        self.book.items[4] = data_item(4, "nlp")

    async def defined(self, new: NewPreprocessing = NEW) -> int:
        return (await self.service.create(MIA, new)).preprocessing.id

    def made(self, run_id: int, *data_ids: int) -> None:
        """Let a run have made items."""
        by = _run(run_id)
        for data_id in data_ids:
            self.book.items[data_id] = data_item(data_id, parents=(1,))
            made = Thing(Kind.DATA, str(data_id))
            self.fakes.datasets.record(Use(by, made, 1.0, locks=False))
            self.book.blocked[data_id] = (Blocker(by, Why.GENERATED),)


def _run(number: int) -> Thing:
    return Thing(Kind.PREPROCESSING, str(number))


def batch(*data: int, **about: object) -> BatchRequest:
    return replace(BatchRequest("cpu", data), **about)  # type: ignore[arg-type]  # as named


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_only_the_name_is_needed_and_running_needs_a_command(lab: Lab) -> None:
    number = await lab.defined(NewPreprocessing("vision", " bare "))
    view = await lab.service.one(MAX, number)
    assert (view.preprocessing.name, view.preprocessing.command) == ("bare", "")
    assert (view.may_change, view.may_run) == (False, True)
    with pytest.raises(InvalidInput, match="no command"):
        await lab.service.run(MAX, number, batch(1))


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""}, {"name": " "}, {"name": "a,b"}, {"name": "!a"}, {"name": "a\nb"},
        {"name": "x" * 101}, {"name": "\0"}, {"memo": "x" * 4001}, {"memo": "\ud800"},
        {"command": "a\0b"}, {"command": "x" * 65_537}, {"environment": "../x"},
        {"environment": "a b"}, {"image": "--rm"}, {"image": "a b"}, {"image": "a\0"},
        {"image": "x" * 500}, {"image": "../../etc"}, {"image": "画像"},
        {"image": "team/tool", "environment": "torch"},
        {"source": Source("--upload-pack=sh")},
        {"source": Source("https://a:b@git.example.org/x.git")},
        {"source": replace(SOURCE, ref="--x")}, {"shape": Shape(0, 1)},
        {"shape": Shape(1, -1)}, {"tenant": "a b"},
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_refused(
    lab: Lab, change: dict[str, object]
) -> None:
    tenant = str(change.get("tenant", "vision"))
    with pytest.raises((InvalidInput, NotFound)):
        await lab.service.create(
            somebody("mia", Role.MEMBER, tenant), replace(NEW, **change)  # type: ignore[arg-type]  # as named
        )  # fmt: skip
    assert lab.store.known == {}


async def test_members_define_others_only_look_on(lab: Lab) -> None:
    with pytest.raises(NotPermitted):
        await lab.service.create(VICTOR, NEW)
    number = await lab.defined()
    assert not (await lab.service.one(VICTOR, number)).may_run
    with pytest.raises(NotFound):
        await lab.service.one(MALLORY, number)
    with pytest.raises(NotPermitted):
        await lab.service.change(MAX, number, PreprocessingChange(name="mine"))
    changed = await lab.service.change(MANAGER, number, PreprocessingChange(name="our"))
    assert changed.preprocessing.name == "our"
    page = await lab.service.search(VICTOR, MadeQuestion(name="ou"))
    assert ([one.id for one in page.items], page.total) == ([number], 1)
    other = await lab.service.search(MALLORY, MadeQuestion())
    assert other.items == ()


async def test_many_data_become_one_array_in_one_submission(lab: Lab) -> None:
    number = await lab.defined(replace(NEW, source=SOURCE, shape=Shape(2, 2048)))
    made = await lab.service.run(MAX, number, batch(3, 1, 2, 1))
    assert [(one.task, one.data) for one in made.runs] == [(0, 3), (1, 1), (2, 2)]
    assert {one.batch for one in made.runs} == {made.runs[0].id}
    first = made.runs[0]
    assert lab.fakes.submission.begun == [first.key]
    assert (first.owner, first.preprocessing) == ("max", number)
    assert (first.spec.name, first.spec.zip) == ("resize-224", False)
    assert first.spec.shape == Shape(2, 2048)
    assert first.spec.source is not None
    assert len(first.spec.source.commit) == 40
    assert first.job_name == f"preprocessings-{first.id}-{first.key}"
    assert [one.action for one in lab.audit.events][-1] == "preprocessing-run"


async def test_it_runs_once_on_each_item(lab: Lab) -> None:
    number = await lab.defined()
    await lab.service.run(MIA, number, batch(1))
    with pytest.raises(Conflict, match="has been run on data 1, by run 1"):
        await lab.service.run(MAX, number, batch(1, 2))
    assert len(lab.fakes.store.runs) == 1
    made = await lab.service.run(MAX, number, batch(1, 2, skips_done=True))
    assert [one.data for one in made.runs] == [2]
    assert made.passed_over == (1,)
    with pytest.raises(Conflict, match="all of these data"):
        await lab.service.run(MAX, number, batch(1, 2, skips_done=True))


@pytest.mark.parametrize(
    "data", [(), (0,), (-1,), (2**63,), (4,), (99,), tuple(range(1, 1002))]
)
async def test_data_that_are_not_the_tenants_are_refused(
    lab: Lab, data: tuple[int, ...]
) -> None:
    number = await lab.defined()
    with pytest.raises(InvalidInput, match=r"^data: "):
        await lab.service.run(MIA, number, batch(*data))
    assert lab.fakes.store.runs == {}


async def test_what_slurm_would_not_take_is_refused_before_anything_is_stored(
    lab: Lab,
) -> None:
    number = await lab.defined()
    with pytest.raises(InvalidInput):
        await lab.service.run(MIA, number, batch(1, lifetime_s=20 * 24 * 3600))
    estimate = await lab.service.check(MIA, number, batch(1, lifetime_s=20 * 24 * 3600))
    assert estimate.objections
    assert lab.fakes.store.runs == {}
    with pytest.raises(NotPermitted):
        await lab.service.run(VICTOR, number, batch(1))


async def test_after_its_first_run_what_it_does_stays(lab: Lab) -> None:
    number = await lab.defined()
    [run] = (await lab.service.run(MIA, number, batch(1))).runs
    for change in (
        PreprocessingChange(command="rm"),
        PreprocessingChange(environment="torch"),
        PreprocessingChange(source=SOURCE),
    ):
        with pytest.raises(Conflict, match="must stay explainable"):
            await lab.service.change(MIA, number, change)
    free = PreprocessingChange(
        name="b", memo="m", shape=Shape(1, 1), command=NEW.command
    )
    changed = (await lab.service.change(MIA, number, free)).preprocessing
    assert (changed.name, changed.memo, changed.shape) == ("b", "m", Shape(1, 1))
    with pytest.raises(Conflict):
        await lab.service.delete(MIA, number)
    lab.fakes.end(run, 90)
    await lab.history.delete(MIA, run.id)
    await lab.service.delete(MIA, number)
    assert lab.store.known == {}


async def test_a_run_is_deleted_with_what_it_made(lab: Lab) -> None:
    number = await lab.defined()
    [run] = (await lab.service.run(MIA, number, batch(1))).runs
    lab.fakes.end(run, 90)
    lab.made(run.id, 11, 12)
    assert [one.id for one in await lab.history.products(MAX, run.id)] == [11, 12]
    with pytest.raises(NotPermitted):
        await lab.history.delete(MAX, run.id)
    lab.book.blocked.clear()  # as the real one: what made them is forgotten first
    await lab.history.delete(MIA, run.id)
    assert not {11, 12} & set(lab.book.items)
    assert lab.fakes.store.runs == {}
    assert lab.fakes.submission.removed == [f"mia/{run.folder}"]


async def test_one_that_lives_is_deleted_when_its_job_has_ended(lab: Lab) -> None:
    number = await lab.defined()
    [run] = (await lab.service.run(MIA, number, batch(1))).runs
    await lab.history.delete(MIA, run.id)
    await lab.history.delete(MIA, run.id)
    assert lab.fakes.store.runs[run.id].going_at is not None
    assert lab.fakes.submission.stopped == [run.id] * 2
    with pytest.raises(Conflict, match="has been run"):
        await lab.service.run(MIA, number, batch(1))
    lab.fakes.end(run, 90)
    assert lab.fakes.store.runs == {}


async def test_what_has_been_made_but_not_noted_is_not_lost(lab: Lab) -> None:
    number = await lab.defined()
    [run] = (await lab.service.run(MIA, number, batch(1))).runs
    told = Told(RunState.COLLECTING, 100.0, job_id=90, outcome=RunState.COMPLETED)
    lab.fakes.store.told(run.id, told)
    lab.made(run.id, 11)
    with pytest.raises(Conflict, match="has not ended"):
        await lab.history.delete(MIA, run.id)
    assert 11 in lab.book.items
    assert run.id in lab.fakes.store.runs


async def test_a_run_whose_product_is_in_use_stays_with_all_of_them(lab: Lab) -> None:
    number = await lab.defined()
    [run] = (await lab.service.run(MIA, number, batch(1))).runs
    lab.fakes.end(run, 90)
    lab.made(run.id, 11, 12)
    dataset = Blocker(Thing(Kind.DATASET, "5"), Why.IN_LOCKED_DATASET, "signs")
    lab.book.blocked[12] += (dataset,)
    said = await lab.history.consequences(MIA, run.id)
    assert said.blockers == (dataset,)
    with pytest.raises(Blocked):
        await lab.history.delete(MIA, run.id)
    assert {11, 12} <= set(lab.book.items)
    assert run.id in lab.fakes.store.runs
    assert lab.fakes.store.runs[run.id].state is RunState.COMPLETED


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Resize 224", "resize-224"), ("日本", "preprocessing"), ("--x--", "x"),
        ("A" * 80, "a" * 30), ("a" * 29 + " b", "a" * 29), ("…", "preprocessing"),
    ],
)  # fmt: skip
def test_runs_are_named_with_the_letters_that_runs_may_have(
    name: str, called: str
) -> None:
    assert run_name(name) == called


async def test_an_array_has_the_digest_that_was_found_when_it_was_submitted(
    lab: Lab,
) -> None:
    number = await lab.defined(replace(NEW, image="team/tool:1.0"))
    made = await lab.service.run(MAX, number, batch(1, 2))
    whole = f"images.example.org/team/tool:1.0@{DIGEST}"
    assert [one.spec.image for one in made.runs] == [whole, whole]
    assert lab.fakes.images.asked == [("max", "team/tool:1.0")], "as who runs it, once"
    kept = (await lab.service.one(MIA, number)).preprocessing
    assert (kept.image, kept.is_locked) == ("team/tool:1.0", True)
    with pytest.raises(Conflict):
        await lab.service.change(MIA, number, PreprocessingChange(image=""))


async def test_a_registry_that_does_not_answer_stores_no_array(lab: Lab) -> None:
    number = await lab.defined(replace(NEW, image="team/tool:1.0"))
    lab.fakes.images.refusal = RegistryUnavailable("It does not answer.", "Try later.")
    await lab.service.check(MIA, number, batch(1, 2))
    with pytest.raises(RegistryUnavailable):
        await lab.service.run(MIA, number, batch(1, 2))
    assert (lab.fakes.store.runs, lab.fakes.submission.begun) == ({}, [])


async def test_a_change_leaves_no_image_beside_an_environment(lab: Lab) -> None:
    number = await lab.defined(replace(NEW, environment="torch"))
    with pytest.raises(InvalidInput, match=r"^image"):
        await lab.service.change(MIA, number, PreprocessingChange(image="team/tool"))
    both = PreprocessingChange(image="team/tool", environment="")
    assert (await lab.service.change(MIA, number, both)).preprocessing.image
    with pytest.raises(InvalidInput, match=r"^image"):
        await lab.service.change(MIA, number, PreprocessingChange(environment="torch"))
