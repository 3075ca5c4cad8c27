"""Who gets in: the owner's token with the right scope, and nobody else."""

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tornado.httputil import HTTPHeaders

from tests.adapters.agent.conftest import BASE, Lab

ROUTES = ["api/health", "api/log?job=1", "api/log/follow?job=1", "api/run?job=1"]
BROWSER = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}


def said(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_the_owners_token_opens_it(lab: Lab) -> None:
    answer = await lab.get("api/health")
    assert answer.code == 200
    assert said(answer)["person"] == "alice"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "token",
    ["bobs", "operators", "portals", "alices-other", "odd", "odd-scopes", "unknown",
     "", "x" * 600, "alices extra"],
)  # fmt: skip
async def test_everybody_elses_token_is_refused(
    lab: Lab, path: str, token: str
) -> None:
    answer = await lab.get(path, token)
    assert (answer.code, said(answer)["error"]) == (403, "not-yours")


@pytest.mark.parametrize(
    "header", ["alices", "Basic alices", "Bearer", "bearer\talices"]
)
async def test_another_kind_of_authorization_is_refused(lab: Lab, header: str) -> None:
    answer = await lab.get("api/health", None, headers={"Authorization": header})
    assert answer.code == 403


@pytest.mark.parametrize("path", ROUTES)
async def test_a_program_without_a_token_is_told_what_to_bring(
    lab: Lab, path: str
) -> None:
    answer = await lab.get(path, None)
    assert (answer.code, said(answer)["error"]) == (401, "no-token")


async def test_a_revoked_token_opens_nothing_within_moments(lab: Lab) -> None:
    assert (await lab.get("api/health")).code == 200
    del lab.hub.tokens["alices"]
    await asyncio.sleep(0.3)
    assert (await lab.get("api/health")).code == 403


async def test_the_hub_is_asked_once_for_many_requests(lab: Lab) -> None:
    for _ in range(5):
        await lab.get("api/health")
    assert lab.hub.asked == ["alices"]


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_hub_that_fails_lets_nobody_in(lab: Lab, status: int) -> None:
    lab.hub.fails_with = status
    answer = await lab.get("api/health")
    assert (answer.code, said(answer)["error"]) == (503, "hub-silent")


@pytest.mark.parametrize("path", ["", "api", "api/logs", "api/log/", "../x", "%00"])
async def test_other_addresses_are_not_there(lab: Lab, path: str) -> None:
    answer = await lab.get(path)
    assert (answer.code, said(answer)["error"]) == (404, "not-found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_do_nothing(lab: Lab, method: str) -> None:
    body = None if method in {"DELETE", "OPTIONS"} else ""
    answer = await lab.get("api/health", method=method, body=body)
    assert answer.code == 405
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_answers_carry_strict_headers(lab: Lab) -> None:
    for answer in (await lab.get("api/health"), await lab.get("nothing")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith(
            "default-src 'none'"
        )
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Server" not in answer.headers


def cookies_of(headers: HTTPHeaders) -> dict[str, str]:
    lines = headers.get_list("Set-Cookie")
    assert all("HttpOnly" in line and "SameSite=Lax" in line for line in lines)
    assert all(f"Path={BASE}" in line for line in lines)
    return dict(re.match(r"([^=]+)=([^;]*)", line).groups() for line in lines)  # type: ignore[union-attr,misc]  # two groups, always


async def begin(lab: Lab, path: str = "api/health") -> tuple[str, dict[str, str]]:
    answer = await lab.get(path, None, headers=BROWSER)
    assert answer.code == 302
    place = urlsplit(answer.headers["Location"])
    asked = parse_qs(place.query)
    assert place.path == "/hub/api/oauth2/authorize"
    assert asked["client_id"] == ["jupyterhub-user-alice-agent"]
    assert asked["redirect_uri"] == [f"{BASE}oauth_callback"]
    return asked["state"][0], cookies_of(answer.headers)


async def come_back(lab: Lab, state: str, code: str, cookies: dict[str, str]) -> Any:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return await lab.get(
        f"oauth_callback?state={state}&code={code}", None, headers={"Cookie": header}
    )


async def test_a_browser_is_led_through_the_hub_and_back(lab: Lab) -> None:
    state, cookies = await begin(lab, "api/log/follow?job=7")
    lab.hub.codes["c0de"] = "alices"
    answer = await come_back(lab, state, "c0de", cookies)
    assert answer.code == 302
    assert answer.headers["Location"] == f"{BASE}api/log/follow?job=7"
    cookie = cookies_of(answer.headers)["kqi-agent"]
    assert "alices" not in cookie
    inside = {"Cookie": f"kqi-agent={cookie}", **BROWSER}
    assert (await lab.get("api/health", None, headers=inside)).code == 200
    assert lab.hub.exchanges[0]["client_secret"] == "the-agents-own"
    del lab.hub.tokens["alices"]
    await asyncio.sleep(0.3)
    assert (await lab.get("api/health", None, headers=inside)).code == 302


async def test_another_site_cannot_use_the_cookie(lab: Lab) -> None:
    state, cookies = await begin(lab)
    lab.hub.codes["c0de"] = "alices"
    answer = await come_back(lab, state, "c0de", cookies)
    cookie = f"kqi-agent={cookies_of(answer.headers)['kqi-agent']}"
    for site in ("cross-site", "same-site", "nonsense"):
        headers = {"Cookie": cookie, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": site}
        assert (await lab.get("api/health", None, headers=headers)).code == 403


async def test_somebody_elses_login_is_refused(lab: Lab) -> None:
    state, cookies = await begin(lab)
    lab.hub.codes["c0de"] = "operators"
    answer = await come_back(lab, state, "c0de", cookies)
    assert answer.code == 403
    assert "kqi-agent=" not in str(answer.headers)


@pytest.mark.parametrize(
    "case", ["no cookie", "other cookie", "other state", "no code"]
)
async def test_a_login_that_was_not_begun_here_is_refused(lab: Lab, case: str) -> None:
    state, cookies = await begin(lab)
    lab.hub.codes["c0de"] = "alices"
    if case == "no cookie":
        cookies = {}
    if case == "other cookie":
        cookies = {"kqi-agent-login": "x" * 43}
    answer = await come_back(
        lab, "y" * 43 if case == "other state" else state,
        "" if case == "no code" else "c0de", cookies,
    )  # fmt: skip
    assert answer.code == 400
    assert not lab.hub.exchanges


async def test_a_state_is_good_for_one_login(lab: Lab) -> None:
    state, cookies = await begin(lab)
    lab.hub.codes["c0de"] = "alices"
    assert (await come_back(lab, state, "c0de", cookies)).code == 302
    lab.hub.codes["c0de"] = "alices"
    assert (await come_back(lab, state, "c0de", cookies)).code == 400


async def test_two_logins_of_one_browser_both_arrive(lab: Lab) -> None:
    first, cookies = await begin(lab)
    header = {**BROWSER, "Cookie": f"kqi-agent-login={cookies['kqi-agent-login']}"}
    answer = await lab.get("api/run?job=1", None, headers=header)
    second = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
    lab.hub.codes |= {"one": "alices", "two": "alices"}
    assert (await come_back(lab, first, "one", cookies)).code == 302
    assert (await come_back(lab, second, "two", cookies)).code == 302
