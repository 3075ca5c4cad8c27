"""What is asked for: one operation on one environment, checked before it begins."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from conda_bootstrap.errors import WrongUse
from conda_bootstrap.places import FIRST, check_listed_name, check_name

OPERATIONS: Final = (
    "setup",
    "create",
    "reset",
    "delete",
    "verify",
    "repair",
    "bring-back",
    "default",
    "plugins",
    "sweep",
)
_NEW_NAME: Final = ("create", "reset")
_NO_NAME: Final = ("setup", "verify", "sweep", "plugins")


@dataclass(frozen=True, slots=True)
class Order:
    """An operation and its options; texts are those of files, not their paths."""

    operation: str
    name: str = ""
    base: str | None = None
    yml: str | None = None
    lock: str | None = None
    explicit: str | None = None
    imported: str | None = None
    bring_back: bool = False

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise WrongUse(
                "operation",
                f"There is no operation {ascii(self.operation)[:40]}.",
                f"There are: {', '.join(OPERATIONS)}.",
            )
        self._check_name()
        given = (self.base, self.yml, self.lock, self.explicit, self.imported)
        if sum(one is not None for one in given) > 1:
            raise WrongUse(
                "sources",
                "An environment is made from one thing only.",
                "Give one of: a base, a yml file, a lock, an explicit list, an export.",
            )

    def _check_name(self) -> None:
        if self.operation in _NO_NAME and not self.name:
            return
        if self.operation in _NEW_NAME:
            check_name(self.name)
        else:
            check_listed_name(self.name)


def from_json(value: Mapping[str, Any]) -> Order:
    """Return the order that a task folder holds, or say what is wrong with it."""
    if value.get("version") != 1:
        raise WrongUse("order", "This order cannot be read or is of another version.")
    told = {key: one for key, one in value.items() if key != "version"}
    told["imported"] = told.pop("import", None)
    told.setdefault("name", FIRST if told.get("operation") == "setup" else "")
    chosen: dict[str, Any] = {}
    for field in fields(Order):
        key, kind = field.name, bool if field.name == "bring_back" else str
        if (one := told.get(key)) is None:
            continue
        if not isinstance(one, kind):
            raise WrongUse("order", f"In this order {key} has the wrong type.")
        chosen[key] = one
    if "operation" not in chosen:
        raise WrongUse("order", "This order names no operation.")
    return Order(**chosen)
