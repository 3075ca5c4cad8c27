"""What is typed on pages of preprocessings: every field is text until it is read."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from pydantic import ConfigDict, Field

from handlers.pages.typed_fields import (
    Reader,
    lifetime,
    plain_lines,
    shape,
    sizes_of,
    variables,
    whole_numbers,
)
from handlers.route import Model
from kqi_hub.domain.preprocessings import (
    BatchRequest,
    NewPreprocessing,
    PreprocessingChange,
)
from kqi_hub.domain.runs import Preprocessing, Source
from kqi_hub.i18n import N_

_DATA: Final = N_("These must be numbers of data, such as 12, 15.")
_RECIPE: Final = frozenset({"command", "environment", "image", "source"})


class Sized(Model):
    """How large a run is."""

    cpus: str = Field("1", max_length=1000)
    memory_gb: str = Field("1", max_length=1000)
    gpus: str = Field("0", max_length=1000)
    gpu_type: str = Field("", max_length=1000)


class Defined(Sized):
    """The form of a definition."""

    # A command is run exactly as it was typed.
    model_config = ConfigDict(str_strip_whitespace=False)

    name: str = Field("", max_length=1000)
    memo: str = Field("", max_length=100_000)
    command: str = Field("", max_length=100_000)
    environment: str = Field("", max_length=1000)
    image: str = Field("", max_length=1000)
    repository: str = Field("", max_length=10_000)
    ref: str = Field("", max_length=10_000)
    commit: str = Field("", max_length=1000)


class Running(Sized):
    """The form that runs one on data."""

    data: str = Field("", max_length=100_000)
    queue: str = Field("", max_length=1000)
    lifetime_h: str = Field("24", max_length=1000)
    variables: str = Field("", max_length=100_000)
    skips_done: str = Field("", max_length=1000)
    opens_history: str = Field("", max_length=1000)
    back: str = Field("", max_length=1000)


def empty(form: type[Sized]) -> dict[str, str]:
    """Return a form as it is before anything is typed."""
    return {name: str(one.default) for name, one in form.model_fields.items()}


def texts_of(found: Preprocessing) -> dict[str, str]:
    """Return a definition as the form shows it."""
    source = found.source or Source("")
    return {
        "name": found.name,
        "memo": found.memo,
        "command": found.command,
        "environment": found.environment,
        "image": found.image,
        "repository": source.url,
        "ref": source.ref,
        "commit": source.commit,
        **sizes_of(found.shape),
    }


def new_of(sent: Mapping[str, str], tenant: str) -> NewPreprocessing:
    """Read the form of a new one; InvalidFields names what cannot be read."""
    reader = Reader(sent)
    size = shape(reader)
    reader.check()
    given = [sent[name].strip() for name in ("repository", "ref", "commit")]
    return NewPreprocessing(
        tenant=tenant,
        name=sent["name"],
        memo=plain_lines(sent["memo"]),
        command=plain_lines(sent["command"]),
        environment=sent["environment"].strip(),
        image=sent["image"].strip(),
        source=Source(*given) if any(given) else None,
        shape=size,
    )


def change_of(sent: Mapping[str, str], found: Preprocessing) -> PreprocessingChange:
    """Read the form of a change; of one that has been run, the recipe stays."""
    new = new_of(sent, found.tenant)
    names = {one.name for one in fields(PreprocessingChange)}
    said = {name: getattr(new, name) for name in names}
    if found.is_locked:
        said |= dict.fromkeys(_RECIPE)
    elif said["source"] is None:
        said["source"] = Source("")
    return PreprocessingChange(**said)


def batch_of(sent: Mapping[str, str]) -> BatchRequest:
    """Read the form that runs one; InvalidFields names what cannot be read."""
    reader = Reader(sent)
    asked = BatchRequest(
        queue=sent["queue"].strip(),
        data=reader.read("data", lambda one: whole_numbers(one["data"], _DATA)) or (),
        shape=shape(reader),
        lifetime_s=reader.read("lifetime_h", lifetime) or 0,
        variables=reader.read("variables", variables) or (),
        skips_done=bool(sent["skips_done"]),
    )
    reader.check()
    return asked
