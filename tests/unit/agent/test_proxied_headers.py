"""What a program in a job may say to a browser of its cookies and redirects."""

import pytest
from tornado.httputil import HTTPHeaders

from kqi_hub.agent.inside.headers import outward

PREFIX = "/user/mia/agent/proxy/45/8080/"


def told(name: str, value: str) -> list[str]:
    """Return what a browser is told of one header of a program's."""
    given = HTTPHeaders({name: value})
    return [said for key, said in outward(given, PREFIX, "portal") if key == name]


@pytest.mark.parametrize(
    ("cookie", "kept"),
    [
        ("a=b", f"a=b; Path={PREFIX}"),
        ("a=b; Path=/; Domain=example.org", f"a=b; Path={PREFIX}"),
        (f"a=b; Path={PREFIX}deep", f"a=b; Path={PREFIX}deep"),
    ],
)
def test_a_cookie_is_kept_to_the_addresses_of_its_program(
    cookie: str, kept: str
) -> None:
    assert told("Set-Cookie", cookie) == [kept]


@pytest.mark.parametrize(
    "cookie",
    [
        f'a=b; Path="{PREFIX}; Domain=example.org"',
        f'a=b; Path="{PREFIX}; Path=/"',
        f'a=b; Path={PREFIX}; Comment="x; Path=/"',
        f'a=b; Path={PREFIX}; SameSite="x; Path=/"',
        f"kqi-agent=x; Path={PREFIX}",
        f'"_xsrf"=x; Path={PREFIX}',
        f"a=b, _xsrf=x; Path={PREFIX}",
    ],
)
def test_a_cookie_with_a_second_meaning_is_left_out(cookie: str) -> None:
    assert told("Set-Cookie", cookie) == []


def test_a_redirect_to_no_address_is_passed_on_as_it_is() -> None:
    assert told("Location", "http://[no") == ["http://[no"]
