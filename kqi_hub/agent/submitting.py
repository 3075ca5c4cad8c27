"""Jobs of tasks: submitted, looked up and cancelled as the person, by Slurm's programs.

Slurm is asked only when the person does something; what waits and runs is otherwise
told by the portal's picture.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kqi_hub.agent.environment_rules import EnvironmentRules

TIMEOUT_S: Final = 20.0
_MOST_SAID: Final = 500
_JOB: Final = re.compile(rb"([1-9][0-9]{0,9})(?:;[^\n]*)?\n?")
_PASSED_ON: Final = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "PATH")
# Slurm's words for a job that does nothing any more.
_OVER: Final = frozenset(
    {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL",
     "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}
)  # fmt: skip


class SlurmSilent(Exception):
    """Slurm gave no answer: what was asked may have happened or not."""


class SlurmRefuses(Exception):
    """Slurm said no; the message is its own."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program left."""

    code: int
    out: bytes
    said: str


def sbatch_command(rules: EnvironmentRules) -> list[str]:
    """Return the command that submits the script on its standard input.

    The agent lives under limits that a job must not inherit.
    """
    return [str(rules.slurm_bin / "sbatch"), "--parsable", "--propagate=NONE"]


def find_command(rules: EnvironmentRules, name: str) -> list[str]:
    """Return the command that finds a job by its name."""
    squeue = str(rules.slurm_bin / "squeue")
    return [squeue, "--me", f"--name={name}", "--noheader", "--format=%A"]


def state_command(rules: EnvironmentRules, job_id: int) -> list[str]:
    """Return the command that tells a job's state."""
    squeue = str(rules.slurm_bin / "squeue")
    return [squeue, f"--jobs={job_id}", "--states=all", "--noheader", "--format=%T"]


async def submit(rules: EnvironmentRules, script: str) -> int:
    """Submit a script and return the job's number."""
    ran = await run_program(rules, sbatch_command(rules), script.encode())
    found = _JOB.fullmatch(ran.out)
    if ran.code == 0 and found:
        return int(found[1])
    if _is_silence(ran.said):
        raise SlurmSilent(ran.said)
    raise SlurmRefuses(ran.said or f"sbatch ended with {ran.code}")


async def find(rules: EnvironmentRules, name: str) -> int | None:
    """Return the job of a name; None when Slurm knows of none."""
    ran = await run_program(rules, find_command(rules, name))
    if ran.code != 0:
        raise SlurmSilent(ran.said)
    numbers = [int(word) for word in ran.out.split() if word.isdigit()]
    return min(numbers, default=None)


async def is_over(rules: EnvironmentRules, job_id: int) -> bool:
    """Tell whether Slurm says that a job does nothing any more."""
    ran = await run_program(rules, state_command(rules, job_id))
    if ran.code != 0:
        if "Invalid job id" in ran.said:
            return True
        raise SlurmSilent(ran.said)
    state = ran.out.decode(errors="replace").strip()
    return not state or state in _OVER


async def cancel(rules: EnvironmentRules, job_id: int) -> None:
    """Cancel a job; one that is over already is no error."""
    ran = await run_program(rules, [str(rules.slurm_bin / "scancel"), str(job_id)])
    if ran.code != 0 and "already completing" not in ran.said:
        if "Invalid job id" in ran.said:
            return
        raise SlurmSilent(ran.said)


def plain_environment(rules: EnvironmentRules) -> dict[str, str]:
    """Return what programs are started with: nothing of the hub's."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | ({"SLURM_CONF": rules.slurm_conf} if rules.slurm_conf else {})


async def run_program(
    rules: EnvironmentRules, command: list[str], stdin: bytes = b""
) -> Ran:
    """Run a program of Slurm's, and no longer than is bearable."""
    surroundings: Mapping[str, str] = plain_environment(rules)
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env=surroundings, cwd="/",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise SlurmSilent(f"{command[0]}: {error.strerror}") from error
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        raise SlurmSilent(f"no answer within {TIMEOUT_S:g} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ran(process.returncode or 0, out, _sentence(err))


def _is_silence(said: str) -> bool:
    """Tell a controller that cannot be reached from one that says no."""
    silent = ("Unable to contact slurm controller", "Socket timed out",
              "Connection refused", "Zero Bytes were transmitted")  # fmt: skip
    return any(one in said for one in silent)


def _sentence(raw: bytes) -> str:
    """Return what a program said, in one line that can be shown."""
    text = raw.decode(errors="replace").replace("sbatch: error: ", "")
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(plain.split())[:_MOST_SAID]
