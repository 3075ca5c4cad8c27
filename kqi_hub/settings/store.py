"""The tables of the data store: where it is, how full it may become."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Between, Matches

_ACCOUNT = Matches(
    r"[a-z_][a-z0-9_-]{0,31}", "a Unix name: lower case letters, digits, _ and -"
)
_TENANT = Matches(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}", "the name of a Slurm account")
_MOST_GB = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The data store: tenants' data, kept by a process of its own user.

    docs/operators/store.md tells how it is set up. The store itself reads no settings
    file: `kqi-hub store command` prints the command line that says the same.
    """

    root: Path | None = field(
        default=None,
        metadata=about(
            "Folder of the store, on the same file system as scratch and the same path "
            "on every node; `kqi-store` below `scratch.root` when left out."
        ),
    )
    user: str = field(
        default="kqi-store",
        metadata=about("Unix user that the store runs as, and its group.", _ACCOUNT),
    )
    socket: Path = field(
        default=Path("/run/kqi-store/store.sock"),
        metadata=about("The store's Unix socket, for the portal and people's agents."),
    )
    port: int = field(
        default=8003,
        metadata=about(
            "Port on loopback where the store takes uploads from the proxy.",
            Between(1, 65535),
        ),
    )
    key_file: Path | None = field(
        default=None,
        metadata=about(
            "File with the key that the portal signs tickets of uploads with, root's, "
            "mode 0640, of the store's group, in which the service user must be; "
            "`/etc/kqi/store.key` when left out.",
            secret_file=True,
        ),
    )
    upload_days: int = field(
        default=7,
        metadata=about(
            "Days after the last byte until an upload that nobody finishes expires.",
            Between(1, 365),
        ),
    )
    tree_days: int = field(
        default=30,
        metadata=about(
            "Days after its last use until a dataset's folder is removed; it is built "
            "anew when somebody needs it.",
            Between(1, 3650),
        ),
    )
    tenant_gb: int | None = field(
        default=None,
        metadata=about(
            "GiB that a tenant may keep; no limit when left out.", Between(1, _MOST_GB)
        ),
    )
    tenant_files: int | None = field(
        default=None,
        metadata=about(
            "Files that a tenant may keep; no limit when left out.",
            Between(1, 10_000_000_000),
        ),
    )
    person_gb: int | None = field(
        default=None,
        metadata=about(
            "GiB that one person may keep in one tenant; no limit when left out.",
            Between(1, _MOST_GB),
        ),
    )
    person_files: int | None = field(
        default=None,
        metadata=about(
            "Files that one person may keep in one tenant; no limit when left out.",
            Between(1, 10_000_000_000),
        ),
    )
    warn_percent: int = field(
        default=80,
        metadata=about(
            "People are warned when so much of a quota is used.", Between(1, 100)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreQuota:
    """A tenant with limits of its own instead of those of `[store]`; a table each."""

    tenant: str = field(
        metadata=about("The tenant's name, a Slurm account.", _TENANT, example='"nlp"')
    )
    gb: int | None = field(
        default=None,
        metadata=about(
            "GiB that the tenant may keep; no limit when left out.",
            Between(1, _MOST_GB),
        ),
    )
    files: int | None = field(
        default=None,
        metadata=about(
            "Files that the tenant may keep; no limit when left out.",
            Between(1, 10_000_000_000),
        ),
    )


def repeated_quotas(quotas: tuple[StoreQuota, ...]) -> Iterator[Contradiction]:
    """Refuse a tenant that stands twice: nobody could say which limits count."""
    seen: set[str] = set()
    for number, one in enumerate(quotas, 1):
        if one.tenant in seen:
            yield Contradiction(
                f"store_quota[{number}].tenant",
                f'"{one.tenant}" a second time',
                "each tenant only once",
            )
        seen.add(one.tenant)
