"""Which of the session's processes use a GPU, as NVIDIA's own tool says."""

import asyncio
import re
import shutil
from collections.abc import Collection
from typing import Final

_TIMEOUT_S: Final = 10.0
# A line of `nvidia-smi pmon -s u`: GPU, process, kind, its share of the GPU in percent.
_LINE: Final = re.compile(r"\s*(\d+)\s+(\d+)\s+\S+\s+(\d+|-)\s", re.ASCII)


def working_processes(listing: str, own: Collection[int]) -> int:
    """Return how many of our processes computed on a GPU, from a listing of pmon.

    Memory that a kernel holds without computing is no use: it is what idle means.
    """
    pids = set()
    for line in listing.splitlines():
        found = _LINE.match(line)
        if found and found[3] not in ("-", "0") and int(found[2]) in own:
            pids.add(int(found[2]))
    return len(pids)


async def count_working(own: Collection[int]) -> int:
    """Ask the node; 0 where there is no such tool or it does not answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    process = await asyncio.create_subprocess_exec(
        program,
        *("pmon", "-c", "1", "-s", "u"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            listing, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 0
    return working_processes(listing.decode(errors="replace"), own)
