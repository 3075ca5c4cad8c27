"""Logging in through the hub, staying logged in, and proving that a form is ours."""

import asyncio
import re

import pytest

from handlers.service import Folders
from kqi_hub.domain.preferences import Preferences, Theme
from tests.adapters.handlers.browser import Browser, browsing
from tests.adapters.handlers.conftest import Client
from tests.fakes.hub import READ
from tests.fakes.site import FakeSite, serving

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


async def test_a_browser_is_led_through_the_login_to_the_page_it_wanted(
    browser: Browser,
) -> None:
    await browser.session.get(f"{browser.site.origin}/hub/login?as=mia")
    shown = await browser.open("api?tenant=vision")
    assert shown.status == 200
    assert shown.url.endswith("/services/portal/api?tenant=vision")
    assert "mia" in shown.text


async def test_who_is_not_logged_in_lands_at_the_hubs_login(browser: Browser) -> None:
    shown = await browser.open()
    assert "/hub/login?next=" in shown.url


@pytest.mark.parametrize("scheme", ["token", "Bearer", "bearer"])
async def test_a_token_is_taken_in_either_spelling(ask: Client, scheme: str) -> None:
    token = ask.site.hub.token("mia")
    answer = await ask("api/v1/whoami", Authorization=f"{scheme} {token}")
    assert answer.json["name"] == "mia"


@pytest.mark.parametrize(
    "header", ["token", "token x", "Basic bWlhOng=", "Bearer ", "token ' OR 1=1"]
)
async def test_a_wrong_token_is_nobodys(ask: Client, header: str) -> None:
    answer = await ask("api/v1/whoami", Authorization=header)
    assert (answer.status, answer.json["code"]) == (401, "not-logged-in")


async def test_a_token_in_the_address_is_not_taken(ask: Client) -> None:
    token = ask.site.hub.token("mia")
    assert (await ask(f"api/v1/whoami?token={token}")).status == 401


async def test_a_token_says_what_it_was_given_for(ask: Client) -> None:
    token = ask.site.hub.token("mia", READ)
    answer = await ask("api/v1/whoami", Authorization=f"token {token}")
    assert answer.json["scopes"] == [READ]


async def test_a_token_of_a_service_is_no_person(ask: Client) -> None:
    token = ask.site.hub.token("culler", kind="service")
    answer = await ask("api/v1/whoami", Authorization=f"token {token}")
    assert answer.status == 403
    assert "belongs to a service" in answer.json["detail"]


async def test_who_is_not_of_the_portals_group_is_told_so(ask: Client) -> None:
    answer = await ask("api/v1/whoami", "stranger")
    assert answer.status == 403
    assert "kqi-users" in answer.json["hint"]


async def test_the_hub_is_asked_once_for_many_requests(ask: Client) -> None:
    await ask("api/v1/whoami", "mia")
    before = ask.site.hub.questions
    await asyncio.gather(*(ask("api/v1/whoami", "mia") for _ in range(20)))
    assert ask.site.hub.questions == before
    assert ask.site.associations.readings == 1


async def test_a_login_that_took_too_long_can_be_begun_again(browser: Browser) -> None:
    shown = await browser.open("oauth_callback?code=old&state=old")
    assert shown.status == 400
    assert "The login was not finished" in shown.text
    assert 'href="/services/portal/"' in shown.text


async def test_a_login_cannot_be_led_to_another_site(browser: Browser) -> None:
    await browser.session.get(f"{browser.site.origin}/hub/login?as=mia")
    shown = await browser.open("/evil.example/")
    assert shown.url.startswith(browser.site.origin)


async def token_of(browser: Browser, person: str = "mia") -> str:
    """Log in and return the token of the page."""
    token = (await browser.log_in(person)).xsrf
    assert token
    return token


async def test_a_form_of_our_own_page_is_accepted_and_its_result_said(
    browser: Browser,
) -> None:
    fields = {"_xsrf": await token_of(browser), "theme": "dark", "back": "api"}
    shown = await browser.send("choices", fields)
    assert shown.url.endswith("/services/portal/api")
    assert 'data-bs-theme="dark"' in shown.text
    assert "Your choice is saved." in shown.text
    assert browser.site.preferences.held["mia"] == Preferences(theme=Theme.DARK)
    assert "Your choice is saved." not in (await browser.open("api")).text


@pytest.mark.parametrize("token", ["", "wrong", "2|1:0|10:1|5:_xsrf|4:eA==|f00"])
async def test_a_form_without_the_pages_proof_changes_nothing(
    browser: Browser, token: str
) -> None:
    await token_of(browser)
    shown = await browser.send("choices", {"_xsrf": token, "theme": "dark"})
    assert shown.status == 403
    assert browser.site.preferences.held == {}


async def test_another_persons_proof_is_not_taken(
    browser: Browser, site: FakeSite
) -> None:
    await token_of(browser)
    async with browsing(site) as other:
        stolen = await token_of(other, "max")
    shown = await browser.send("choices", {"_xsrf": stolen, "theme": "dark"})
    assert shown.status == 403


async def test_what_was_typed_before_a_new_login_is_kept_and_sent_again(
    browser: Browser,
) -> None:
    old = await token_of(browser)
    await token_of(browser)
    fields = {"_xsrf": old, "theme": "dark", "back": "api"}
    refused = await browser.send("choices", fields)
    assert refused.status == 403
    assert "Nothing was changed." in refused.text
    kept = dict(re.findall(r'name="(theme|back)" value="([^"]*)"', refused.main))
    assert kept == {"theme": "dark", "back": "api"}
    shown = await browser.send("choices", {**kept, "_xsrf": refused.xsrf})
    assert shown.url.endswith("/api")
    assert browser.site.preferences.held["mia"].theme is Theme.DARK


async def test_a_form_sent_after_the_login_ended_is_kept(browser: Browser) -> None:
    token = await token_of(browser)
    browser.session.cookie_jar.clear()
    shown = await browser.send("choices", {"_xsrf": token, "theme": "dark"})
    assert shown.status == 401
    assert 'name="theme" value="dark"' in shown.main
    assert "Log in first, in a new tab" in shown.text


@pytest.mark.parametrize("site_of_form", ["cross-site", "same-site", "none"])
async def test_another_sites_form_is_not_offered_for_sending_again(
    browser: Browser, site_of_form: str
) -> None:
    await token_of(browser)
    shown = await browser.send(
        "choices", {"theme": "dark"}, Sec_Fetch_Site=site_of_form
    )
    assert shown.status == 403
    assert 'name="theme" value="dark"' not in shown.main


async def test_a_token_needs_no_proof_of_a_page(ask: Client) -> None:
    answer = await ask("choices", "mia", "POST", b"theme=dark", **FORM)
    assert answer.status == 303


async def test_a_script_of_a_notebook_cannot_read_with_the_persons_cookies(
    browser: Browser,
) -> None:
    """Notebook servers share the origin: their scripts' requests look like ours."""
    await browser.log_in("mia")
    for mode in ("cors", "same-origin", "no-cors"):
        shown = await browser.script("api/v1/whoami", Sec_Fetch_Mode=mode)
        assert shown.status in {401, 403}
        page = await browser.script("", Accept="text/html", Sec_Fetch_Mode=mode)
        assert not page.xsrf or page.status != 200


async def test_a_script_of_our_own_page_reads_with_the_pages_proof(
    browser: Browser,
) -> None:
    token = await token_of(browser)
    shown = await browser.script("api/v1/whoami", X_XSRFToken=token)
    assert shown.status == 200


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(
    browser: Browser,
) -> None:
    await browser.send("choices", {"_xsrf": await token_of(browser), "language": "ja"})
    cookies = browser.cookies()
    for name in ("service-portal", "_xsrf", "kqi-tenant"):
        attributes = cookies[name].lower()
        assert "httponly" in attributes, name
        assert "path=/services/portal/" in attributes
        assert "samesite=lax" in attributes
    assert "HttpOnly" not in cookies["kqi-language"]


async def test_cookies_are_for_encrypted_connections_where_the_site_has_them(
    folders: Folders,
) -> None:
    async with serving(FakeSite(folders=folders, is_secure=True)) as site:
        site.preferences.held["mia"] = Preferences("ja", Theme.DARK)
        answer = await Client(site)("?tenant=vision", "mia")
    assert len(answer.cookies) == 4
    assert all("Secure" in cookie for cookie in answer.cookies)
