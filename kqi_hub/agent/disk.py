"""What blocks is done beside the loop, and a disk that hangs holds nobody up."""

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from kqi_hub.agent.errors import Problem

P = ParamSpec("P")
T = TypeVar("T")
TIMEOUT_S: Final = 15.0


async def on_disk(
    disk: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do what blocks on one of the threads, and give up on a disk that hangs."""
    loop = asyncio.get_running_loop()
    done = loop.run_in_executor(disk, lambda: work(*args, **kwargs))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await done
    except TimeoutError:
        raise Problem(
            504, "disk-hangs", "The scratch folder does not answer."
        ) from None
    except OSError as error:
        raise disk_problem(error) from error


def disk_problem(error: OSError) -> Problem:
    """Say what a file that cannot be read or written is."""
    if isinstance(error, FileNotFoundError):
        return Problem(404, "not-there", "It is not there (yet).")
    if isinstance(error, PermissionError):
        return Problem(403, "not-permitted", "You may not read it.")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Problem(
            507, "disk-full", "Your scratch folder is full: free some space first."
        )
    if error.errno == errno.ENAMETOOLONG:
        return Problem(400, "too-long", "The name is longer than file systems keep.")
    if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, None}:
        return Problem(
            403, "not-regular", "A link or a special file lies there: not opened."
        )
    return Problem(502, "disk", f"It cannot be read: {error.strerror}.")
