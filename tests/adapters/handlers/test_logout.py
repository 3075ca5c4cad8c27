"""Logging out: what runs is left or stopped as the person says, and only theirs."""

import pytest

from handlers.failures import HubUnavailable
from kqi_hub.domain.notebooks import Cause, Session
from tests.adapters.handlers.browser import Browser
from tests.adapters.handlers.conftest import Client
from tests.fakes.notebooks import CHOICES
from tests.fakes.site import FakeSite


def running(site: FakeSite, person: str, number: int) -> Session:
    made = site.notebooks.store.create(person, CHOICES, 1.0)
    return site.notebooks.run(made.id, number)


async def leave(browser: Browser, notebooks: str) -> str:
    """Log out with a choice; return where that led to."""
    asked = await browser.open("logout")
    assert "What shall become of them?" in asked.main
    fields = {"_xsrf": asked.xsrf, "notebooks": notebooks}
    return (await browser.send("logout", fields)).url


async def test_what_is_left_running_runs_after_the_logout(
    browser: Browser, site: FakeSite, ask: Client
) -> None:
    mine = running(site, "mia", 101)
    await browser.log_in("mia")
    before = await ask("api/v1/notebooks/1", "mia")
    assert (await leave(browser, "leave")).endswith("/hub/logout")
    [live] = site.notebooks.sessions.live("mia")
    assert (live, live.stopping) == (mine, None)
    assert site.notebooks.hub.asked == []
    after = await ask("api/v1/notebooks/1", "mia")
    assert after.json["status"] == before.json["status"] == "running"


async def test_what_is_left_running_is_there_at_the_next_login(
    browser: Browser, site: FakeSite
) -> None:
    running(site, "mia", 101)
    await browser.log_in("mia")
    await leave(browser, "leave")
    await browser.log_in("mia")
    shown = (await browser.open("notebooks/1")).main
    assert "Running" in shown
    assert 'id="open-lab"' in shown
    assert "What shall become of them?" in (await browser.open("logout")).main


async def test_stop_all_stops_ones_own_alone(browser: Browser, site: FakeSite) -> None:
    running(site, "mia", 101)
    others = running(site, "max", 102)
    await browser.log_in("mia")
    assert (await leave(browser, "stop")).endswith("/hub/logout")
    [live] = site.notebooks.sessions.live("mia")
    assert live.stopping is Cause.STOPPED
    assert site.notebooks.sessions.live("max") == (others,)
    assert site.notebooks.hub.asked == [("stop", "mia", "nb-1")]


@pytest.mark.parametrize("said", ["", "STOP", "leave\n", "stop,leave"])
async def test_another_word_stops_nothing_and_logs_nobody_out(
    browser: Browser, site: FakeSite, said: str
) -> None:
    running(site, "mia", 101)
    await browser.log_in("mia")
    asked = await browser.open("logout")
    fields = {"_xsrf": asked.xsrf, "notebooks": said}
    refused = await browser.send("logout", fields)
    assert refused.status == 400
    assert site.notebooks.hub.asked == []
    assert "Running" in (await browser.open("notebooks/1")).main


async def test_a_hub_that_is_away_keeps_the_wish_and_the_person_gets_out(
    browser: Browser, site: FakeSite
) -> None:
    running(site, "mia", 101)
    await browser.log_in("mia")
    site.notebooks.hub.down = HubUnavailable("The hub does not answer right now.")
    assert (await leave(browser, "stop")).endswith("/hub/logout")
    [live] = site.notebooks.sessions.live("mia")
    assert live.stopping is Cause.STOPPED  # the keeper asks the hub again
