"""API tokens where they are kept: at the hub, asked with the visitor's own login."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
from jupyterhub.httpclient import JupyterHubHTTPClient

from handlers.failures import HubUnavailable
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.tokens import ApiToken, NewToken, NoTokenRight, Wish

T = TypeVar("T")
# The client through which the hub itself gives out tokens; other tokens are logins of
# browsers to one of the hub's services.
_MADE_BY_PEOPLE: Final = "JupyterHub"
_OURS: Final = "custom:kqi:"
_TOKENS: Final = "tokens!user"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)


class HubTokensClient:
    """HubTokens (domain/tokens.py) over the hub's REST interface."""

    def __init__(self, api_url: str, forget: Callable[[], None]) -> None:
        """Take the hub's address, and what makes us forget whom we know by a token."""
        self._api_url = api_url.rstrip("/")
        self._forget = forget

    async def tokens(self, word: str, person: str) -> tuple[ApiToken, ...]:
        """Return the person's tokens, newest first, without those of browsers."""
        return _read(_tokens, await self._ask("GET", word, person))

    async def one(self, word: str, person: str, token_id: str) -> ApiToken:
        """Return one of them."""
        said = await self._ask("GET", word, person, token_id)
        if not _read(_is_made_by_people, said):
            raise _no_such_token()
        return _read(_token, said)

    async def create(self, word: str, person: str, wish: Wish) -> NewToken:
        """Make one."""
        asked = {
            "note": wish.note,
            "scopes": list(wish.scopes),
            "expires_in": wish.lifetime_s,
        }
        return _read(_new_token, await self._ask("POST", word, person, body=asked))

    async def revoke(self, word: str, person: str, token_id: str) -> None:
        """Make one worthless at once."""
        await self._ask("DELETE", word, person, token_id)
        self._forget()

    async def _ask(
        self,
        method: str,
        word: str,
        person: str,
        token_id: str = "",
        body: Mapping[str, object] | None = None,
    ) -> Any:
        path = f"users/{quote(person, safe='')}/tokens"
        if token_id:
            path += f"/{quote(token_id, safe='')}"
        try:
            answer = await JupyterHubHTTPClient.loop_instance().fetch(
                f"{self._api_url}/{path}",
                method=method,
                headers={"Authorization": f"token {word}"},
                json=body,
                timeout=_TIMEOUT,
                allow_redirects=False,
                raise_for_status=False,
            )
            return _content(answer.status, await answer.text())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise HubUnavailable from error


def _content(status: int, text: str) -> Any:
    """Return what the hub said, or raise what its refusal means."""
    if status in {200, 201}:
        return json.loads(text)
    if status == 204:
        return None
    if status == 404:
        raise _no_such_token()
    if status == 403:
        raise NoTokenRight
    if status == 400:
        raise InvalidInput(
            "The hub refused to make this token.",
            "Ask for fewer scopes or a shorter lifetime.",
        )
    raise ValueError(f"the hub answered {status}")


def _read(read: Callable[[Any], T], said: Any) -> T:
    """Read what the hub said; what cannot be read is no hub's word."""
    try:
        return read(said)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise HubUnavailable from error


def _tokens(said: Any) -> tuple[ApiToken, ...]:
    made = [_token(one) for one in said["api_tokens"] if _is_made_by_people(one)]
    return tuple(sorted(made, key=_age, reverse=True))


def _new_token(said: Any) -> NewToken:
    return NewToken(_token(said), said["token"])


def _no_such_token() -> NotFound:
    return NotFound("You have no token of this number.", "Look at the list again.")


def _is_made_by_people(said: Mapping[str, Any]) -> bool:
    return bool(said["oauth_client"] == _MADE_BY_PEOPLE)


def _token(said: Mapping[str, Any]) -> ApiToken:
    return ApiToken(
        id=said["id"],
        note=said.get("note") or "",
        scopes=_scopes(said.get("scopes", ())),
        created_at=_epoch(said.get("created")),
        last_used_at=_epoch(said.get("last_activity")),
        expires_at=_epoch(said.get("expires_at")),
    )


def _scopes(expanded: list[str]) -> tuple[str, ...]:
    """Return what a person gave the token; the hub tells everything that follows."""
    ours = sorted(scope for scope in expanded if scope.startswith(_OURS))
    may_tokens = any(scope.partition("!")[0] == "tokens" for scope in expanded)
    return (*ours, *([_TOKENS] if may_tokens else []))


def _age(token: ApiToken) -> tuple[int, str]:
    return token.created_at or 0, token.id


def _epoch(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp())
