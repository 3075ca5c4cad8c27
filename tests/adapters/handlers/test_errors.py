"""Errors: the right status, a document for programs, a page for people."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from handlers.access import Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from handlers.service import Folders, all_routes
from kqi_hub.domain.errors import ClusterRefused, DatabaseNotReady
from tests.adapters.handlers.conftest import Client
from tests.fakes.people import AbsentPreferences
from tests.fakes.site import FakeSite, serving

JSON = "application/json"
PREFERENCES = "api/v1/me/preferences"
KEYS = {"type", "title", "status", "detail", "code", "hint", "instance"}


@pytest.mark.parametrize(
    ("path", "method", "body", "type", "status", "code"),
    [
        ("api/v1/nothing", "GET", None, "", 404, "not-found"),
        ("api/v1/tenants/..%2f..", "GET", None, "", 404, "not-found"),
        ("api/v1/tenants/other", "GET", None, "", 404, "not-found"),
        ("api/v1/whoami", "DELETE", None, "", 405, "wrong-method"),
        ("api/v1/whoami", "TRACE", None, "", 405, "wrong-method"),
        ("api/v1/whoami", "OPTIONS", None, "", 405, "wrong-method"),
        ("api/v1/whoami", "BREW", None, "", 405, "wrong-method"),
        ("api/v1/whoami?x=1", "GET", None, "", 400, "invalid-input"),
        ("api/v1/whoami?x=1&x=2", "GET", None, "", 400, "invalid-input"),
        (PREFERENCES, "PUT", b"{}", "text/plain", 415, "wrong-content-type"),
        (PREFERENCES, "PUT", b"{}", "", 415, "wrong-content-type"),
        (PREFERENCES, "PUT", b"", JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b"{", JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b"\xff\xfe", JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b"[1]", JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b"NaN", JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b'{"theme":1,"theme":2}', JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b"[" * 100_000, JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b'{"theme":"\\ud800"}', JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b'{"language":"a\\u0000b"}', JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b'{"nonsense":1}', JSON, 400, "invalid-input"),
        (PREFERENCES, "PUT", b" " * 300_000, JSON, 413, "too-large"),
    ],
)
async def test_a_wrong_request_is_answered_with_its_own_status_and_code(
    ask: Client, path: str, method: str, body: bytes, type: str, status: int, code: str
) -> None:
    headers = {"Content_Type": type} if type else {}
    answer = await ask(path, "mia", method, body, **headers)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json) >= KEYS
    assert answer.json["status"] == status
    assert answer.json["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"


async def test_the_wrong_method_is_told_which_ones_are_right(ask: Client) -> None:
    answer = await ask(PREFERENCES, "mia", "DELETE")
    assert answer.headers["Allow"] == "GET, PUT"


async def test_every_field_at_fault_is_named(ask: Client) -> None:
    body = {"theme": "pink", "language": "x" * 20, "nonsense": 1}
    errors = (await ask(PREFERENCES, "mia", "PUT", body)).json["errors"]
    assert {e["field"]: e["code"] for e in errors} == {
        "theme": "enum",
        "language": "string_too_long",
        "nonsense": "extra_forbidden",
    }
    assert errors[1]["message"] == "This must be one of: 'light', 'dark', 'system'."


@pytest.mark.parametrize(
    ("language", "detail"),
    [
        ("en", "You do not belong to a tenant other."),
        ("ja", "テナント other には所属していません。"),
        ("ko-KR,ko;q=0.9", "테넌트 other에 소속되어 있지 않습니다."),
    ],
)
async def test_errors_are_in_the_language_of_the_asker(
    ask: Client, language: str, detail: str
) -> None:
    body = {"default_tenant": "other"}
    answer = await ask(PREFERENCES, "mia", "PUT", body, Accept_Language=language)
    assert answer.json["detail"] == detail


async def test_the_code_of_an_error_leads_to_its_explanation(ask: Client) -> None:
    error = (await ask("api/v1/tenants/other", "mia")).json
    page = await ask("api", "mia")
    assert f'id="{urlsplit(error["type"]).fragment}"' in page.text


@pytest.mark.parametrize("accept", ["text/html,*/*", "*/*", ""])
async def test_browsers_get_a_page_about_what_is_not_there(
    ask: Client, accept: str
) -> None:
    answer = await ask("nothing", "mia", Accept=accept)
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "There is nothing at this address." in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


async def test_programs_get_a_document_about_what_is_not_there(ask: Client) -> None:
    answer = await ask("nothing", "mia", Accept=JSON)
    assert (answer.status, answer.json["code"]) == (404, "not-found")


async def test_what_was_typed_into_an_address_is_shown_as_text(ask: Client) -> None:
    answer = await ask("?tenant=%3Cscript%3Ealert(1)%3C/script%3E", "mia")
    assert answer.status == 404
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


async def test_a_large_body_is_refused_before_it_is_sent(site: FakeSite) -> None:
    """The client says how much is coming; nobody has to read it."""
    parts = urlsplit(site.origin)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(
        b"PUT /services/portal/api/v1/me/preferences HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
    )
    head = await reader.readline()
    writer.close()
    assert b" 413 " in head


async def test_a_large_body_without_a_length_is_refused(ask: Client) -> None:
    site = ask.site
    parts = urlsplit(site.origin)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(
        b"PUT /services/portal/api/v1/me/preferences HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    writer.write(chunk * 5)
    await writer.drain()
    head = await reader.readline()
    writer.close()
    assert b" 413 " in head


class Nothing(Model):
    """An answer of the routes that fail on purpose."""


def failing_routes() -> Routes:
    """Return routes that fail as only a bug or a broken part can."""
    routes = Routes(tag="Failing")

    @routes.get("/api/v1/bug", Spec(who=Who.ANYBODY, answer=Nothing))
    async def bug(_: Ask) -> Nothing:
        """Divide by nothing."""
        raise ZeroDivisionError("the secret is hunter2")

    @routes.get("/bug", Spec(who=Who.ANYBODY))
    async def bug_of_a_page(_: Ask) -> None:
        """Divide by nothing."""
        raise ZeroDivisionError("the secret is hunter2")

    @routes.get("/api/v1/refused", Spec(who=Who.ANYBODY, answer=Nothing))
    async def refused(_: Ask) -> Nothing:
        """Be refused by Slurm."""
        raise ClusterRefused("Slurm refused the job.", reason="Invalid qos")

    @routes.get("/api/v1/schema", Spec(who=Who.ANYBODY, answer=Nothing))
    async def schema(_: Ask) -> Nothing:
        """Find the wrong database."""
        raise DatabaseNotReady("The database kqi@db.internal does not answer.")

    return routes


@pytest.fixture
async def failing(folders: Folders) -> AsyncIterator[Client]:
    routes = (*all_routes(), *failing_routes().all)
    async with serving(FakeSite(folders=folders, routes=routes)) as site:
        yield Client(site)


@pytest.mark.parametrize("path", ["api/v1/bug", "bug"])
async def test_a_bug_is_told_by_its_number_and_logged_with_it(
    failing: Client, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await failing(path)
    number = answer.headers["X-Request-Id"]
    assert answer.status == 500
    assert number in answer.text
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    [record] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert number in record.getMessage()
    assert record.exc_info


async def test_slurms_own_words_are_kept(failing: Client) -> None:
    answer = await failing("api/v1/refused")
    assert (answer.status, answer.json["reason"]) == (422, "Invalid qos")


async def test_what_is_for_operators_stays_in_the_log(
    failing: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await failing("api/v1/schema")
    assert (answer.status, answer.json["code"]) == (503, "database-not-ready")
    assert "db.internal" not in answer.text
    assert "db.internal" in caplog.text


async def test_a_database_that_is_down_is_said_in_words(
    folders: Folders, caplog: pytest.LogCaptureFixture
) -> None:
    absent = FakeSite(folders=folders, preferences=AbsentPreferences())
    async with serving(absent) as site:
        answer = await Client(site)("", "mia")
    assert answer.status == 503
    assert "db.internal" not in answer.text
    assert re.search(r"ERROR .*db\.internal", caplog.text)


async def test_a_hub_that_is_down_is_said_in_words(
    ask: Client, caplog: pytest.LogCaptureFixture
) -> None:
    ask.site.hub.is_broken = True
    answer = await ask("api/v1/whoami", "mia")
    assert (answer.status, answer.json["code"]) == (503, "hub-unavailable")


async def test_a_broken_error_page_still_says_the_number(
    folders: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(folders, templates=tmp_path)
    async with serving(FakeSite(folders=broken)) as site:
        answer = await Client(site)("", "mia")
    assert answer.status == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_log_line_has_no_query_and_no_token(
    ask: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "handlers.access_log")
    await ask("api/v1/whoami?token=hunter2", "mia", X_Forwarded_For="192.0.2.7")
    [line] = [r.getMessage() for r in caplog.records if r.name == "handlers.access_log"]
    assert line.startswith("GET /services/portal/api/v1/whoami 400 ")
    assert " mia 192.0.2.7 " in line
    assert "hunter2" not in caplog.text
    assert ask.tokens["mia"] not in caplog.text


async def test_answers_are_json_that_says_so(ask: Client) -> None:
    answer = await ask("api/v1/whoami", "mia")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(answer.text)["name"] == "mia"
