"""What is looked for in a list that the server filters, sorts and cuts into pages."""

from typing import ClassVar

from pydantic import Field

from handlers.route import Model


class WantedList(Model):
    """What of a list is looked for; conditions are in the grammar of lists."""

    # What is no condition.
    beside: ClassVar[frozenset[str]] = frozenset({"sort", "page"})

    id: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    memo: str = Field("", max_length=200)
    sort: str = Field("-id", max_length=20)
    page: int = Field(1, ge=1, le=100_000)

    @property
    def is_narrow(self) -> bool:
        """Tell whether something is looked for."""
        return bool(self.model_dump(exclude=set(self.beside), exclude_defaults=True))


class WantedMade(WantedList):
    """What is looked for of things that somebody made."""

    created_at: str = Field("", max_length=200)
    created_by: str = Field("", max_length=200)
