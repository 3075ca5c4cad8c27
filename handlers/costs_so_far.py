"""What runs that go on have cost until now, for pages and the REST interface."""

from collections.abc import Sequence

from handlers.ask import Ask
from kqi_hub.domain.usage import Days, UsedRun
from kqi_hub.services.running_runs import with_costs_so_far


async def so_far(
    ask: Ask, runs: Sequence[UsedRun], days: Days | None = None
) -> tuple[UsedRun, ...]:
    """Return runs, those that go on with what they have cost until now."""
    queues = ask.deps.queues
    picture = await queues.board.current()
    return with_costs_so_far(runs, picture, queues.pricing, ask.deps.usage.wall(), days)
