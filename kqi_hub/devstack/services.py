"""What the embedded cluster is made of: programs that stay, and tasks done once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from kqi_hub.devstack.processes import Command, Processes

# Returns what still stands in the way, nothing once the service is ready.
Check = Callable[[Processes], Awaitable[str]]
Work = Callable[[Processes, Path], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """A program that stays: restarted when it dies, stopped in reverse order."""

    name: str
    command: Command
    ready: Check
    needs: tuple[str, ...] = ()
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is done once on the way up; `work` is given its log file."""

    name: str
    work: Work
    needs: tuple[str, ...] = ()
    first_start_only: bool = field(default=False, kw_only=True)


Step = Service | Task
