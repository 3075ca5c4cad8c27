"""One's API tokens."""

from typing import Final, Literal

from pydantic import Field

from handlers.access import Scope
from handlers.api.tokens import ERRORS
from handlers.ask import Ask, GoTo, Page
from handlers.pages.me.section import SHOWN_IN_FORM, section
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound
from kqi_hub.domain.tokens import LONGEST_NOTE, ApiToken, NewToken
from kqi_hub.i18n import N_
from kqi_hub.services import tokens

routes = Routes(tag=N_("Pages"))
_DAY_S: Final = 86_400
_DAYS: Final = (7, 30, 90, 365)
# What a token may do, in words; operating a site includes using it.
_REACHES: Final = {
    "read": (Scope.READ,),
    "write": (Scope.WRITE,),
    "operate": (Scope.WRITE, Scope.OPERATE),
}
_WORDS: Final = {
    Scope.READ.value: N_("look"),
    Scope.WRITE.value: N_("act"),
    Scope.OPERATE.value: N_("operate"),
    "tokens!user": N_("manage tokens"),
}


class TokenForm(Model):
    """What a token is to be."""

    note: str = Field(max_length=LONGEST_NOTE)
    reach: Literal["read", "write", "operate"]
    days: int


@routes.get("/me/tokens", Spec(errors=ERRORS))
async def show_tokens(ask: Ask) -> Page:
    """Show your API tokens, and the form that makes one."""
    return await _list(ask)


@routes.post(
    "/me/tokens",
    Spec(
        body=TokenForm,
        errors=(InvalidInput, *ERRORS),
        shows=True,
        example={"note": "nightly evaluation", "reach": "read", "days": 7},
    ),
)
async def save_token(ask: Ask) -> Page:
    """Make an API token and show it, this once."""
    sent, deps = ask.body(TokenForm), ask.deps
    try:
        made = await tokens.create(
            deps.account,
            deps.tokens,
            ask.bearer,
            sent.note,
            _REACHES[sent.reach],
            sent.days * _DAY_S,
        )
    except SHOWN_IN_FORM as error:
        return await _list(ask, error=error, sent=sent)
    return await _list(ask, made=made)


@routes.post(
    "/me/tokens/{token_id}/revoke",
    Spec(errors=(NotFound, *ERRORS), example_path={"token_id": "a1"}),
)
async def drop_token(ask: Ask) -> GoTo:
    """Make an API token worthless at once."""
    deps = ask.deps
    token = await tokens.revoke(
        deps.account, deps.tokens, ask.bearer, ask.path["token_id"]
    )
    return GoTo("me/tokens", N_("The token {note} is revoked."), {"note": token.note})


async def _list(
    ask: Ask,
    made: NewToken | None = None,
    error: KqiError | None = None,
    sent: TokenForm | None = None,
) -> Page:
    held = await tokens.list_tokens(ask.deps.tokens, ask.bearer)
    longest_days = ask.deps.account.longest_token_s // _DAY_S
    values = {
        "tokens": held,
        "words": {token.id: _words(ask, token) for token in held},
        "made": made,
        "sent": sent,
        "reaches": [r for r, scopes in _REACHES.items() if _has(ask, scopes)],
        "days": [days for days in _DAYS if days <= longest_days] or [longest_days],
    }
    return section(ask, "tokens", values, error)


def _has(ask: Ask, scopes: tuple[Scope, ...]) -> bool:
    return {scope.value for scope in scopes} <= ask.bearer.scopes


def _words(ask: Ask, token: ApiToken) -> list[str]:
    """Return what a token may do, in words; who may act may look."""
    scopes = [
        scope
        for scope in token.scopes
        if scope != Scope.READ or Scope.WRITE not in token.scopes
    ]
    return [ask.texts.say(_WORDS.get(scope, scope)) for scope in scopes]
