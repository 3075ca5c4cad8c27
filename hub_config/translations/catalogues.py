"""Read, update and write the catalogues; only their .po sources are kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from kqi_hub.i18n import DOMAIN, LANGUAGES

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
TRANSLATED: Final = tuple(language for language in LANGUAGES if language != "en")
_HEADER: Final = """\
# Texts of KQI Hub; `python -m hub_config.translations` keeps the file up to date.
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def path_of(language: str, folder: Path = HERE) -> Path:
    """Return a language's file."""
    return folder / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def texts_in(root: Path) -> Mapping[str, tuple[str, ...]]:
    """Return every text of the code, with the files that it stands in."""
    with (HERE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # babel's is untyped
    found: dict[str, set[str]] = {}
    for name, _line, text, *_ in extract_from_dir(str(root), methods, options):
        if isinstance(text, str):
            found.setdefault(text, set()).add(name)
    return {text: tuple(sorted(found[text])) for text in sorted(found)}


def read_catalogue(language: str, folder: Path = HERE) -> Catalog:
    """Return a language's catalogue, an empty one if there is no file yet."""
    path = path_of(language, folder)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(old: Catalog, texts: Mapping[str, tuple[str, ...]]) -> Catalog:
    """Return a catalogue of exactly these texts, with the translations there are."""
    new = Catalog(locale=old.locale)
    for text, files in texts.items():
        before = old.get(text)
        string = before.string if before is not None else ""
        new.add(text, string, [(name, 0) for name in files])
    return new


def write_catalogue(language: str, catalogue: Catalog, folder: Path = HERE) -> None:
    """Write a catalogue in one fixed form, so that a change shows as a change."""
    path = path_of(language, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        # babel's own header holds dates and versions, which change without a reason.
        file.write(_HEADER.format(language=language).encode())
        write_po(file, catalogue, width=88, omit_header=True, include_lineno=False)
