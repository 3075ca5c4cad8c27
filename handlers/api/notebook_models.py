"""How notebooks look as JSON, and the way there from the services' own types."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from handlers.api import queue_models as queues
from handlers.ask import Ask
from handlers.route import Model
from kqi_hub.domain import notebooks as domain
from kqi_hub.domain.job_choices import LONGEST_URL, LONGEST_VALUE, MOST_VARIABLES
from kqi_hub.domain.notebook_choices import (
    LONGEST_COMMAND,
    LONGEST_MEMO,
    MOST_PARENTS,
)
from kqi_hub.domain.notebook_ends import end_in_words
from kqi_hub.domain.reasons import Explained
from kqi_hub.services import notebook_neighbours as beside, notebook_views as views
from kqi_hub.services.board import Picture
from kqi_hub.services.notebook_views import NotebookView

EXAMPLE: Final = {"notebook_id": "1"}
RUNNING_EXAMPLE: Final = {"notebook_id": "2"}
EXAMPLE_CHOICES: Final = {
    "name": "trial",
    "queue": "jupyter",
    "cpus": 2,
    "memory_mb": 8192,
    "lifetime_s": 14400,
}
_LARGEST_CPUS: Final = 65_536
_LARGEST_MB: Final = 2**40
_YEAR_S: Final = 366 * 86_400


class Repository(Model):
    """A Git repository and what to check out of it."""

    url: str = Field(max_length=LONGEST_URL, description="Its address.")
    ref: str = Field(
        "", max_length=200, description="Branch, tag or commit; empty: its default."
    )

    def known(self) -> domain.Repository:
        """Return it as the services know it."""
        return domain.Repository(self.url, self.ref)


class Variable(Model):
    """An environment variable; its value is taken as it is, blanks too."""

    model_config = ConfigDict(str_strip_whitespace=False)

    name: str = Field(max_length=128, description="Its name.")
    value: str = Field("", max_length=LONGEST_VALUE, description="Its value.")


class Choices(Model):
    """What is chosen for a notebook; with a preset, queue and size are the site's."""

    name: str = Field(max_length=domain.LONGEST_NAME, description="a-z, 0-9 and -.")
    preset: str = Field("", max_length=30, description="A ready-made choice, or none.")
    queue: str = Field("", max_length=64, description="Slurm's name of the queue.")
    cpus: int = Field(1, ge=1, le=_LARGEST_CPUS, description="How many CPUs.")
    memory_mb: int = Field(1024, ge=1, le=_LARGEST_MB, description="Memory in MB.")
    gpus: int = Field(0, ge=0, le=1024, description="How many GPUs.")
    gpu_type: str = Field("", max_length=40, description="Their type; empty: any.")
    lifetime_s: int | None = Field(
        8 * 3600,
        ge=1,
        le=_YEAR_S,
        description="Seconds until it ends; none where the tenant may.",
    )
    ui: domain.Ui | None = Field(
        None, description="What opens first; the site decides when left out."
    )
    environment: str = Field(
        "", max_length=64, description="Conda environment of yours; empty: the site's."
    )
    repository: Repository | None = Field(None, description="What to clone first.")
    variables: tuple[Variable, ...] = Field(
        (), max_length=MOST_VARIABLES, description="Environment variables."
    )
    command: str = Field(
        "", max_length=LONGEST_COMMAND, description="What to run before it starts."
    )
    memo: str = Field("", max_length=LONGEST_MEMO, description="A note of yours.")
    dataset: int | None = Field(
        None,
        ge=1,
        lt=2**63,
        description="A dataset to work on; its place is in KQI_INPUT.",
    )
    staging: domain.Staging = Field(
        domain.Staging.LINK,
        description="`copy`: copied to the node's own disk first (slower to start).",
    )
    parents: tuple[int, ...] = Field(
        (),
        max_length=MOST_PARENTS,
        description="Runs of yours whose results are linked into the workspace.",
    )

    may_push: bool = Field(
        False,
        strict=True,
        description="Whether git push works in the session with the token that you "
        "stored for the repository's Git server.",
    )

    def chosen(self, tenant: str, usual: domain.Ui) -> domain.Choices:
        """Return them as the services know them; `usual` opens where none is said."""
        wanted = self.repository
        repository = None if wanted is None else wanted.known()
        return domain.Choices(
            name=self.name,
            tenant=tenant,
            queue=self.queue,
            shape=domain.Shape(self.cpus, self.memory_mb, self.gpus, self.gpu_type),
            lifetime_s=self.lifetime_s,
            preset=self.preset,
            ui=self.ui or usual,
            environment=self.environment,
            repository=repository,
            variables=tuple((one.name, one.value) for one in self.variables),
            command=self.command,
            memo=self.memo,
            dataset=self.dataset,
            staging=self.staging,
            parents=self.parents,
            may_push=self.may_push,
        )


class PhaseTime(Model):
    """A phase of a start, and when it was reached."""

    phase: domain.Phase = Field(description="The phase.")
    at: float = Field(description="When, in seconds since 1970.")


class Session(Model):
    """One run of a notebook. Times are seconds since 1970."""

    id: int = Field(description="Its number.")
    job_id: int | None = Field(description="Slurm's number of its job.")
    job_name: str = Field(description="Slurm's name of its job.")
    phase: domain.Phase = Field(description="How far it came.")
    reached: tuple[PhaseTime, ...] = Field(description="The phases, with their times.")
    node: str = Field(description="The node; empty before there is one.")
    asked_at: float = Field(description="When it was asked for.")
    is_stopping: bool = Field(description="Whether it is being stopped.")
    ended_at: float | None = Field(description="When it ended.")
    cause: domain.Cause | None = Field(description="Why it ended.")
    detail: str = Field(description="More about the end: Slurm's own word, if any.")
    detail_text: str = Field(description="The same in words.")
    exit_code: int | None = Field(description="The job's exit code.")
    seen: dict[str, int] = Field(description="What the idle rule saw.")


class PastSession(Session):
    """One run of a notebook in its history, with its cost."""

    queue: str = Field(description="The queue that it was for.")
    began_at: float | None = Field(description="When its job began to run.")
    ran_s: float | None = Field(description="For how many seconds it ran, or runs.")
    price: queues.Price | None = Field(
        description="The price that it had, or has; none without a rate."
    )
    cost_micro: int | None = Field(
        description="What it has cost so far, in millionths; none without a price."
    )
    is_billed: bool = Field(
        description="Whether it has ended and the cost is what the bill has of it; "
        "before that it is reckoned from what is known."
    )


class Waiting(Model):
    """Why a job waits."""

    reason: str = Field(description="Slurm's own word.")
    text: str = Field(description="Why, in words.")
    hint: str = Field(description="What to do about it.")
    can_act: bool = Field(description="Whether you can do something about it.")
    starts_at: int | None = Field(description="When Slurm expects it to start.")


class Notebook(Model):
    """A notebook as it is now. Times are seconds since 1970."""

    id: int = Field(description="Its number.")
    owner: str = Field(description="Whose it is.")
    tenant: str = Field(description="The tenant that it runs in and is charged to.")
    choices: Choices = Field(
        description="What counts now: of the live session, if any."
    )
    status: str = Field(
        description="new, waiting, starting, running, stopping, or why it ended."
    )
    is_favourite: bool = Field(description="Whether it comes first in your list.")
    is_live: bool = Field(description="Whether it waits, starts or runs.")
    created_at: float = Field(description="When you made it.")
    changed_at: float = Field(description="When it changed last; send it to change it.")
    session: Session | None = Field(description="What ran last.")
    waiting: Waiting | None = Field(description="Why it waits.")
    ends_at: float | None = Field(description="When its lifetime is over.")
    left_s: float | None = Field(description="Seconds until then.")
    price: queues.Price | None = Field(description="Its price; none without a rate.")
    cost_micro: int | None = Field(
        description="What it has cost so far, in millionths; none without a price."
    )
    is_billed: bool = Field(
        description="Whether it has ended and the cost is what the bill has of it; "
        "before that it is reckoned from what is known."
    )
    page: str = Field(description="Its page, from the portal's address on.")
    actions: tuple[str, ...] = Field(description="What you can do with it now.")


class PersonsJobs(Model):
    """Somebody's jobs."""

    name: str = Field(description="Whose they are.")
    jobs: int = Field(description="How many.")


class Neighbours(Model):
    """Other jobs on a notebook's node."""

    node: str = Field(description="The node.")
    jobs: int = Field(description="How many other jobs run there.")
    mine: int = Field(description="How many of them are yours.")
    with_gpus: int = Field(description="How many of them have GPUs or parts of one.")
    shares_gpus: bool = Field(description="Whether theirs may be the same as yours.")
    people: tuple[PersonsJobs, ...] = Field(
        description="Whose they are, as far as you may see that."
    )


class NotebookNow(Notebook):
    """A notebook, how old what Slurm said of it is, and who is beside it."""

    neighbours: Neighbours | None = Field(
        description="Other jobs on its node, where there are some."
    )

    picture: queues.PictureAge = Field(description="How old what Slurm said is.")


def notebook_now(ask: Ask, picture: Picture, view: NotebookView) -> NotebookNow:
    """Return a notebook with the age of the picture."""
    session, rules = view.notebook.session, ask.deps.queues.rules
    found = beside.neighbours_of(session, picture, rules, ask.me)
    return NotebookNow.model_construct(
        **dict(notebook(ask, view)),
        picture=queues.picture(picture, ask.texts),
        neighbours=None if found is None else _neighbours(found),
    )


def _neighbours(found: beside.Neighbours) -> Neighbours:
    return Neighbours(
        node=found.node,
        jobs=found.jobs,
        mine=found.mine,
        with_gpus=found.with_gpus,
        shares_gpus=found.shares_gpus,
        people=tuple(PersonsJobs(name=who, jobs=n) for who, n in found.people),
    )


def notebook(ask: Ask, view: NotebookView, *, is_own: bool = True) -> Notebook:
    """Return a notebook; others than its owner see no variables and no command."""
    found = view.notebook
    return Notebook(
        id=found.id,
        owner=found.owner,
        tenant=view.choices.tenant,
        choices=_choices(view.choices, is_own),
        status=view.status,
        is_favourite=found.is_favourite,
        is_live=found.is_live,
        created_at=found.created_at,
        changed_at=found.changed_at,
        session=None if found.session is None else session(ask, found.session),
        waiting=None if view.why is None else waiting(ask, view.why),
        ends_at=view.ends_at,
        left_s=view.left_s,
        price=queues.price(view.price, ask.deps.queues.pricing),
        cost_micro=view.cost,
        is_billed=view.is_billed,
        page=f"notebooks/{found.id}",
        actions=view.actions if is_own else (),
    )


def session(ask: Ask, found: domain.Session) -> Session:
    """Return a session."""
    return Session(**_session(ask, found))


def past_session(ask: Ask, past: views.PastSession) -> PastSession:
    """Return a session of the history."""
    return PastSession(
        **_session(ask, past.session),
        queue=past.session.chosen.queue,
        began_at=past.session.began_at,
        ran_s=past.ran_s,
        price=queues.price(past.price, ask.deps.queues.pricing),
        cost_micro=past.cost,
        is_billed=past.is_billed,
    )


def _session(ask: Ask, found: domain.Session) -> dict[str, Any]:
    end = end_in_words(found.detail)
    return {
        "id": found.id,
        "job_id": found.job_id,
        "job_name": found.job_name,
        "phase": found.phase,
        "reached": tuple(PhaseTime(phase=phase, at=at) for phase, at in found.reached),
        "node": found.node,
        "asked_at": found.asked_at,
        "is_stopping": found.is_live and found.stopping is not None,
        "ended_at": found.ended_at,
        "cause": found.cause,
        "detail": found.detail,
        "detail_text": found.detail if end is None else ask.texts.phrase(end),
        "exit_code": found.exit_code,
        "seen": dict(found.seen),
    }


def waiting(ask: Ask, why: Explained) -> Waiting:
    """Return why a job waits."""
    say = ask.texts.phrase
    return Waiting(
        reason=why.reason,
        text=say(why.text),
        hint="" if why.hint is None else say(why.hint),
        can_act=why.can_act,
        starts_at=why.starts_at,
    )


def _choices(chosen: domain.Choices, is_own: bool) -> Choices:
    shape, repository = chosen.shape, chosen.repository
    variables = chosen.variables if is_own else ()
    return Choices.model_construct(
        name=chosen.name,
        preset=chosen.preset,
        queue=chosen.queue,
        cpus=shape.cpus,
        memory_mb=shape.memory_mb,
        gpus=shape.gpus,
        gpu_type=shape.gpu_type,
        lifetime_s=chosen.lifetime_s,
        ui=chosen.ui,
        environment=chosen.environment,
        repository=repository and Repository(url=repository.url, ref=repository.ref),
        variables=tuple(Variable(name=name, value=value) for name, value in variables),
        command=chosen.command if is_own else "",
        memo=chosen.memo,
        dataset=chosen.dataset,
        staging=chosen.staging,
        parents=chosen.parents,
        may_push=chosen.may_push,
    )
