"""The clocks of the worker in one place, so that tests can turn them."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

_dice = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Clocks:
    """Wall time, a steady clock, sleep, and the dice of the jitter."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: Callable[[], float] = _dice.random
