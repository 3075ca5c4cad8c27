"""What a notebook's job tells the hub (port, progress, end), and what it may ask."""

import hmac
import json
from typing import Any, Final

from jupyterhub.apihandlers import APIHandler
from tornado import web

from kqi_hub.domain.notebooks import Cause, Phase
from kqi_hub.services.queue_room import room_told
from kqi_hub.services.session_run import Heard, Run
from kqi_hub.services.sessions import Sessions
from spawners.callback_bodies import Ended, Ending, Reached, read_port, read_word
from spawners.notebook import NotebookSpawner

_LONGEST_BODY: Final = 4096


class Callback(APIHandler):
    """What only the server's own token may send, while it starts or runs."""

    def _heard_from(self) -> tuple[Any, Run]:
        """Return the server whose token this is, or refuse."""
        token = self.get_auth_token() or ""
        servers = getattr(self.current_user, "spawners", None) or {}
        for spawner in tuple(servers.values()):
            known = spawner.api_token
            if known and token and hmac.compare_digest(known, token):
                child = spawner.child_spawner
                if isinstance(child, NotebookSpawner) and child.run is not None:
                    return spawner, child.run
                raise web.HTTPError(409, "This server does not start or run now.")
        raise web.HTTPError(403, "Only a server's own token may tell this.")

    def _body(self) -> object:
        if len(self.request.body) > _LONGEST_BODY:
            raise web.HTTPError(400, "That is too long.")
        try:
            return json.loads(self.request.body)
        except ValueError:
            raise web.HTTPError(400, "The body is JSON.") from None

    @property
    def sessions(self) -> Sessions:
        """Return the sessions of this process."""
        found: Sessions = self.authenticator.notebooks.sessions
        return found


class PortCallback(Callback):
    """POST /hub/api/batchspawner: the port of a server that starts, once."""

    @web.authenticated
    async def post(self) -> None:
        """Take the port and nothing else."""
        spawner, run = self._heard_from()
        port = read_port(self._body())
        if spawner.pending != "spawn":
            raise web.HTTPError(409, "This server does not start now.")
        if await self.sessions.heard_port(run, port) is Heard.UNWANTED:
            raise web.HTTPError(409, "This server has told another port already.")
        self.set_status(201)
        self.finish(json.dumps({"message": "taken"}))


class SessionCallback(Callback):
    """POST /hub/api/kqi/session: how far a session is, why it will end, that it has."""

    @web.authenticated
    async def post(self) -> None:
        """Take one word of a session's."""
        spawner, run = self._heard_from()
        word = read_word(self._body())
        # One that is being stopped still says that it has ended.
        if spawner.pending not in {"spawn", "stop"} and not spawner.ready:
            raise web.HTTPError(409, "This server does not start or run now.")
        match word:
            case Reached(phase):
                await self.sessions.heard_phase(run, Phase(phase))
            case Ending(why, seen):
                await self.sessions.heard_ending(run, Cause(why), seen)
            case Ended(exit_code):
                await self.sessions.heard_ended(run, exit_code)
        self.set_status(204)


class QueuesCallback(Callback):
    """GET /hub/api/kqi/queues: which have room, by the picture that everybody sees."""

    async def get(self) -> None:
        """Answer with the queues; Slurm is not asked."""
        self._heard_from()
        picture = await self.authenticator.notebooks.board.current()
        self.finish(json.dumps(room_told(picture)))
