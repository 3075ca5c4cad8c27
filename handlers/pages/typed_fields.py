"""Read what people type into forms: every field is text until it is read."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from handlers.failures import FieldFault, InvalidFields
from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.i18n import N_

T = TypeVar("T")
HOUR_S: Final = 3600
MB_PER_GB: Final = 1024
WHOLE: Final = N_("This must be a whole number.")
NUMBER: Final = N_("This must be a number.")
ONE_OF: Final = N_("This must be one of: {expected}.")
_NO_VARIABLE: Final = N_("Line {line} is not NAME=value.")
_PARENTS: Final = N_("These must be numbers of runs, such as 12, 15.")
_DATASET: Final = N_("This must be the number of a dataset.")
_LARGEST: Final = 10**7
_LONGEST_NUMBER: Final = 18


class Unreadable(Exception):
    """A field that does not say what it should; `text` is for the reader."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text = text
        self.values = values


class Reader:
    """Read fields one by one, and keep what is wrong with each."""

    def __init__(self, sent: Mapping[str, str]) -> None:
        self.sent = sent
        self._faults: list[FieldFault] = []

    def read(self, name: str, how: Callable[[Mapping[str, str]], T]) -> T | None:
        """Return what a field says; None, and a fault kept, where it says nothing."""
        try:
            return how(self.sent)
        except Unreadable as error:
            self._faults.append(FieldFault(name, "value", error.text, **error.values))
            return None

    def number(self, name: str, kind: Callable[[str], T], otherwise: str) -> T | None:
        """Return a number."""
        return self.read(name, lambda sent: number(sent[name], kind, otherwise))

    @property
    def has_faults(self) -> bool:
        """Tell whether something could not be read."""
        return bool(self._faults)

    def check(self) -> None:
        """Raise what was found."""
        if self._faults:
            raise InvalidFields(tuple(self._faults))


def shape(reader: Reader) -> Shape:
    """Read CPUs, memory in GB, GPUs and their type."""
    memory_gb = reader.number("memory_gb", float, NUMBER)
    return Shape(
        cpus=reader.number("cpus", int, WHOLE) or 0,
        memory_mb=round((memory_gb or 0.0) * MB_PER_GB),
        gpus=reader.number("gpus", int, WHOLE) or 0,
        gpu_type=reader.sent["gpu_type"],
    )


def sizes_of(size: Shape) -> dict[str, str]:
    """Return a size as forms show it."""
    return {
        "cpus": str(size.cpus),
        "memory_gb": f"{size.memory_mb / MB_PER_GB:.10g}",
        "gpus": str(size.gpus),
        "gpu_type": size.gpu_type,
    }


def hours_of(seconds: int) -> str:
    """Return a time as forms show it: in hours."""
    return f"{seconds / HOUR_S:.10g}"


def lifetime(sent: Mapping[str, str]) -> int:
    """Read how long something may last, in hours."""
    return round(number(sent["lifetime_h"], float, NUMBER) * HOUR_S)


def number(text: str, kind: Callable[[str], T], otherwise: str) -> T:
    """Read plain digits: no 1e9, no nan, no digits of other scripts."""
    plain = text.strip().replace(",", ".") if kind is float else text.strip()
    digits = plain.replace(".", "", 1) if kind is float else plain
    if not (digits.isascii() and digits.isdigit()) or float(plain) > _LARGEST:
        raise Unreadable(otherwise)
    return kind(plain)


def whole_numbers(text: str, otherwise: str) -> tuple[int, ...]:
    """Read numbers with commas or blanks between; `#12` is 12, and once is enough."""
    words = text.replace(",", " ").split()
    return tuple(dict.fromkeys(_natural(word, otherwise) for word in words))


def dataset(sent: Mapping[str, str]) -> int | None:
    """Read the number of a dataset; empty is none."""
    text = sent["dataset"].strip()
    return _natural(text, _DATASET) if text else None


def parents_of(sent: Mapping[str, str]) -> tuple[int, ...]:
    """Return the numbers of runs whose results are read."""
    return whole_numbers(sent["parents"], _PARENTS)


def staging(sent: Mapping[str, str]) -> Staging:
    """Return how a dataset gets to the node; where nothing is said, by a link."""
    word = sent["staging"] or Staging.LINK.value
    if word not in set(Staging):
        raise Unreadable(ONE_OF, expected=", ".join(Staging))
    return Staging(word)


def variables(sent: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Read lines of NAME=value; empty lines are passed over."""
    found = []
    for at, line in enumerate(plain_lines(sent["variables"]).split("\n"), 1):
        if not line.strip():
            continue
        # Blanks at the end belong to the value.
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise Unreadable(_NO_VARIABLE, line=at)
        found.append((name.strip(), value))
    return tuple(found)


def plain_lines(text: str) -> str:
    """Return a text with the ends of lines that Unix has; browsers send others."""
    return text.replace("\r\n", "\n")


def _natural(word: str, otherwise: str) -> int:
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST_NUMBER:
        raise Unreadable(otherwise)
    return int(digits)
