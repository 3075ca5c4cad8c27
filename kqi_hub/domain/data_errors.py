"""Why data cannot be changed, or no more be kept.

Conflict
├── Blocked    something else needs the data as they are    409  5
└── NoRoom     a quota leaves no room for it                409  5
"""

from kqi_hub.domain.dataset_ports import Blocker
from kqi_hub.domain.errors import Conflict


class Blocked(Conflict):
    """Data that may not change or go (KX-53); `blockers` says what needs them."""

    code = "blocked"

    def __init__(
        self, message: str, hint: str, blockers: tuple[Blocker, ...], **values: object
    ) -> None:
        super().__init__(message, hint, **values)
        self.blockers = blockers


class NoRoom(Conflict):
    """More than a quota allows."""

    code = "quota"
