"""What a session cost: by the cards of its time, and by the book once it is there."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.money import FREE, MICRO
from kqi_hub.domain.notebook_list import NotebookQuestion
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Phase, Session
from kqi_hub.domain.rate_cards import CardLine, RateCard, Tariff
from kqi_hub.services.costs import Books, NoBooks
from kqi_hub.services.notebook_views import PastSession
from kqi_hub.services.notebooks import Notebooks
from kqi_hub.services.pricing import Pricing
from tests.fakes.book import a_record
from tests.fakes.costs import FakeBooks
from tests.fakes.notebooks import CHOICES, FakeNotebooks, open_to_all
from tests.fakes.queues import RATES, FakeQueues, job, pricing, reading

NO_BOOKS = NoBooks()
ON_V100 = replace(CHOICES, queue="v100")


def on_v100(node: int) -> CardLine:
    return CardLine("v100", node=node, whole_node=True)


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

    def restarted(self, *rates: CardLine) -> Notebooks:
        """Return the service of a new process, with other rates if there are some."""
        queues = open_to_all(["mia"], self.queues)
        if rates:
            queues = replace(queues, pricing=pricing(rates))
        return self.fake.notebooks(queues)

    def at_cards(self, cards: Sequence[RateCard], books: Books = NO_BOOKS) -> Notebooks:
        """Return the service of a place with these cards and books."""
        queues = open_to_all(["mia"], self.queues)
        rates = Pricing(cards)
        return self.fake.notebooks(replace(queues, pricing=rates, books=books))

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


async def test_a_change_of_rates_changes_no_cost_of_before(lab: Lab) -> None:
    lab.end(ran_s=1800)
    ended = int(lab.began) + 1800
    cards = [RateCard(1, 0, RATES), RateCard(2, ended, (on_v100(7 * MICRO),))]
    past = await lab.past(lab.at_cards(cards))
    assert (past.ran_s, past.cost, past.is_billed) == (1800, 60 * MICRO, False)
    assert past.price is not None
    assert (past.price.per_hour, past.price.whole_node) == (120 * MICRO, True)


async def test_what_runs_costs_what_the_bill_will_say(lab: Lab) -> None:
    lab.runs()
    half_way = int(lab.began) + 1800
    cards = [RateCard(1, 0, RATES), RateCard(2, half_way, (on_v100(7200 * MICRO),))]
    service = lab.at_cards(cards)
    _, view = await service.one("mia", 1)
    assert view.cost is not None
    # Half an hour of each; the test itself may take some seconds.
    assert 60 * MICRO + 3600 * MICRO <= view.cost < 60 * MICRO + 3700 * MICRO
    past = await lab.past(service)
    assert past.cost is not None
    assert view.cost <= past.cost
    assert view.price is not None
    assert view.price.per_hour == 7200 * MICRO


async def test_what_has_ended_costs_what_the_book_says_in_every_list(lab: Lab) -> None:
    lab.end(ran_s=3600)
    cards = [RateCard(1, 0, RATES)]
    began = int(lab.began)
    books = FakeBooks(Tariff(cards))
    known = a_record(
        job_id=48_001, shown_id="48001", name=lab.session.job_name, user="mia",
        partition="v100", submitted_at=began, started_at=began,
        ended_at=began + 3601, node_list="",
    )  # fmt: skip
    books.take_in(known)
    books.take_in(known._replace(name="nb-9-key", ended_at=began + 9))
    service = lab.at_cards(cards, books)
    past = await lab.past(service)
    assert (past.cost, past.is_billed) == (120 * MICRO + 33_333, True)
    assert past.price is not None
    assert (past.price.per_hour, past.price.whole_node) == (120 * MICRO, True)
    _, [row] = await service.list("mia")
    page = await service.search(NotebookQuestion(), "mia")
    _, view = await service.one("mia", 1)
    for one in (row, *page.views, view):
        assert (one.cost, one.is_billed) == (past.cost, True)
    assert books.asked == ["marks"] * 4


async def test_what_was_free_stays_free(lab: Lab) -> None:
    lab.end(ran_s=3600)
    past = await lab.past(lab.restarted(on_v100(0)))
    assert (past.price, past.cost) == (FREE, 0)


async def test_a_queue_without_a_rate_has_no_cost(lab: Lab) -> None:
    lab.end(ran_s=3600)
    past = await lab.past(lab.restarted(CardLine("other", node=1)))
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
