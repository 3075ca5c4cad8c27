"""What is chosen for a run as JSON, and the way there from the services' own types."""

from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field

from handlers.api.data_models import LARGEST_ID, Memo, Number, Tag
from handlers.api.notebook_models import Variable
from handlers.route import Model
from kqi_hub.domain import runs as domain
from kqi_hub.domain.images import LONGEST_IMAGE
from kqi_hub.domain.job_choices import LONGEST_URL, MOST_VARIABLES
from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.run_choices import (
    LONGEST_COMMAND_BYTES,
    MOST_PARENTS,
    MOST_PORTS,
    MOST_TAGS,
)

# A command and variables of the greatest length, as JSON may escape them.
BODY_LIMIT: Final = 1024 * 1024
_LARGEST_CPUS: Final = 65_536
_LARGEST_MB: Final = 2**40
_YEAR_S: Final = 366 * 86_400
Port = Annotated[int, Field(strict=True, ge=1, le=65_535)]


class Source(Model):
    """The code: a Git repository, and what of it."""

    url: str = Field(max_length=LONGEST_URL, description="Its address.")
    ref: str = Field(
        "", max_length=200, description="Branch or tag; empty: its default branch."
    )
    commit: str = Field(
        "", max_length=40, description="Commit, or its first digits; empty: the newest."
    )


class Parent(Model):
    """An earlier run of yours whose output is read."""

    kind: domain.RunKind = Field(description="training or inference.")
    id: Number = Field(description="Its number.")


class RunChoices(Model):
    """What is chosen for a run; texts are taken as they are, blanks too."""

    model_config = ConfigDict(str_strip_whitespace=False)

    tenant: str = Field(max_length=64, description="The tenant that pays for it.")
    name: str = Field(max_length=domain.LONGEST_NAME, description="a-z, 0-9 and -.")
    queue: str = Field(max_length=64, description="Slurm's name of the queue.")
    command: str = Field(
        max_length=LONGEST_COMMAND_BYTES,
        description="What bash is to run, of one or more lines.",
    )
    cpus: int = Field(
        1, strict=True, ge=1, le=_LARGEST_CPUS, description="How many CPUs."
    )
    memory_mb: int = Field(
        1024, strict=True, ge=1, le=_LARGEST_MB, description="Memory in MB."
    )
    gpus: int = Field(0, strict=True, ge=0, le=1024, description="How many GPUs.")
    gpu_type: str = Field("", max_length=40, description="Their type; empty: any.")
    lifetime_s: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=_YEAR_S,
        description="Seconds after which it is ended at the latest; none: as long as "
        "the site says, or the queue allows.",
    )
    dataset: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=LARGEST_ID,
        description="Number of a dataset, which is locked; none: no data.",
    )
    staging: Staging = Field(
        Staging.LINK,
        description="link: read the data in place; copy: copy them to the node first.",
    )
    parents: Annotated[tuple[Parent, ...], Field(max_length=MOST_PARENTS)] = Field(
        (), description="Runs whose output is read."
    )
    environment: str = Field(
        "", max_length=64, description="Conda environment of yours; empty: the site's."
    )
    image: str = Field(
        "",
        max_length=LONGEST_IMAGE,
        description="Container image of a registry of the site, in place of a conda "
        "environment: host/name:tag; its digest is kept with the run. Empty: none.",
    )
    source: Source | None = Field(None, description="The code; none: only the command.")
    variables: Annotated[tuple[Variable, ...], Field(max_length=MOST_VARIABLES)] = (
        Field((), description="Environment variables.")
    )
    ports: Annotated[tuple[Port, ...], Field(max_length=MOST_PORTS)] = Field(
        (), description="Ports on which the command listens."
    )
    zip: bool = Field(
        True, strict=True, description="Whether the output is kept as a zip file too."
    )
    memo: Memo = Field("", description="A note of yours.")
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] = Field(
        (), description="Its tags."
    )

    def spec(self, lifetime_s: int) -> domain.RunSpec:
        """Return it as the services know it."""
        return domain.RunSpec(
            name=self.name,
            tenant=self.tenant,
            queue=self.queue,
            command=self.command,
            shape=Shape(self.cpus, self.memory_mb, self.gpus, self.gpu_type),
            lifetime_s=lifetime_s,
            dataset=self.dataset,
            staging=self.staging,
            parents=tuple(domain.Parent(one.kind, one.id) for one in self.parents),
            environment=self.environment,
            image=self.image,
            source=known_source(self.source),
            variables=tuple((one.name, one.value) for one in self.variables),
            ports=self.ports,
            zip=self.zip,
            memo=self.memo,
            tags=self.tags,
        )

    @classmethod
    def of(cls, spec: domain.RunSpec) -> Self:
        """Return what was chosen once; whatever the rules are today."""
        shape, source = spec.shape, spec.source
        return cls.model_construct(
            tenant=spec.tenant,
            name=spec.name,
            queue=spec.queue,
            command=spec.command,
            cpus=shape.cpus,
            memory_mb=shape.memory_mb,
            gpus=shape.gpus,
            gpu_type=shape.gpu_type,
            lifetime_s=spec.lifetime_s,
            dataset=spec.dataset,
            staging=spec.staging,
            parents=tuple(Parent(kind=one.kind, id=one.id) for one in spec.parents),
            environment=spec.environment,
            image=spec.image,
            source=source
            and Source.model_construct(
                url=source.url, ref=source.ref, commit=source.commit
            ),
            variables=tuple(
                Variable.model_construct(name=name, value=value)
                for name, value in spec.variables
            ),
            ports=spec.ports,
            zip=spec.zip,
            memo=spec.memo,
            tags=spec.tags,
        )


class NewRun(RunChoices):
    """A run to submit."""

    is_prepared: bool = Field(
        False,
        strict=True,
        description="Whether only its script is made, for you to submit by hand.",
    )
    keeps_refused: bool = Field(
        True,
        strict=True,
        description="Whether its record stays where Slurm refuses it.",
    )


def known_source(sent: Source | None) -> domain.Source | None:
    """Return the code as the services know it."""
    return None if sent is None else domain.Source(sent.url, sent.ref, sent.commit)
