"""Routes that give files to the data store."""

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.changes import Changer
from kqi_hub.agent.files.offering import offer
from kqi_hub.agent.files.places import Place

_LONGEST_TICKET = 2048


class Offer(Changer):
    """POST api/files/offer: files for an upload that the portal gave a ticket for."""

    async def post(self) -> None:
        """Begin; what takes long goes on when whoever asked has left."""
        asked = self.asked("base", "paths", "ticket", "upload")
        base, places, ticket = asked.place("base"), asked.places(), asked.text("ticket")
        _refuse_elsewhere(base, places)
        if not 0 < len(ticket) <= _LONGEST_TICKET:
            raise Problem(400, "invalid-input", "`ticket` must be the portal's.")
        address = self.workers.roots.rules.store_socket
        if address is None:
            raise Problem(409, "no-store", "This site has no data store.")
        await self.answer_soon(
            self.workers.works.begin(
                "offer",
                self.agent.use,
                lambda work: offer(address, ticket, base, places, work),
            )
        )


def _refuse_elsewhere(base: Place, places: list[Place]) -> None:
    """Refuse what does not lie below the folder that paths begin at."""
    depth = len(base.names)
    for one in places:
        one.require_name()
        if one.names[:depth] != base.names or len(one.names) <= depth:
            raise Problem(400, "invalid-input", "`paths` must lie below `base`.")
