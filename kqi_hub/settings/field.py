"""A setting's documentation and rules, kept beside the setting itself."""

from collections.abc import Mapping
from dataclasses import Field, dataclass
from typing import Any, Final

from kqi_hub.settings.rules import Rule

_KEY: Final = "kqi"


@dataclass(frozen=True, slots=True)
class About:
    """What a reader of the reference and the loader must know of one setting.

    `secret` marks a file whose contents are secret: neither a wrong value of such
    a setting nor the file's contents are ever printed.
    """

    doc: str
    rules: tuple[Rule, ...] = ()
    example: str = ""
    secret: bool = False


def about(
    doc: str, *rules: Rule, example: str = "", secret: bool = False
) -> Mapping[str, About]:
    """Make the metadata of a dataclass field; `example` is TOML for the reference."""
    return {_KEY: About(doc, rules, example, secret)}


def about_of(field: Field[Any]) -> About:
    """Return what was said about a field with `about`."""
    try:
        found = field.metadata[_KEY]
    except KeyError:
        raise TypeError(f"setting {field.name} lacks metadata=about(...)") from None
    if not isinstance(found, About):
        raise TypeError(f"setting {field.name} has metadata of another kind")
    return found
