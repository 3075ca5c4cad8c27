"""API tokens: JupyterHub keeps them, people make and revoke their own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from kqi_hub.domain.errors import InvalidInput, NotPermitted
from kqi_hub.domain.one_line import is_one_line

LONGEST_NOTE: Final = 200
USUAL_LIFETIME_S: Final = 30 * 86_400
LEAST_LIFETIME_S: Final = 60


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its word."""

    id: str
    note: str
    scopes: tuple[str, ...]
    created_at: int | None = None
    last_used_at: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made; its word is shown once and kept nowhere."""

    token: ApiToken
    word: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a token is to be."""

    note: str
    scopes: tuple[str, ...]
    lifetime_s: int


class HubTokens(Protocol):
    """The hub's own interface, asked as the person: `word` is their login or token.

    Raises NoTokenRight when that does not reach so far, NotFound for no such token,
    and an error of status 503 when the hub does not answer.
    """

    async def tokens(self, word: str, person: str) -> tuple[ApiToken, ...]:
        """Return the person's tokens, newest first, without those of browsers."""

    async def one(self, word: str, person: str, token_id: str) -> ApiToken:
        """Return one of them."""

    async def create(self, word: str, person: str, wish: Wish) -> NewToken:
        """Make one."""

    async def revoke(self, word: str, person: str, token_id: str) -> None:
        """Make one worthless at once."""


class NoTokenRight(NotPermitted):
    """The token that asks may not see or make tokens."""

    code = "no-token-right"

    def __init__(self) -> None:
        super().__init__(
            "The token that you sent may not see, make or revoke tokens.",
            "Do it on the web page, under Your account, or log in again: "
            "kqi login --scope custom:kqi:write --scope tokens!user",
        )


def wish_of(
    note: str,
    scopes: Sequence[str],
    lifetime_s: int | None,
    held: Collection[str],
    longest_s: int,
) -> Wish:
    """Return what was asked for, if it may be asked for; InvalidInput otherwise.

    `held` are the scopes of the login or token that asks: a token never gets more than
    what made it.
    """
    bare = note.strip()
    if not is_one_line(bare, LONGEST_NOTE):
        raise InvalidInput(
            "The note has 1 to {most} characters, on one line.",
            "Say what the token is for, such as nightly evaluation.",
            most=LONGEST_NOTE,
        )
    wanted = tuple(dict.fromkeys(scopes))
    if not wanted:
        raise InvalidInput(
            "A token needs at least one scope.", "Choose what it may do."
        )
    refused = [scope for scope in wanted if scope not in held]
    if refused:
        raise InvalidInput(
            "You cannot give a token the scope {scope}: you do not have it here.",
            "Possible: {scopes}.",
            scope=refused[0],
            scopes=", ".join(sorted(held)) or "-",
        )
    return Wish(bare, wanted, _lifetime(lifetime_s, longest_s))


def _lifetime(asked_s: int | None, longest_s: int) -> int:
    if asked_s is None:
        return min(USUAL_LIFETIME_S, longest_s)
    if not LEAST_LIFETIME_S <= asked_s <= longest_s:
        raise InvalidInput(
            "A token lasts from one minute to {days} days.",
            "Choose a lifetime in between.",
            days=longest_s // 86_400,
        )
    return asked_s
