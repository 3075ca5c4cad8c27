"""Sources for the doctor that say whatever a test wants, or raise it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import DoorRefused
from kqi_hub.domain.health import (
    NOW,
    Certificate,
    ClusterRecord,
    Credential,
    FileFacts,
    Process,
    Sandbox,
    Space,
)
from kqi_hub.domain.ports import DoorAnswer

GIB = 1024**3


def folder(
    path: str, owner: str = "root", mode: int = 0o755, uid: int = 0
) -> FileFacts:
    return FileFacts(path, "folder", mode, uid, owner, owner)


def space(path: str = "/scratch", **more: Any) -> Space:
    told: dict[str, Any] = {
        "free_bytes": 50 * GIB,
        "total_bytes": 100 * GIB,
        "free_inodes": 900,
        "total_inodes": 1000,
        "fs_type": "ext4",
        "is_mount_point": True,
    }
    return Space(path=path, **{**told, **more})


@dataclass
class FakeSlurmProbe:
    """A healthy Slurm unless `fault` is set."""

    values: dict[str, str] = field(
        default_factory=lambda: {
            "ClusterName": "gpu1",
            "SLURM_VERSION": "22.05.8",
            "SlurmUser": "slurm(64030)",
            "AccountingStorageEnforce": "associations,limits,qos,safe",
            "PrivateData": "none",
            "MinJobAge": "300 sec",
            NOW: "1000",
        }
    )
    fault: Exception | None = None
    accounting_fault: Exception | None = None

    async def config(self) -> Mapping[str, str]:
        if self.fault is not None:
            raise self.fault
        return self.values

    async def accounting(self) -> tuple[ClusterRecord, ...]:
        if self.accounting_fault is not None:
            raise self.accounting_fault
        return (ClusterRecord("gpu1", "127.0.0.1"),)

    async def accounting_config(self) -> Mapping[str, str]:
        if self.accounting_fault is not None:
            raise self.accounting_fault
        return {"PrivateData": "none"}

    async def admin_level(self, user: str) -> str:
        return "None"

    async def credential(self) -> Credential:
        return Credential("Success (0)", 990)


@dataclass
class FakeMachine:
    """A tidy machine unless `fault` is set."""

    files: dict[str, FileFacts] = field(
        default_factory=lambda: {
            "/scratch": folder("/scratch"),
            "/var/lib/kqi": folder("/var/lib/kqi", "kqi", 0o700, 990),
            "/run/kqi": folder("/run/kqi"),
            "/run/kqi/runas.sock": FileFacts(
                "/run/kqi/runas.sock", "socket", 0o660, 0, "root", "kqi"
            ),
            "/scratch/alice": folder("/scratch/alice", "alice", 0o700, 1001),
        }
    )
    fault: Exception | None = None

    def facts(self, path: str) -> FileFacts:
        self._may_fail()
        gone = FileFacts(path, "missing", 0, -1, "nobody", "nobody")
        return self.files.get(path, gone)

    def children(self, path: str, limit: int) -> tuple[FileFacts, ...]:
        self._may_fail()
        found = [f for name, f in self.files.items() if name.startswith(f"{path}/")]
        return tuple(found[:limit])

    def space(self, path: str) -> Space:
        self._may_fail()
        return space(path)

    def process(self) -> Process:
        self._may_fail()
        return Process(990, "kqi", 990)

    def sandbox(self) -> Sandbox:
        self._may_fail()
        return Sandbox("/usr/bin/bwrap", True, "")

    def _may_fail(self) -> None:
        if self.fault is not None:
            raise self.fault


@dataclass
class FakeDirectory:
    """A directory whose certificate is good for a hundred days."""

    fault: Exception | None = None

    def look(self, server: str) -> Certificate:
        if self.fault is not None:
            raise self.fault
        return Certificate("ldap.example.org", 1000 + 100 * 86400)


@dataclass
class FakeDoor:
    """A helper that answers and becomes anybody but root."""

    fault: Exception | None = None
    refuses_root: bool = True
    calls: list[tuple[str, str]] = field(default_factory=list)
    scratch_answer: DoorAnswer = field(
        default_factory=lambda: DoorAnswer(0, '{"made": [], "existed": []}', "")
    )

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        self.calls.append((verb, person))
        if self.fault is not None:
            raise self.fault
        if person == "root" and self.refuses_root:
            raise DoorRefused("refused: person: root is a system user")
        if verb == "ping":
            return DoorAnswer(0, '{"version": "1", "verbs": []}', "")
        return self.scratch_answer


def fresh() -> Freshness:
    return Freshness(5, 995.0, 995.0)
