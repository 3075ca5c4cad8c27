"""The form as it is typed: every field is text until it is read, so nothing is lost."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from pydantic import Field

from handlers.failures import FieldFault, InvalidFields
from handlers.route import Model
from kqi_hub.domain.notebooks import Choices, Repository, Shape, Ui
from kqi_hub.i18n import N_

T = TypeVar("T")
_MB_PER_GB: Final = 1024
_HOUR_S: Final = 3600
_WHOLE: Final = N_("This must be a whole number.")
_NUMBER: Final = N_("This must be a number.")
_ONE_OF: Final = N_("This must be one of: {expected}.")
_NO_VARIABLE: Final = N_("Line {line} is not NAME=value.")
_LARGEST: Final = 10**7
_DATASET: Final = N_("This must be the number of a dataset.")
_LONGEST_NUMBER: Final = 18


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
    repository: str = Field("", max_length=10_000)
    ref: str = Field("", max_length=10_000)
    variables: str = Field("", max_length=100_000)
    command: str = Field("", max_length=100_000)
    memo: str = Field("", max_length=100_000)


class Typed(Filled):
    """The form as it was sent; `then` is the button that was pressed."""

    seen_at: str = Field("", max_length=1000)
    then: str = Field("keep", max_length=1000)


def texts_of(choices: Choices) -> dict[str, str]:
    """Return choices as the form shows them."""
    shape, repository = choices.shape, choices.repository
    lifetime = choices.lifetime_s
    return {
        "name": choices.name,
        "tenant": choices.tenant,
        "preset": choices.preset,
        "queue": choices.queue,
        "cpus": str(shape.cpus),
        "memory_gb": f"{shape.memory_mb / _MB_PER_GB:.10g}",
        "gpus": str(shape.gpus),
        "gpu_type": shape.gpu_type,
        "lifetime_h": "" if lifetime is None else f"{lifetime / _HOUR_S:.10g}",
        "unlimited": "yes" if lifetime is None else "",
        "ui": choices.ui.value,
        "environment": choices.environment,
        "dataset": "" if choices.dataset is None else str(choices.dataset),
        "repository": repository.url if repository else "",
        "ref": repository.ref if repository else "",
        "variables": "\n".join(f"{name}={value}" for name, value in choices.variables),
        "command": choices.command,
        "memo": choices.memo,
    }


def choices_of(sent: Mapping[str, str]) -> Choices:
    """Read the form; InvalidFields names every field that cannot be read.

    Whether what is read may be had is the services' business.
    """
    reader = _Reader(sent)
    choices = Choices(
        name=sent["name"],
        tenant=sent["tenant"],
        preset=sent["preset"],
        queue=sent["queue"],
        shape=_shape(reader),
        lifetime_s=reader.read("lifetime_h", _lifetime),
        ui=reader.read("ui", _ui) or Ui.LAB,
        environment=sent["environment"],
        repository=_repository(sent),
        variables=reader.read("variables", _variables) or (),
        command=sent["command"].replace("\r\n", "\n"),
        memo=sent["memo"].replace("\r\n", "\n"),
        dataset=reader.read("dataset", _dataset),
    )
    reader.check()
    return choices


def shape_or_none(sent: Mapping[str, str]) -> tuple[Shape | None, int | None]:
    """Return size and lifetime for an estimate, as far as they can be read."""
    reader = _Reader(sent)
    shape = _shape(reader)
    lifetime_s = reader.read("lifetime_h", _lifetime)
    return (None if reader.has_faults else shape), lifetime_s


class _Reader:
    """Read fields one by one, and keep what is wrong with each."""

    def __init__(self, sent: Mapping[str, str]) -> None:
        self.sent = sent
        self._is_own = not sent["preset"]
        self._faults: list[FieldFault] = []

    def read(self, name: str, how: Callable[[Mapping[str, str]], T]) -> T | None:
        """Return what a field says; None, and a fault kept, where it says nothing."""
        try:
            return how(self.sent)
        except _Unreadable as error:
            self._faults.append(FieldFault(name, "value", error.text, **error.values))
            return None

    def number(self, name: str, kind: Callable[[str], T], otherwise: str) -> T | None:
        """Return a number; with a preset nobody looks at it."""
        if not self._is_own:
            return None
        return self.read(name, lambda sent: _number(sent[name], kind, otherwise))

    @property
    def has_faults(self) -> bool:
        """Tell whether something could not be read."""
        return bool(self._faults)

    def check(self) -> None:
        """Raise what was found."""
        if self._faults:
            raise InvalidFields(tuple(self._faults))


class _Unreadable(Exception):
    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text = text
        self.values = values


def _shape(reader: _Reader) -> Shape:
    memory_gb = reader.number("memory_gb", float, _NUMBER)
    return Shape(
        cpus=reader.number("cpus", int, _WHOLE) or 0,
        memory_mb=round((memory_gb or 0.0) * _MB_PER_GB),
        gpus=reader.number("gpus", int, _WHOLE) or 0,
        gpu_type=reader.sent["gpu_type"],
    )


def _number(text: str, kind: Callable[[str], T], otherwise: str) -> T:
    """Read plain digits: no 1e9, no nan, no digits of other scripts."""
    plain = text.strip().replace(",", ".") if kind is float else text.strip()
    digits = plain.replace(".", "", 1) if kind is float else plain
    if not (digits.isascii() and digits.isdigit()) or float(plain) > _LARGEST:
        raise _Unreadable(otherwise)
    return kind(plain)


def _lifetime(sent: Mapping[str, str]) -> int | None:
    if sent["unlimited"] or sent["preset"]:
        return None
    return round(_number(sent["lifetime_h"], float, _NUMBER) * _HOUR_S)


def _ui(sent: Mapping[str, str]) -> Ui:
    if sent["ui"] not in set(Ui):
        raise _Unreadable(_ONE_OF, expected=", ".join(Ui))
    return Ui(sent["ui"])


def _repository(sent: Mapping[str, str]) -> Repository | None:
    return Repository(sent["repository"], sent["ref"]) if sent["repository"] else None


def _dataset(sent: Mapping[str, str]) -> int | None:
    digits = sent["dataset"].strip().removeprefix("#")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST_NUMBER:
        raise _Unreadable(_DATASET)
    return int(digits)


def _variables(sent: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = []
    for number, line in enumerate(sent["variables"].splitlines(), 1):
        if not line.strip():
            continue
        name, sign, value = line.strip().partition("=")
        if not sign or not name:
            raise _Unreadable(_NO_VARIABLE, line=number)
        found.append((name.strip(), value))
    return tuple(found)
