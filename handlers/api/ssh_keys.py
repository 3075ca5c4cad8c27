"""One's own public SSH keys."""

from typing import Final

from pydantic import Field

from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain import ssh_keys as rules
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services import ssh_keys

routes = Routes("/api/v1", tag=N_("You"))
EXAMPLE: Final = {
    "name": "laptop",
    "key": "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIFXSLdVvKbbbkBH36gaGCP/qMc5phFzRLrzUSWz+m3cP me@laptop",
}
_NUMBER_DIGITS: Final = 18


class SshKey(Model):
    """A public SSH key of yours."""

    id: int = Field(description="Its number here.")
    name: str = Field(description="What you call it.")
    kind: str = Field(description="Its kind, such as ssh-ed25519.")
    fingerprint: str = Field(description="What ssh-keygen -l calls it.")
    added_at: int = Field(description="When you added it, in seconds since 1970.")


class SshKeyList(Model):
    """Keys, the oldest first."""

    keys: tuple[SshKey, ...] = Field(description="Your public SSH keys.")


class NewSshKey(Model):
    """A public key to add."""

    name: str = Field(
        max_length=rules.LONGEST_KEY_NAME,
        description="What to call it, such as the machine that it is on.",
    )
    # Not held to the length of a key: who pastes a private one must be told so.
    key: str = Field(description="The line in the file that ends in .pub.")


@routes.get("/me/ssh-keys", Spec(answer=SshKeyList))
async def list_ssh_keys(ask: Ask) -> SshKeyList:
    """List your public SSH keys."""
    found = await ssh_keys.list_keys(ask.deps.account, ask.me.person)
    return SshKeyList(keys=tuple(map(_shown, found)))


@routes.post(
    "/me/ssh-keys",
    Spec(
        body=NewSshKey,
        answer=SshKey,
        status=201,
        errors=(InvalidInput, Conflict),
        example=EXAMPLE,
    ),
)
async def add_ssh_key(ask: Ask) -> SshKey:
    """Add a public SSH key."""
    sent = ask.body(NewSshKey)
    return _shown(
        await ssh_keys.add_key(ask.deps.account, ask.who, sent.name, sent.key)
    )


@routes.delete(
    "/me/ssh-keys/{key_id}", Spec(errors=(NotFound,), example_path={"key_id": "1"})
)
async def remove_ssh_key(ask: Ask) -> None:
    """Remove a public SSH key."""
    number = key_number(ask.path["key_id"])
    await ssh_keys.remove_key(ask.deps.account, ask.who, number)


def key_number(text: str) -> int:
    """Return the number in a path; what is none is the number of no key."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS
    return int(text) if is_number else -1


def _shown(key: rules.SshKey) -> SshKey:
    return SshKey(
        id=key.id,
        name=key.name,
        kind=key.key.kind,
        fingerprint=key.key.fingerprint,
        added_at=int(key.added_at),
    )
