"""Tickets (domain/enrolment.py) that only we can write, good for 15 minutes."""

import json
from typing import Final

from kqi_hub.auth.secretbox import SecretBox
from kqi_hub.domain.enrolment import Ticket
from kqi_hub.domain.errors import SecretUnreadable

LONGEST_AGE_S: Final = 900
_PURPOSE: Final = "login ticket"


class SealedTickets:
    """Encrypt tickets with the key file's first key."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def issue(self, ticket: Ticket) -> str:
        """Return the sealed text."""
        content = json.dumps(
            [ticket.stage, ticket.person, ticket.factor, ticket.secret]
        )
        return self._box.seal(content, _PURPOSE)

    def read(self, text: str, stage: str) -> Ticket | None:
        """Return the ticket; None if forged, of another stage, or over 15 min old."""
        try:
            content = self._box.open(text, _PURPOSE, LONGEST_AGE_S)
        except SecretUnreadable:
            return None
        ticket = Ticket(*json.loads(content))
        return ticket if ticket.stage == stage else None
