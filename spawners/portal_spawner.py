"""The hub's one spawner class: by profile a notebook's or an agent's server."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, Final

from jupyterhub import __version__ as jupyterhub_version, orm
from jupyterhub.spawner import Spawner
from traitlets import Dict, List, Tuple, Type, Unicode
from wrapspawner import ProfilesSpawner, WrapSpawner

from kqi_hub.domain.errors import SecretUnreadable
from spawners.closed import ClosedSpawner
from spawners.notebook import NotebookSpawner
from spawners.profiles import AGENT, profile_for
from spawners.readiness import first_answer

# A server that Slurm says runs is running, even if it does not answer the hub just now.
_PATIENCE_AT_HUB_START_S: Final = 5.0


class PortalSpawner(ProfilesSpawner):
    """Choose the spawner by the profile; keep each session's token with the session.

    JupyterHub makes a token at every start. One whose start was cut short by the end
    of the hub's process keeps the token that its job has been given already.
    """

    profiles: Any = List(
        Tuple(Unicode(), Unicode(), Type(Spawner, klass=Spawner), Dict()),
        config=True,
        help="(title, key, class, {}) of each profile.",
    )
    options_form = Unicode("")
    will_resume = False
    _kept: dict[str, Any] | None = None

    async def start(self) -> Any:
        """Start the server of the profile that was asked for."""
        keys = [key for _, key, _, _ in self.profiles]
        sessions = self.authenticator.notebooks.sessions
        self.child_profile = await profile_for(
            sessions, self.user.name, self.name, self.user_options, keys
        )
        self.construct_child()
        return await self.child_spawner.start()

    async def stop(self, now: bool = False) -> None:
        """Stop the server, where somebody asked for that."""
        if self.child_spawner is not None:
            await self.child_spawner.stop(now)

    async def poll(self) -> int | None:
        """Tell whether the server runs (None)."""
        if self.child_spawner is None:
            return 0
        status: int | None = await self.child_spawner.poll()
        return status

    async def progress(self) -> Any:
        """Tell where the progress is shown."""
        yield {"progress": 50, "message": "The notebook's page shows how far it is."}

    def construct_child(self) -> None:
        """Make the spawner of the profile; an unknown one can start nothing."""
        if self.child_spawner is None:
            self.child_class = self._class_of(self.child_profile)
            self.child_config: dict[str, Any] = {}
            WrapSpawner.construct_child(self)
            child: Any = self.child_spawner
            child.wrapper = self

    def _class_of(self, profile: str) -> Any:
        if not profile:
            return ClosedSpawner
        # A preset that the operator took away may still have servers.
        if profile != AGENT:
            return NotebookSpawner
        chosen = {key: kind for _, key, kind, _ in self.profiles}
        return chosen.get(AGENT, ClosedSpawner)

    def options_from_form(self, formdata: object) -> dict[str, Any]:
        """Take nothing from forms: servers are started by the portal."""
        return {}

    def options_from_query(self, query_options: object) -> dict[str, Any]:
        """Take nothing from links: servers are started by the portal."""
        return {}

    async def _run_apply_user_options(self, user_options: object) -> None:
        """Apply none: `start` checks the one that there is."""

    @property
    def server(self) -> Any:
        """Return JupyterHub's record of the server, with a probe of ours."""
        server = Spawner.server.fget(self)
        if server is not None:
            server.wait_up = self._wait_up
        return server

    @server.setter
    def server(self, server: Any) -> None:
        Spawner.server.fset(self, server)

    async def _wait_up(self, **asked: Any) -> Any:
        """Wait for a start's first answer; a server known to run gets no such test.

        JupyterHub stops what does not answer when it starts itself, and with it
        everybody's work on the far side of a network that hangs for a while.
        """
        is_start = not self._check_pending
        longest = asked["timeout"] if is_start else _PATIENCE_AT_HUB_START_S
        url = Spawner.server.fget(self).url
        answer = await first_answer(f"{url}api", longest, lambda: False)
        if answer is not None:
            return answer
        if is_start:
            raise TimeoutError(f"nothing answers at {url}")
        self.log.warning("%s runs, but does not answer at %s", self._log_name, url)
        return SimpleNamespace(headers={"X-JupyterHub-Version": jupyterhub_version})

    def tell_over(self) -> None:
        """Have JupyterHub notice at once that the server has ended."""
        if not self.pending:
            self._notice = asyncio.ensure_future(self.poll_and_notify())

    def when_open(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Tell when people can reach the server: it answers and has its route."""

        def opened(start: "asyncio.Future[Any]") -> None:
            if not start.cancelled() and start.exception() is None:
                self._opened = asyncio.ensure_future(tell())

        if self._spawn_future is not None:
            self._spawn_future.add_done_callback(opened)

    def take_token_of(self, session_id: int) -> bool:
        """Take back the token that the session's job was given, if that is known."""
        kept, self._kept = self._kept, None
        if kept is None:
            return False
        token = self._opened_token(kept.get("token", ""))
        if token and kept.get("session") == session_id:
            self.api_token = token
            return True
        if token and (row := orm.APIToken.find(self.user.db, token)) is not None:
            self.user.db.delete(row)
            self.user.db.commit()
        return False

    def keep_state(self) -> None:
        """Write the state down now: JupyterHub does only once a server runs."""
        self.orm_spawner.state = self.get_state()
        self.user.db.commit()

    def get_state(self) -> dict[str, Any]:
        """Return what a new hub process must know; the token is sealed."""
        state: dict[str, Any] = {}
        if self._kept is not None:
            state["kept"] = self._kept
        if self.child_spawner is not None:
            state["profile"] = self.child_profile
            state["child_state"] = self.child_spawner.get_state()
            state["token"] = self._sealed_token()
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what an earlier hub process knew."""
        Spawner.load_state(self, state)
        self._kept = state.get("kept")
        self.child_profile = state.get("profile", "")
        if self.child_profile:
            self.child_state = state.get("child_state", {})
            self.construct_child()
            self.api_token = self._opened_token(state.get("token", ""))

    def clear_state(self) -> None:
        """Forget the server, but not the token of a session that goes on."""
        if self.will_resume and self.child_spawner is not None:
            session = self.child_spawner.get_state().get("session")
            self._kept = {"session": session, "token": self._sealed_token()}
        self.will_resume = False
        WrapSpawner.clear_state(self)
        self.child_profile = ""

    def _sealed_token(self) -> str:
        if not self.api_token:
            return ""
        sealed: str = self._box.seal(self.api_token, self._purpose)
        return sealed

    def _opened_token(self, sealed: str) -> str:
        if not sealed:
            return ""
        try:
            token: str = self._box.open(sealed, self._purpose)
        except SecretUnreadable as error:
            self.log.warning("The token of %s is lost: %s", self._log_name, error)
            return ""
        return token

    @property
    def _box(self) -> Any:
        return self.authenticator.notebooks.box

    @property
    def _purpose(self) -> str:
        return f"server {self.user.name}/{self.name}"
