"""Read /proc: which processes of the session work, and for whom."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_SHELLS: Final = frozenset(
    {"bash", "sh", "dash", "zsh", "fish", "tcsh", "csh", "ksh", "xonsh", "nu"}
)
# They wait for somebody to come, and do nothing by themselves.
_WAITERS: Final = frozenset(
    {"ssh-agent", "gpg-agent", "dbus-daemon", "tmux: server", "screen", "keyboxd"}
)
# A kernel's helpers that take less than this of a core are waiting for their kernel.
_WORKING_SHARE: Final = 0.02
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/<pid>/stat, as far as it matters here."""

    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int
    terminal: int
    foreground_group: int
    ticks: int
    started: int

    @property
    def key(self) -> tuple[int, int]:
        """Return what no other process has, even when the number is used again."""
        return self.pid, self.started

    @property
    def is_alive(self) -> bool:
        """Tell whether it is more than an entry that waits to be read."""
        return self.state not in "ZX"

    @property
    def is_in_foreground(self) -> bool:
        """Tell whether what is typed into its terminal goes to it."""
        return self.terminal != 0 and self.foreground_group == self.group

    @property
    def is_waiting_shell(self) -> bool:
        """Tell whether it is a shell that waits for somebody or its own command."""
        if self.name not in _SHELLS or self.terminal == 0:
            return False
        leads = self.session == self.pid
        return leads or (self.is_in_foreground and self.state == "S")


@dataclass(frozen=True, slots=True)
class Work:
    """How many processes work, by what they hang on."""

    foreground: int = 0
    background: int = 0
    kernel_children: int = 0


def read_process(stat: str) -> Process:
    """Return what a line of /proc/<pid>/stat says; ValueError for anything else."""
    # The name may hold anything, brackets and spaces too: it ends at the last one.
    head, _, tail = stat.rpartition(")")
    pid, _, name = head.partition("(")
    words = tail.split()
    if not pid or len(words) < 20:  # man 5 proc has more
        raise ValueError(f"{stat[:60]!r} is no line of /proc/<pid>/stat")
    numbers = [int(word) for word in words[1:20]]
    return Process(
        pid=int(pid),
        name=name,
        state=words[0],
        parent=numbers[0],
        group=numbers[1],
        session=numbers[2],
        terminal=numbers[3],
        foreground_group=numbers[4],
        ticks=numbers[10] + numbers[11],
        started=numbers[18],
    )


def own_processes(proc: Path = PROC) -> dict[int, Process]:
    """Return the processes of this user; those that go away meanwhile are left out."""
    found, uid = {}, os.geteuid()
    for entry in os.scandir(proc):
        if not entry.name.isdecimal():
            continue
        try:
            if entry.stat().st_uid != uid:
                continue
            text = (proc / entry.name / "stat").read_text(errors="replace")
            process = read_process(text)
        except (OSError, ValueError):
            continue
        found[process.pid] = process
    return found


def below(pids: Iterable[int], all_of_them: Mapping[int, Process]) -> set[int]:
    """Return everything that descends from some processes, these left out."""
    children: dict[int, list[int]] = {}
    for process in all_of_them.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    to_do = list(pids)
    while to_do:
        for child in children.get(to_do.pop(), ()):
            if child not in found:
                found.add(child)
                to_do.append(child)
    return found


@dataclass(frozen=True, slots=True)
class Roots:
    """The processes from which the session's work is counted.

    `top` is the job's main process: what its parent has left hangs on it, so that a
    program started with nohup or setsid is found as well.
    """

    top: int
    server: int
    kernels: Collection[int] = ()
    terminals: Collection[int] = ()


def work(
    roots: Roots,
    now: Mapping[int, Process],
    before: Mapping[int, Process],
    elapsed_s: float,
) -> Work:
    """Return what works now, from what is in /proc now and what was a while ago."""
    of_kernels = below(roots.kernels, now)
    mine = below({roots.top}, now) - {roots.server} - set(roots.kernels)
    rest = mine - of_kernels - _servers_own(roots, now)
    foreground = background = 0
    for process in _working(now[pid] for pid in rest):
        if process.is_in_foreground:
            foreground += 1
        else:
            background += 1
    return Work(foreground, background, _busy(of_kernels, now, before, elapsed_s))


def _servers_own(roots: Roots, now: Mapping[int, Process]) -> set[int]:
    """Return the helpers of the server itself: its children that are no terminals."""
    helpers = {
        pid
        for pid, process in now.items()
        if process.parent == roots.server and pid not in roots.terminals
    }
    return (helpers | below(helpers, now)) - below(roots.terminals, now)


def _working(processes: Iterable[Process]) -> Iterator[Process]:
    for process in processes:
        if not process.is_alive or process.is_waiting_shell:
            continue
        if process.name.lower() not in _WAITERS:
            yield process


def _busy(
    pids: Iterable[int],
    now: Mapping[int, Process],
    before: Mapping[int, Process],
    elapsed_s: float,
) -> int:
    """Return how many took their share of a core since the look before."""
    if elapsed_s <= 0:
        return 0
    least = max(1.0, _WORKING_SHARE * elapsed_s * _TICKS_PER_S)
    count = 0
    for pid in pids:
        process, earlier = now[pid], before.get(pid)
        known = earlier is not None and earlier.key == process.key
        spent = process.ticks - earlier.ticks if earlier and known else process.ticks
        count += spent >= least
    return count
