"""Make, list and revoke a person's API tokens, which the hub keeps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.tokens import ApiToken, HubTokens, NewToken, wish_of
from kqi_hub.services.account import Account
from kqi_hub.services.proving import Who


@dataclass(frozen=True, slots=True)
class Bearer:
    """Somebody with the login or token that they ask with, and what it reaches."""

    who: Who
    word: str = field(repr=False)
    scopes: frozenset[str]


async def list_tokens(hub: HubTokens, bearer: Bearer) -> tuple[ApiToken, ...]:
    """Return the person's tokens, newest first."""
    return await hub.tokens(bearer.word, bearer.who.person)


async def create(
    account: Account,
    hub: HubTokens,
    bearer: Bearer,
    note: str,
    scopes: Sequence[str],
    lifetime_s: int | None,
) -> NewToken:
    """Make a token, audited without its word; raises as `wish_of` and HubTokens do."""
    longest_s = account.longest_token_s
    wish = wish_of(note, scopes, lifetime_s, bearer.scopes, longest_s)
    made = await hub.create(bearer.word, bearer.who.person, wish)
    await _note(account, bearer.who, "token-made", made.token)
    return made


async def revoke(
    account: Account, hub: HubTokens, bearer: Bearer, token_id: str
) -> ApiToken:
    """Make a token worthless at once, audited; NotFound if it is not the person's."""
    token = await hub.one(bearer.word, bearer.who.person, token_id)
    await hub.revoke(bearer.word, bearer.who.person, token_id)
    await _note(account, bearer.who, "token-revoked", token)
    return token


async def _note(account: Account, who: Who, action: str, token: ApiToken) -> None:
    scopes = " ".join(token.scopes)
    await account.desk.off_loop(
        lambda: account.note(who, action, token.id, scopes=scopes, note=token.note)
    )
