"""Offer built bases to people: move `current`, write site.json and the commands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.errors import WrongUse
from conda_bootstrap.site.folder import SiteFolder, point, write_whole
from conda_bootstrap.site.index import write_index
from conda_bootstrap.site.making import Listener
from conda_bootstrap.site.shell_commands import write_commands

BACKENDS: Final = ("rattler", "conda", "mamba", "micromamba")
_FIRST: Final = "notebook"


@dataclass(frozen=True, slots=True)
class Offer:
    """What site.json is to say; None leaves what it says."""

    default_base: str | None = None
    backend: str | None = None
    backend_path: str | None = None
    channel_url: str | None = None
    more_channels: tuple[str, ...] | None = None
    seen_at: Path | None = None
    python: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


def publish(
    site: SiteFolder, names: tuple[str, ...], offer: Offer, listener: Listener
) -> None:
    """Offer the newest lock of each base, or that of `offer.versions`.

    Each file and link is replaced in one step, and what a step needs is there before
    it: whoever reads meanwhile gets the old base or the new one.
    """
    with site.alone(lambda: listener.say("Waiting: somebody else writes there.")):
        chosen = {
            name: _version(site, name, offer.versions.get(name)) for name in names
        }
        write_index(site)
        for name, folder in chosen.items():
            before = site.current(name)
            point(site.bases / name / "current", folder.name)
            same = before == folder.resolve()
            listener.say(f"{name}: {folder.name} {'stays' if same else 'is'} current")
        write_commands(site, offer.seen_at or site.path.absolute(), offer.python)
        settings = json.dumps(_settings(site, offer), indent=1)
        write_whole(site.settings, settings + "\n")


def _version(site: SiteFolder, name: str, wanted: str | None) -> Path:
    there = site.versions(name)
    found = [one for one in there if wanted is None or one.name.startswith(wanted)]
    if not found or (wanted is not None and len(found) > 1):
        known = ", ".join(one.name for one in there) or "none"
        raise WrongUse(
            "version",
            f"{name} has no single lock {wanted or ''} in {site.path}; there are:"
            f" {known}.",
            f"Build it first: python -I -m conda_bootstrap.site build {name}",
        )
    return found[0]


def _settings(site: SiteFolder, offer: Offer) -> dict[str, Any]:
    before = read_settings(site)
    bases = [name for name in site.base_names() if site.current(name)]
    default = offer.default_base or before.get("default_base") or _FIRST
    if default not in bases:
        if offer.default_base is not None:
            raise WrongUse("default_base", f"{default} is not among {bases}.")
        default = bases[0] if bases else None
    own = [offer.channel_url or site.channel.absolute().as_uri()]
    more = offer.more_channels
    return {
        "version": 1,
        "channels": own
        + list(before.get("channels", [])[1:] if more is None else more),
        "default_base": default,
        "bases": sorted(bases, key=lambda name: (name != default, name)),
        "backend": offer.backend or before.get("backend") or BACKENDS[0],
        "backend_path": offer.backend_path or before.get("backend_path"),
    }


def read_settings(site: SiteFolder) -> dict[str, Any]:
    """Return what site.json says; nothing before the first publication."""
    try:
        value = json.loads(site.settings.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WrongUse(
            "site_json",
            f"{site.settings} cannot be read: {error}",
            "Mend or delete it.",
        ) from error
    if not isinstance(value, dict):
        raise WrongUse("site_json", f"{site.settings} is no table.", "Delete it.")
    return value
