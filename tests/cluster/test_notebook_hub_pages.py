"""Pages of the hub about servers lead to the portal and start nothing."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.cluster.login_lab import login_lab, send_form
from tests.cluster.notebook_lab import PERSON
from tests.cluster.stack import Stack


@pytest.fixture
def browser(stack: Stack) -> Iterator[httpx2.Client]:
    with login_lab(stack) as lab, lab.door().client() as client:
        code = lab.fresh_device(PERSON).code()
        send_form(client, PERSON, lab.password[PERSON], code)
        yield client


@pytest.mark.parametrize(
    ("page", "leads_to"),
    [
        ("hub/home", "services/portal/notebooks"),
        ("hub/spawn", "services/portal/notebooks"),
        (f"hub/spawn/{PERSON}", "services/portal/notebooks"),
        (f"hub/spawn/{PERSON}/nb-7?profile=notebook", "services/portal/notebooks/7"),
        (f"hub/spawn-pending/{PERSON}/nb-7", "services/portal/notebooks/7"),
        ("hub/spawn/bob/nb-7?opt-profile=notebook", "services/portal/notebooks/7"),
    ],
)
def test_a_page_leads_to_the_portal(
    browser: httpx2.Client, page: str, leads_to: str
) -> None:
    answer = browser.get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/{leads_to}")


def test_a_form_sent_to_the_hub_starts_nothing(browser: httpx2.Client) -> None:
    proof = {"_xsrf": browser.cookies.get("_xsrf", "")}
    sent = {"profile": "notebook", **proof}
    answer = browser.post(f"hub/spawn/{PERSON}/nb-999999", data=sent)
    assert answer.status_code in {302, 403}
    made = browser.get(f"hub/api/users/{PERSON}/servers/nb-999999")
    assert made.status_code in {403, 404}


def test_a_notebook_that_does_not_run_says_so_in_our_look(
    browser: httpx2.Client,
) -> None:
    answer = browser.get(f"user/{PERSON}/nb-999999/lab", follow_redirects=True)
    assert answer.status_code == 424
    assert "Nothing is running here" in answer.text
    assert "/services/portal/notebooks" in answer.text
