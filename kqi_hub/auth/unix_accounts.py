"""What this machine knows of a name, from wherever it gets its accounts."""

import pwd


def unix_uid(name: str) -> int | None:
    """Return the name's uid, None if there is no such account. May block."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
