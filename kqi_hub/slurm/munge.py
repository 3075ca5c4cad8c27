"""Make a munge credential and open it again, as every Slurm program does."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from typing import Final

from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.health import Credential

MAKE: Final = ("munge", "--no-input")
OPEN: Final = ("unmunge", "--keys=STATUS,UID", "--output=/dev/null")
LIMIT_S: Final = 10.0


async def try_credential() -> Credential:
    """Return what became of a credential; munged down is a status, not an error."""
    status, made, said = await _run(MAKE, None)
    if status != 0:
        return Credential(_first_line(said), None)
    _, opened, said = await _run(OPEN, made)
    return parse_opened(opened.decode(errors="replace"), _first_line(said))


def parse_opened(text: str, complaint: str = "") -> Credential:
    """Read the metadata that unmunge prints."""
    found = dict(re.findall(r"^(STATUS|UID):\s*(.*?)\s*$", text, re.MULTILINE))
    uid = re.search(r"\((\d+)\)$", found.get("UID", ""))
    return Credential(
        found.get("STATUS", complaint), None if uid is None else int(uid.group(1))
    )


async def _run(argv: Sequence[str], given: bytes | None) -> tuple[int, bytes, bytes]:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=DEVNULL if given is None else PIPE, stdout=PIPE, stderr=PIPE
        )
    except OSError as error:
        raise ClusterUnreachable(
            "{program} cannot be run: {reason}.",
            "Install munge.",
            program=argv[0],
            reason=error.strerror,
        ) from error
    try:
        async with asyncio.timeout(LIMIT_S):
            stdout, stderr = await process.communicate(given)
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, b"", b"munged does not answer"
    return process.returncode or 0, stdout, stderr


def _first_line(text: bytes) -> str:
    return next(iter(text.decode(errors="replace").splitlines()), "said nothing")
