"""Which servers the hub starts, and by which options: a closed list."""

import re
from collections.abc import Collection
from typing import Final

from tornado import web

from kqi_hub.domain.notebooks import SERVER_PREFIX
from kqi_hub.services.sessions import Sessions
from kqi_hub.settings.model import Settings

AGENT: Final = "agent"
NOTEBOOK: Final = "notebook"
PRESET: Final = "preset:"
_NOTEBOOK_SERVER: Final = re.compile(rf"{SERVER_PREFIX}([1-9][0-9]{{0,17}})", re.ASCII)


def notebook_of(server: str) -> int | None:
    """Return the number of the notebook behind a server's name, None for another."""
    found = _NOTEBOOK_SERVER.fullmatch(server)
    return int(found[1]) if found else None


def known_profiles(settings: Settings) -> dict[str, str]:
    """Return every profile's key with what people call it."""
    presets = {f"{PRESET}{one.name}": one.title for one in settings.preset}
    return {NOTEBOOK: "Notebook", **presets, AGENT: "Agent"}


async def profile_for(
    sessions: Sessions,
    owner: str,
    server: str,
    options: object,
    known: Collection[str],
) -> str:
    """Return the profile that a server may be started with; HTTP 400 for all else.

    A preset that the operators took away is still right for the session that began
    with it: queue and size were settled then, and its job may wait or run already.
    """
    number, preset = notebook_of(server), _preset_of(options)
    is_gone = bool(preset) and f"{PRESET}{preset}" not in known
    if number is not None and is_gone:
        began_with = await sessions.preset_of(owner, number)
        known = {*known, f"{PRESET}{began_with}"} if began_with else known
    return checked_profile(server, options, known)


def _preset_of(options: object) -> str:
    profile = options.get("profile") if isinstance(options, dict) else None
    if not isinstance(profile, str) or not profile.startswith(PRESET):
        return ""
    return profile.removeprefix(PRESET)


def checked_profile(server: str, options: object, known: Collection[str]) -> str:
    """Return the profile that a server may be started with; HTTP 400 for all else."""
    if not isinstance(options, dict) or set(options) != {"profile"}:
        raise web.HTTPError(400, 'The options of a server are {"profile": "..."}.')
    profile = options["profile"]
    if not isinstance(profile, str) or profile not in known:
        raise web.HTTPError(400, "There is no such profile.")
    fits = server == AGENT if profile == AGENT else notebook_of(server) is not None
    if not fits:
        raise web.HTTPError(400, "A server of this name has another profile.")
    return profile
