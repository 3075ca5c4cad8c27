"""Operators' pages and routes of rates: shown first, then published, then audited."""

import html
import re
from urllib.parse import urlencode

import pytest

from handlers.service import Folders
from kqi_hub.sdk.client import Client as Portal
from kqi_hub.sdk.errors import Refused
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite, serving_beside

API = "api/v1/rates"
PAGE = "usage/rates"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
CARD = (
    'from = 2190-01-01\n[[rate]]\nqueue = "a100"\nper_gpu = "90.5"\nwhole_node = true\n'
)


@pytest.fixture
def cards(site: FakeSite) -> FakeSite:
    site.rates.furnish()
    return site


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return html.unescape(found[1])


async def test_the_list_says_what_counts_and_what_can_be_withdrawn(
    ask: Client, cards: FakeSite
) -> None:
    page = (await ask(PAGE, "rita", Accept="text/html")).text
    assert "Counts now" in page
    assert "To come" in page
    assert "as decided" in page
    assert "JPY" in page or "¥" in page
    assert page.count("/withdraw") == 1
    cards.rates.store.published.clear()
    bare = (await ask(PAGE, "rita", Accept="text/html")).text
    assert "No card of rates" in bare


async def test_a_card_is_shown_then_published_from_the_page_itself(
    ask: Client, cards: FakeSite
) -> None:
    sent = urlencode({"document": CARD.replace("\n", "\r\n"), "note": "<b>why</b>"})
    page = await ask(f"{PAGE}/new", "rita", "POST", sent.encode(), **FORM)
    assert page.status == 200
    assert "<b>why</b>" not in page.text
    assert "no rate" in page.text
    assert len(cards.rates.store.published) == 2
    names = ("document", "note", "confirmation")
    confirmed = {name: hidden(page.text, name) for name in names}
    # What a browser makes of ends of lines.
    confirmed["document"] = confirmed["document"].replace("\n", "\r\n")
    body = urlencode(confirmed).encode()
    done = await ask(PAGE, "rita", "POST", body, **FORM)
    assert done.status == 303
    known = cards.rates.store.published[-1]
    assert (known.author, known.note) == ("rita", "<b>why</b>")
    assert [event.action for event in cards.rates.audit.events] == ["rates-published"]
    again = await ask(PAGE, "rita", "POST", body, **FORM)
    assert again.status == 409
    assert len(cards.rates.store.published) == 3


async def test_every_fault_is_beside_what_was_typed(
    ask: Client, cards: FakeSite
) -> None:
    wrong = 'from = 2190-01-01\n[[rate]]\nqueue = "<i>"\nper_gpu = 0.5\n'
    sent = urlencode({"document": wrong}).encode()
    page = await ask(f"{PAGE}/new", "rita", "POST", sent, **FORM)
    assert page.status == 400
    assert "rate[1].queue" in page.text
    assert "rate[1].per_gpu" in page.text
    assert "<i>" not in page.text
    assert "&lt;i&gt;" in page.text


async def test_a_new_card_begins_like_one_that_there_is(
    ask: Client, cards: FakeSite
) -> None:
    page = await ask(f"{PAGE}/new?like=1", "rita", Accept="text/html")
    assert "per_cpu = &#34;1.5&#34;" in page.text
    assert (await ask(f"{PAGE}/new?like=9", "rita")).status == 404
    assert (await ask(f"{PAGE}/new?like=x", "rita")).status == 400


async def test_programs_do_the_same(ask: Client, cards: FakeSite) -> None:
    listed = (await ask(API, "rita")).json["cards"]
    assert [(one["version"], one["state"]) for one in listed] == [
        (2, "to-come"),
        (1, "counts"),
    ]
    assert "per_cpu" in (await ask(f"{API}/1", "rita")).json["document"]
    shown = (await ask(f"{API}-preview", "rita", "POST", {"document": CARD})).json
    assert (shown["rates_changed"], shown["is_real"]) == (2, False)
    body = {"document": CARD, "confirmation": "nothing"}
    assert (await ask(API, "rita", "POST", body)).status == 409
    body["confirmation"] = shown["confirmation"]
    done = await ask(API, "rita", "POST", body)
    assert (done.status, done.json) == (201, {"version": 3})
    assert (await ask(f"{API}/3/withdraw", "rita", "POST")).status == 204
    assert (await ask(f"{API}/1/withdraw", "rita", "POST")).status == 409
    assert (await ask(f"{API}/7/withdraw", "rita", "POST")).status == 404
    assert (
        await ask(f"{API}-preview", "rita", "POST", {"document": "x"})
    ).status == 400


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/new", API, f"{API}/1"])
async def test_nobody_else_sees_rates_of_all_tenants(
    ask: Client, cards: FakeSite, path: str
) -> None:
    assert (await ask(path, "max")).status == 403


def test_the_sdk_does_the_same(folders: Folders) -> None:
    offered = FakeSite(folders=folders)
    offered.rates.furnish()
    with serving_beside(offered) as site:
        with Portal(f"{site.origin}/", site.hub.token("rita")) as portal:
            listed = portal.rate_cards()
            assert [(one.version, one.state) for one in listed] == [
                (2, "to-come"),
                (1, "counts"),
            ]
            assert "per_cpu" in portal.rate_card(1).document
            seen = portal.preview_rates(CARD)
            assert (seen.rates_changed, seen.is_real) == (2, False)
            with pytest.raises(Refused, match="not what was shown"):
                portal.publish_rates(CARD, "nothing")
            assert portal.publish_rates(CARD, seen.confirmation, "as decided") == 3
            assert portal.rate_cards()[0].note == "as decided"
            portal.withdraw_rates(3)
            assert portal.rate_cards()[0].state == "withdrawn"
        others = Portal(f"{site.origin}/", site.hub.token("max"))
        with others as portal, pytest.raises(Refused):
            portal.rate_cards()
