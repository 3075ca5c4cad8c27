"""Texts in the asker's language: marking, translating, and filling in values."""

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import NullTranslations
from pathlib import Path

from kqi_hub.domain.errors import KqiError
from kqi_hub.i18n import catalogue


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


class Word(str):
    """A value that is itself a text to translate, such as a role's name."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Texts:
    """One language's texts."""

    language: str
    translations: NullTranslations

    def say(self, template: str, values: Mapping[str, object] | None = None) -> str:
        """Translate a template with `{names}` and fill in its values."""
        # An empty msgid is the catalogue's own header.
        said = self.translations.gettext(template) if template else ""
        if not values:
            return said
        return said.format_map({name: self._value(v) for name, v in values.items()})

    def message(self, error: KqiError) -> str:
        """Return what happened."""
        return self.say(error.template, error.values)

    def hint(self, error: KqiError) -> str:
        """Return what to do next."""
        return self.say(error.hint_template, error.values)

    def _value(self, value: object) -> object:
        return self.say(value) if isinstance(value, Word) else value


def texts(folder: Path, language: str) -> Texts:
    """Return a language's texts from the folder of catalogues."""
    return Texts(language, catalogue(folder, language))
