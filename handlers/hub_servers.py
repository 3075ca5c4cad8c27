"""JupyterHub's servers, asked as the portal with its own token."""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from jupyterhub.httpclient import JupyterHubHTTPClient

from handlers.failures import HubUnavailable
from kqi_hub.domain.errors import Conflict, KqiError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=3)
_DONE: Final = frozenset({200, 201, 202, 204})
_NOT_THERE: Final = 404
_BAD: Final = 400
_RUNS: Final = "already running"
log = logging.getLogger(__name__)


class HubServersClient:
    """HubServers (domain/notebook_ports.py) over the hub's REST interface."""

    def __init__(self, api_url: str, token: str) -> None:
        self._api_url = api_url.rstrip("/")
        self._headers = {"Authorization": f"token {token}"}

    async def start(self, person: str, server: str, profile: str) -> None:
        """Have a server started; returns when the hub has begun. Twice is fine."""
        status, said = await self._ask(
            "POST", _server(person, server), {"profile": profile}
        )
        if status in _DONE or (status == _BAD and _RUNS in said):
            return
        raise _refusal(status, said)

    async def stop(self, person: str, server: str) -> None:
        """Have a server stopped; one that does not run is no error."""
        await self._end(person, server, None)

    async def forget(self, person: str, server: str) -> None:
        """Have the hub forget a stopped server."""
        await self._end(person, server, {"remove": True})

    async def access_token(self, person: str, server: str, lifetime_s: int) -> str:
        """Return a short-lived token that opens this one server and nothing else."""
        asked = {
            "note": f"to open {server}",
            "expires_in": lifetime_s,
            "scopes": [f"access:servers!server={person}/{server}"],
        }
        path = f"users/{quote(person, safe='')}/tokens"
        status, said = await self._ask("POST", path, asked)
        if status not in _DONE:
            raise _refusal(status, said)
        try:
            return str(json.loads(said)["token"])
        except (ValueError, KeyError, TypeError) as error:
            raise HubUnavailable(_NO_SENSE) from error

    async def states(self, person: str) -> Mapping[str, str]:
        """Return a person's live servers, each with `ready` or what is pending."""
        status, said = await self._ask("GET", f"users/{quote(person, safe='')}")
        if status == _NOT_THERE:
            return {}
        if status not in _DONE:
            raise _refusal(status, said)
        try:
            servers = json.loads(said)["servers"]
            return {
                name: one.get("pending") or ("ready" if one.get("ready") else "")
                for name, one in servers.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HubUnavailable(_NO_SENSE) from error

    async def _end(
        self, person: str, server: str, body: Mapping[str, object] | None
    ) -> None:
        status, said = await self._ask("DELETE", _server(person, server), body)
        if status not in _DONE and status != _NOT_THERE:
            raise _refusal(status, said)

    async def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> tuple[int, str]:
        client: Any = JupyterHubHTTPClient.loop_instance()
        try:
            answer = await client.fetch(
                f"{self._api_url}/{path}",
                method=method,
                headers=self._headers,
                json=body,
                timeout=_TIMEOUT,
                allow_redirects=False,
                raise_for_status=False,
            )
            return answer.status, await answer.text()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise HubUnavailable(_SILENT) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise HubUnavailable(_SILENT, may_have_happened=True) from error


_SILENT: Final = "The hub does not answer right now."
_NO_SENSE: Final = "The hub answers something that cannot be read."


def _server(person: str, server: str) -> str:
    return f"users/{quote(person, safe='')}/servers/{quote(server, safe='')}"


def _refusal(status: int, said: str) -> KqiError:
    """Return what an answer means that is not the one wanted."""
    if status in {_BAD, 409}:
        return Conflict(
            "The hub does not start or stop this now: {why}",
            "Try again in a moment.",
            why=_message(said),
        )
    # Our own token, or a person that the hub does not know: operators must look.
    log.error("the hub answered %d: %s", status, _message(said))
    return HubUnavailable("The hub refuses what the portal asks of it.")


def _message(said: str) -> str:
    try:
        return str(json.loads(said)["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return said[:200]
