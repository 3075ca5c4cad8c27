"""What a person does with their own account, as calls of the client."""

from collections.abc import Sequence

from kqi_hub.sdk.calls import Calls, part
from kqi_hub.sdk.models import (
    Choices,
    Credential,
    Factor,
    NewDevice,
    Profile,
    SshKey,
    Terms,
    Token,
)


class AccountCalls(Calls):
    """The part of `Client` for one's own account."""

    def profile(self) -> Profile:
        """Return what the directory says of the person."""
        return Profile.read(self._api("GET", "me"))

    def choices(self) -> Choices:
        """Return the person's language, colours, usual tenant and so on."""
        return Choices.read(self._api("GET", "me/preferences"))

    def save_choices(self, chosen: Choices) -> Choices:
        """Replace the person's choices."""
        asked = {
            "language": chosen.language,
            "theme": chosen.theme,
            "default_tenant": chosen.default_tenant,
            "opens_history": chosen.opens_history,
        }
        return Choices.read(self._api("PUT", "me/preferences", asked))

    def change_password(self, old: str, new: str, code: str = "") -> None:
        """Change the password in the directory.

        `code` is for sites whose directory asks for one-time codes itself.
        """
        self._api("POST", "me/password", {"old": old, "new": new, "code": code})

    def factor(self) -> Factor:
        """Return the state of the second factor."""
        return Factor.read(self._api("GET", "me/factor"))

    def begin_factor(self, code: str = "") -> NewDevice:
        """Begin to set up another code device, against a code of the present one."""
        return NewDevice.read(self._api("POST", "me/factor/begin", {"code": code}))

    def confirm_factor(self, ticket: str, code: str) -> tuple[str, ...]:
        """Make the new device the person's; return recovery codes, this once."""
        asked = {"ticket": ticket, "code": code}
        return tuple(self._api("POST", "me/factor/confirm", asked)["recovery_codes"])

    def renew_recovery_codes(self, code: str) -> tuple[str, ...]:
        """Replace all recovery codes, against a code; return the new ones."""
        said = self._api("POST", "me/factor/recovery-codes", {"code": code})
        return tuple(said["recovery_codes"])

    def tokens(self) -> tuple[Token, ...]:
        """Return the person's API tokens, without their words."""
        return tuple(Token.read(t) for t in self._api("GET", "me/tokens")["tokens"])

    def create_token(
        self, note: str, scopes: Sequence[str], lifetime_s: int | None = None
    ) -> Token:
        """Make a token; its word is in the answer, and nowhere else ever."""
        asked: dict[str, object] = {"note": note, "scopes": list(scopes)}
        if lifetime_s is not None:
            asked["lifetime_s"] = lifetime_s
        return Token.read(self._api("POST", "me/tokens", asked))

    def revoke_token(self, token_id: str) -> None:
        """Make a token worthless at once."""
        self._api("DELETE", f"me/tokens/{part(token_id)}")

    def ssh_keys(self) -> tuple[SshKey, ...]:
        """Return the person's public SSH keys."""
        return tuple(SshKey.read(k) for k in self._api("GET", "me/ssh-keys")["keys"])

    def add_ssh_key(self, name: str, key: str) -> SshKey:
        """Add a public key."""
        asked = {"name": name, "key": key}
        return SshKey.read(self._api("POST", "me/ssh-keys", asked))

    def remove_ssh_key(self, key_id: int) -> None:
        """Remove a public key."""
        self._api("DELETE", f"me/ssh-keys/{key_id}")

    def credentials(self) -> tuple[Credential, ...]:
        """Return the site's Git services and registries, and what is stored."""
        said = self._api("GET", "me/credentials")
        return tuple(Credential.read(c) for c in said["credentials"])

    def store_credential(
        self, service: str, value: str, user_name: str = ""
    ) -> Credential:
        """Store or replace a token or password for a service."""
        asked = {"value": value, "user_name": user_name}
        path = f"me/credentials/{part(service)}"
        return Credential.read(self._api("PUT", path, asked))

    def remove_credential(self, service: str) -> None:
        """Remove what is stored for a service."""
        self._api("DELETE", f"me/credentials/{part(service)}")

    def terms(self) -> Terms:
        """Return the site's terms of use."""
        return Terms.read(self._api("GET", "terms"))

    def accept_terms(self, version: str) -> Terms:
        """Accept a version of the terms of use, which has to be the one in force."""
        return Terms.read(self._api("POST", "me/terms", {"version": version}))
