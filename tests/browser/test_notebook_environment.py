"""The form's environment: chosen where the agent answers, typed elsewhere."""

from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.environment_states import EVERY, FakeAgent
from tests.browser.gallery import fits, lost_references, no_agent, violations

FIELD = "[name=environment]"


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent(*deepcopy(EVERY))


@pytest.fixture
def visit(open_page: OpenPage, agent: FakeAgent) -> Any:
    """Open the form with the agent beside it."""

    def visit_one(path: str = "notebooks/new") -> Page:
        return open_page(path, before=agent.serve)

    return visit_one


def test_it_is_chosen_and_the_default_comes_first(visit: Any) -> None:
    page = visit()
    choice = page.locator(f"select{FIELD}")
    expect(choice).to_have_value("notebook")
    words = choice.locator("option").all_inner_texts()
    assert words[:3] == ["the site's own", "notebook (default)", "torch-2.5"]
    assert "old-one (broken)" in words
    assert "being-made" not in words
    expect(page.get_by_label("Environment (optional)")).to_be_visible()
    assert violations(page) == []
    assert lost_references(page) == []
    assert fits(page)


def test_without_a_default_the_one_used_last_comes_first(
    visit: Any, agent: FakeAgent
) -> None:
    for one in agent.environments:
        one["is_default"] = False
        one["used_at"] = "2026-11-20T09:00:00Z"
    agent.environments[1]["used_at"] = "2026-11-21T09:00:00Z"
    expect(visit().locator(f"select{FIELD}")).to_have_value("torch-2.5")


def test_a_broken_one_leads_to_its_repair(visit: Any) -> None:
    page = visit()
    way = page.get_by_role("link", name="It is broken")
    expect(page.locator(f"select{FIELD}")).to_be_visible()
    expect(way).to_be_hidden()
    page.locator(FIELD).select_option("old-one")
    expect(way).to_be_visible()


def test_what_a_link_names_stays_and_is_said_not_to_be_there(visit: Any) -> None:
    page = visit("notebooks/new?environment=gone")
    choice = page.locator(f"select{FIELD}")
    expect(choice).to_have_value("gone")
    expect(choice.locator("option:checked")).to_have_text("gone (not there)")


def test_without_one_there_is_a_way_to_make_it(visit: Any, agent: FakeAgent) -> None:
    agent.environments.clear()
    page = visit()
    expect(page.get_by_role("link", name="Make your environment")).to_be_visible()
    expect(page.locator(f"input{FIELD}")).to_be_visible()


def test_without_an_agent_its_name_is_typed(open_page: OpenPage) -> None:
    page = open_page("notebooks/new", before=no_agent)
    page.locator(f"input{FIELD}").fill("mine")
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_role("button", name="Save without starting").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("plain")
    expect(page.locator("main")).to_contain_text("mine")


def test_the_choice_is_what_is_kept(visit: Any) -> None:
    page = visit()
    page.locator(f"select{FIELD}").select_option("torch-2.5")
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_role("button", name="Save without starting").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("plain")
    expect(page.locator("main")).to_contain_text("torch-2.5")
