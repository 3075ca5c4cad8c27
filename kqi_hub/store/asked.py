"""Read what a line asks for: each value of the kind that it must have."""

from collections.abc import Mapping
from typing import Any, TypeVar

from kqi_hub.domain.data import Placed
from kqi_hub.domain.data_paths import checked_path
from kqi_hub.store.errors import WrongBody

T = TypeVar("T")


class Asked:
    """The fields of one request."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        return self._of(name, str, default)

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number from 0 on."""
        found = self._of(name, int, default)
        if found < 0:
            raise _wrong(name, "0 or more")
        return found

    def flag(self, name: str) -> bool:
        """Return a yes or no; no when it is left out."""
        return self._of(name, bool, default=False)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        return self._list(name, str)

    def numbers(self, name: str) -> list[int]:
        """Return a list of whole numbers."""
        return self._list(name, int)

    def paths(self, name: str) -> list[str]:
        """Return a list of files' paths within an item."""
        return [checked_path(one) for one in self.texts(name)]

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object."""
        return self._of(name, dict, None)

    def mappings(self, name: str) -> list[dict[str, Any]]:
        """Return a list of objects."""
        return self._list(name, dict)

    def placed(self, name: str) -> list[Placed]:
        """Return pairs of type and data item."""
        found = []
        for one in self._list(name, list):
            match one:
                case [str(kind), int(data_id)] if type(data_id) is int:
                    found.append(Placed(kind, data_id))
                case _:
                    raise _wrong(name, "pairs of a type and a number")
        return found

    def _of(self, name: str, kind: type[T], default: T | None) -> T:
        found = self._fields.get(name, default)
        if type(found) is not kind:
            raise _wrong(name, f"of the kind {kind.__name__}")
        return found

    def _list(self, name: str, kind: type[T]) -> list[T]:
        found: list[Any] = self._of(name, list, None)
        if any(type(one) is not kind for one in found):
            raise _wrong(name, f"a list of {kind.__name__}")
        return found


def _wrong(name: str, expected: str) -> WrongBody:
    return WrongBody(f"`{name}` must be {expected}.")
