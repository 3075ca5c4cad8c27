"""Texts in the reader's language: gettext catalogues, read from their .po sources."""

import gettext
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final[tuple[str, ...]] = ("en", "ja", "ko")
DOMAIN: Final = "kqi"


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
