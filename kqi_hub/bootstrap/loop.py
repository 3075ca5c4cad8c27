"""How the processes that people wait for share the interpreter with their threads."""

import gc
import sys
from typing import Final

# Threads draw pages and ask database and directory: within this the loop has its turn.
_SWITCH_S: Final = 0.001


def favour_the_loop() -> None:
    """Let people wait neither for threads that calculate nor for the collector."""
    sys.setswitchinterval(_SWITCH_S)
    # What is there by now stays: a round of the collector through it takes 80 ms in
    # the portal, and was seen to take 190 ms in the hub.
    gc.collect()
    gc.freeze()
