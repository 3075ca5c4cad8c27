"""The account's pages with forms alone, as a browser without script uses them."""

import re

import pytest

from handlers.service import Folders
from kqi_hub.domain.credentials import Kind, Secret, Service, Use
from kqi_hub.domain.login import FactorMode
from kqi_hub.domain.preferences import Preferences, Theme
from tests.adapters.handlers.browser import Browser, Shown, browsing
from tests.fakes.account import FakeAccount, ed25519
from tests.fakes.hub import SCOPES
from tests.fakes.login import FakeDesk
from tests.fakes.site import PEOPLE, FakeSite, serving

TABS = ("", "/password", "/factor", "/ssh-keys", "/credentials", "/tokens")


@pytest.fixture
async def mia(browser: Browser) -> Browser:
    await browser.log_in("mia")
    return browser


async def fill(browser: Browser, page: str, action: str, **fields: str) -> Shown:
    """Open a page and send a form of it."""
    shown = await browser.open(page)
    return await browser.send(action, {"_xsrf": shown.xsrf, **fields})


def said(shown: Shown) -> str:
    """Return what the page says has just been done."""
    found = re.search(r'class="toast-line">.*?<p>(.*?)</p>', shown.text)
    return found[1] if found else ""


def fault(shown: Shown) -> str:
    found = re.search(r"<p><strong>(.*?)</strong></p>", shown.main)
    return found[1] if found else ""


@pytest.mark.parametrize("tab", TABS)
async def test_every_tab_says_where_one_is(mia: Browser, tab: str) -> None:
    shown = await mia.open(f"me{tab}")
    assert shown.status == 200
    here = re.findall(r'href="([^"]*)" aria-current="page"', shown.main)
    assert here == [f"/services/portal/me{tab}"]
    assert shown.text.count('aria-current="page"') == 2


async def test_the_profile_shows_the_directorys_words(mia: Browser) -> None:
    main = (await mia.open("me")).main
    for expected in ("Mia", "mia@example.org", "20002", "vision", "member"):
        assert expected in main


async def test_the_profile_works_while_the_directory_is_away(mia: Browser) -> None:
    mia.site.account.desk.directory.down = True
    shown = await mia.open("me")
    assert shown.status == 200
    assert "The directory does not answer right now" in shown.main
    done = await fill(mia, "me", "me", theme="dark")
    assert said(done) == "Your choices are saved."


async def test_choices_are_saved_and_may_be_taken_back(mia: Browser) -> None:
    chosen = {"language": "ja", "theme": "dark", "default_tenant": "vision"}
    done = await fill(mia, "me", "me", **chosen)
    assert 'lang="ja"' in done.text
    held = mia.site.preferences.held
    assert held["mia"] == Preferences("ja", Theme.DARK, "vision")
    await fill(mia, "me", "me", language="", theme="system", default_tenant="")
    assert held["mia"] == Preferences(None, Theme.SYSTEM, None)


@pytest.mark.parametrize(
    "wrong",
    [{"language": "xx"}, {"theme": "pink"}, {"default_tenant": "other"}],
    ids=str,
)
async def test_choices_that_there_are_not_are_refused(
    mia: Browser, wrong: dict[str, str]
) -> None:
    done = await fill(mia, "me", "me", **wrong)
    assert done.status == 400
    assert fault(done)
    assert mia.site.preferences.held == {}


async def test_a_password_is_changed(mia: Browser) -> None:
    words = {"old": "right", "new": " better ", "again": " better "}
    done = await fill(mia, "me/password", "me/password", **words)
    assert said(done) == "Your password is changed."
    assert mia.site.account.desk.directory.accounts["mia"].password == " better "


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("wrong", "better", "better"), "The present password is wrong."),
        (("right", "better", "other"), "The two new passwords differ."),
        (("right", "shrt", "shrt"), "The directory refuses the new password"),
    ],
)
async def test_a_password_that_is_not_changed_says_why_beside_the_form(
    mia: Browser, words: tuple[str, str, str], shown: str
) -> None:
    fields = dict(zip(("old", "new", "again"), words, strict=True))
    done = await fill(mia, "me/password", "me/password", **fields)
    assert done.status == 400
    assert shown in fault(done)
    assert not any(f'value="{word}"' in done.text for word in words)


@pytest.mark.parametrize("mode", [FactorMode.DIRECTORY, FactorMode.OFF])
async def test_where_others_ask_for_codes_nothing_is_set_up_here(
    folders: Folders, mode: FactorMode
) -> None:
    account = FakeAccount(PEOPLE, FakeDesk(mode))
    async with (
        serving(FakeSite(folders=folders, account=account)) as site,
        browsing(site) as mia,
    ):
        await mia.log_in("mia")
        shown = (await mia.open("me/factor")).main
        assert "not asked for here" in shown
        assert "<form" not in shown
        asks = 'name="code"' in (await mia.open("me/password")).main
        assert asks is (mode is FactorMode.DIRECTORY)


async def test_a_new_device_is_set_up_with_forms_alone(mia: Browser) -> None:
    desk = mia.site.account.desk
    desk.enrol("mia")
    begun = await fill(mia, "me/factor", "me/factor/begin", code=desk.code("mia"))
    assert "<svg" in begun.main
    [ticket] = re.findall(r'name="ticket" value="([^"]*)"', begun.main)
    new = desk.tickets.issued[ticket].secret
    assert f"data-key>{new}<" in begun.main
    wrong = {"_xsrf": begun.xsrf, "ticket": ticket, "code": "000"}
    again = await mia.send("me/factor/confirm", wrong)
    assert again.status == 400
    assert f"data-key>{new}<" in again.main
    code = desk.codes.at(new, int(desk.clock.now() // desk.codes.STEP_S))
    done = await mia.send("me/factor/confirm", {**wrong, "code": code})
    assert done.main.count("RECOVERY") == 10
    assert desk.factors.factors["mia"].secret == new
    assert done.headers["Cache-Control"] == "no-store"


async def test_an_old_ticket_leads_back_to_the_beginning(mia: Browser) -> None:
    mia.site.account.desk.enrol("mia")
    fields = {"ticket": "old", "code": "123456"}
    done = await fill(mia, "me/factor", "me/factor/confirm", **fields)
    assert done.status == 403
    assert "no longer valid" in fault(done)
    assert 'action="/services/portal/me/factor/begin"' in done.main


async def test_recovery_codes_are_renewed_and_shown_once(mia: Browser) -> None:
    desk = mia.site.account.desk
    desk.enrol("mia")
    action = "me/factor/recovery-codes"
    done = await fill(mia, "me/factor", action, renew_code=desk.code("mia"))
    codes = set(re.findall(r"RECOVERY\w+", done.main))
    assert codes == set(desk.factors.recovery["mia"])
    assert "RECOVERY" not in (await mia.open("me/factor")).text
    wrong = await fill(mia, "me/factor", action, renew_code="nonsense")
    assert wrong.status == 400
    assert wrong.main.index('id="renew"') < wrong.main.index("The code is wrong")


async def test_few_recovery_codes_are_warned_of(mia: Browser) -> None:
    desk = mia.site.account.desk
    desk.enrol("mia")
    assert "hardly any" not in (await mia.open("me/factor")).main
    del desk.factors.recovery["mia"][2:]
    assert "hardly any" in (await mia.open("me/factor")).main


async def test_a_key_is_added_and_removed(mia: Browser) -> None:
    key = ed25519(3)
    fields = {"name": "my <b>laptop</b>", "key": f"{key.line} me@laptop"}
    done = await fill(mia, "me/ssh-keys", "me/ssh-keys", **fields)
    assert said(done) == "The key my &lt;b&gt;laptop&lt;/b&gt; is added."
    assert key.fingerprint in done.main.replace("&#43;", "+")
    assert "<b>laptop" not in done.text
    [number] = re.findall(r"me/ssh-keys/(\d+)/remove", done.main)
    gone = await mia.send(f"me/ssh-keys/{number}/remove", {"_xsrf": done.xsrf})
    assert "is removed" in said(gone)
    assert "No SSH keys yet" in gone.main
    twice = await mia.send(f"me/ssh-keys/{number}/remove", {"_xsrf": done.xsrf})
    assert twice.status == 404


async def test_a_pasted_private_key_is_warned_of_and_not_shown_again(
    mia: Browser,
) -> None:
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1r\r\n-----END"
    fields = {"name": "laptop", "key": text}
    done = await fill(mia, "me/ssh-keys", "me/ssh-keys", **fields)
    assert done.status == 400
    assert "This is a private key" in fault(done)
    assert "b3BlbnNzaC1r" not in done.text
    assert 'value="laptop"' in done.main


async def test_fifty_keys_are_enough(mia: Browser) -> None:
    for number in range(50):
        mia.site.account.keys.add("mia", "k", ed25519(number), 1.0)
    shown = (await mia.open("me/ssh-keys")).main
    assert "as many as one may have" in shown
    assert 'name="key"' not in shown


async def test_a_credential_is_stored_replaced_and_removed(mia: Browser) -> None:
    page = "me/credentials/dockerhub"
    refused = await fill(mia, page, page, user_name="", value="secret-word")
    assert refused.status == 400
    assert "needs your user name" in fault(refused)
    assert "secret-word" not in refused.text
    done = await fill(mia, page, page, user_name="mia2", value="secret-word")
    assert said(done) == "What you entered for dockerhub is stored."
    assert "as mia2" in done.main
    shown = await mia.open(page)
    assert 'value="mia2"' in shown.main
    assert "secret-word" not in done.text + shown.text
    gone = await mia.send(f"{page}/remove", {"_xsrf": shown.xsrf})
    assert "is removed" in said(gone)
    assert mia.site.account.credentials.held == {}


async def test_pages_of_services_are_for_services_of_the_site(mia: Browser) -> None:
    assert (await mia.open("me/credentials/nowhere")).status == 404
    ngc = (await mia.open("me/credentials/ngc")).main
    assert 'name="user_name"' not in ngc
    assert 'type="password"' in ngc
    store = mia.site.account.credentials
    former = Service("gone", Use.GIT, Kind.GITEA, "https://gone.example.org")
    store.put("mia", former, Secret("", "x"), 1.0)
    page = await mia.open("me/credentials/gone")
    assert "no longer has this service" in page.main
    assert 'name="value"' not in page.main
    assert "gone" in (await mia.open("me/credentials")).main


async def test_a_site_without_services_says_so(folders: Folders) -> None:
    account = FakeAccount(PEOPLE, services=())
    async with (
        serving(FakeSite(folders=folders, account=account)) as site,
        browsing(site) as mia,
    ):
        await mia.log_in("mia")
        assert "No services here" in (await mia.open("me/credentials")).main


async def test_a_token_is_made_shown_once_and_revoked(mia: Browser) -> None:
    fields = {"note": "nightly", "reach": "write", "days": "30"}
    made = await fill(mia, "me/tokens", "me/tokens", **fields)
    assert made.status == 200
    [number] = [
        number
        for number, model in mia.site.hub.made.held.items()
        if model["note"] == "nightly"
    ]
    word = mia.site.hub.made.words[number]
    assert word in made.main
    # What writing contains comes along: the hub says all of it.
    scopes = ["custom:kqi:job", "custom:kqi:read", "custom:kqi:write"]
    assert mia.site.hub.made.held[number]["scopes"] == scopes
    listed = await mia.open("me/tokens")
    assert "nightly" in listed.main
    assert word not in listed.text
    gone = await mia.send(f"me/tokens/{number}/revoke", {"_xsrf": listed.xsrf})
    assert said(gone) == "The token nightly is revoked."
    assert number not in mia.site.hub.made.held


@pytest.mark.parametrize(
    "wrong",
    [{"note": " "}, {"days": "0"}, {"days": "4000"}, {"note": "a\u202eb"}],
    ids=str,
)
async def test_a_token_that_cannot_be_made_says_why(
    mia: Browser, wrong: dict[str, str]
) -> None:
    fields = {"note": "nightly", "reach": "read", "days": "7", **wrong}
    before = len(mia.site.hub.made.held)
    done = await fill(mia, "me/tokens", "me/tokens", **fields)
    assert done.status == 400
    assert fault(done)
    assert len(mia.site.hub.made.held) == before


@pytest.mark.parametrize("scopes", [SCOPES, SCOPES[:2]])
async def test_only_scopes_that_one_has_are_offered(
    browser: Browser, scopes: tuple[str, ...]
) -> None:
    browser.site.hub.scopes = scopes
    await browser.log_in("mia")
    offered = (await browser.open("me/tokens")).main
    assert ('value="operate"' in offered) is (SCOPES[2] in scopes)


@pytest.mark.parametrize(
    "action",
    [
        "me",
        "me/password",
        "me/factor/begin",
        "me/factor/confirm",
        "me/factor/recovery-codes",
        "me/ssh-keys",
        "me/ssh-keys/1/remove",
        "me/credentials/github",
        "me/credentials/github/remove",
        "me/tokens",
        "me/tokens/a1/revoke",
        "terms",
    ],
)
async def test_no_form_is_taken_from_another_site(mia: Browser, action: str) -> None:
    mia.site.account.furnish("mia")
    account = mia.site.account
    before = repr(account.keys.held) + repr(account.credentials.held)
    done = await mia.send(action, {"old": "right"}, Sec_Fetch_Site="cross-site")
    assert done.status == 403
    assert before == repr(account.keys.held) + repr(account.credentials.held)
    assert account.desk.audit.events == []
