"""A setting's documentation and rules, kept beside the setting itself."""

from collections.abc import Mapping
from dataclasses import Field, dataclass
from typing import Any, Final

from kqi_hub.settings.rules import Rule

_KEY: Final = "kqi"


@dataclass(frozen=True, slots=True)
class About:
    """What a reader of the reference and the loader must know of one setting.

    `secret_file` marks a path whose file holds a secret (of several lines: `lines`),
    `private` a value that may wrongly hold one. A wrong value of either is never
    printed: people do paste passwords where a path belongs.
    """

    doc: str
    rules: tuple[Rule, ...] = ()
    example: str = ""
    secret_file: bool = False
    private: bool = False
    lines: bool = False

    @property
    def hides_wrong_values(self) -> bool:
        """Tell whether messages must not repeat what was found."""
        return self.secret_file or self.private


def about(
    doc: str,
    *rules: Rule,
    example: str = "",
    secret_file: bool = False,
    private: bool = False,
    lines: bool = False,
) -> Mapping[str, About]:
    """Make the metadata of a dataclass field; `example` is TOML for the reference."""
    return {_KEY: About(doc, rules, example, secret_file, private, lines)}


def about_of(field: Field[Any]) -> About:
    """Return what was said about a field with `about`."""
    found = field.metadata.get(_KEY)
    if not isinstance(found, About):
        raise TypeError(f"setting {field.name} lacks metadata=about(...)")
    return found
