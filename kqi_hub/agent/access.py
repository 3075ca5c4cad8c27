"""Who may come in: by the hub's word the person whose agent this is, nobody else."""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from kqi_hub.agent.instructions import Instructions

# A revoked token opens nothing after this long; the hub is asked no more often.
REMEMBER_S: Final = 5.0
_REMEMBERED: Final = 200
_LONGEST_TOKEN: Final = 512
_TIMEOUT_S: Final = 10.0


class HubSilent(Exception):
    """The hub gives no answer, so nobody can be let in."""


class Access:
    """Ask the hub whose a token is, and remember the answer for a few seconds."""

    def __init__(self, told: Instructions, remember_s: float = REMEMBER_S) -> None:
        self._told = told
        self._remember_s = remember_s
        self._answers: OrderedDict[bytes, tuple[float, bool]] = OrderedDict()

    async def admits(self, token: str) -> bool:
        """Tell whether a token opens this agent."""
        if not 0 < len(token) <= _LONGEST_TOKEN or not token.isascii():
            return False
        key = hashlib.sha256(token.encode()).digest()
        until, answer = self._answers.get(key, (0.0, False))
        if time.monotonic() < until:
            return answer
        answer = self._is_owner(await self._model(token))
        self._answers[key] = (time.monotonic() + self._remember_s, answer)
        self._answers.move_to_end(key)
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return answer

    async def token_for(self, code: str, redirect_uri: str) -> str | None:
        """Return the token that a code of the hub's stands for."""
        form = {
            "client_id": self._told.hub.client_id,
            "client_secret": self._told.hub.token,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
        }
        said = await self._ask("oauth2/token", method="POST", body=urlencode(form))
        token = said.get("access_token")
        return token if isinstance(token, str) else None

    async def _model(self, token: str) -> Mapping[str, Any]:
        return await self._ask("user", headers={"Authorization": f"token {token}"})

    def _is_owner(self, model: Mapping[str, Any]) -> bool:
        """Demand the person, not only a scope: operators may have that too."""
        scopes = model.get("scopes")
        return (
            model.get("kind") == "user"
            and model.get("name") == self._told.person
            and isinstance(scopes, list)
            and not self._told.hub.scopes.isdisjoint(
                scope for scope in scopes if isinstance(scope, str)
            )
        )

    async def _ask(self, path: str, **request: Any) -> Mapping[str, Any]:
        """Return the hub's answer; an empty one when it knows no such token or code."""
        try:
            answer = await AsyncHTTPClient().fetch(
                f"{self._told.hub.api_url}/{path}",
                request_timeout=_TIMEOUT_S,
                follow_redirects=False,
                **request,
            )
            said = json.loads(answer.body)
        except HTTPClientError as error:
            if 400 <= error.code < 500:
                return {}
            raise HubSilent from error
        except (OSError, ValueError) as error:
            raise HubSilent from error
        return said if isinstance(said, dict) else {}
