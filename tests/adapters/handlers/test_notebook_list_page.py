"""The list of one's notebooks: what it shows, of how many, and in which order."""

import re
from dataclasses import replace

import pytest

from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Choices
from tests.adapters.handlers.conftest import Client
from tests.fakes.notebooks import CHOICES
from tests.fakes.site import FakeSite

MANY = 60
PER_PAGE = 25
FAVOURITE, LIVE, ENDED = 7, 11, 13


@pytest.fixture
def many(site: FakeSite) -> FakeSite:
    """Give mia sixty: one starred, one live, one ended, one in another queue."""
    fake = site.notebooks
    for number in range(1, MANY + 1):
        fake.store.create("mia", named(number), 1.0)
    fake.store.create("max", replace(CHOICES, name="not-mias"), 1.0)
    fake.store.set_favourite(FAVOURITE, True)
    fake.run(LIVE)
    past = fake.sessions.ask(ENDED, CHOICES, "past", 1.0)
    fake.sessions.ended(past.id, SessionEnd(2.0, Cause.STOPPED))
    return site


def named(number: int) -> Choices:
    queue = "v100" if number == ENDED else "jupyter"
    memo = "Für später" if number == LIVE else ""
    return replace(CHOICES, name=f"nb-{number}", queue=queue, memo=memo)


def shown(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="name-(\d+)"', text)]


def ways(text: str) -> dict[str, str]:
    """Return the pages beside this one."""
    found = re.findall(r'rel="(prev|next)" href="[^"]*?page=(\d+)', text)
    return dict(found)


async def test_a_page_has_25_favourites_first_then_the_newest(
    ask: Client, many: FakeSite
) -> None:
    text = (await ask("notebooks", "mia")).text
    assert shown(text) == [FAVOURITE, *range(MANY, MANY - PER_PAGE + 1, -1)]
    assert ways(text) == {"next": "2"}
    assert "1-25 of 60" in text


@pytest.mark.parametrize("page", [3, 4, 1000])
async def test_a_page_behind_the_last_is_the_last(
    ask: Client, many: FakeSite, page: int
) -> None:
    text = (await ask(f"notebooks?page={page}", "mia")).text
    assert shown(text) == [n for n in range(11, 0, -1) if n != FAVOURITE]
    assert ways(text) == {"prev": "2"}
    assert "51-60 of 60" in text


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("show=favourites", [FAVOURITE]),
        ("show=live", [LIVE]),
        ("q=nb-60", [60]),
        ("q=V100", [ENDED]),
        ("q=f%C3%BCr+SP%C3%84TER", [LIVE]),
        ("q=sp&show=ended", []),
        ("q=nb-6&show=favourites", []),
        ("q=nb-7&page=9", [FAVOURITE]),
    ],
)
async def test_what_is_looked_for_is_shown_with_how_many_there_are(
    ask: Client, many: FakeSite, query: str, numbers: list[int]
) -> None:
    text = (await ask(f"notebooks?{query}", "mia")).text
    assert shown(text) == numbers
    assert f"{len(numbers)} of 60" in text
    assert ("No notebook fits" in text) is (not numbers)


async def test_those_that_do_not_run_fill_their_own_pages(
    ask: Client, many: FakeSite
) -> None:
    text = (await ask("notebooks?show=ended&page=3", "mia")).text
    assert shown(text) == [n for n in range(10, 0, -1) if n != FAVOURITE]
    assert "51-59 of 59" in text
    assert "59 of 60" in text


async def test_who_has_none_is_shown_how_to_begin(ask: Client, many: FakeSite) -> None:
    for query in ("", "?show=live", "?q=nb", "?page=5"):
        text = (await ask(f"notebooks{query}", "victor")).text
        assert "No notebooks yet" in text
        assert shown(text) == []
