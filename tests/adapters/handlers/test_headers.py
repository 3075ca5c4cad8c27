"""Headers that keep pages from being framed, sniffed, injected into or kept."""

import pytest

from tests.adapters.handlers.conftest import Client

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}
PATHS = ["", "api", "nothing", "api/v1/whoami", "api/v1/nothing", "healthz"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("person", ["mia", None])
async def test_every_answer_is_protected(
    ask: Client, path: str, person: str | None
) -> None:
    headers = (await ask(path, person)).headers
    directives = headers["Content-Security-Policy"].split("; ")
    assert dict(directive.split(" ", 1) for directive in directives) == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Etag" not in headers
    assert "Server" not in headers
    assert len(headers["X-Request-Id"]) == 36


async def test_every_request_has_a_number_of_its_own(ask: Client) -> None:
    answers = [await ask("healthz", X_Request_Id="mine") for _ in range(2)]
    numbers = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(numbers) == 2
    assert "mine" not in numbers


@pytest.mark.parametrize("path", ["", "api", "design", "nothing"])
async def test_no_page_needs_an_inline_script_or_style(ask: Client, path: str) -> None:
    text = (await ask(path, "rita")).text
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick=" not in text
    scripts = text.split("<script")[1:]
    assert scripts
    assert all(' src="/services/portal/static/' in tag for tag in scripts)


async def test_static_files_are_kept_for_ever_under_their_own_address(
    ask: Client,
) -> None:
    page = (await ask("", "mia")).text
    path = page.partition('src="/services/portal/')[2].partition('"')[0]
    assert path.startswith("static/")
    answer = await ask(path)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"].startswith(("text/javascript", "image/svg"))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_of_another_version_is_not_kept(ask: Client) -> None:
    answer = await ask("static/0123456789abcdef/js/app.js")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "static/0/nothing.js",
        "static/0/../../../portal.py",
        "static/0/..%2f..%2fportal.py",
        "static/0//etc/passwd",
        "static/0/js/app.js%00",
    ],
)
async def test_only_the_portals_own_files_are_sent(ask: Client, path: str) -> None:
    assert (await ask(path)).status == 404


async def test_files_come_compressed_to_those_who_can_read_that(ask: Client) -> None:
    small = await ask("static/0/css/parts.css", Accept_Encoding="gzip")
    plain = await ask("static/0/css/parts.css")
    assert small.headers["Content-Encoding"] == "gzip"
    assert int(small.headers["Content-Length"]) * 3 < int(
        plain.headers["Content-Length"]
    )
    assert small.headers["Vary"] == "Accept-Encoding"
