"""What a page cannot do now is said in it, with the number that the log has."""

import logging
import re

import pytest

from handlers.failures import HubUnavailable
from tests.adapters.handlers.browser import Browser
from tests.adapters.handlers.conftest import Client
from tests.fakes.notebooks import CHOICES
from tests.fakes.site import FakeSite

AWAY = HubUnavailable("The hub does not answer right now.")
NUMBER = re.compile("Request number[^<]*<code>([0-9a-f-]{36})</code>")
FORM = {
    "name": "trial",
    "tenant": "vision",
    "queue": "jupyter",
    "cpus": "2",
    "memory_gb": "8",
    "gpus": "0",
    "lifetime_h": "4",
    "ui": "lab",
}


@pytest.mark.parametrize("where", ["notebooks/1/start", "notebooks/new"])
async def test_a_hub_that_is_away_is_said_with_the_number_that_the_log_has(
    browser: Browser, site: FakeSite, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    site.notebooks.store.create("mia", CHOICES, 1.0)
    site.notebooks.hub.down = AWAY
    xsrf = (await browser.log_in("mia")).xsrf
    with caplog.at_level(logging.WARNING):
        shown = await browser.send(where, {**FORM, "_xsrf": xsrf, "then": "start"})
    assert shown.status == 503
    assert "The hub does not answer" in shown.main
    assert "give the operators the request number" in shown.main
    found = NUMBER.search(shown.main)
    assert found is not None, shown.main
    assert any(found[1] in record.getMessage() for record in caplog.records)


async def test_what_the_person_can_put_right_bears_no_number(
    browser: Browser, site: FakeSite
) -> None:
    xsrf = (await browser.log_in("mia")).xsrf
    wrong = {**FORM, "_xsrf": xsrf, "cpus": "x", "then": "keep"}
    shown = await browser.send("notebooks/new", wrong)
    assert shown.status == 400
    assert NUMBER.search(shown.main) is None
    assert site.notebooks.store.notebooks == {}


async def test_the_interface_says_it_in_its_own_field(
    ask: Client, site: FakeSite
) -> None:
    site.notebooks.store.create("mia", CHOICES, 1.0)
    site.notebooks.hub.down = AWAY
    answer = await ask("api/v1/notebooks/1/start", "mia", "POST")
    assert answer.json["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"


async def test_git_push_is_chosen_in_the_form_and_by_no_link(
    browser: Browser, site: FakeSite
) -> None:
    xsrf = (await browser.log_in("mia")).xsrf
    ticked = re.compile(r'name="may_push" value="yes" checked')
    address = "https://git.example.org/a/b.git"
    link = f"notebooks/new?tenant=vision&repository={address}&may_push=yes"
    assert not ticked.search((await browser.open(link)).text)
    form = {**FORM, "_xsrf": xsrf, "then": "keep", "may_push": "yes"}
    refused = await browser.send("notebooks/new", form)
    assert refused.status == 400
    assert ticked.search(refused.text)
    assert 'id="fault-may_push"' in refused.text
    await browser.send("notebooks/new", {**form, "repository": address})
    [made] = site.notebooks.store.notebooks.values()
    assert made.choices.may_push
    assert (
        "git push with your token" in (await browser.open(f"notebooks/{made.id}")).text
    )
    assert ticked.search((await browser.open(f"notebooks/{made.id}/edit")).text)
    copy = f"notebooks/new?copy_of={made.id}"
    assert ticked.search((await browser.open(copy)).text)
    another = f"{copy}&repository=https://git.example.org/other.git"
    assert not ticked.search((await browser.open(another)).text)
