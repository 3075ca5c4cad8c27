"""How preprocessings look as JSON, and the way there from the services' own types."""

from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, StringConstraints

from handlers.api.data_models import Memo, Number
from handlers.api.listing_models import WantedMade
from handlers.api.notebook_models import Variable
from handlers.api.run_choices_models import Source, known_source
from handlers.api.run_models import Wanted
from handlers.route import Model
from kqi_hub.domain import preprocessings as domain, runs
from kqi_hub.domain.data_rules import LONGEST_TAG
from kqi_hub.domain.images import LONGEST_IMAGE
from kqi_hub.domain.job_choices import MOST_VARIABLES
from kqi_hub.domain.listing import MadeQuestion
from kqi_hub.domain.notebooks import Shape as RealShape
from kqi_hub.domain.run_choices import LONGEST_COMMAND_BYTES
from kqi_hub.services.preprocessings import Batch, PreprocessingView

EXAMPLE: Final = {"preprocessing_id": "1"}
FREE_EXAMPLE: Final = {"preprocessing_id": "2"}
EXAMPLE_BATCH: Final = {"queue": "cpu", "data": [1], "lifetime_s": 3600}
_YEAR_S: Final = 366 * 86_400
# As bash takes it, blanks too.
Command = Annotated[
    str, StringConstraints(strip_whitespace=False, max_length=LONGEST_COMMAND_BYTES)
]
Name = Annotated[str, Field(max_length=LONGEST_TAG * 2)]


class WantedPreprocessings(WantedMade):
    """Which preprocessings to list. Texts: contains; with ! before: does not."""

    sort: str = Field(
        "-id",
        pattern="^-?(id|name|created_at|created_by|changed_at)$",
        description="id, name, created_at, created_by, changed_at; - before: down.",
    )

    def question(self) -> MadeQuestion:
        """Return it as the services know it."""
        return MadeQuestion(**dict(self))


class WantedPast(Wanted):
    """Which runs of preprocessings to list."""

    preprocessing: int | None = Field(
        None, ge=1, lt=2**63, description="Only those of this preprocessing."
    )
    data: int | None = Field(
        None, ge=1, lt=2**63, description="Only those on this data item."
    )


class Shape(Model):
    """How large a job is."""

    cpus: int = Field(1, strict=True, ge=1, le=65_536, description="How many CPUs.")
    memory_mb: int = Field(
        1024, strict=True, ge=1, le=2**40, description="Memory in MB."
    )
    gpus: int = Field(0, strict=True, ge=0, le=1024, description="How many GPUs.")
    gpu_type: str = Field("", max_length=40, description="Their type; empty: any.")

    def known(self) -> RealShape:
        """Return it as the services know it."""
        return RealShape(self.cpus, self.memory_mb, self.gpus, self.gpu_type)

    @classmethod
    def of(cls, shape: RealShape) -> Self:
        """Return a size as JSON."""
        return cls.model_construct(
            cpus=shape.cpus,
            memory_mb=shape.memory_mb,
            gpus=shape.gpus,
            gpu_type=shape.gpu_type,
        )


class Preprocessing(Model):
    """A way to make new data from data. Times are seconds since 1970."""

    id: int = Field(description="Its number.")
    tenant: str = Field(description="Its tenant.")
    name: str = Field(description="Its name, which is a tag of what it makes.")
    memo: str = Field(description="A note.")
    command: str = Field(description="What bash runs; empty: not yet to be run.")
    environment: str = Field(description="Conda environment; empty: the site's.")
    image: str = Field(
        description="Container image in its place; each submission keeps its digest. "
        "Empty: none."
    )
    source: Source | None = Field(description="The code; none: only the command.")
    shape: Shape = Field(description="How large its jobs are.")
    is_locked: bool = Field(
        description="Whether it has been run, so that what it does never changes."
    )
    created_by: str = Field(description="Who made it.")
    created_at: float = Field(description="When it was made.")
    changed_at: float = Field(description="When it was last changed.")
    page: str = Field(description="Its page, from the portal's address on.")


class PreprocessingNow(Preprocessing):
    """A preprocessing with what you may do."""

    may_change: bool = Field(description="Whether you may change it.")
    may_run: bool = Field(description="Whether you may run it.")


class PreprocessingList(Model):
    """Preprocessings, the newest first unless sorted otherwise."""

    preprocessings: tuple[Preprocessing, ...] = Field(description="Those of this page.")
    total: int = Field(description="How many on all pages; also in X-Total-Count.")
    unread: dict[str, str] = Field(
        description="Conditions that cannot be read, by field: nothing was found."
    )


class NewPreprocessing(Model):
    """What a new preprocessing is to be; only tenant and name are needed."""

    tenant: str = Field(max_length=64, description="Its tenant.")
    name: Name = Field(description="Its name.")
    memo: Memo = Field("", description="A note.")
    command: Command = Field("", description="What bash is to run on each data item.")
    environment: str = Field("", max_length=64, description="Conda environment.")
    image: str = Field(
        "",
        max_length=LONGEST_IMAGE,
        description="Container image of a registry of the site, in place of a conda "
        "environment: host/name:tag.",
    )
    source: Source | None = Field(None, description="The code.")
    shape: Shape = Field(
        default_factory=lambda: Shape.model_validate({}),
        description="How large its jobs are.",
    )

    def known(self) -> domain.NewPreprocessing:
        """Return it as the services know it."""
        return domain.NewPreprocessing(
            self.tenant,
            self.name,
            self.memo,
            self.command,
            self.environment,
            self.image,
            known_source(self.source),
            self.shape.known(),
        )


class ChangedPreprocessing(Model):
    """What is to change; what is left out stays.

    After its first run only name, memo and shape may change.
    """

    name: Name | None = Field(None, description="Its name.")
    memo: Memo | None = Field(None, description="A note.")
    command: Command | None = Field(None, description="What bash is to run.")
    environment: str | None = Field(
        None, max_length=64, description="Conda environment."
    )
    image: str | None = Field(
        None,
        max_length=LONGEST_IMAGE,
        description="Container image; empty: none any more.",
    )
    source: Source | None = Field(
        None, description="The code; with an empty url: none any more."
    )
    shape: Shape | None = Field(None, description="How large its jobs are.")

    def known(self) -> domain.PreprocessingChange:
        """Return it as the services know it."""
        return domain.PreprocessingChange(
            name=self.name,
            memo=self.memo,
            shape=None if self.shape is None else self.shape.known(),
            command=self.command,
            environment=self.environment,
            image=self.image,
            source=known_source(self.source),
        )


class BatchChoices(Model):
    """On which data a preprocessing is run, and how."""

    model_config = ConfigDict(str_strip_whitespace=False)

    queue: str = Field(max_length=64, description="Slurm's name of the queue.")
    data: Annotated[
        tuple[Number, ...], Field(min_length=1, max_length=domain.MOST_AT_ONCE)
    ] = Field(description="Numbers of data items: one job each, all one array.")
    shape: Shape | None = Field(
        None, description="How large the jobs are; none: as the preprocessing says."
    )
    lifetime_s: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=_YEAR_S,
        description="Seconds after which each is ended at the latest; none: as long as "
        "the site says, or the queue allows.",
    )
    variables: Annotated[tuple[Variable, ...], Field(max_length=MOST_VARIABLES)] = (
        Field((), description="Environment variables.")
    )
    memo: Memo = Field("", description="A note.")
    skips_done: bool = Field(
        False,
        strict=True,
        description="Whether data that it has been run on are passed over.",
    )

    def known(self, lifetime_s: int) -> domain.BatchRequest:
        """Return it as the services know it."""
        return domain.BatchRequest(
            queue=self.queue,
            data=self.data,
            shape=None if self.shape is None else self.shape.known(),
            lifetime_s=lifetime_s,
            variables=tuple((one.name, one.value) for one in self.variables),
            memo=self.memo,
            skips_done=self.skips_done,
        )


class BatchMade(Model):
    """What was submitted: one array, a run for each data item."""

    job_name: str = Field(description="Slurm's name of the array.")
    runs: tuple[int, ...] = Field(description="Numbers of the runs, as the data came.")
    data: tuple[int, ...] = Field(description="The data item of each.")
    passed_over: tuple[int, ...] = Field(description="Data that it had been run on.")


def preprocessing(view: PreprocessingView) -> PreprocessingNow:
    """Return one with what the asker may do as JSON."""
    return PreprocessingNow.model_construct(
        **dict(row(view.preprocessing)),
        may_change=view.may_change,
        may_run=view.may_run,
    )


def row(found: runs.Preprocessing) -> Preprocessing:
    """Return one as JSON."""
    source = found.source
    plain = (
        "id", "tenant", "name", "memo", "command", "environment", "image", "is_locked",
        "created_by", "created_at", "changed_at",
    )  # fmt: skip
    return Preprocessing.model_construct(
        **{name: getattr(found, name) for name in plain},
        source=source
        and Source.model_construct(
            url=source.url, ref=source.ref, commit=source.commit
        ),
        shape=Shape.of(found.shape),
        page=f"preprocessing/{found.id}",
    )


def batch(made: Batch) -> BatchMade:
    """Return what was submitted as JSON."""
    return BatchMade(
        job_name=made.runs[0].job_name if made.runs else "",
        runs=tuple(one.id for one in made.runs),
        data=tuple(one.data or 0 for one in made.runs),
        passed_over=made.passed_over,
    )
