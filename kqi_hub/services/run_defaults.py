"""What counts for a run where its owner says nothing."""

from kqi_hub.domain.errors import NotFound
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker


async def lifetime_for(
    runs: Runs, asker: Asker, queue: str, tenant: str, wanted: int | None
) -> int:
    """Return the lifetime that was chosen, else the site's, as far as a queue allows.

    A queue that is not there is told of where the run is asked for.
    """
    if wanted is not None:
        return wanted
    usual = runs.rules.default_lifetime_s
    picture = await runs.queues.board.current()
    try:
        found = runs.queues.pick(picture, queue, asker.person, tenant)
    except NotFound:
        return usual
    return min(usual, found.max_time_s or usual)
