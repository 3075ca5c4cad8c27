"""Queues as pages show them: rows with price and wait, limits, waiting jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from handlers.ask import Ask
from handlers.route import Model
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.objections import in_words
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import Queue
from kqi_hub.domain.reason import Kind
from kqi_hub.domain.reasons import explain
from kqi_hub.domain.tenant_limits import Limit, Scope
from kqi_hub.i18n import N_
from kqi_hub.services.board import Picture
from kqi_hub.services.freshness import Trust
from kqi_hub.services.queues import Estimate

_MB: Final = 1024
_HOUR_S: Final = 3600
_KINDS: Final = {
    Kind.TURN: "wait",
    Kind.STARTING: "busy",
    Kind.HELD: "idle",
    Kind.NEVER: "bad",
    Kind.ODD: "odd",
}
_WHOSE: Final = {
    Scope.JOB: N_("each of your jobs"),
    Scope.PERSON: N_("all your jobs together"),
    Scope.TENANT: N_("everybody in {account}"),
    Scope.QOS: N_("everybody in QOS {account}"),
}


class ShapeQuery(Model):
    """The job that prices and waits are shown for."""

    cpus: int = Field(1, ge=1, le=65_536)
    memory_gb: int = Field(4, ge=1, le=1_048_576)
    gpus: int = Field(0, ge=0, le=1024)
    hours: int = Field(4, ge=1, le=8784)

    @property
    def shape(self) -> Shape:
        """Return it as the services know it."""
        return Shape(self.cpus, self.memory_gb * _MB, self.gpus)

    @property
    def lifetime_s(self) -> int:
        """Return how long it runs."""
        return self.hours * _HOUR_S


@dataclass(frozen=True, slots=True)
class Line:
    """One queue with what the asked-for job would meet there."""

    queue: Queue
    estimate: Estimate
    obstacle: str
    objections: tuple[str, ...]
    cautions: tuple[str, ...]
    why: str
    limit_s: int | None

    @property
    def may_use(self) -> bool:
        """Tell whether the person may use the queue at all."""
        return self.queue.obstacle is None


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit in words."""

    whose: str
    most: str
    left: str
    is_job: bool
    share_used: int


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One waiting job with its reason in words."""

    job: Job
    colour: str
    reason: str
    text: str
    hint: str


async def estimated(
    ask: Ask, picture: Picture, found: Sequence[Queue], wanted: ShapeQuery
) -> tuple[Estimate, ...]:
    """Return what the asked-for job would meet in each queue."""
    return await ask.deps.queues.estimates(
        picture, found, wanted.shape, wanted.lifetime_s
    )


def lines(
    ask: Ask, picture: Picture, estimates: Sequence[Estimate]
) -> tuple[Line, ...]:
    """Return the queues with prices and waits; what the person may use comes first."""
    # That the picture is old is said once, above them all.
    is_old = picture.trust in {Trust.NONE, Trust.STALE}
    rows = [_line(ask, estimate, is_old) for estimate in estimates]
    return tuple(sorted(rows, key=lambda row: not row.may_use))


def limit_lines(ask: Ask, queue: Queue) -> tuple[LimitLine, ...]:
    """Return what Slurm holds the person to."""
    return tuple(_limit(ask, limit) for limit in queue.allowance.limits)


def waiting_lines(
    ask: Ask, jobs: Sequence[Job], picture: Picture
) -> tuple[WaitingLine, ...]:
    """Return the jobs that wait, with the reason in words."""
    say, found = ask.texts.phrase, []
    for job in jobs:
        why = explain(job, picture.scene)
        if why is not None:
            hint = "" if why.hint is None else say(why.hint)
            colour = _KINDS.get(why.kind, "wait")
            found.append(WaitingLine(job, colour, why.reason, say(why.text), hint))
    return tuple(found)


def _line(ask: Ask, estimate: Estimate, is_old: bool) -> Line:
    say, queue = ask.texts.phrase, estimate.queue
    return Line(
        queue=queue,
        estimate=estimate,
        obstacle="" if queue.obstacle is None else say(queue.obstacle),
        objections=tuple(map(say, estimate.objections)),
        cautions=tuple(map(say, estimate.cautions)),
        why="" if is_old or estimate.wait.why is None else say(estimate.wait.why),
        limit_s=queue.max_time_s,
    )


def _limit(ask: Ask, limit: Limit) -> LimitLine:
    whose = Phrase(_WHOSE[limit.scope], account=limit.account)
    most = in_words(limit.resource, limit.most)
    used = 0 if limit.most <= 0 else min(100, 100 * limit.used // limit.most)
    return LimitLine(
        whose=ask.texts.phrase(whose),
        most=ask.texts.phrase(most),
        left=ask.texts.phrase(in_words(limit.resource, limit.left)),
        is_job=limit.scope is Scope.JOB,
        share_used=used,
    )
