"""How use looks as JSON, and the way there from the services' own types."""

from typing import Literal

from pydantic import Field

from handlers.ask import Ask
from handlers.route import Model
from kqi_hub.domain.job_records import gpus_of
from kqi_hub.domain.ledger import Entry
from kqi_hub.domain.usage import (
    Days,
    Group,
    IntakeState,
    Place,
    Totals,
    UsageTable,
    UsedRun,
)
from kqi_hub.domain.usage_periods import said_day, said_period
from kqi_hub.services.usage import Asked, Of, RunsWanted
from kqi_hub.services.what_ran import WhatRan

_NAME = r"^[^\x00-\x1f]*$"
_MOST_ID = 2**53


class WantedDays(Model):
    """Which days: two of them, or a period by its name."""

    period: str = Field(
        "this-month",
        max_length=40,
        description="this-month, last-month, 7-days, 12-months, 2026-11, 2026.",
    )
    since: str = Field(
        "", max_length=10, description="The first day, as 2026-11-21; before period."
    )
    until: str = Field("", max_length=10, description="The last day, it too.")

    def days(self, ask: Ask) -> Days:
        """Return the days in the site's time zone."""
        return ask.deps.usage.read_days(self.period, self.since, self.until)


class WantedUsage(WantedDays):
    """Whose use, and which of it."""

    of: Literal["mine", "tenant", "cluster"] = Field(
        "mine",
        description="mine; tenant: all of it, for its managers; cluster: operators.",
    )
    tenant: str | None = Field(
        None, max_length=64, description="In one tenant; any of yours when left out."
    )
    person: str = Field(
        "", max_length=64, pattern=_NAME, description="Of one person of it."
    )
    queue: str = Field("", max_length=128, pattern=_NAME, description="In one queue.")
    qos: str = Field("", max_length=128, pattern=_NAME, description="Of one QOS.")
    gpu_type: str = Field(
        "", max_length=128, pattern=_NAME, description="With GPUs of a type; -: none."
    )
    kind: str = Field(
        "", max_length=40, pattern=_NAME, description="training, notebook, other …"
    )

    def asked(self, ask: Ask) -> Asked:
        """Return it as the services know it."""
        of = Of(self.of)
        return Asked(
            of=of,
            tenant=self.tenant or (ask.tenant if of is Of.TENANT else None),
            person=self.person,
            queue=self.queue,
            qos=self.qos,
            gpu_type=self.gpu_type,
            kind=self.kind,
        )


class WantedTable(WantedUsage):
    """What is added up, and by what."""

    by: Literal[
        "day", "month", "tenant", "person", "queue", "qos", "gpu-type", "kind"
    ] = Field("day", description="By what it is added up.")


class WantedRunFile(WantedUsage):
    """Which runs to write into a file."""

    job: int | None = Field(
        None, ge=1, le=2**32, description="Runs of Slurm's job or array of this number."
    )
    failed: bool = Field(False, description="Only runs that failed.")
    header: bool = Field(True, description="Whether the first line names the columns.")

    def runs(self) -> RunsWanted:
        """Return it as the services know it."""
        return RunsWanted(self.job, self.failed)


class WantedSamples(WantedDays):
    """Which hours to write into a file."""

    period: str = Field("1-day", max_length=40, description="As for use: 7-days, …")
    tenant: str | None = Field(
        None, max_length=64, description="Runs of one tenant; all when left out."
    )
    header: bool = Field(True, description="Whether the first line names the columns.")


class WantedRuns(WantedUsage):
    """Which runs to list."""

    job: int | None = Field(
        None, ge=1, le=2**32, description="Runs of Slurm's job or array of this number."
    )
    failed: bool = Field(False, description="Only runs that failed.")
    thing: int | None = Field(
        None, ge=1, le=2**53, description="Of the training, notebook … of this number."
    )
    after: str = Field(
        "",
        pattern=r"^([0-9]{1,19}\.[0-9]{1,16})?$",
        description="What the page before gave as following.",
    )
    per_page: int = Field(50, ge=1, le=1000, description="How many a page has.")

    def runs(self) -> RunsWanted:
        """Return it as the services know it."""
        after = place(self.after)
        return RunsWanted(self.job, self.failed, after, self.per_page, self.thing)


class Sums(Model):
    """Use added up. Costs are millionths of the currency's unit."""

    cost_micro: int = Field(description="What it costs.")
    seconds: int = Field(description="How long runs had their nodes.")
    cpu_s: int = Field(description="CPUs times seconds.")
    memory_mb_s: int = Field(description="MB of memory times seconds.")
    gpu_s: int = Field(description="GPUs times seconds.")
    node_s: int = Field(description="Nodes times seconds.")
    unpriced_s: int = Field(description="Seconds of runs for which there is no price.")
    runs: int = Field(description="How many runs ended.")
    failed_runs: int = Field(description="How many of them failed.")
    failed_gpu_s: int = Field(description="GPUs times seconds of those that failed.")
    failed_cost_micro: int = Field(description="What those that failed cost.")
    started_runs: int = Field(description="How many runs began.")
    waited_s: int = Field(description="How long they waited, all together.")


class UsageLine(Model):
    """Use of a day, of a queue, of a person."""

    key: str = Field(description="The day, month, queue, person …")
    sums: Sums = Field(description="What was used.")


class Intake(Model):
    """How far Slurm's accounting has been read; times are seconds since 1970."""

    read_until: int | None = Field(description="Until when; none: not begun.")
    is_filling: bool = Field(description="Whether older months are still being read.")
    filled_back_to: int | None = Field(description="From when on everything is there.")
    share: float | None = Field(description="How much of the history, of 1.")


class UsageAnswer(Model):
    """Use of some days, added up."""

    of: str = Field(description="Whose: mine, tenant or cluster.")
    tenant: str | None = Field(description="The tenant, where one was asked for.")
    first: str = Field(description="The first day.")
    last: str = Field(description="The last day, it too.")
    time_zone: str = Field(description="Where days begin at midnight.")
    currency: str = Field(description="The currency of costs.")
    by: str = Field(description="By what it is added up.")
    rows: tuple[UsageLine, ...] = Field(
        description="Days and months in their order, all else the dearest first."
    )
    total: Sums = Field(description="All of it.")
    intake: Intake = Field(description="How far accounting has been read.")


class UsedRunModel(Model):
    """A run of a job. A job that went back into its queue has several."""

    id: int = Field(description="Its number here.")
    job: str = Field(description="Slurm's number: 12, 12_3, 12+1.")
    job_id: int = Field(description="Slurm's number of the run itself.")
    name: str = Field(description="Its name.")
    kind: str = Field(description="What it is for, as its name says.")
    thing: int | None = Field(description="The number of the training, notebook …")
    person: str = Field(description="Whose it is.")
    tenant: str = Field(description="The tenant that is charged.")
    queue: str = Field(description="Its queue.")
    qos: str = Field(description="Its QOS.")
    state: str = Field(description="Slurm's word for its end.")
    exit_code: str = Field(description="Exit code and signal.")
    submitted_at: int = Field(description="When it was submitted, or queued again.")
    started_at: int | None = Field(description="When it began.")
    ended_at: int | None = Field(description="When it ended.")
    waited_s: int | None = Field(description="How long it could have run and did not.")
    ran_s: int | None = Field(description="How long it ran, without suspended time.")
    nodes: int = Field(description="How many nodes.")
    node_list: str = Field(description="Which.")
    cpus: int = Field(description="How many CPUs.")
    memory_mb: int = Field(description="How much memory.")
    gpus: dict[str, int] = Field(description="GPUs by type.")
    cost_micro: int = Field(description="What it cost in these days.")
    is_billed: bool = Field(
        description="Whether it has ended and the cost is the book's; before that it "
        "is what it has cost until now."
    )
    cpu_s: int = Field(description="CPUs times seconds in these days.")
    gpu_s: int = Field(description="GPUs times seconds in these days.")


class RunList(Model):
    """A page of runs: those without an end, then the last ended first."""

    first: str = Field(description="The first day.")
    last: str = Field(description="The last day, it too.")
    currency: str = Field(description="The currency of costs.")
    runs: tuple[UsedRunModel, ...] = Field(description="The runs.")
    following: str = Field(description="What to send as after; empty: no more.")


class BookLine(Model):
    """A line of the book: added, never changed."""

    id: int = Field(description="Its number.")
    kind: str = Field(description="charge, correction or credit.")
    day: str = Field(description="The day of use.")
    period: str = Field(description="The month on whose bill it stands.")
    card: int | None = Field(description="The version of the card of rates.")
    per_hour_micro: int | None = Field(description="The price of an hour; none: none.")
    seconds: int = Field(description="For how long.")
    cost_micro: int = Field(description="What it comes to.")
    reason: str = Field(description="Why, where it is no charge.")
    author: str = Field(description="Who wrote it.")
    at: float = Field(description="When it was written.")


class WantedTop(WantedUsage):
    """Whose runs, and how many of them."""

    limit: int = Field(10, ge=1, le=100, description="At most so many in each list.")


class TopRuns(Model):
    """Runs that stand out, the first one most."""

    by: str = Field(description="By what: cost, failed-gpu, wait.")
    runs: tuple[UsedRunModel, ...] = Field(description="The runs, each as a whole.")


class TopAnswer(Model):
    """The dearest runs, failed GPU hours, longest waits of those that ended then."""

    first: str = Field(description="The first day.")
    last: str = Field(description="The last day.")
    currency: str = Field(description="The currency of costs.")
    lists: tuple[TopRuns, ...] = Field(description="One list for each.")


class Ran(Model):
    """What a run of the portal's ran."""

    command: str = Field(description="Its command.")
    script: str = Field(description="The batch script that was submitted.")
    repository: str = Field(description="Its code; empty: none.")
    commit: str = Field(description="The commit of it.")
    environment: str = Field(description="Its environment; empty: the site's own.")
    image: str = Field(description="Container image with its digest; empty: none.")
    variables: tuple[str, ...] = Field(
        description="Names of its environment variables; values are its owner's."
    )


class RunDetails(Model):
    """A run with every line that the book has of it."""

    currency: str = Field(description="The currency of costs.")
    run: UsedRunModel = Field(description="The run; its cost is that of all days.")
    lines: tuple[BookLine, ...] = Field(description="What its cost is made of.")
    ran: Ran | None = Field(description="What it ran; none: not begun by the portal.")


def ran(found: WhatRan | None) -> Ran | None:
    """Return what ran as JSON shows it."""
    if found is None:
        return None
    source = found.source
    return Ran(
        command=found.command,
        script=found.script,
        repository=source.url if source else "",
        commit=source.commit if source else "",
        environment=found.environment,
        image=found.image,
        variables=found.variables,
    )


def sums(totals: Totals) -> Sums:
    """Return sums as JSON shows them."""
    known = totals._asdict()
    known["cost_micro"] = known.pop("amount")
    known["failed_cost_micro"] = known.pop("failed_amount")
    return Sums(**known)


def lines(table: UsageTable) -> tuple[UsageLine, ...]:
    """Return the rows of a table as JSON shows them."""
    return tuple(
        UsageLine(key=said_key(table.group, row.key), sums=sums(row.totals))
        for row in table.rows
    )


def said_key(group: Group, key: str) -> str:
    """Write a day or month as people do; all else is a name."""
    if group is Group.DAY:
        return said_day(int(key))
    return said_period(int(key)) if group is Group.MONTH else key


def intake(state: IntakeState) -> Intake:
    """Return how far accounting has been read."""
    return Intake(
        read_until=state.read_until,
        is_filling=state.is_filling,
        filled_back_to=state.filled_back_to,
        share=state.share,
    )


def run(one: UsedRun) -> UsedRunModel:
    """Return a run as JSON shows it."""
    record = one.record
    same = (
        *("job_id", "name", "qos", "state", "exit_code", "submitted_at"),
        *("started_at", "ended_at", "nodes", "node_list", "cpus", "memory_mb"),
    )
    return UsedRunModel(
        **{name: getattr(record, name) for name in same},
        id=one.id,
        job=record.shown_id,
        kind=one.kind,
        thing=one.thing,
        person=record.user,
        tenant=record.account,
        queue=record.partition,
        waited_s=one.waited_s,
        ran_s=one.ran_s,
        gpus=gpus_of(record.gpus),
        cost_micro=one.amount,
        is_billed=record.is_final,
        cpu_s=one.cpu_s,
        gpu_s=one.gpu_s,
    )


def line(entry: Entry) -> BookLine:
    """Return a line of the book as JSON shows it."""
    return BookLine(
        id=entry.id,
        kind=entry.kind.value,
        day=said_day(entry.day),
        period=said_period(entry.period),
        card=entry.version,
        per_hour_micro=entry.per_hour,
        seconds=entry.seconds,
        cost_micro=entry.amount,
        reason=entry.reason,
        author=entry.author,
        at=entry.at,
    )


def place(text: str) -> Place | None:
    """Return where a page ended, as the page itself wrote it."""
    ended, _, number = text.partition(".")
    if not ended:
        return None
    return Place(min(int(ended), 1 << 60), min(int(number), _MOST_ID))


def said_place(found: Place | None) -> str:
    """Write where a page ended; empty where nothing follows."""
    return "" if found is None else f"{found.ended_at}.{found.id}"
