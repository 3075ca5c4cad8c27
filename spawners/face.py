"""The hub's own pages in the portal's look: one switch from its templates to ours."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jupyterhub.handlers import BaseHandler

from kqi_hub import __version__
from kqi_hub.domain.preferences import Theme
from kqi_hub.face import cookies
from kqi_hub.face.headers import personal_headers
from kqi_hub.face.look import Look, Pages
from kqi_hub.face.site import Site
from kqi_hub.face.static import Tree, read_tree
from kqi_hub.i18n import Texts, accepted, choose, texts
from kqi_hub.settings.model import Settings

# Pages of JupyterHub that ours stand for; all others stay JupyterHub's own.
OURS: Final[Mapping[str, str]] = {
    "login.html": "hub/login.html",
    "enrol.html": "hub/enrol.html",
    "recovery_codes.html": "hub/recovery_codes.html",
    "new_password.html": "hub/new_password.html",
    "error.html": "hub/error.html",
    "404.html": "hub/error.html",
    "not_running.html": "hub/not_running.html",
    "spawn.html": "hub/not_running.html",
    "spawn_pending.html": "hub/pending.html",
    "stop_pending.html": "hub/pending.html",
    "token.html": "hub/token.html",
    "logout.html": "hub/logged_out.html",
}
STATIC: Final = "face/"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where templates, static files and catalogues are."""

    templates: Path
    static: Path
    translations: Path


@dataclass(frozen=True)
class Face:
    """Render pages for the hub; one for its process."""

    site: Site
    folders: Folders
    base: str
    hub: str
    tree: Tree = field(init=False)
    pages: Pages = field(init=False)

    def __post_init__(self) -> None:
        tree = read_tree(self.folders.static)
        places = self.folders.templates, self.folders.translations
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "pages", Pages(*places, tree, self.hub + STATIC))

    def texts(self, handler: Any) -> Texts:
        """Return the texts of this browser's language."""
        kept = handler.get_cookie(cookies.LANGUAGE)
        header = handler.request.headers.get("Accept-Language", "")
        wanted = ([kept[:20]] if kept else []) + list(accepted(header))
        return texts(self.folders.translations, choose([*wanted, self.site.language]))

    def look(self, handler: Any) -> Look:
        """Return what the frame around a page of the hub shows."""
        theme = handler.get_cookie(cookies.THEME)
        return HubLook(
            site=self.site,
            tree=self.tree,
            base=self.base,
            prefix=f"{self.base}services/portal/",
            here=handler.request.uri,
            language=self.texts(handler).language,
            theme=Theme(theme) if theme in list(Theme) else Theme.SYSTEM,
            request_id="",
            xsrf=handler.xsrf_token.decode("ascii"),
            hub_static=self.hub + STATIC,
        )

    def render(self, handler: Any, name: str, values: Mapping[str, object]) -> str:
        """Return a page, and protect it as the portal protects its own."""
        for header, value in personal_headers().items():
            handler.set_header(header, value)
        action = handler.request.uri
        known = {"said": self.texts(handler), "action": action, **values}
        return self.pages.render(OURS[name], self.look(handler), known)

    def dress(self) -> None:
        """Make every handler of the hub render our pages where there are any.

        JupyterHub gives templates no way to the request, and so none to its language:
        this is the one place where something of it is replaced.
        """
        self.pages.warm_up(self.site, {*OURS.values()})
        theirs = BaseHandler.render_template

        def render_template(
            handler: Any, name: str, sync: bool = False, **values: object
        ) -> str | Awaitable[str]:
            if name not in OURS:
                their_page: str | Awaitable[str] = theirs(handler, name, sync, **values)
                return their_page
            page = self.render(handler, name, values)
            return page if sync else _soon(page)

        BaseHandler.render_template = render_template


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLook(Look):
    """A page of the hub takes its static files from the hub: the portal may be down."""

    hub_static: str

    def static(self, path: str) -> str:
        """Return a static file's address."""
        return self.tree.url(self.hub_static, path)


async def _soon(page: str) -> str:
    return page


def site_of(settings: Settings) -> Site:
    """Return how the site presents itself."""
    return Site(
        settings.site.name,
        __version__,
        settings.site.language,
        timezone=settings.site.timezone,
        support=settings.site.support or "",
    )
