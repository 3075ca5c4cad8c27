"""Words for the values of the domain, in the reader's language once translated."""

from typing import Final

from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_, Word

ROLE_WORDS: Final = {
    Role.VIEWER: Word(N_("viewer")),
    Role.MEMBER: Word(N_("member")),
    Role.MANAGER: Word(N_("manager")),
}
