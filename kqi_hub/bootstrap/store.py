"""The data store as the settings describe it."""

import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kqi_hub.bootstrap.cluster import open_cluster
from kqi_hub.services.checks.store_checks import StoreSources, StoreTarget
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret
from kqi_hub.storage.store_client import SocketStore
from kqi_hub.storage.store_places import StorePlaces, has_group

KEY_FILE: Final = Path("/etc/kqi/store.key")
_HARD_LINKS: Final = Path("/proc/sys/fs/protected_hardlinks")


def store_root(settings: Settings) -> Path:
    """Return the folder of the store."""
    return settings.store.root or settings.scratch.root / "kqi-store"


def key_file(settings: Settings) -> Path:
    """Return where the key of tickets is."""
    return settings.store.key_file or KEY_FILE


def ticket_key(settings: Settings) -> bytes:
    """Return the key that tickets are signed with; raises as `read_secret` does."""
    return read_secret(key_file(settings)).encode()


def open_store(settings: Settings) -> SocketStore:
    """Return the way to the store; nothing is asked yet."""
    return SocketStore(settings.store.socket)


def store_places(settings: Settings) -> StorePlaces:
    """Return the folders that root makes."""
    return StorePlaces(store_root(settings), settings.store.user, key_file(settings))


def store_command(settings: Settings) -> list[str]:
    """Return the store's own command line, which says what the settings say."""
    base = urlsplit(settings.hub.public_url).path or "/"
    options = {
        "root": store_root(settings),
        "socket": settings.store.socket,
        "key-file": key_file(settings),
        "portal-user": service_user(settings),
        "port": settings.store.port,
        "base": f"{base.rstrip('/')}/services/store/",
        "keep-days": settings.store.upload_days,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "kqi_hub.store", *words]


def service_user(settings: Settings) -> str:
    """Return the user that the portal runs as: who owns its folder."""
    return settings.site.state_dir.owner()


async def tenants_of_slurm(settings: Settings) -> list[str]:
    """Return the Slurm accounts that have a Unix group: those are tenants."""
    found = await open_cluster(settings).associations()
    return sorted({one.account for one in found if has_group(one.account)})


def store_sources(settings: Settings) -> StoreSources:
    """Return the doctor's ways to ask about the store."""
    places = store_places(settings)

    async def unprepared() -> list[str]:
        return places.missing(await tenants_of_slurm(settings))

    def is_beside_scratch() -> bool:
        return settings.scratch.root.stat().st_dev == places.root.stat().st_dev

    return StoreSources(
        target=StoreTarget(str(places.root), str(settings.store.socket)),
        health=open_store(settings).health,
        unprepared=unprepared,
        ticket_key=lambda: ticket_key(settings),
        is_beside_scratch=is_beside_scratch,
        protects_hard_links=lambda: _HARD_LINKS.read_text().strip() == "1",
    )
