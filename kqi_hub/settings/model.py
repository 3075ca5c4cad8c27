"""Every setting: one frozen dataclass for each table of the settings file.

A new table is a new dataclass here and one line in `Settings`; the loader, the
reference and `kqi-hub config` find it by themselves. A table's docstring is its
introduction in the reference. Types that the loader knows: bool, int, float, str,
Path (absolute), Literal of strings, tuple[str, ...], and "| None" of these. A field of
`Settings` with the type tuple[Table, ...] is a table that may be there many times,
each written [[name]].
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.directory import Directory
from kqi_hub.settings.environments import Environments
from kqi_hub.settings.field import about
from kqi_hub.settings.files import Files
from kqi_hub.settings.login import Login, SecondFactor, Security, Terms
from kqi_hub.settings.notebooks import Notebooks
from kqi_hub.settings.queues import Billing, Preset, Queue, Rate, repeated
from kqi_hub.settings.rules import (
    Between,
    Contact,
    DatabaseUrl,
    Each,
    Line,
    ListenAddress,
    Matches,
    PublicAddress,
    TimeZone,
)
from kqi_hub.settings.runs import Runs
from kqi_hub.settings.services import Git, Registry
from kqi_hub.settings.store import Store, StoreQuota, repeated_quotas

_ACCOUNT = Matches(
    r"[a-z_][a-z0-9_-]{0,31}", "a Unix name: lower case letters, digits, _ and -"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """How the site presents itself, and where the portal keeps its own files."""

    name: str = field(
        default="KQI Hub",
        metadata=about("Name at the top of every page and in mail.", Line(80)),
    )
    state_dir: Path = field(
        default=Path("/var/lib/kqi"),
        metadata=about(
            "Folder of the portal's own files, owned by the service user, mode 0700."
        ),
    )
    language: Literal["en", "ja", "ko"] = field(
        default="en",
        metadata=about("Language of pages for people who have not chosen one."),
    )
    timezone: str = field(
        default="UTC",
        metadata=about("Time zone of dates on pages and of bills.", TimeZone()),
    )
    support: str | None = field(
        default=None,
        metadata=about(
            "Where people turn for help, a mail address or a web page; shown at the "
            "login and at the foot of every page.",
            Contact(),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The Slurm cluster, and how often it is asked."""

    name: str = field(
        metadata=about(
            "The cluster's name as in Slurm's ClusterName.",
            Matches(
                r"[a-z0-9][a-z0-9_-]{0,39}",
                "lower case letters, digits, _ and -, 1 to 40 of them",
            ),
            example='"gpu1"',
        )
    )
    slurm_bin: Path = field(
        default=Path("/usr/bin"),
        metadata=about("Folder with squeue, sbatch, sacct and the others."),
    )
    slurm_conf: Path | None = field(
        default=None,
        metadata=about(
            "Slurm's configuration file, given to its programs as SLURM_CONF; "
            "leave it out where Slurm finds its own."
        ),
    )
    poll_interval_s: float = field(
        default=10.0,
        metadata=about(
            "Seconds between two looks at the controller. One process looks, "
            "however many people use the portal.",
            Between(5, 3600),
        ),
    )
    poll_interval_max_s: float = field(
        default=120.0,
        metadata=about(
            "Longest pause between two looks when the controller answers slowly.",
            Between(5, 3600),
        ),
    )
    command_timeout_s: float = field(
        default=15.0,
        metadata=about(
            "Seconds until a Slurm program that does not answer is ended.",
            Between(1, 600),
        ),
    )
    keep_ended_hours: int = field(
        default=24,
        metadata=about(
            "Hours that an ended job stays in the list of jobs. "
            "Accounting and bills keep it for ever.",
            Between(1, 24 * 365),
        ),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse a longest pause that is shorter than the usual one."""
        if self.poll_interval_max_s < self.poll_interval_s:
            yield Contradiction(
                "poll_interval_max_s",
                f"{self.poll_interval_max_s:g}",
                f"at least poll_interval_s ({self.poll_interval_s:g})",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The way to kqi-runas, the one program that may act as a person."""

    transport: Literal["socket", "sudo"] = field(
        default="socket",
        metadata=about(
            "`socket`: a helper run by root listens on `socket`; "
            "`sudo`: each call runs `sudo_command`."
        ),
    )
    socket: Path = field(
        default=Path("/run/kqi/runas.sock"),
        metadata=about("The helper's Unix socket, owned by root."),
    )
    sudo_command: tuple[str, ...] = field(
        default=(
            "/usr/bin/sudo",
            "-n",
            "/usr/sbin/kqi-runas",
            "once",
            "--config",
            "/etc/kqi/runas.toml",
        ),
        metadata=about(
            "The command line that runs the helper through sudo, word by word.",
            Each(Line(4096)),
        ),
    )
    timeout_s: float = field(
        default=60.0,
        metadata=about(
            "Seconds until the portal stops waiting for the helper.", Between(1, 3600)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The portal's own database (JupyterHub has another one)."""

    url: str = field(
        metadata=about(
            "Where the database is: a SQLite file on a local disk, or PostgreSQL.",
            DatabaseUrl(),
            private=True,
            example='"sqlite:////var/lib/kqi/kqi.sqlite"',
        )
    )
    password_file: Path | None = field(
        default=None,
        metadata=about("File that holds PostgreSQL's password.", secret_file=True),
    )
    pool_size: int = field(
        default=5,
        metadata=about(
            "Connections to PostgreSQL that each process keeps open.", Between(1, 100)
        ),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse a password for a database that has none."""
        if self.url.startswith("sqlite:") and self.password_file is not None:
            yield Contradiction(
                "password_file", "a file", "no such key with a sqlite url"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """The file system that people's jobs work on, the same path on every node."""

    root: Path = field(
        default=Path("/scratch"),
        metadata=about("Folder that holds one folder for each person."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who may use the portal, by Unix groups."""

    group: str = field(
        default="kqi-users",
        metadata=about("Group of everybody who may use the portal.", _ACCOUNT),
    )
    min_uid: int = field(
        default=1000,
        metadata=about(
            "People below this number are system accounts and never get in.",
            Between(100, 2**31 - 1),
        ),
    )
    operators_group: str = field(
        default="kqi-operators",
        metadata=about("Group of the people who run the site.", _ACCOUNT),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """JupyterHub, its proxy and the portal's pages: where they listen.

    Only `listen` is for people; the other addresses are between these processes.
    """

    public_url: str = field(
        default="http://127.0.0.1:8000/",
        metadata=about(
            "The address that people type, with a / at the end.", PublicAddress()
        ),
    )
    listen: str = field(
        default="http://127.0.0.1:8000",
        metadata=about(
            "Where the proxy listens for people's browsers.", ListenAddress()
        ),
    )
    address: str = field(
        default="127.0.0.1",
        metadata=about(
            "Address or name of this machine under which compute nodes reach it: "
            "there JupyterHub listens at `hub_port`. 127.0.0.1 is right only where "
            "every node is this machine.",
            Matches(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}", "an address or a host's name"),
        ),
    )
    hub_port: int = field(
        default=8081,
        metadata=about("Port of JupyterHub itself.", Between(1, 65535)),
    )
    proxy_port: int = field(
        default=8001,
        metadata=about("Port of the proxy's own interface.", Between(1, 65535)),
    )
    portal_port: int = field(
        default=8082,
        metadata=about("Port of the portal's pages.", Between(1, 65535)),
    )
    portal_token_file: Path | None = field(
        default=None,
        metadata=about(
            "File with the word that the portal proves itself to the hub with; "
            "`portal.token` in the state folder when left out.",
            secret_file=True,
        ),
    )
    proxy_token_file: Path | None = field(
        default=None,
        metadata=about(
            "File with the word that the hub proves itself to the proxy with; "
            "`proxy.token` in the state folder when left out.",
            secret_file=True,
        ),
    )
    tls_certificate: Path | None = field(
        default=None,
        metadata=about("Certificate (PEM) of `listen`, when it is an https address."),
    )
    tls_key: Path | None = field(
        default=None,
        metadata=about("Key (PEM) of the certificate.", secret_file=True, lines=True),
    )
    redirect_port: int | None = field(
        default=None,
        metadata=about(
            "Port where the proxy leads people who type http: to the https address; "
            "none when left out.",
            Between(1, 65535),
        ),
    )
    session_hours: int = field(
        default=12,
        metadata=about("Hours after which people log in again.", Between(1, 24 * 14)),
    )
    longest_token_days: int = field(
        default=366,
        metadata=about("Longest life of an API token.", Between(1, 3660)),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse half a certificate, and TLS without one."""
        whole = self.tls_certificate is not None and self.tls_key is not None
        if (self.tls_certificate is None) != (self.tls_key is None):
            yield Contradiction(
                "tls_certificate", "one of two", "tls_certificate and tls_key together"
            )
        if self.listen.startswith("https:") and not whole:
            yield Contradiction(
                "listen", f'"{self.listen}"', "tls_certificate and tls_key with https"
            )
        if self.listen.startswith("http:") and whole:
            yield Contradiction(
                "listen", f'"{self.listen}" with a certificate', "https://..."
            )
        if self.redirect_port is not None and not self.listen.startswith("https:"):
            yield Contradiction(
                "redirect_port", f"beside {self.listen}", "listen as an https address"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole settings file, a field for each table; None where it may be absent."""

    site: Site = field(default_factory=Site)
    cluster: Cluster
    door: Door = field(default_factory=Door)
    database: Database
    directory: Directory | None = None
    scratch: Scratch = field(default_factory=Scratch)
    people: People = field(default_factory=People)
    second_factor: SecondFactor = field(default_factory=SecondFactor)
    login: Login = field(default_factory=Login)
    security: Security = field(default_factory=Security)
    terms: Terms | None = None
    hub: Hub = field(default_factory=Hub)
    notebooks: Notebooks = field(default_factory=Notebooks)
    runs: Runs = field(default_factory=Runs)
    environments: Environments = field(default_factory=Environments)
    files: Files = field(default_factory=Files)
    store: Store = field(default_factory=Store)
    store_quota: tuple[StoreQuota, ...] = ()
    queue: tuple[Queue, ...] = ()
    preset: tuple[Preset, ...] = ()
    billing: Billing = field(default_factory=Billing)
    rate: tuple[Rate, ...] = ()
    git: tuple[Git, ...] = ()
    registry: tuple[Registry, ...] = ()

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse two of one name: what is stored or asked for would be mixed up."""
        yield from repeated(self.preset, self.rate, self.queue)
        yield from repeated_quotas(self.store_quota)
        names = [(f"git[{n}]", one.name) for n, one in enumerate(self.git, 1)]
        names += [
            (f"registry[{n}]", one.name) for n, one in enumerate(self.registry, 1)
        ]
        seen: set[str] = set()
        for where, name in names:
            if name in seen:
                yield Contradiction(
                    f"{where}.name",
                    f'"{name}" a second time',
                    "a name that no other [[git]] or [[registry]] has",
                )
            seen.add(name)
