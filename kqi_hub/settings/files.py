"""The table of files: where people's agents may lead them."""

from dataclasses import dataclass, field

from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Each, Matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Browsing, fetching and sending files: each person's own agent does it.

    What a person may read or write is the kernel's decision alone; this only says
    where pages begin and where links may lead.
    """

    roots: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Folders beside scratch that people may browse, and change what the file "
            "system lets them change, such as /projects. Links may lead there "
            "too.",
            Each(Matches(r"/[^\x00-\x1f]{1,1000}", "an absolute path"), least=0),
        ),
    )
