"""What every list has in common: conditions that cannot be read."""

import pytest

from tests.adapters.handlers.conftest import Client

LISTS = {
    "data": "created_at",
    "datasets": "created_at",
    "preprocessing": "created_at",
    "training": "asked_at",
    "inference": "asked_at",
    "preprocessing-runs": "asked_at",
    "notebooks": "created_at",
}
PAGES = ("data", "datasets", "preprocessing", "training", "inference", "notebooks")


@pytest.mark.parametrize("path", LISTS)
async def test_a_condition_that_cannot_be_read_finds_nothing_in_any_list(
    ask: Client, path: str
) -> None:
    for field, typed in (("id", "seven"), (LISTS[path], "2026-02-30")):
        found = await ask(f"api/v1/{path}?{field}={typed}", "mia")
        assert found.json["unread"] == {field: typed}
        assert found.json["total"] in (0, None)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_says_which_condition_it_cannot_read(
    ask: Client, path: str
) -> None:
    text = (await ask(f"{path}?id=%3Cb%3Eseven&tenant=vision", "mia")).text
    note = text.partition('id="unread"')[2].partition("</div>")[0]
    assert "&lt;b&gt;seven" in note
    assert ">=20" in note
