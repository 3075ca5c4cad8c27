"""Texts in the reader's language: gettext catalogues, read from their .po sources."""

import gettext
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, get_currency_precision

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.money import MICRO, Money
from kqi_hub.domain.phrase import Phrase

LANGUAGES: Final[tuple[str, ...]] = ("en", "ja", "ko")
DOMAIN: Final = "kqi"
# A list says few amounts many times, and Babel thinks about each for 40 µs.
_KEPT: Final = 4096


def choose(wanted: Sequence[str]) -> str:
    """Return the first of the wanted languages that there is, English otherwise."""
    found = negotiate_locale([w.replace("-", "_") for w in wanted], LANGUAGES)
    return found or "en"


def accepted(header: str) -> tuple[str, ...]:
    """Return the languages of an Accept-Language header, best first."""
    weighed = []
    for position, part in enumerate(header[:1000].split(",")):
        tag, _, parameter = part.strip().partition(";")
        weight = _weight(parameter)
        if tag and weight > 0:
            weighed.append((-weight, position, tag.strip()))
    return tuple(tag for _, _, tag in sorted(weighed))


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


@lru_cache(maxsize=8)
def catalogue(folder: Path, language: str) -> gettext.NullTranslations:
    """Return a language's texts; English is what the code says."""
    source = folder / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if language == "en" or not source.exists():
        return gettext.NullTranslations()
    with source.open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def N_(text: str) -> str:  # noqa: N802  gettext's own name for it
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


class Word(str):
    """A value that is itself a text to translate, such as a role's name."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Texts:
    """One language's texts."""

    language: str
    translations: gettext.NullTranslations

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

    def phrase(self, phrase: Phrase) -> str:
        """Put a phrase into the reader's language."""
        return self.say(phrase.template, phrase.values)

    def money(self, amount: Money) -> str:
        """Write an amount as sentences do."""
        return rounded_money(amount, self.language)

    def _value(self, value: object) -> object:
        if isinstance(value, Phrase):
            return self.phrase(value)
        if isinstance(value, Money):
            return self.money(value)
        return self.say(value) if isinstance(value, Word) else value


@lru_cache(maxsize=_KEPT)
def exact_money(amount: Money, language: str) -> str:
    """Write an amount as a language does, with every digit that counts."""
    return format_currency(
        Decimal(amount.micro) / MICRO,
        amount.currency,
        locale=language,
        decimal_quantization=False,
    )


def rounded_money(amount: Money, language: str) -> str:
    """Write an amount to the smallest coin; what is less than one with two digits."""
    coin = get_currency_precision(amount.currency)
    return exact_money(amount.to_coin(coin), language)


def texts(folder: Path, language: str) -> Texts:
    """Return a language's texts from the folder of catalogues."""
    return Texts(language, catalogue(folder, language))
