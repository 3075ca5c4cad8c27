"""The terms of use: nobody gets past them, and nobody is kept from reading them."""

import re
from collections.abc import AsyncIterator

import pytest

from handlers.own_page import own_page
from handlers.service import Folders
from kqi_hub.domain.terms import Terms
from tests.adapters.handlers.browser import Browser, browsing
from tests.adapters.handlers.conftest import Client
from tests.fakes.account import TERMS, FakeAccount
from tests.fakes.site import PEOPLE, FakeSite, serving

API = "api/v1/"


@pytest.fixture
async def site(folders: Folders) -> AsyncIterator[FakeSite]:
    """Serve a site whose terms nobody has accepted yet."""
    account = FakeAccount(PEOPLE)
    account.terms.held.clear()
    async with serving(FakeSite(folders=folders, account=account)) as served:
        yield served


async def accept(browser: Browser, path: str = "terms", **fields: str) -> str:
    shown = await browser.open(path)
    found = dict(re.findall(r'name="(version|next)" value="([^"]*)"', shown.main))
    sent = {"_xsrf": shown.xsrf, "agree": "yes", **found, **fields}
    return (await browser.send("terms", sent)).url


@pytest.mark.parametrize(
    "page", ["", "me", "me/tokens", "api", "?tenant=vision", "me/credentials/ngc"]
)
async def test_every_page_leads_to_the_terms_and_they_lead_back(
    browser: Browser, page: str
) -> None:
    await browser.log_in("mia")
    shown = await browser.open(page)
    assert shown.url.startswith(browser.site.url("terms?next="))
    assert "I have read the terms of use" in shown.main
    way = shown.url.removeprefix(browser.site.url())
    assert await accept(browser, way) == browser.site.url(page)
    assert (await browser.open("me")).url == browser.site.url("me")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "tenants", None),
        ("GET", "me", None),
        ("GET", "me/tokens", None),
        ("PUT", "me/preferences", {}),
        ("POST", "me/password", {"old": "right", "new": "better"}),
        ("GET", "tenants/vision", None),
    ],
)
async def test_the_api_says_what_is_missing_and_what_to_do(
    ask: Client, method: str, path: str, body: object
) -> None:
    answer = await ask(API + path, "mia", method, body)
    assert (answer.status, answer.json["code"]) == (403, "terms-not-accepted")
    assert "kqi terms" in answer.json["hint"]
    assert ask.site.account.desk.directory.accounts["mia"].password == "right"


async def test_what_is_needed_before_works_before(ask: Client) -> None:
    assert (await ask(f"{API}whoami", "mia")).status == 200
    assert (await ask(f"{API}version")).status == 200
    assert (await ask("healthz")).status == 200
    assert (await ask(f"{API}openapi.json")).status == 200
    terms = (await ask(f"{API}terms", "mia")).json
    text = TERMS.text.strip()
    assert terms == {"version": "2026-11", "text": text, "accepted_at": None}


async def test_a_language_can_be_chosen_to_read_them_in(browser: Browser) -> None:
    await browser.log_in("mia")
    shown = await browser.open("terms")
    fields = {"_xsrf": shown.xsrf, "language": "ko", "back": "terms"}
    assert 'lang="ko"' in (await browser.send("choices", fields)).text


async def test_accepting_over_the_api_opens_everything_and_is_recorded(
    ask: Client,
) -> None:
    wrong = await ask(f"{API}me/terms", "mia", "POST", {"version": "2020-01"})
    assert (wrong.status, wrong.json["code"]) == (409, "conflict")
    body = {"version": "2026-11"}
    header = {"X_Forwarded_For": "198.51.100.4"}
    done = await ask(f"{API}me/terms", "mia", "POST", body, **header)
    assert done.json["accepted_at"] is not None
    assert (await ask(f"{API}me", "mia")).status == 200
    assert (await ask(f"{API}me", "max")).status == 403
    [acceptance] = ask.site.account.terms.held
    assert (acceptance.person, acceptance.version) == ("mia", "2026-11")
    assert acceptance.address == "198.51.100.4"
    [event] = ask.site.account.desk.audit.events
    assert (event.action, event.target) == ("terms-accepted", "2026-11")


async def test_a_token_that_may_only_look_accepts_nothing(ask: Client) -> None:
    ask.tokens["mia"] = ask.site.hub.token("mia", "custom:kqi:read")
    body = {"version": "2026-11"}
    assert (await ask(f"{API}me/terms", "mia", "POST", body)).status == 403
    assert ask.site.account.terms.held == []


async def test_who_has_accepted_is_not_looked_up_again(ask: Client) -> None:
    await ask(f"{API}me/terms", "mia", "POST", {"version": "2026-11"})
    ask.site.account.terms.questions = 0
    for _ in range(5):
        await ask(f"{API}tenants", "mia")
    assert ask.site.account.terms.questions == 0


async def test_new_terms_ask_again_after_the_restart_that_brings_them(
    site: FakeSite, ask: Client
) -> None:
    await ask(f"{API}me/terms", "mia", "POST", {"version": "2026-11"})
    site.account.terms_in_force = Terms("2027-01", "More rules.")
    again = FakeSite(folders=site.folders, account=site.account)
    async with serving(again):
        newer = Client(again)
        assert (await newer(f"{API}tenants", "mia")).status == 403
        await newer(f"{API}me/terms", "mia", "POST", {"version": "2027-01"})
        assert (await newer(f"{API}tenants", "mia")).status == 200


async def test_a_form_sent_before_accepting_does_nothing(browser: Browser) -> None:
    await browser.log_in("mia")
    shown = await browser.open("terms")
    fields = {"_xsrf": shown.xsrf, "name": "laptop", "key": "ssh-ed25519 AAAA"}
    done = await browser.send("me/ssh-keys", fields)
    assert done.url == browser.site.url("terms")
    assert browser.site.account.keys.held == {}


@pytest.mark.parametrize("fields", [{"agree": ""}, {"agree": "no"}, {"version": "0"}])
async def test_nothing_is_accepted_without_the_tick_or_of_another_version(
    browser: Browser, fields: dict[str, str]
) -> None:
    await browser.log_in("mia")
    assert await accept(browser, **fields) == browser.site.url("terms")
    assert browser.site.account.terms.held == []


async def test_declining_is_logging_out(browser: Browser) -> None:
    await browser.log_in("mia")
    assert 'href="/hub/logout"' in (await browser.open("terms")).main


async def test_the_text_is_text_whatever_is_in_it(browser: Browser) -> None:
    browser.site.account.terms_in_force = TERMS
    await browser.log_in("mia")
    main = (await browser.open("terms")).main
    assert "<h2>Rules</h2>" in main
    assert "<li>No &lt;b&gt;</li>" in main


async def test_a_site_without_terms_asks_nobody(folders: Folders) -> None:
    account = FakeAccount(PEOPLE, terms_in_force=None)
    async with serving(FakeSite(folders=folders, account=account)) as site:
        ask = Client(site)
        assert (await ask("", "mia")).status == 200
        assert (await ask("me", "mia")).status == 200
        assert (await ask(f"{API}terms", "mia")).status == 404
        assert (await ask("terms", "mia")).status == 404


@pytest.mark.parametrize(
    "sent",
    [
        "//evil.example",
        "/evil",
        "https://evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "../hub/logout",
        "me/../../hub",
        "me\r\nSet-Cookie: a=b",
        "a" * 600,
        "\uff2d\uff25",
    ],
)
async def test_no_way_back_leads_to_another_site(browser: Browser, sent: str) -> None:
    assert own_page(sent) == ""
    await browser.log_in("mia")
    assert await accept(browser, next=sent) == browser.site.url()


@pytest.mark.parametrize("sent", ["", "me", "me/tokens", "?tenant=a&b=%2F", "api"])
def test_our_own_pages_are_ways_back(sent: str) -> None:
    assert own_page(sent) == sent


async def test_the_login_leads_to_the_terms_before_the_first_page(
    site: FakeSite,
) -> None:
    async with browsing(site) as fresh:
        assert "terms" in (await fresh.log_in("max")).url
