"""Agents: one small process a person, started and stopped through the door."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from kqi_hub.domain.errors import DoorBroken
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import Door
from kqi_hub.i18n import N_
from kqi_hub.runas.answers import require_done

_ENDED_STATES = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class AgentProcess:
    """A process, and when it began in the kernel's ticks: numbers are used again."""

    pid: int
    began: int

    def is_alive(self) -> bool:
        """Tell without asking anybody; takes microseconds."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return _is_hidden(self.pid)
        state, *rest = stat.rpartition(b")")[2].decode().split()
        return state not in _ENDED_STATES and int(rest[18]) == self.began


def _is_hidden(pid: int) -> bool:
    """Tell whether a process is there that /proc does not show (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return False


class DoorAgents:
    """Start and stop agents through the door."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def start(self, person: str, instructions: str) -> AgentProcess:
        """Start the person's agent and return once it listens."""
        answer = await self._door.run("start-agent", person, {"text": instructions})
        require_done(
            answer,
            person,
            Phrase("start the agent"),
            N_("Its log is `kqi/agent.log` in the person's scratch folder."),
        )
        try:
            said = json.loads(answer.stdout)
            return AgentProcess(int(said["pid"]), int(said["began"]))
        except (ValueError, TypeError, KeyError) as error:
            raise DoorBroken(
                "The helper started an agent for {person} and did not say which.",
                N_("It ends by itself when nobody uses it."),
                person=person,
            ) from error

    async def stop(self, person: str, process: AgentProcess) -> None:
        """Stop an agent; one that is gone is no error."""
        arguments = {"pid": process.pid, "began": process.began}
        answer = await self._door.run("stop-agent", person, arguments)
        deed = Phrase("stop the agent (process {pid})", pid=process.pid)
        require_done(answer, person, deed, N_("It ends by itself when nobody uses it."))
