"""Pages: what is shown to whom, in which tenant and language, and what is kept."""

import re

import pytest

from handlers.service import Folders
from kqi_hub.domain.preferences import Preferences, Theme
from tests.adapters.handlers.browser import Browser
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite, serving


def main_of(text: str) -> str:
    return text.partition("<main")[2].partition("</main>")[0]


def shown_tenant(text: str) -> str:
    [tenant] = re.findall(r'class="who-tenant">([^<]*)<', text)
    return str(tenant)


async def test_the_first_page_says_who_one_is_and_where(ask: Client) -> None:
    main = main_of((await ask("", "max")).text)
    assert "Welcome, max" in main
    assert "vision" in main
    assert "manager" in main


async def test_who_has_no_tenant_is_told_what_to_do(ask: Client) -> None:
    assert "You belong to no tenant yet" in main_of((await ask("", "rita")).text)


async def test_pages_open_with_the_first_tenant_at_first(ask: Client) -> None:
    assert shown_tenant((await ask("", "mia")).text) == "nlp"


async def test_a_deep_link_carries_its_tenant_and_the_choice_is_kept(
    browser: Browser,
) -> None:
    await browser.log_in("mia")
    assert shown_tenant((await browser.open("?tenant=vision")).text) == "vision"
    assert shown_tenant((await browser.open("api")).text) == "vision"
    assert shown_tenant((await browser.open("?tenant=nlp")).text) == "nlp"


async def test_the_usual_tenant_is_opened_where_none_was_looked_at(
    ask: Client,
) -> None:
    ask.site.preferences.held["mia"] = Preferences(default_tenant="vision")
    assert shown_tenant((await ask("", "mia")).text) == "vision"


@pytest.mark.parametrize("kept", ["gone", "vision; x", "../..", "\u00e9"])
async def test_a_kept_tenant_that_is_not_theirs_is_forgotten(
    ask: Client, kept: str
) -> None:
    cookie = f"kqi-tenant={kept}".encode().decode("latin-1")
    assert shown_tenant((await ask("", "mallory", Cookie=cookie)).text) == "nlp"


async def test_operators_see_every_tenant_that_there_is(ask: Client) -> None:
    assert shown_tenant((await ask("?tenant=empty", "rita")).text) == "empty"
    assert (await ask("?tenant=none", "rita")).status == 404
    assert (await ask("api/v1/tenants/empty", "rita")).json["role"] is None


async def test_every_link_of_the_navigation_carries_the_tenant(ask: Client) -> None:
    side = (await ask("?tenant=vision", "mia")).text.partition('id="side"')[2]
    links = re.findall(r'<a href="([^"]*)"', side.partition("</nav>")[0])
    assert links
    assert all(link.endswith("?tenant=vision") for link in links)


async def test_the_first_page_has_a_card_of_each_page_that_the_person_may_open(
    ask: Client,
) -> None:
    cards = {}
    for person in ("mia", "rita"):
        text = (await ask("?tenant=vision", person)).text
        side = text.partition('id="side"')[2].partition("</nav>")[0]
        found = re.findall(r'class="panel card-link" href="([^"]*)"', main_of(text))
        # The first of all is the page that the cards are on.
        assert found == re.findall(r'<a href="([^"]*)"', side)[1:]
        cards[person] = [way.partition("/services/portal/")[2] for way in found]
        for way in cards[person]:
            assert (await ask(way, person)).status == 200, way
    assert "training?tenant=vision" in cards["mia"]
    assert set(cards["rita"]) - set(cards["mia"]) == {"design?tenant=vision"}


async def test_navigation_offers_what_the_person_may_open(ask: Client) -> None:
    for person, offers in {"mia": False, "rita": True}.items():
        side = (await ask("", person)).text.partition('id="side"')[2]
        assert ("/design" in side.partition("</nav>")[0]) is offers


@pytest.mark.parametrize(
    ("chosen", "cookie", "header", "shown"),
    [
        (None, "", "", "en"),
        (None, "", "ko-KR,ja;q=0.8", "ko"),
        (None, "", "fr-FR", "en"),
        (None, "kqi-language=ja", "ko", "ja"),
        ("ko", "kqi-language=ja", "en", "ko"),
        (None, "kqi-language=xx-nonsense", "ja", "ja"),
        (None, "kqi-language=" + "x" * 4000, "ja;q=nonsense", "en"),
    ],
)
async def test_the_persons_language_goes_before_the_browsers(
    ask: Client, chosen: str | None, cookie: str, header: str, shown: str
) -> None:
    ask.site.preferences.held["mia"] = Preferences(language=chosen)
    answer = await ask("", "mia", Cookie=cookie, Accept_Language=header)
    assert f'<html lang="{shown}"' in answer.text
    assert answer.headers["Content-Language"] == shown


@pytest.mark.parametrize(
    ("chosen", "cookie", "colours"),
    [
        (None, "", ("light", "system")),
        (None, "kqi-theme=dark", ("dark", "dark")),
        (Theme.LIGHT, "kqi-theme=dark", ("light", "light")),
        (None, 'kqi-theme="><script>', ("light", "system")),
    ],
)
async def test_colours_are_written_by_the_server_so_that_nothing_flashes(
    ask: Client, chosen: Theme | None, cookie: str, colours: tuple[str, str]
) -> None:
    ask.site.preferences.held["mia"] = Preferences(theme=chosen)
    text = (await ask("", "mia", Cookie=cookie)).text
    assert f'data-bs-theme="{colours[0]}" data-theme="{colours[1]}"' in text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "../../user/mallory", "a\r\nb"]
)
async def test_a_choice_leads_back_to_pages_of_the_portal_only(
    ask: Client, back: str
) -> None:
    body = f"theme=dark&back={back}".encode()
    form = "application/x-www-form-urlencoded"
    answer = await ask("choices", "mia", "POST", body, Content_Type=form)
    assert answer.status == 303
    assert answer.headers["Location"] == "/services/portal/"


async def test_choices_are_replaced_as_a_whole_by_the_api(ask: Client) -> None:
    path = "api/v1/me/preferences"
    await ask(path, "mia", "PUT", {"theme": "dark", "default_tenant": "vision"})
    answer = await ask(path, "mia", "PUT", {"language": "ko"})
    nothing = {"theme": None, "default_tenant": None, "opens_history": None}
    assert answer.json == {"language": "ko", **nothing}
    assert (await ask(path, "mia")).json == answer.json
    assert (await ask(path, "max")).json == {"language": None, **nothing}


@pytest.mark.parametrize(
    "name", ['<script>alert("x")</script>', "{{ 7 * 7 }}", "大学 & Co. 'GPU'"]
)
async def test_the_sites_name_is_shown_as_text(folders: Folders, name: str) -> None:
    async with serving(FakeSite(folders=folders, name=name)) as site:
        text = (await Client(site)("", "mia")).text
    assert "<script>alert" not in text
    assert "49" not in text.partition("</title>")[0]
    assert name not in text or "<" not in name


async def test_the_head_of_a_page_is_answered_without_the_page(ask: Client) -> None:
    answer = await ask("", "mia", "HEAD")
    assert (answer.status, answer.text) == (200, "")


async def test_every_page_says_where_to_turn_for_help(
    ask: Client, site: FakeSite
) -> None:
    for path, person in (("", "mia"), ("nothing/here", None)):
        foot = (await ask(path, person)).text.partition('<footer class="foot">')[2]
        link = f'<a href="mailto:{site.support}" rel="noopener">{site.support}</a>'
        assert link in foot
