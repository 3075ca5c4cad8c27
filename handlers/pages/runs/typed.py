"""The form as it is typed: every field is text until it is read, so nothing is lost."""

from collections.abc import Mapping
from typing import Final

from pydantic import ConfigDict, Field

from handlers.pages.typed_fields import (
    Reader,
    dataset,
    hours_of,
    lifetime,
    parents_of,
    plain_lines,
    shape,
    sizes_of,
    staging,
    variables,
    whole_numbers,
)
from handlers.route import Model
from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.runs import Parent, RunKind, RunSpec, Source
from kqi_hub.i18n import N_

_PORTS: Final = N_("These must be numbers of ports, such as 6006, 8080.")


class Filled(Model):
    """What may be filled in, by a person or beforehand by a link."""

    # A command is run exactly as it was typed.
    model_config = ConfigDict(str_strip_whitespace=False)

    name: str = Field("", max_length=1000)
    tenant: str = Field("", max_length=1000)
    memo: str = Field("", max_length=100_000)
    tags: str = Field("", max_length=10_000)
    parents: str = Field("", max_length=1000)
    dataset: str = Field("", max_length=1000)
    staging: str = Field("", max_length=1000)
    environment: str = Field("", max_length=1000)
    image: str = Field("", max_length=1000)
    repository: str = Field("", max_length=10_000)
    ref: str = Field("", max_length=10_000)
    commit: str = Field("", max_length=1000)
    command: str = Field("", max_length=100_000)
    variables: str = Field("", max_length=100_000)
    queue: str = Field("", max_length=1000)
    cpus: str = Field("", max_length=1000)
    memory_gb: str = Field("", max_length=1000)
    gpus: str = Field("", max_length=1000)
    gpu_type: str = Field("", max_length=1000)
    lifetime_h: str = Field("", max_length=1000)
    ports: str = Field("", max_length=1000)
    zip: str = Field("", max_length=1000)


class Typed(Filled):
    """The form as it was sent; `then` is the button that was pressed."""

    keeps_refused: str = Field("", max_length=1000)
    then: str = Field("show", max_length=1000)


def texts_of(spec: RunSpec) -> dict[str, str]:
    """Return a run's choices as the form shows them."""
    size, source = spec.shape, spec.source
    return {
        "name": spec.name,
        "tenant": spec.tenant,
        "memo": spec.memo,
        "tags": ", ".join(spec.tags),
        "parents": ", ".join(str(one.id) for one in spec.parents),
        "dataset": "" if spec.dataset is None else str(spec.dataset),
        "staging": spec.staging.value,
        "environment": spec.environment,
        "image": spec.image,
        "repository": source.url if source else "",
        "ref": source.ref if source else "",
        "commit": source.commit if source else "",
        "command": spec.command,
        "variables": "\n".join(f"{name}={value}" for name, value in spec.variables),
        "queue": spec.queue,
        **sizes_of(size),
        "lifetime_h": hours_of(spec.lifetime_s),
        "ports": ", ".join(str(port) for port in spec.ports),
        "zip": "yes" if spec.zip else "",
    }


def spec_of(sent: Mapping[str, str], kinds: Mapping[int, RunKind]) -> RunSpec:
    """Read the form; InvalidFields names every field that cannot be read.

    `kinds` says which of the parents is what; whether they are there, and all else
    that is wanted may be had, is the services' business.
    """
    reader = Reader(sent)
    numbers = reader.read("parents", parents_of) or ()
    spec = RunSpec(
        name=sent["name"].strip(),
        tenant=sent["tenant"].strip(),
        queue=sent["queue"].strip(),
        command=plain_lines(sent["command"]),
        shape=shape(reader),
        lifetime_s=reader.read("lifetime_h", lifetime) or 0,
        dataset=reader.read("dataset", dataset),
        staging=reader.read("staging", staging) or Staging.LINK,
        parents=tuple(Parent(kinds.get(one, RunKind.TRAINING), one) for one in numbers),
        environment=sent["environment"].strip(),
        image=sent["image"].strip(),
        source=_source(sent),
        variables=reader.read("variables", variables) or (),
        ports=reader.read("ports", _ports) or (),
        zip=bool(sent["zip"]),
        memo=plain_lines(sent["memo"]),
        tags=tags_of(sent["tags"]),
    )
    reader.check()
    return spec


def shape_or_none(sent: Mapping[str, str]) -> tuple[Shape | None, int | None]:
    """Return size and lifetime for an estimate, as far as they can be read."""
    reader = Reader(sent)
    size = shape(reader)
    lifetime_s = reader.read("lifetime_h", lifetime)
    return (None if reader.has_faults else size), lifetime_s


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags between the commas, each once."""
    words = (word.strip() for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _ports(sent: Mapping[str, str]) -> tuple[int, ...]:
    return whole_numbers(sent["ports"], _PORTS)


def _source(sent: Mapping[str, str]) -> Source | None:
    """Return the code; a branch without a repository is the repository's fault."""
    given = [sent[name].strip() for name in ("repository", "ref", "commit")]
    return Source(*given) if any(given) else None
