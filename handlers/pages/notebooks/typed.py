"""The form as it is typed: every field is text until it is read, so nothing is lost."""

from collections.abc import Mapping

from pydantic import Field

from handlers.pages.typed_fields import (
    ONE_OF,
    Reader,
    Unreadable,
    dataset,
    hours_of,
    lifetime,
    parents_of,
    plain_lines,
    shape,
    sizes_of,
    staging,
    variables,
)
from handlers.route import Model
from kqi_hub.domain.notebooks import Choices, Repository, Shape, Staging, Ui


class Filled(Model):
    """What may be filled in, by a person or beforehand by a link."""

    name: str = Field("", max_length=1000)
    tenant: str = Field("", max_length=1000)
    preset: str = Field("", max_length=1000)
    queue: str = Field("", max_length=1000)
    cpus: str = Field("", max_length=1000)
    memory_gb: str = Field("", max_length=1000)
    gpus: str = Field("", max_length=1000)
    gpu_type: str = Field("", max_length=1000)
    lifetime_h: str = Field("", max_length=1000)
    unlimited: str = Field("", max_length=1000)
    ui: str = Field("", max_length=1000)
    environment: str = Field("", max_length=1000)
    dataset: str = Field("", max_length=1000)
    staging: str = Field("", max_length=1000)
    parents: str = Field("", max_length=1000)
    repository: str = Field("", max_length=10_000)
    ref: str = Field("", max_length=10_000)
    variables: str = Field("", max_length=100_000)
    command: str = Field("", max_length=100_000)
    memo: str = Field("", max_length=100_000)


class Typed(Filled):
    """The form as it was sent; `then` is the button that was pressed.

    No link makes the choice to give a session one's token.
    """

    may_push: str = Field("", max_length=1000)
    seen_at: str = Field("", max_length=1000)
    then: str = Field("keep", max_length=1000)


def texts_of(choices: Choices) -> dict[str, str]:
    """Return choices as the form shows them."""
    size, repository = choices.shape, choices.repository
    seconds = choices.lifetime_s
    return {
        "name": choices.name,
        "tenant": choices.tenant,
        "preset": choices.preset,
        "queue": choices.queue,
        **sizes_of(size),
        "lifetime_h": "" if seconds is None else hours_of(seconds),
        "unlimited": "yes" if seconds is None else "",
        "ui": choices.ui.value,
        "environment": choices.environment,
        "dataset": "" if choices.dataset is None else str(choices.dataset),
        "staging": choices.staging.value,
        "parents": ", ".join(map(str, choices.parents)),
        "repository": repository.url if repository else "",
        "ref": repository.ref if repository else "",
        "may_push": "yes" if choices.may_push else "",
        "variables": "\n".join(f"{name}={value}" for name, value in choices.variables),
        "command": choices.command,
        "memo": choices.memo,
    }


def choices_of(sent: Mapping[str, str]) -> Choices:
    """Read the form; InvalidFields names every field that cannot be read.

    Whether what is read may be had is the services' business.
    """
    reader = Reader(sent)
    choices = Choices(
        name=sent["name"],
        tenant=sent["tenant"],
        preset=sent["preset"],
        queue=sent["queue"],
        shape=_size(reader),
        lifetime_s=reader.read("lifetime_h", _lifetime),
        ui=reader.read("ui", _ui) or Ui.LAB,
        environment=sent["environment"],
        repository=_repository(sent),
        may_push=bool(sent["may_push"]),
        variables=reader.read("variables", variables) or (),
        command=plain_lines(sent["command"]),
        memo=plain_lines(sent["memo"]),
        dataset=reader.read("dataset", dataset),
        parents=reader.read("parents", parents_of) or (),
        staging=reader.read("staging", staging) or Staging.LINK,
    )
    reader.check()
    return choices


def shape_or_none(sent: Mapping[str, str]) -> tuple[Shape | None, int | None]:
    """Return size and lifetime for an estimate, as far as they can be read."""
    reader = Reader(sent)
    size = _size(reader)
    lifetime_s = reader.read("lifetime_h", _lifetime)
    return (None if reader.has_faults else size), lifetime_s


def _size(reader: Reader) -> Shape:
    """Return the size; with a preset it is the operator's, and nobody looks at it."""
    if reader.sent["preset"]:
        return Shape(0, 0, 0, reader.sent["gpu_type"])
    return shape(reader)


def _lifetime(sent: Mapping[str, str]) -> int | None:
    if sent["unlimited"] or sent["preset"]:
        return None
    return lifetime(sent)


def _ui(sent: Mapping[str, str]) -> Ui:
    if sent["ui"] not in set(Ui):
        raise Unreadable(ONE_OF, expected=", ".join(Ui))
    return Ui(sent["ui"])


def _repository(sent: Mapping[str, str]) -> Repository | None:
    return Repository(sent["repository"], sent["ref"]) if sent["repository"] else None
