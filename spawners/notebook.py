"""A notebook's server: a Slurm job that the session services submit, follow and end."""

import asyncio
from typing import Any

from batchspawner import SlurmSpawner
from batchspawner.api import BatchSpawnerAPIHandler
from jupyterhub.apihandlers import default_handlers
from jupyterhub.spawner import Spawner
from tornado import web

from kqi_hub.bootstrap.notebooks_hub import HubNotebooks
from kqi_hub.domain.errors import KqiError
from kqi_hub.services.session_run import Run, StartFailed
from kqi_hub.services.sessions import Place
from spawners.profiles import notebook_of
from spawners.readiness import first_answer

# Importing batchspawner puts its handler among JupyterHub's own. That one lets a
# server's token set any attribute of its spawner, programs that the hub runs included.
default_handlers[:] = [
    one for one in default_handlers if one[1] is not BatchSpawnerAPIHandler
]


class NotebookSpawner(SlurmSpawner):
    """Start, follow and end a notebook's job; batchspawner's own ways are closed.

    It runs no program and polls nothing: `run` has the session's state, which its own
    words and the worker's picture of Slurm keep true.
    """

    wrapper: Any = None
    run: Run | None = None
    session_id: int | None = None
    is_placed = False

    @property
    def notebooks(self) -> HubNotebooks:
        """Return what the hub's process starts notebooks with."""
        found: HubNotebooks = self.authenticator.notebooks
        return found

    async def start(self) -> str:
        """Return the address of the session's server, however long that takes."""
        try:
            return await self._start()
        except KqiError as error:
            self.log.warning("%s does not start: %s", self._log_name, error)
            raise _told(error) from error

    async def _start(self) -> str:
        sessions = self.notebooks.sessions
        number = notebook_of(self.name)
        if number is None:
            raise web.HTTPError(400, "A notebook's server is called nb-<number>.")
        run = await sessions.claim(self.user.name, number)
        self._take(run)
        is_told = self.wrapper.take_token_of(run.id)
        # From here on a new hub process would find session and token again.
        self.wrapper.keep_state()
        place = await sessions.start(
            run, _told_to_server(self.wrapper), is_told=is_told
        )
        url = f"http://{place.node}{self.notebooks.node_domain}:{place.port}"
        await self._answers(run, place, url)
        self.is_placed = True
        self.wrapper.when_open(lambda: sessions.ready(run))
        return url

    async def _answers(self, run: Run, place: Place, url: str) -> None:
        """Return when its server answers; nobody is sent to one that does not."""
        longest = self.notebooks.longest_boot_s
        page = f"{url}{self.server.base_url}api"
        answer = await first_answer(page, longest, lambda: run.over or run.stop_asked)
        if answer is not None:
            return
        if run.over or run.stop_asked:
            raise self.notebooks.sessions.died(run)
        why = f"Its server on {place.node} did not answer within {longest:g} s."
        self.notebooks.sessions.give_up(run, why)
        raise StartFailed(why, "Its log says what it did instead.")

    async def poll(self) -> int | None:
        """Tell from memory whether its session goes on (None)."""
        if self.run is None and self.session_id is not None:
            return await self._recall(self.session_id)
        if self.run is None or self.run.over:
            return 0
        return None

    async def _recall(self, session_id: int) -> int | None:
        """Know a session again that an earlier hub process started."""
        sessions = self.notebooks.sessions
        sessions.keep_watching()
        try:
            session = await asyncio.to_thread(sessions.world.sessions.one, session_id)
        except KqiError as error:
            self.log.warning("%s counts as running: %s", self._log_name, error)
            return None
        if session is None or not session.is_live:
            return 0
        if not self.is_placed:
            # The start was cut short; it goes on, with this token, when asked again.
            self.wrapper.will_resume = True
            return 0
        self._take(sessions.resume(session))
        return None

    async def stop(self, now: bool = False) -> None:
        """End the session if somebody asked for that, else leave it running."""
        if self.run is not None and not await self.notebooks.sessions.stop(self.run):
            self.wrapper.will_resume = True

    def get_state(self) -> dict[str, Any]:
        """Return what a new hub process must know."""
        return {"session": self.session_id, "is_placed": self.is_placed}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what an earlier hub process knew."""
        Spawner.load_state(self, state)
        self.session_id = state.get("session")
        self.is_placed = state.get("is_placed", False)

    def clear_state(self) -> None:
        """Forget the session, which may go on without this hub."""
        Spawner.clear_state(self)
        if self.run is not None:
            self.run.tell_over = _nobody
            self.notebooks.sessions.forget(self.run.id)
        self.run, self.session_id, self.is_placed = None, None, False

    async def run_command(self, *_: object, **__: object) -> str:
        """Refuse: the hub runs no program for a spawner."""
        raise web.HTTPError(403, "This hub runs no commands for servers.")

    submit_batch_script = query_job_status = cancel_batch_job = run_command

    def _take(self, run: Run) -> None:
        self.run, self.session_id = run, run.id
        run.tell_over = self.wrapper.tell_over


def _nobody() -> None:
    """Tell nobody."""


def _told(error: KqiError) -> web.HTTPError:
    """Return the error as JupyterHub tells it to whoever asked for the start."""
    told: Any = web.HTTPError(error.status, str(error))
    told.jupyterhub_message = str(error)
    failure: web.HTTPError = told
    return failure


def _told_to_server(wrapper: Spawner) -> dict[str, str]:
    """Return what the hub hands out to the server, and nothing else of the hub's."""
    everything = Spawner.get_env(wrapper)
    return {
        name: str(value)
        for name, value in everything.items()
        if name.startswith("JUPYTERHUB_")
    }
