"""What a session cost: at the price of its start, whatever rates say later."""

import time
from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.errors import ClusterUnreachable, NotFound
from kqi_hub.domain.money import FREE, MICRO, Rate
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Phase, Session
from kqi_hub.services.notebook_keeper import NotebookKeeper
from kqi_hub.services.notebook_views import PastSession
from kqi_hub.services.notebooks import Notebooks
from tests.fakes.notebooks import CHOICES, FakeNotebooks, open_to_all
from tests.fakes.queues import FakeQueues, job, reading

ON_V100 = replace(CHOICES, queue="v100")


@dataclass
class Lab:
    """A session of mia's on a whole node of v100, which costs 120 an hour."""

    fake: FakeNotebooks = field(default_factory=FakeNotebooks)
    queues: FakeQueues = field(default_factory=FakeQueues)
    began: float = field(default_factory=lambda: time.time() - 3600)

    def __post_init__(self) -> None:
        made = self.fake.store.create("mia", ON_V100, self.began)
        asked = self.fake.sessions.ask(made.id, ON_V100, "key", self.began)
        self.fake.sessions.submitted(asked.id, 48_001, self.began)
        self.session = self.fake.sessions.reached(asked.id, Phase.NODE, self.began)
        self.service = self.restarted()

    def restarted(self, *rates: Rate) -> Notebooks:
        """Return the service of a new process, with other rates if there are some."""
        queues = open_to_all(["mia"], self.queues)
        if rates:
            queues = replace(queues, pricing=type(queues.pricing)(rates))
        return self.fake.notebooks(queues)

    def runs(self, node_list: str = "v100-02") -> None:
        """Let Slurm's picture have the job, on a node."""
        about = {"starts_at": int(self.began), "cpus": 40, "node_list": node_list}
        seen = job(48_001, "mia", "v100", "RUNNING", **about)
        picture = reading(time.time())
        named = replace(seen, name=self.session.job_name)
        whole = replace(picture, jobs=(*picture.jobs, named))
        self.queues.store.save(whole, {})

    def end(self, ran_s: float) -> None:
        """Let it have run for so long; the picture forgets its job."""
        end = SessionEnd(self.began + ran_s, Cause.STOPPED)
        self.fake.sessions.ended(self.session.id, end)
        self.queues.store.save(reading(time.time()), {})

    def now(self) -> Session:
        return self.fake.store.all_sessions[self.session.id]

    async def past(self, service: Notebooks | None = None) -> PastSession:
        [found] = await (service or self.service).history("mia", 1)
        return found


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_the_price_is_noted_once_the_job_has_its_node(lab: Lab) -> None:
    await lab.service.note_prices([lab.now()])
    assert lab.now().per_hour is None
    lab.runs(node_list="")
    await lab.restarted().note_prices([lab.now()])
    assert lab.now().per_hour is None
    lab.runs()
    await lab.restarted().note_prices([lab.now()])
    assert lab.now().per_hour == 120 * MICRO
    before = lab.now()
    await lab.restarted(Rate("v100", node=1)).note_prices([lab.now()])
    assert lab.now() == before


async def test_a_change_of_rates_changes_no_cost_of_before(lab: Lab) -> None:
    lab.runs()
    await lab.restarted().note_prices([lab.now()])
    lab.end(ran_s=1800)
    past = await lab.past(lab.restarted(Rate("v100", node=7 * MICRO)))
    assert (past.ran_s, past.cost) == (1800, 60 * MICRO)
    assert past.price is not None
    assert (past.price.per_hour, past.price.whole_node) == (120 * MICRO, True)


async def test_the_cost_of_what_runs_is_by_the_noted_price_too(lab: Lab) -> None:
    lab.runs()
    await lab.restarted().note_prices([lab.now()])
    dearer = lab.restarted(Rate("v100", node=7000 * MICRO))
    _, view = await dearer.one("mia", 1)
    past = await lab.past(dearer)
    assert view.cost is not None
    assert past.cost is not None
    assert 120 * MICRO <= view.cost <= past.cost < 121 * MICRO


async def test_without_a_noted_price_the_rates_of_now_count(lab: Lab) -> None:
    lab.end(ran_s=3600)
    assert lab.now().per_hour is None
    assert (await lab.past()).cost == 120 * MICRO


async def test_what_was_free_stays_free(lab: Lab) -> None:
    lab.fake.sessions.priced(lab.session.id, 0, lab.began)
    lab.end(ran_s=3600)
    past = await lab.past()
    assert (past.price, past.cost) == (FREE, 0)


async def test_a_queue_without_a_rate_has_no_cost(lab: Lab) -> None:
    lab.end(ran_s=3600)
    past = await lab.past(lab.restarted(Rate("other", node=1)))
    assert (past.price, past.cost) == (None, None)


async def test_what_never_ran_has_no_time_and_cost_nothing(lab: Lab) -> None:
    made = lab.fake.store.create("mia", replace(ON_V100, name="never"), 1.0)
    asked = lab.fake.sessions.ask(made.id, ON_V100, "k2", 1.0)
    lab.fake.sessions.ended(asked.id, SessionEnd(2.0, Cause.REFUSED))
    [past] = await lab.service.history("mia", made.id)
    assert (past.ran_s, past.cost) == (None, 0)


async def test_the_history_of_others_is_not_there(lab: Lab) -> None:
    with pytest.raises(NotFound):
        await lab.service.history("eve", 1)


async def test_the_keeper_notes_prices_and_goes_on_when_that_fails(lab: Lab) -> None:
    lab.runs()
    service = lab.restarted()

    async def fail(_: object) -> None:
        raise ClusterUnreachable("Slurm is away.")

    for note in (fail, service.note_prices):
        keeper = NotebookKeeper(lab.fake.sessions, lab.fake.hub, note_prices=note)
        await keeper.look()
    assert lab.now().per_hour == 120 * MICRO
    assert ("start", "mia", "nb-1", "notebook") in lab.fake.hub.asked
