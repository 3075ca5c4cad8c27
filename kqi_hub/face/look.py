"""Pages from templates: one Jinja environment a language, and what every page knows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    pass_context,
)
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup

from kqi_hub.domain.people import Role, Standing
from kqi_hub.domain.preferences import Preferences, Theme
from kqi_hub.face.formats import Formats
from kqi_hub.face.site import Site
from kqi_hub.face.static import Tree
from kqi_hub.face.words import ROLE_WORDS
from kqi_hub.i18n import texts

LANGUAGE_NAMES: Final = {"en": "English", "ja": "日本語", "ko": "한국어"}
SPRITE: Final = "vendor/icons.svg"
_ICON: Final = Markup(
    '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; `key` follows `g` on the keyboard."""

    path: str
    label: str
    icon: str
    key: str
    about: str


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together."""

    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One line of the help on the keyboard."""

    keys: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `sort` makes its head a button."""

    label: str
    number: bool = False
    sort: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What the frame around every page shows; templates call it `ui`."""

    site: Site
    tree: Tree
    base: str
    prefix: str
    here: str
    language: str
    theme: Theme
    request_id: str
    is_reading: bool = True
    xsrf: str = ""
    said: str = ""
    me: Standing | None = None
    chosen: Preferences = Preferences()  # noqa: RUF009 - frozen, so safely shared
    tenant: str | None = None
    groups: tuple[Group, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()

    @property
    def language_names(self) -> Mapping[str, str]:
        """Return the site's languages, each in its own words."""
        return {code: LANGUAGE_NAMES.get(code, code) for code in self.site.languages}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return all pages that the person is offered."""
        return tuple(entry for group in self.groups for entry in group.entries)

    def static(self, path: str) -> str:
        """Return a static file's address."""
        return self.tree.url(self.prefix, path)

    def url(self, path: str = "", **query: str) -> str:
        """Return the address of a page of ours, such as api."""
        return f"{self.prefix}{path}" + (f"?{urlencode(query)}" if query else "")

    def hub(self, path: str) -> str:
        """Return the address of a page of the hub, such as logout."""
        return f"{self.base}hub/{path}"

    def way(self, path: str) -> str:
        """Return the address of a page in the tenant that is looked at."""
        return self.url(path, **({"tenant": self.tenant} if self.tenant else {}))

    def is_at(self, path: str) -> bool:
        """Tell whether this is the page at a path, or one below it."""
        here = urlsplit(self.here).path.removeprefix(self.prefix)
        return here == path or (path != "" and here.startswith(f"{path}/"))

    @property
    def back(self) -> str:
        """Return this page for forms that come back to it."""
        return self.here.removeprefix(self.prefix) if self.is_reading else ""

    def here_with(self, **changed: str) -> str:
        """Return this page's address with other values in its query."""
        parts = urlsplit(self.here)
        query = dict(parse_qsl(parts.query, keep_blank_values=True)) | changed
        return f"{parts.path}?{urlencode(query)}"


class _Compiled(BytecodeCache):
    """Compile a template once a process, not once for each language."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template's code to the next language."""
        code = self._code.get(bucket.key)
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        self._code[bucket.key] = bucket.bytecode_to_string()


# Code goes with a digest of its template: that of another one is never taken for it.
_COMPILED: Final = _Compiled()


def _said_once(
    say: Callable[..., str], translated: Callable[[str], str]
) -> Callable[..., str]:
    """Keep what Jinja's `_` says of plain texts: a list has some in each row."""
    kept: dict[str, str] = {}

    @pass_context
    def said(context: Context, text: str, **values: object) -> str:
        if values:
            return say(context, text, **values)
        if text not in kept:
            # Jinja would put values into it, and fall over a translation that says
            # "(%)" where the text says "percent".
            kept[text] = Markup(translated(text).replace("%%", "%"))  # noqa: S704  ours
        return kept[text]

    return said


class Pages:
    """The templates, in every language."""

    def __init__(self, templates: Path, translations: Path, tree: Tree, prefix: str):
        self.tree = tree
        self._templates = templates
        self._translations = translations
        self._sprite = tree.url(prefix, SPRITE)
        self._environments: dict[str, Environment] = {}
        self._icons: dict[str, Markup] = {}

    def warm_up(self, site: Site, only: Collection[str] = ()) -> None:
        """Compile every template: the first visitor need not wait, nor all others."""
        for language in site.languages:
            environment = self._environment_of(language, site.timezone)
            for name in only or environment.list_templates(extensions=["html"]):
                environment.get_template(name)

    def render(
        self, template: str, look: Look, values: Mapping[str, object] | None = None
    ) -> str:
        """Render a page in the look's language."""
        environment = self._environment_of(look.language, look.site.timezone)
        return environment.get_template(template).render({**(values or {}), "ui": look})

    def _environment_of(self, language: str, timezone: str) -> Environment:
        if language not in self._environments:
            self._environments[language] = self._environment(language, timezone)
        return self._environments[language]

    def _environment(self, language: str, timezone: str) -> Environment:
        said = texts(self._translations, language)
        environment = Environment(
            loader=FileSystemLoader(self._templates),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=_COMPILED,
        )
        # The i18n extension adds this method; jinja2's types do not know it.
        install: Any = environment.install_gettext_translations  # type: ignore[attr-defined]
        install(said.translations, newstyle=True)
        plainly: Any = environment.globals["_"]
        environment.globals["_"] = _said_once(plainly, said.translations.gettext)
        environment.globals.update(icon=self._icon, column=Column)
        environment.filters["role"] = lambda role: said.say(ROLE_WORDS[Role(role)])
        environment.filters.update(Formats(language, timezone).filters())
        return environment

    def _icon(self, name: str) -> Markup:
        # A list shows a dozen in each row.
        drawn = self._icons.get(name)
        if drawn is None:
            drawn = self._icons[name] = _ICON.format(self._sprite, name)
        return drawn
