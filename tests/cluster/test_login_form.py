"""The login form as a browser sends it: cookies, the way on, and one answer."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import httpx2
import pytest

from tests.cluster.login_lab import (
    FORM,
    LOGIN,
    ONE_ANSWER,
    Door,
    LoginLab,
    login_lab,
    send_form,
)
from tests.cluster.stack import Stack


@pytest.fixture
def lab(stack: Stack) -> Iterator[LoginLab]:
    with login_lab(stack) as lab:
        yield lab


def cookies_of(answer: httpx2.Response) -> SimpleCookie:
    cookies = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        cookies.load(line)
    return cookies


def test_who_is_let_in_gets_cookies_that_scripts_and_other_sites_cannot_use(
    lab: LoginLab,
) -> None:
    code = lab.fresh_device("alice").code()
    with lab.door().client() as client:
        answer = send_form(client, "alice", lab.password["alice"], code)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/services/portal/"
    cookies = cookies_of(answer)
    assert {"jupyterhub-hub-login", "jupyterhub-session-id"} <= set(cookies)
    for name, cookie in cookies.items():
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "https:evil.example",
        "http://127.0.0.1.evil.example/",
        "javascript:alert(1)",
        "/hub/login\nSet-Cookie: x=y",
    ],
)
def test_the_way_on_stays_on_this_site(lab: LoginLab, elsewhere: str) -> None:
    code = lab.fresh_device("alice").code()
    with lab.door().client() as client:
        answer = send_form(client, "alice", lab.password["alice"], code, next=elsewhere)
        assert answer.status_code == 302
        led_to = answer.next_request.url if answer.next_request else None
    assert led_to is not None
    assert (led_to.host, led_to.scheme) == ("127.0.0.1", "http")
    assert "x" not in cookies_of(answer)


def test_a_page_that_one_came_for_is_shown_after_the_login(lab: LoginLab) -> None:
    code, wanted = lab.fresh_device("alice").code(), "/services/portal/api?a=b"
    with lab.door().client() as client:
        answer = send_form(client, "alice", lab.password["alice"], code, next=wanted)
    assert answer.headers["location"] == wanted


def test_every_refusal_is_the_same_page(lab: LoginLab) -> None:
    device, password = lab.fresh_device("bob"), lab.password["bob"]
    pages = set()
    for name, word, code in (
        ("bob", "wrong", device.code()),
        ("bob", password, device.wrong_code()),
        ("nobody-of-this-name", password, device.code()),
        ("erin", lab.password["erin"], lab.fresh_device("erin").code()),
        ("*)(uid=*", password, device.code()),
    ):
        with lab.door().client() as client:
            answer = send_form(client, name, word, code)
        assert answer.status_code == 403
        assert ONE_ANSWER in answer.text
        assert "jupyterhub-hub-login" not in cookies_of(answer)
        pages.add(without_values(answer.text))
    assert len(pages) == 1


def without_values(page: str) -> str:
    """Take out what differs between any two pages: the name, and proofs of the form."""
    return re.sub(r' (value|content)="[^"]*"', "", page)


def test_a_name_is_shown_again_as_text(lab: LoginLab) -> None:
    with lab.door().client() as client:
        answer = send_form(client, '"><script>x</script>', "x")
    assert "<script>x" not in answer.text


@pytest.mark.parametrize("proof", [{}, {"_xsrf": ""}, {"_xsrf": "2|made|up"}])
def test_a_form_of_another_site_logs_nobody_in(
    lab: LoginLab, proof: dict[str, str]
) -> None:
    code = lab.fresh_device("alice").code()
    said = {"username": "alice", "password": lab.password["alice"], "code": code}
    with lab.door().client() as client:
        answer = client.post(FORM, data={**said, **proof})
        assert answer.status_code == 403
        assert "jupyterhub-hub-login" not in cookies_of(answer)
        # Nor has it used up the code.
        answer = send_form(client, "alice", lab.password["alice"], code)
    assert answer.status_code == 302


def test_a_code_counts_once_over_both_doors(lab: LoginLab) -> None:
    code, password = lab.fresh_device("alice").code(), lab.password["alice"]
    doors = [lab.door() for _ in range(20)]

    def enter(number: int) -> bool:
        door = doors[number]
        return by_form(door) if number % 2 else by_program(door)

    def by_form(door: Door) -> bool:
        with door.client() as client:
            return send_form(client, "alice", password, code).status_code == 302

    def by_program(door: Door) -> bool:
        said = {"name": "alice", "password": password, "code": code}
        with door.client() as client:
            return client.post(LOGIN, json=said).status_code == 201

    with ThreadPoolExecutor(len(doors)) as threads:
        let_in = list(threads.map(enter, range(len(doors))))
    assert let_in.count(True) == 1


def test_a_huge_form_is_refused_quickly(lab: LoginLab) -> None:
    with lab.door().client() as client:
        answer = send_form(client, "x" * 10_000, "y" * 2_000_000, "z" * 10_000)
    assert answer.status_code in {400, 403, 413}
