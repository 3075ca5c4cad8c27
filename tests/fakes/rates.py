"""Rates in memory: cards, runs that are over, a book that is posted to again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.login import AuditEvent
from kqi_hub.domain.node_shapes import NO_SHAPES, NodeShapes
from kqi_hub.domain.rate_documents import read_document
from kqi_hub.domain.rate_ports import NewCard, Published, Standing
from kqi_hub.domain.site_days import Period, SiteDays
from kqi_hub.services.rates import Rates


@dataclass
class FakeRateStore:
    """A RateStore that forgets everything at its end."""

    days: SiteDays = field(default_factory=SiteDays)
    published: list[Published] = field(default_factory=list)
    closed: Period | None = None
    nodes: NodeShapes = NO_SHAPES

    def standing(self) -> Standing:
        withdrawn = sum(one.is_withdrawn for one in self.published)
        return Standing(len(self.published), withdrawn)

    def cards(self) -> tuple[Published, ...]:
        return tuple(reversed(self.published))

    def shapes(self) -> NodeShapes:
        return self.nodes

    def publish(self, new: NewCard, known: Standing, now: float) -> int:
        if known != self.standing():
            raise Conflict("The rates were changed meanwhile.")
        if self.closed and new.from_at < self.days.month_ends(self.closed):
            raise Conflict("The rates would count from a time that is closed.")
        version = len(self.published) + 1
        card = read_document(new.document, self.days.zone).card
        card = replace(card, version=version, from_at=new.from_at)
        posted = now if new.from_at > now else None
        self.published.append(
            Published(card, new.document, new.author, new.note, now, posted)
        )
        return version

    def withdraw(self, version: int, now: float) -> None:
        if not 0 < version <= len(self.published):
            raise NotFound("There is no such card.")
        known = self.published[version - 1]
        if known.is_withdrawn or known.card.from_at <= now:
            raise Conflict("It counts already, or is withdrawn.")
        self.published[version - 1] = replace(known, withdrawn_at=now)

    def mark_posted(self, versions: Sequence[int], now: float) -> None:
        for version in versions:
            known = self.published[version - 1]
            self.published[version - 1] = replace(known, posted_at=now)

    def last_closed(self) -> Period | None:
        return self.closed


@dataclass
class FakePastRuns:
    """Runs that are over, in a list."""

    runs: list[JobRecord] = field(default_factory=list)

    def ended_since(self, moment: int) -> Iterator[JobRecord]:
        return (run for run in self.runs if (run.ended_at or 0) > moment)


@dataclass
class FakeReposting:
    """A book that only remembers since when it was asked to post again."""

    since: list[int] = field(default_factory=list)

    def repost(self, since: int) -> int:
        self.since.append(since)
        return 1


@dataclass
class FakeAudit:
    """An AuditLog in a list."""

    events: list[AuditEvent] = field(default_factory=list)

    def append(self, event: AuditEvent) -> None:
        self.events.append(event)

    def read(
        self,
        actor: str | None = None,
        action: str | None = None,
        since: float | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[tuple[int, AuditEvent], ...]:
        return tuple(enumerate(self.events))


@dataclass
class FakeRates:
    """Everything that Rates talks to; `renewed` counts how often prices were told."""

    now: float = 1_795_000_000.0
    zone: str = "UTC"
    renewed: int = 0
    runs: FakePastRuns = field(default_factory=FakePastRuns)
    book: FakeReposting = field(default_factory=FakeReposting)
    audit: FakeAudit = field(default_factory=FakeAudit)

    def __post_init__(self) -> None:
        self.days = SiteDays(self.zone)
        self.store = FakeRateStore(self.days)

    def furnish(self) -> None:
        """Have a card that counts, and one that is to come."""
        text = '[[rate]]\nqueue = "cpu"\nper_cpu = "1.5"\n'
        self.store.published.clear()
        for begins in (0, 7_000_000_000):
            new = NewCard(begins, text, "oda", "as decided")
            self.store.publish(new, self.store.standing(), self.now)

    def _renew(self) -> None:
        self.renewed += 1

    def rates(self) -> Rates:
        return Rates(
            self.store,
            self.runs,
            self.book,
            self.audit,
            self.days,
            "JPY",
            renew=self._renew,
            wall=lambda: self.now,
        )
