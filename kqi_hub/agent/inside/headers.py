"""Which headers go through to a program in a job, and which of its own come back.

What opens the portal stays here, and what a program says cannot reach beyond its own
addresses: its cookies, its redirects, its workers.
"""

import re
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders

_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
     "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip
# Ours: they open the agent and the portal, and say nothing to the program.
_OURS: Final = frozenset({"authorization", "cookie", "x-xsrftoken", "expect"})
_OUR_COOKIES: Final = re.compile(r"kqi-.*|jupyterhub-.*|_xsrf.*", re.IGNORECASE)
# They reach beyond the addresses of the program that says them.
_FAR_REACHING: Final = frozenset(
    {"clear-site-data", "service-worker-allowed", "strict-transport-security",
     "public-key-pins", "set-cookie", "location", "refresh", "alt-svc"}
)  # fmt: skip
_COOKIE_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)


def inward(headers: HTTPHeaders, prefix: str, scheme: str) -> HTTPHeaders:
    """Return what a program is told of a request below `prefix`."""
    passed = HTTPHeaders()
    named = _named(headers)
    for name, value in headers.get_all():
        word = name.lower()
        if word not in _HOP | _OURS | named and not word.startswith("x-forwarded-"):
            passed.add(name, value)
    if cookies := own_cookies(headers.get_list("Cookie")):
        passed["Cookie"] = cookies
    passed["X-Forwarded-Prefix"] = prefix.rstrip("/")
    passed["X-Forwarded-Proto"] = scheme
    if host := headers.get("Host"):
        passed["X-Forwarded-Host"] = host
    return passed


def _named(headers: HTTPHeaders) -> frozenset[str]:
    """Return the headers that `Connection` keeps to this connection."""
    words = ",".join(headers.get_list("Connection")).split(",")
    kept = {word.strip().lower() for word in words}
    # A length that is dropped by name would turn a body into a request of its own.
    return frozenset(kept - {"content-length", "host", ""})


def own_cookies(lines: list[str]) -> str:
    """Return the program's cookies: all that are not the portal's."""
    pairs = [pair.strip() for line in lines for pair in line.split(";")]
    return "; ".join(
        pair for pair in pairs
        if pair and not _OUR_COOKIES.fullmatch(pair.partition("=")[0].strip())
    )  # fmt: skip


def outward(headers: HTTPHeaders, prefix: str, host: str) -> Iterator[tuple[str, str]]:
    """Return what a browser is told of an answer."""
    named = _named(headers)
    for name, value in headers.get_all():
        word = name.lower()
        if word not in _HOP | _FAR_REACHING | named and word != "content-length":
            yield name, value
    for value in headers.get_list("Location")[:1]:
        yield "Location", redirected(value, prefix, host)
    for value in headers.get_list("Set-Cookie"):
        if kept := _cookie(value, prefix):
            yield "Set-Cookie", kept


def redirected(location: str, prefix: str, host: str) -> str:
    """Return where a program's redirect leads: what it means as its own, stays so."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return location  # no address: a browser stays where it is
    is_own = parts.netloc in {"", host} and parts.path.startswith("/")
    if not is_own or parts.path.startswith(prefix) or location.startswith("//"):
        return location
    more = f"?{parts.query}" if parts.query else ""
    more += f"#{parts.fragment}" if parts.fragment else ""
    return f"{prefix.rstrip('/')}{parts.path}{more}"


def _cookie(value: str, prefix: str) -> str:
    """Return a program's cookie, kept to its own addresses; empty for one of ours."""
    try:
        found = SimpleCookie(value)
    except CookieError:
        return ""
    if len(found) != 1:
        return ""
    ((name, morsel),) = found.items()
    if _OUR_COOKIES.fullmatch(name) or not _COOKIE_NAME.fullmatch(name):
        return ""
    morsel["domain"] = ""
    # A value in quotes may hold `; Domain=…`, which would be said without them.
    if any(";" in str(said) for said in morsel.values()):
        return ""
    if not str(morsel["path"]).startswith(prefix):
        morsel["path"] = prefix
    return morsel.OutputString()
