"""Stay the parent of whatever the session leaves in the background."""

import ctypes
from collections.abc import Callable
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36


def adopt_orphans(say: Callable[[str], None]) -> None:
    """Let what loses its parent become ours, so that the idle rule can find it."""
    done = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if done != 0:
        say("Programs started with nohup or setsid are not seen by the idle rule here.")
