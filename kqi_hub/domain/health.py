"""What the doctor asks of the machine, of Slurm and of the directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

# The controller's clock in epoch seconds, among the values of SlurmProbe.config.
NOW: Final = "NOW"
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """What accounting knows of a cluster; no host means no controller registered."""

    name: str
    control_host: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A munge credential made and opened again on this machine."""

    status: str
    uid: int | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a directory server's verified certificate says."""

    subject: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file or folder as `lstat` sees it."""

    path: str
    kind: str
    mode: int
    uid: int
    owner: str
    group: str

    @property
    def is_what(self) -> str:
        """Say what the path is, such as "is a symlink"."""
        if self.kind == MISSING:
            return "does not exist"
        return f"is a {self.kind}"


@dataclass(frozen=True, slots=True)
class Space:
    """Room on a file system, in bytes and inodes (0 inodes: it counts none)."""

    path: str
    free_bytes: int
    total_bytes: int
    free_inodes: int
    total_inodes: int
    fs_type: str
    is_mount_point: bool


@dataclass(frozen=True, slots=True)
class Process:
    """Who runs the doctor, and who is meant to run the portal."""

    uid: int
    user: str
    service_uid: int | None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Whether this machine lets a plain user make namespaces with bubblewrap."""

    bwrap: str
    worked: bool
    said: str
    sysctls: Mapping[str, str] = field(default_factory=dict)


class SlurmProbe(Protocol):
    """Questions to Slurm that only the doctor asks; errors as in ClusterReader."""

    async def config(self) -> Mapping[str, str]:
        """Return `scontrol show config`, and the controller's clock under NOW."""

    async def accounting(self) -> tuple[ClusterRecord, ...]:
        """Return the clusters that accounting knows."""

    async def accounting_config(self) -> Mapping[str, str]:
        """Return slurmdbd's own configuration."""

    async def admin_level(self, user: str) -> str:
        """Return the person's AdminLevel in accounting, empty for an unknown one."""

    async def credential(self) -> Credential:
        """Make a munge credential and open it again."""


class MachineProbe(Protocol):
    """Questions to this machine; each may block, so each is asked aside."""

    def facts(self, path: str) -> FileFacts:
        """Return facts of one path without following a symlink."""

    def children(self, path: str, limit: int) -> tuple[FileFacts, ...]:
        """Return facts of a folder's entries, the first `limit` of them."""

    def space(self, path: str) -> Space:
        """Return the room where the path is."""

    def process(self) -> Process:
        """Return who runs this."""

    def sandbox(self) -> Sandbox:
        """Try a private namespace here."""


class DirectoryProbe(Protocol):
    """Connect, verify the certificate, bind and search; raises DirectoryUnavailable."""

    def look(self, server: str) -> Certificate:
        """Go the whole way with one server."""
