"""One's own API tokens."""

from pydantic import Field

from handlers.access import Scope
from handlers.ask import Ask
from handlers.failures import HubUnavailable
from handlers.route import Model, Routes, Spec
from kqi_hub.domain import tokens as rules
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services import tokens

routes = Routes("/api/v1", tag=N_("You"))
ERRORS = (rules.NoTokenRight, HubUnavailable)


class Token(Model):
    """A token of yours, without its word. Times are seconds since 1970."""

    id: str = Field(description="Its number.")
    note: str = Field(description="What it is for.")
    scopes: tuple[str, ...] = Field(description="What it may do.")
    created_at: int | None = Field(description="When it was made.")
    last_used_at: int | None = Field(description="When it was used last.")
    expires_at: int | None = Field(description="When it stops working.")


class TokenList(Model):
    """Tokens, the newest first."""

    tokens: tuple[Token, ...] = Field(description="Your tokens.")


class MadeToken(Token):
    """A token that was just made."""

    token: str = Field(description="The token itself; it is not shown again.")


class NewToken(Model):
    """What a token is to be."""

    note: str = Field(max_length=rules.LONGEST_NOTE, description="What it is for.")
    scopes: tuple[Scope, ...] = Field(
        max_length=len(Scope),
        description="What it may do: at most what your own login or token may.",
    )
    lifetime_s: int | None = Field(
        None, description="How many seconds it lasts; 30 days if left out."
    )


@routes.get("/me/tokens", Spec(answer=TokenList, errors=ERRORS))
async def list_tokens(ask: Ask) -> TokenList:
    """List your API tokens."""
    found = await tokens.list_tokens(ask.deps.tokens, ask.bearer)
    return TokenList(tokens=tuple(_shown(token) for token in found))


@routes.post(
    "/me/tokens",
    Spec(
        body=NewToken,
        answer=MadeToken,
        status=201,
        errors=(InvalidInput, *ERRORS),
        example={
            "note": "nightly evaluation",
            "scopes": [Scope.READ],
            "lifetime_s": 604800,
        },
    ),
)
async def create_token(ask: Ask) -> MadeToken:
    """Make an API token."""
    sent, deps = ask.body(NewToken), ask.deps
    made = await tokens.create(
        deps.account, deps.tokens, ask.bearer, sent.note, sent.scopes, sent.lifetime_s
    )
    return MadeToken(**_shown(made.token).model_dump(), token=made.word)


@routes.delete(
    "/me/tokens/{token_id}",
    Spec(errors=(NotFound, *ERRORS), example_path={"token_id": "a1"}),
)
async def revoke_token(ask: Ask) -> None:
    """Make an API token worthless at once."""
    deps = ask.deps
    await tokens.revoke(deps.account, deps.tokens, ask.bearer, ask.path["token_id"])


def _shown(token: rules.ApiToken) -> Token:
    return Token(
        id=token.id,
        note=token.note,
        scopes=token.scopes,
        created_at=token.created_at,
        last_used_at=token.last_used_at,
        expires_at=token.expires_at,
    )
