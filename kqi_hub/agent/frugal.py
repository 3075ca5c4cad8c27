"""Threads and buffers that leave no memory behind: an agent runs for each person."""

import ctypes
import threading
from typing import Final

_STACK_BYTES: Final = 1024 * 1024
# Of glibc's malloc.h. Elsewhere there is no such thing, and nothing is lost.
_M_ARENA_MAX: Final = -8
_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 128 * 1024


def be_frugal() -> None:
    """Call it before any thread begins.

    A thread takes 8 MB of addresses for its stack and 64 MB for an arena of its own:
    twenty of them fill the gigabyte that an agent may have. Pieces of files go back
    to the kernel at once.
    """
    threading.stack_size(_STACK_BYTES)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
