"""What is asked of every list, as the parameters of its address."""

from typing import Annotated

from pydantic import Field

from handlers.route import Model

Day = Annotated[str, Field(max_length=200, description="Day: 2026-11-21, >=2026-11.")]
Maker = Annotated[str, Field(max_length=200, description="Part of the maker's name.")]


class Conditions(Model):
    """What things are found by. Texts: contains; with ! before: does not."""

    id: str = Field("", max_length=200, description="Number: 7, >=7, <100.")
    name: str = Field("", max_length=200, description="Part of the name.")
    memo: str = Field("", max_length=200, description="Part of the memo.")


class WantedPage(Conditions):
    """Which things to list. Texts: contains; with ! before: does not."""

    page: int = Field(1, ge=1, le=10**9, description="Which page, from 1.")
    per_page: int = Field(100, ge=1, le=1000, description="How many a page has.")


class WantedList(WantedPage):
    """Which things of tenants to list."""

    tenant: str | None = Field(
        None, max_length=64, description="One tenant; all of yours when left out."
    )


class WantedMade(WantedList):
    """Which things to list that somebody made."""

    created_at: Day = ""
    created_by: Maker = ""


class WantedCounted(WantedMade):
    """Which things to list; how many there are is counted only where it is asked."""

    per_page: int = Field(1000, ge=1, le=1000, description="How many a page has.")
    with_total: bool = Field(
        False, description="Whether to count them all, also into X-Total-Count."
    )
