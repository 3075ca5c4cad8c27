"""The list of one's notebooks: what it shows, of how many, and in which order."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Choices
from tests.adapters.handlers.conftest import Client
from tests.fakes.notebooks import CHOICES
from tests.fakes.site import FakeSite

MANY = 60
MADE = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
PER_PAGE = 25
FAVOURITE, LIVE, ENDED = 7, 11, 13


@pytest.fixture
def many(site: FakeSite) -> FakeSite:
    """Give mia sixty: one starred, one live, one ended, one in another queue."""
    fake = site.notebooks
    for number in range(1, MANY + 1):
        fake.store.create("mia", named(number), MADE)
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
        ("name=nb-60", [60]),
        ("name=!nb-&show=all", []),
        ("queue=V100", [ENDED]),
        ("queue=!jup", [ENDED]),
        ("memo=f%C3%BCr+SP%C3%84TER", [LIVE]),
        ("memo=!x&id=12", [12]),
        ("memo=sp&show=ended", []),
        ("name=nb-6&show=favourites", []),
        ("name=nb-7&page=9", [FAVOURITE]),
        ("id=>58", [60, 59]),
        ("id=%3E%3D3,%3C5", [4, 3]),
        ("created_at=2026-11-21&id=<3", [2, 1]),
        ("created_at=<2026-11-21", []),
        ("id=<4&sort=name", [1, 2, 3]),
    ],
)
async def test_what_is_looked_for_is_shown_with_how_many_there_are(
    ask: Client, many: FakeSite, query: str, numbers: list[int]
) -> None:
    text = (await ask(f"notebooks?{query}", "mia")).text
    assert shown(text) == numbers
    assert f"{len(numbers)} in all" in text
    assert ("No notebook fits" in text) is (not numbers)


async def test_those_that_do_not_run_fill_their_own_pages(
    ask: Client, many: FakeSite
) -> None:
    text = (await ask("notebooks?show=ended&page=3", "mia")).text
    assert shown(text) == [n for n in range(10, 0, -1) if n != FAVOURITE]
    assert "51-59 of 59" in text


async def test_who_has_none_is_shown_how_to_begin(ask: Client, many: FakeSite) -> None:
    for query in ("", "?page=5", "?sort=name"):
        text = (await ask(f"notebooks{query}", "victor")).text
        assert "No notebooks yet" in text
        assert shown(text) == []
    assert "No notebook fits" in (await ask("notebooks?name=nb", "victor")).text


@pytest.mark.parametrize(
    "query",
    [
        "id=two",
        "id=12a",
        "id=" + "9" * 30,
        "id=1,2,3,4,5,6,7,8,9",
        "created_at=never",
        "created_at=2026-13",
        "created_at=%00",
    ],
)
async def test_what_cannot_be_read_finds_nothing_and_is_said(
    ask: Client, many: FakeSite, query: str
) -> None:
    text = (await ask(f"notebooks?{query}", "mia")).text
    assert shown(text) == []
    assert 'id="unread"' in text
    assert text.count('aria-invalid="true"') == 1


@pytest.mark.parametrize(
    "query",
    ["name=" + "x" * 201, "show=mine", "whose=max", "sort=memo", "page=0"],
)
async def test_what_no_list_can_be_asked_is_refused(
    ask: Client, many: FakeSite, query: str
) -> None:
    assert (await ask(f"notebooks?{query}", "mia")).status == 400


async def test_a_manager_finds_everybodys_and_touches_none(
    ask: Client, many: FakeSite
) -> None:
    own = (await ask("notebooks?tenant=vision", "max")).text
    assert shown(own) == [MANY + 1]
    assert 'name="whose"' in own
    found = await ask("notebooks?tenant=vision&whose=all&created_by=mi&id=<=13", "max")
    assert shown(found.text) == [FAVOURITE, *(n for n in range(13, 0, -1) if n != 7)]
    assert "Für später" in found.text
    assert "/notebooks/11/stop" not in found.text
    assert 'href="/notebooks/11"' not in found.text
    mixed = await ask("notebooks?tenant=vision&whose=all&created_by=!mi", "max")
    assert shown(mixed.text) == [MANY + 1]


@pytest.mark.parametrize(
    ("person", "tenant", "status"),
    [("mia", "vision", 403), ("victor", "vision", 403), ("max", "nlp", 404)],
)
async def test_others_do_not_see_everybodys(
    ask: Client, many: FakeSite, person: str, tenant: str, status: int
) -> None:
    answer = await ask(f"notebooks?tenant={tenant}&whose=all", person)
    assert answer.status == status
    assert "nb-" not in answer.text
    assert 'name="whose"' not in (await ask("notebooks", "mia")).text
