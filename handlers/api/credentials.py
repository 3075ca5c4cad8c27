"""What one proves oneself with at Git services and image registries."""

from pydantic import Field, SecretStr

from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain import credentials as rules
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services import credentials

routes = Routes("/api/v1", tag=N_("You"))


class Credential(Model):
    """A service, and whether you have stored something for it; never the value."""

    service: str = Field(description="The service's name here.")
    use: rules.Use | None = Field(
        description="What it is for; none if the site no longer has it."
    )
    kind: rules.Kind | None = Field(description="Whose software it runs.")
    url: str = Field(description="Its address.")
    is_stored: bool = Field(
        description="Whether you have stored something for this address."
    )
    user_name: str = Field(description="Your name there, if you stored one.")
    stored_at: int | None = Field(
        description="When you stored it, in seconds since 1970."
    )
    last_used_at: int | None = Field(
        description="When a job of yours used it last, in seconds since 1970."
    )


class CredentialList(Model):
    """Git services, then registries, as the site names them."""

    credentials: tuple[Credential, ...] = Field(description="The site's services.")


class NewCredential(Model):
    """What to store; it is never shown again."""

    user_name: str = Field(
        "",
        max_length=rules.LONGEST_USER_NAME,
        description="Your name there; registries need it, but for ngc.",
    )
    value: SecretStr = Field(
        max_length=rules.LONGEST_VALUE,
        description="A token, API key or password of yours there.",
    )


@routes.get("/me/credentials", Spec(answer=CredentialList))
async def list_credentials(ask: Ask) -> CredentialList:
    """List the site's Git services and registries, and what you stored for them."""
    found = await credentials.entries(ask.deps.account, ask.me.person)
    return CredentialList(credentials=tuple(map(_shown, found)))


@routes.put(
    "/me/credentials/{service}",
    Spec(
        body=NewCredential,
        answer=Credential,
        errors=(InvalidInput, NotFound),
        example_path={"service": "github"},
        example={"value": "ghp_0123456789"},
    ),
)
async def store_credential(ask: Ask) -> Credential:
    """Store or replace your token or password for a service."""
    sent = ask.body(NewCredential)
    value = sent.value.get_secret_value()
    return _shown(
        await credentials.store(
            ask.deps.account, ask.who, ask.path["service"], sent.user_name, value
        )
    )


@routes.delete(
    "/me/credentials/{service}",
    Spec(errors=(NotFound,), example_path={"service": "github"}),
)
async def remove_credential(ask: Ask) -> None:
    """Remove your token or password for a service."""
    await credentials.remove(ask.deps.account, ask.who, ask.path["service"])


def _shown(entry: credentials.Entry) -> Credential:
    service, stored = entry.service, entry.stored
    return Credential(
        service=entry.name,
        use=service.use if service else None,
        kind=service.kind if service else None,
        url=service.url if service else (stored.url if stored else ""),
        is_stored=stored is not None and not entry.is_for_another_address,
        user_name=stored.user_name if stored else "",
        stored_at=int(stored.stored_at) if stored else None,
        last_used_at=_whole(stored.last_used_at) if stored else None,
    )


def _whole(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
