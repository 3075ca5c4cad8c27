"""JupyterHub's login: the directory and a one-time code, by the login services."""

import asyncio
import logging
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from jupyterhub.auth import Authenticator
from traitlets import Bool, Unicode

from kqi_hub.bootstrap.login import login_desk
from kqi_hub.bootstrap.loop import favour_the_loop
from kqi_hub.bootstrap.notebooks_hub import HubNotebooks, open_hub_notebooks
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.login import Attempt, Granted, Outcome
from kqi_hub.domain.people import Person
from kqi_hub.face.static import StaticHandler
from kqi_hub.services import login
from kqi_hub.services.desk import Desk
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings
from spawners.address import address_of
from spawners.face import STATIC, Face, Folders, site_of
from spawners.login_api import LoginApi
from spawners.login_pages import EnrolPage, LoginPage, NewPasswordPage
from spawners.notebook_handlers import NOTEBOOK_HANDLERS
from spawners.proxy_routes import keep_routes

# By then the hub has loaded what it keeps for good.
_SET_UP_S: Final = 10.0


class DirectoryAuthenticator(Authenticator):
    """Let in whom the login service lets in, under the directory's spelling."""

    manage_groups = Bool(True, config=True)
    face_folder = Unicode(
        config=True, help="Folder with templates, static files and translations."
    )
    base_path = Unicode(
        "/", config=True, help="What every path of the hub begins with."
    )

    @cached_property
    def site(self) -> Settings:
        """Return the site's settings, read once."""
        return load_settings()

    @cached_property
    def desk(self) -> Desk:
        """Return what the login services work with; one for the hub's process."""
        return login_desk(self.site)

    @cached_property
    def notebooks(self) -> HubNotebooks:
        """Return what the spawners work with; one for the hub's process."""
        return open_hub_notebooks(self.site)

    @cached_property
    def face(self) -> Face:
        """Return what renders the hub's pages in the portal's look."""
        place = Path(self.face_folder)
        folders = Folders(place / "templates", place / "static", place / "translations")
        base = self.base_path
        return Face(site_of(self.site), folders, base, f"{base}hub/")

    async def authenticate(self, handler: Any, data: object) -> dict[str, Any] | None:
        """Judge a login; `granted` stands for one that was judged a page before."""
        if not isinstance(data, Mapping):
            return None  # JupyterHub's own way to tokens takes any JSON for `auth`
        granted = data.get("granted")
        if not isinstance(granted, Granted):  # never from a request: those are text
            granted = await self._attempt(handler, data)
        return None if granted is None else _model(granted.person)

    async def _attempt(
        self, handler: Any, data: Mapping[str, object]
    ) -> Granted | None:
        outcome = await self.judge(handler, data)
        handler.kqi_outcome = outcome
        return outcome if isinstance(outcome, Granted) else None

    async def judge(self, handler: Any, data: Mapping[str, object]) -> Outcome:
        """Return what comes of the name, password and code that somebody sent."""
        tried = Attempt(
            name=_text(data, "typed_name" if "typed_name" in data else "username"),
            password=_text(data, "password"),
            code=_text(data, "code"),
            address=address_of(handler, self.site),
            user_agent=handler.request.headers.get("User-Agent", "")[:200],
        )
        return await login.attempt(self.desk, tried)

    async def refresh_user(
        self, user: Any, handler: Any = None
    ) -> bool | dict[str, Any]:
        """Take over changed groups; log out whom the directory no longer lets in.

        A directory that does not answer changes nothing: people go on working.
        """
        try:
            person = await self.desk.directory.lookup(user.name)
        except DirectoryUnavailable as error:
            self.log.warning("Could not look %s up again: %s", user.name, error)
            return True
        people = self.site.people
        if person is None or person.uid < people.min_uid:
            return False
        if people.group not in person.groups:
            return False
        return _model(person)

    def normalize_username(self, username: str) -> str:
        """Keep the directory's spelling, which is the Unix name."""
        return username

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """Return the pages of logging in, and the door for programs."""
        _log_with(app)
        # Made before anybody comes: what a login lacks stops the hub here, and the
        # first one waits for nothing of it.
        app.log.info("Second factor: %s", self.desk.rules.mode.value)
        self.face.dress()
        # The loop of the hub runs already: it sets itself up in a coroutine.
        self._beginning = asyncio.ensure_future(self.notebooks.begin())
        self._routes = asyncio.ensure_future(keep_routes(app))
        asyncio.get_running_loop().call_later(_SET_UP_S, favour_the_loop)
        static = rf"/{STATIC}static/([0-9a-f]+)/(.+)"
        return [
            (static, StaticHandler, {"tree": self.face.tree}),
            ("/login", LoginPage),
            ("/enrol", EnrolPage),
            ("/new-password", NewPasswordPage),
            ("/api/kqi/login", LoginApi),
            *NOTEBOOK_HANDLERS,
        ]


def _log_with(app: Any) -> None:
    """Put our own log lines among the hub's, as JupyterHub does with Tornado's."""
    ours = logging.getLogger("kqi_hub")
    ours.parent = app.log
    ours.setLevel(app.log.level)


def _model(person: Person) -> dict[str, Any]:
    return {"name": person.name, "groups": list(person.groups)}


def _text(data: Mapping[str, object], field: str) -> str:
    value = data.get(field)
    return value if isinstance(value, str) else ""
