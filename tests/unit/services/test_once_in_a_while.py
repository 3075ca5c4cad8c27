"""Something is done for a person once in a while, and again after it failed."""

import pytest

from kqi_hub.domain.errors import DoorUnreachable
from kqi_hub.services.once_in_a_while import OnceInAWhile


class Desk:
    """Does the deed, or fails, and notes for whom; its clock stands still."""

    def __init__(self) -> None:
        self.now = 100.0
        self.failure: Exception | None = None
        self.done: list[str] = []
        self.call = OnceInAWhile(self.do, 60.0, lambda: self.now)

    async def do(self, person: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.done.append(person)


async def test_it_is_done_for_each_person_once_until_the_while_is_over() -> None:
    desk = Desk()
    for person in ("mia", "mia", "ben", "mia"):
        await desk.call(person)
    assert desk.done == ["mia", "ben"]
    desk.now += 59.9
    await desk.call("mia")
    assert desk.done == ["mia", "ben"]
    desk.now += 0.1
    await desk.call("mia")
    assert desk.done == ["mia", "ben", "mia"]


async def test_what_failed_is_tried_again_at_once() -> None:
    desk = Desk()
    desk.failure = DoorUnreachable("The helper is away.", "Wait.")
    with pytest.raises(DoorUnreachable):
        await desk.call("mia")
    desk.failure = None
    await desk.call("mia")
    assert desk.done == ["mia"]
