"""How runs look as JSON, and the way there from the services' own types."""

from collections.abc import Iterable
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from pydantic import Field

from handlers.api import queue_models as queues
from handlers.api.data_models import Done, Memo, Number, Tag
from handlers.api.listing_models import Conditions, WantedList
from handlers.api.notebook_models import Waiting, waiting
from handlers.api.run_choices_models import RunChoices
from handlers.ask import Ask
from handlers.route import Model
from kqi_hub.domain import runs as domain
from kqi_hub.domain.run_choices import MOST_TAGS
from kqi_hub.domain.run_list import RunQuestion
from kqi_hub.i18n import Texts
from kqi_hub.services.board import Picture
from kqi_hub.services.queues import Estimate as Estimated
from kqi_hub.services.run_bulk import MOST_AT_ONCE, Bulk, Outcome
from kqi_hub.services.run_views import (
    STATE_WORDS,
    Consequences,
    Family,
    RunPage,
    RunView,
)

_SORTS: Final = "id|name|state|owner|queue|asked_at|ended_at|value"
_STATES: Final = 400
# Pages and the interface read these alike.
_WORDS: Final = {True: "yes", False: "no"}


class RunConditions(Conditions):
    """What runs are found by, and their order. Texts: contains; with ! before: not."""

    command: str = Field("", max_length=200, description="Part of the command.")
    owner: str = Field("", max_length=200, description="Part of the owner's name.")
    queue: str = Field("", max_length=200, description="Part of the queue's name.")
    asked_at: str = Field("", max_length=200, description="Day: 2026-11-21, >=2026-11.")
    parent_id: str = Field("", max_length=200, description="Number of a parent.")
    parent_name: str = Field("", max_length=200, description="Part of a parent's name.")
    dataset: str = Field("", max_length=200, description="Part of the dataset's name.")
    state: str = Field(
        "", max_length=_STATES, description="States, commas between; live: not ended."
    )
    tag: str = Field(
        "", max_length=1000, description="Tags, commas between; !tag: without it."
    )
    favourite: bool | None = Field(None, description="Whether it is a favourite.")
    sort: str = Field(
        "-id",
        pattern=f"^-?({_SORTS})$",
        description="What it is sorted by; - before: down.",
    )

    def question(self) -> RunQuestion:
        """Return it as the services know it."""
        return RunQuestion(
            states=tuple(one.strip() for one in self.state.split(",") if one.strip()),
            tags=(self.tag,) if self.tag else (),
            is_favourite=self.favourite,
            **self.model_dump(exclude={"state", "tag", "favourite"}),
        )

    @property
    def query(self) -> str:
        """Return what is not as usual, as the list's address has it."""
        said = self.model_dump(exclude_defaults=True)
        return urlencode(
            [(name, _WORDS.get(said[name], said[name])) for name in sorted(said)]
        )


class Wanted(RunConditions, WantedList):
    """Which runs to list. Texts: contains; with ! before: does not."""


class Search(Model):
    """Conditions that you keep under a name."""

    name: str = Field(description="What you call it.")
    query: str = Field(description="What to ask the list: its parameters, behind ?.")


class SearchList(Model):
    """What you keep of one list, by name."""

    searches: tuple[Search, ...] = Field(description="Your searches.")


class Relative(Model):
    """A run that another one reads, or that reads another one."""

    kind: domain.RunKind = Field(description="What it is.")
    id: int = Field(description="Its number.")
    name: str = Field(description="Its name; empty when it is gone.")
    page: str = Field(description="Its page, from the portal's address on.")


class Use(Model):
    """What a run has used of what it asked for, as its job measured it."""

    text: str = Field(description="It in words.")
    source: str = Field(
        description="cgroup v2, cgroup v1, processes, or samples of one cut off."
    )
    seconds: float = Field(description="For how long it was measured.")
    cpu_s: float = Field(description="CPU seconds that were used.")
    cores: float = Field(description="CPUs that were busy, on average.")
    cores_max: float = Field(description="The most CPUs that were busy at once.")
    cpu: float = Field(description="Share of its CPUs that was busy, of 1.")
    memory_mb_mean: float = Field(description="Memory in MB, on average.")
    memory_mb_max: float = Field(description="The most memory in MB.")
    memory: float | None = Field(description="Share of its memory, of 1, at most.")
    gpu_percent_mean: float | None = Field(description="How busy GPUs were; none: no.")
    gpu_percent_max: float | None = Field(description="The most of it.")
    gpu_memory_mb_max: float | None = Field(description="Most GPU memory in MB.")


class Run(Model):
    """A run as it is now. Times are seconds since 1970."""

    id: int = Field(description="Its number.")
    kind: domain.RunKind = Field(description="What it is.")
    owner: str = Field(description="Whose it is.")
    owner_name: str = Field(
        description="What the owner is called; empty before a first login."
    )
    tenant: str = Field(description="The tenant that it runs in and is charged to.")
    name: str = Field(description="Its name.")
    memo: str = Field(description="A note.")
    tags: tuple[str, ...] = Field(description="Its tags.")
    state: domain.RunState = Field(description="Its state.")
    status: str = Field(description="Its state, stopping or deleting.")
    status_text: str = Field(description="The same in words.")
    detail: str = Field(description="Why it is in this state.")
    is_live: bool = Field(description="Whether something may still happen to it.")
    is_own: bool = Field(description="Whether it is yours.")
    is_favourite: bool = Field(description="Whether it is a favourite.")
    queue: str = Field(description="Slurm's name of the queue.")
    cpus: int = Field(description="How many CPUs.")
    memory_mb: int = Field(description="Memory in MB.")
    gpus: int = Field(description="How many GPUs.")
    gpu_type: str = Field(description="Their type; empty: any.")
    dataset: int | None = Field(description="Number of its dataset.")
    dataset_name: str = Field(description="Its name; empty when it is gone.")
    parents: tuple[Relative, ...] = Field(description="Runs whose output it reads.")
    environment: str = Field(description="Conda environment; empty: the site's.")
    image: str = Field(description="Container image with its digest; empty: none.")
    job_id: int | None = Field(description="Slurm's number of its job.")
    slurm_id: str = Field(description="The same as Slurm's programs take it.")
    job_name: str = Field(description="Slurm's name of its job.")
    node: str = Field(description="The node; empty before there is one.")
    asked_at: float = Field(description="When it was asked for.")
    began_at: float | None = Field(description="When its job began to run.")
    ended_at: float | None = Field(description="When its job ended.")
    changed_at: float = Field(description="When its state changed last.")
    waited_s: float = Field(description="For how many seconds it waited.")
    ran_s: float | None = Field(description="For how many seconds it ran, or runs.")
    ends_at: float | None = Field(description="When its time is over.")
    left_s: float | None = Field(description="Seconds until then.")
    exit_code: int | None = Field(description="The exit code of its command.")
    value: str = Field(description="The first line of its value.txt.")
    files: int | None = Field(description="How many files its output has.")
    bytes: int | None = Field(description="How many bytes those have.")
    use: Use | None = Field(
        description="What it has used; none before its end, or if nothing was measured."
    )
    preprocessing: int | None = Field(description="The preprocessing that it runs.")
    data: int | None = Field(description="The data item that is preprocessed.")
    task: int | None = Field(description="Its place in an array.")
    waiting: Waiting | None = Field(description="Why it waits.")
    price: queues.Price | None = Field(description="Its price; none without a rate.")
    cost_micro: int | None = Field(
        description="What it has cost so far, in millionths; none without a price."
    )
    is_billed: bool = Field(
        description="Whether it has ended and the cost is what the bill has of it; "
        "before that it is reckoned from what is known."
    )
    folder: str = Field(
        description="Where it lies in your folder on scratch; empty: not yours."
    )
    actions: tuple[str, ...] = Field(description="What you can do with it now.")
    page: str = Field(description="Its page, from the portal's address on.")


class RunNow(Run):
    """A run with all that was asked for, and what is around it."""

    choices: RunChoices = Field(description="What was asked for.")
    children: tuple[Relative, ...] = Field(description="Runs that read its output.")
    picture: queues.PictureAge = Field(description="How old what Slurm said is.")


class RunList(Model):
    """Runs, the newest first unless sorted otherwise."""

    picture: queues.PictureAge = Field(description="How old what Slurm said is.")
    runs: tuple[Run, ...] = Field(description="Those of this page.")
    total: int = Field(description="How many on all pages; also in X-Total-Count.")
    unread: dict[str, str] = Field(
        description="Conditions that cannot be read, by field: nothing was found."
    )


class Estimate(Model):
    """What a run would meet if it were submitted now."""

    is_possible: bool = Field(description="Whether it could start at all.")
    objections: tuple[str, ...] = Field(description="Why it could never start.")
    cautions: tuple[str, ...] = Field(description="What it would wait for.")
    wait: str = Field(description="now, about, longer, unknown or never.")
    wait_s: int | None = Field(description="The wait in seconds, where one is known.")
    price: queues.Price | None = Field(description="Of an hour; none: no rate.")
    cost_micro: int | None = Field(
        description="Millionths for the time asked for, with the rates to come; "
        "none without a time or a rate."
    )
    left_micro: int | None = Field(
        description="Millionths that the tenant has left this month; none: no budget."
    )


class RunEvent(Model):
    """A change of a run's state."""

    at: float = Field(description="When, in seconds since 1970.")
    state: domain.RunState = Field(description="To what.")
    cause: str = Field(description="Why.")


class RunEvents(Model):
    """Each change, the oldest first."""

    events: tuple[RunEvent, ...] = Field(description="The changes.")


class Deletion(Model):
    """What deleting a run would take along, and what stands against it."""

    is_live: bool = Field(description="Whether it has a job, which is ended first.")
    is_going: bool = Field(description="Whether it is being deleted already.")
    blockers: tuple[Relative, ...] = Field(description="Runs that read its output.")
    folder: str = Field(description="What is removed from your folder on scratch.")
    files: int | None = Field(description="How many files its output has.")
    bytes: int | None = Field(description="How many bytes those have.")
    dataset: int | None = Field(description="Number of its dataset, which stays.")
    is_unlocked: bool = Field(description="Whether the dataset may change then.")


class Stop(Model):
    """How a run is to be called when it has been stopped."""

    as_failed: bool = Field(
        False, strict=True, description="killed rather than user-canceled."
    )


class ChangedRun(Model):
    """What is to change of a run; what is left out stays."""

    name: str | None = Field(
        None, max_length=domain.LONGEST_NAME, description="a-z, 0-9 and -."
    )
    memo: Memo | None = Field(None, description="A note.")
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] | None = Field(
        None, description="All its tags."
    )
    is_favourite: bool | None = Field(
        None, strict=True, description="Whether it is a favourite."
    )

    def change(self) -> domain.RunChange:
        """Return it as the services know it."""
        return domain.RunChange(self.name, self.memo, self.tags, self.is_favourite)


class HowToCopy(Model):
    """What the values are for."""

    as_parent: bool = Field(
        False, description="For a run that reads this one's output, rather than alike."
    )


class TagList(Model):
    """Tags of a tenant's runs."""

    tags: tuple[str, ...] = Field(description="Their names.")


class ManyRuns(Model):
    """One thing to do to many runs."""

    ids: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_AT_ONCE)] = (
        Field(description="Their numbers.")
    )
    action: Bulk = Field(description="tag, untag, stop, fail or delete.")
    tag: Tag = Field("", description="The tag.")


def run(ask: Ask, view: RunView) -> Run:
    """Return a run as JSON."""
    return Run.model_construct(**_fields(ask, view))


def run_now(ask: Ask, picture: Picture, view: RunView, family: Family) -> RunNow:
    """Return a run with what is around it as JSON."""
    found = view.run
    return RunNow.model_construct(
        **_fields(ask, view),
        choices=RunChoices.of(found.spec),
        children=relatives(family.children),
        picture=queues.picture(picture, ask.texts),
    )


def run_list(ask: Ask, found: RunPage) -> RunList:
    """Return a page of runs as JSON."""
    return RunList.model_construct(
        picture=queues.picture(found.picture, ask.texts),
        runs=tuple(run(ask, view) for view in found.items),
        total=found.total,
        unread=dict(found.unread),
    )


def estimate(ask: Ask, found: Estimated) -> Estimate:
    """Return what a run would meet as JSON."""
    say = ask.texts.phrase
    return Estimate(
        is_possible=not found.objections,
        objections=tuple(map(say, found.objections)),
        cautions=tuple(map(say, found.cautions)),
        wait=found.wait.outlook.value,
        wait_s=found.wait.seconds,
        price=queues.price(found.price, ask.deps.queues.pricing),
        cost_micro=found.cost,
        left_micro=found.left,
    )


def events(found: Iterable[domain.RunEvent]) -> RunEvents:
    """Return the changes of a run's state as JSON."""
    return RunEvents(
        events=tuple(
            RunEvent(at=one.at, state=one.state, cause=one.cause) for one in found
        )
    )


def deletion(found: Consequences) -> Deletion:
    """Return what deleting a run would take along as JSON."""
    return Deletion(
        is_live=found.is_live,
        is_going=found.is_going,
        blockers=relatives(found.blockers),
        folder=folder_of(found.run),
        files=found.files,
        bytes=found.bytes,
        dataset=found.dataset,
        is_unlocked=found.is_unlocked,
    )


def done(outcome: Outcome, texts: Texts) -> Done:
    """Return what came of one of many as JSON."""
    error = outcome.error
    return Done(
        id=outcome.run_id,
        done=error is None,
        code=error.code if error else "",
        detail=texts.message(error) if error else "",
    )


def relatives(found: Iterable[domain.Run]) -> tuple[Relative, ...]:
    """Return runs beside another one as JSON."""
    return tuple(_relative(one.kind, one.id, one.name) for one in found)


def folder_of(found: domain.Run) -> str:
    """Return where a run lies, from its owner's folder on scratch on."""
    return f"kqi/{found.folder}" if found.folder else ""


def _relative(kind: domain.RunKind, number: int, name: str) -> Relative:
    return Relative(kind=kind, id=number, name=name, page=_page(kind, number))


def _page(kind: domain.RunKind, number: int) -> str:
    folder = kind.value
    if kind is domain.RunKind.PREPROCESSING:
        folder = "preprocessing-runs"
    return f"{folder}/{number}"


def _fields(ask: Ask, view: RunView) -> dict[str, Any]:
    found, spec = view.run, view.run.spec
    return {
        **_of_run(found),
        **_of_size(spec),
        "status": view.status,
        "status_text": ask.texts.say(STATE_WORDS[view.status]),
        "is_own": view.is_mine,
        "owner_name": view.owner_name,
        "dataset_name": view.dataset_name,
        "parents": tuple(
            _relative(one.parent.kind, one.parent.id, one.name) for one in view.parents
        ),
        "waited_s": view.waited_s,
        "ran_s": view.ran_s,
        "ends_at": view.ends_at,
        "left_s": view.left_s,
        "waiting": None if view.why is None else waiting(ask, view.why),
        "price": queues.price(view.price, ask.deps.queues.pricing),
        "cost_micro": view.cost,
        "is_billed": view.is_billed,
        "use": _use(ask, view),
        "folder": folder_of(found) if view.is_mine else "",
        "actions": view.actions,
        "page": _page(found.kind, found.id),
    }


def _use(ask: Ask, view: RunView) -> Use | None:
    use, efficiency = view.run.use, view.efficiency
    if use is None or efficiency is None:
        return None
    told = {name: value for name, value in use.told().items() if name != "samples"}
    return Use(
        **told,
        text="; ".join(map(ask.texts.phrase, efficiency.words)),
        cores=use.cores,
        cpu=efficiency.cpu,
        memory=efficiency.memory,
    )


def _of_run(found: domain.Run) -> dict[str, Any]:
    names = (
        "id", "kind", "owner", "name", "memo", "tags", "state", "detail", "is_live",
        "is_favourite", "job_id", "slurm_id", "job_name", "node", "asked_at",
        "began_at", "ended_at", "changed_at", "exit_code", "value", "files", "bytes",
        "preprocessing", "data", "task",
    )  # fmt: skip
    return {name: getattr(found, name) for name in names}


def _of_size(spec: domain.RunSpec) -> dict[str, Any]:
    return {
        "tenant": spec.tenant,
        "queue": spec.queue,
        "cpus": spec.shape.cpus,
        "memory_mb": spec.shape.memory_mb,
        "gpus": spec.shape.gpus,
        "gpu_type": spec.shape.gpu_type,
        "dataset": spec.dataset,
        "environment": spec.environment,
        "image": spec.image,
    }
