"""Add, list and remove a person's public SSH keys."""

from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.ssh_keys import SshKey, check_strength, key_name, public_key
from kqi_hub.services.account import Account
from kqi_hub.services.proving import Who


async def list_keys(account: Account, person: str) -> tuple[SshKey, ...]:
    """Return the person's keys, oldest first."""
    return await account.desk.off_loop(lambda: account.keys.keys(person))


async def add_key(account: Account, who: Who, name: str, text: str) -> SshKey:
    """Add a key, audited; InvalidInput or Conflict says why not."""
    called, key = key_name(name), public_key(text)
    check_strength(key, account.key_check)

    def add() -> SshKey:
        added = account.keys.add(who.person, called, key, account.now())
        account.note(who, "ssh-key-added", key.fingerprint, kind=key.kind, name=called)
        return added

    return await account.desk.off_loop(add)


async def remove_key(account: Account, who: Who, key_id: int) -> SshKey:
    """Remove a key, audited, and return it; NotFound if the person has none such."""

    def remove() -> SshKey | None:
        removed = account.keys.remove(who.person, key_id)
        if removed is not None:
            fingerprint = removed.key.fingerprint
            account.note(who, "ssh-key-removed", fingerprint, name=removed.name)
        return removed

    removed = await account.desk.off_loop(remove)
    if removed is None:
        raise NotFound("You have no SSH key of this number.", "Look at the list again.")
    return removed
