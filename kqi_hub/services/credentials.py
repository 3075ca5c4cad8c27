"""Store and remove what people prove themselves with at Git services and registries."""

from dataclasses import dataclass

from kqi_hub.domain.credentials import Service, Stored, secret_for, service_named
from kqi_hub.domain.errors import NotFound
from kqi_hub.services.account import Account
from kqi_hub.services.proving import Who


@dataclass(frozen=True, slots=True)
class Entry:
    """A service, and what the person has stored for it; never the value.

    `service` is None when the site no longer has it: what is stored can be removed.
    """

    name: str
    service: Service | None
    stored: Stored | None

    @property
    def is_for_another_address(self) -> bool:
        """Tell whether it was stored before the service moved, so is not used."""
        if self.service is None or self.stored is None:
            return False
        return self.stored.url != self.service.url


async def entries(account: Account, person: str) -> tuple[Entry, ...]:
    """Return the site's services in their order, then what is left of former ones."""
    found = await account.desk.off_loop(lambda: account.credentials.stored(person))
    held = {stored.service: stored for stored in found}
    offered = [Entry(s.name, s, held.pop(s.name, None)) for s in account.services]
    left = [Entry(name, None, stored) for name, stored in sorted(held.items())]
    return (*offered, *left)


async def store(
    account: Account, who: Who, name: str, user_name: str, value: str
) -> Entry:
    """Store or replace what proves the person at a service, audited without it.

    Raises NotFound for an unknown service, InvalidInput for what cannot be right.
    """
    service = service_named(account.services, name)
    secret = secret_for(service, user_name, value)
    now = account.now()

    def put() -> None:
        replaced = account.credentials.put(who.person, service, secret, now)
        action = "credential-replaced" if replaced else "credential-stored"
        account.note(who, action, service.name, url=service.url, user=secret.user_name)

    await account.desk.off_loop(put)
    stored = Stored(service.name, service.url, secret.user_name, now, None)
    return Entry(service.name, service, stored)


async def remove(account: Account, who: Who, name: str) -> None:
    """Remove what is stored for a service, audited; NotFound if nothing is."""

    def forget() -> bool:
        removed = account.credentials.remove(who.person, name)
        if removed:
            account.note(who, "credential-removed", name)
        return removed

    if not await account.desk.off_loop(forget):
        raise NotFound(
            "You have stored nothing for a service of that name.",
            "Look at the list again.",
        )
