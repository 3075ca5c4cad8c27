"""Pages and long documents are made off the loop, which answers others meanwhile."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copytree

import pytest

from handlers.access import Who
from handlers.ask import Ask, Listing, Page, Values
from handlers.drawing import NAME
from handlers.route import Model, Routes, Spec
from handlers.service import Folders, all_routes
from kqi_hub.domain.errors import ClusterRefused, NotFound
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite, serving

LONGEST_S = 20


class Rows(Model):
    """A long document."""

    rows: tuple[int, ...]


@dataclass
class RecordingRow:
    """A row that notes which thread shows it."""

    threads: list[str] = field(default_factory=list)

    def note(self) -> None:
        self.threads.append(threading.current_thread().name)

    def __str__(self) -> str:
        self.note()
        return "the last row"


@dataclass
class SlowRoutes:
    """Routes that are drawn as slowly as the test wants."""

    row: RecordingRow = field(default_factory=RecordingRow)
    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def values(self) -> Values:
        self.row.note()
        self.begun.set()
        if not self.may_end.wait(LONGEST_S):
            raise TimeoutError("nobody let it end")
        return {"row": self.row}

    def routes(self) -> Routes:
        routes = Routes(tag="Slow")

        @routes.get("/long", Spec(who=Who.ANYBODY))
        async def page(_: Ask) -> Page:
            """Show many rows."""
            return Page("pages/long.html", self.values, status=203)

        @routes.get("/api/v1/long", Spec(who=Who.ANYBODY, answer=Rows, status=202))
        async def document(_: Ask) -> Listing:
            """List many rows."""

            def make() -> Rows:
                self.values()
                return Rows(rows=(1, 2))

            return Listing(make)

        return routes


def failing_routes() -> Routes:
    """Return routes that fail while their answer is made."""
    routes = Routes(tag="Failing")

    @routes.get("/api/v1/refused", Spec(who=Who.ANYBODY, answer=Rows))
    async def refused(_: Ask) -> Listing:
        """Be refused while the document is made."""

        def make() -> Rows:
            raise ClusterRefused("Slurm refused the job.", reason="Invalid qos")

        return Listing(make)

    @routes.get("/gone", Spec(who=Who.ANYBODY, errors=(NotFound,)))
    async def gone(_: Ask) -> Page:
        """Be gone while the page is drawn."""

        def values() -> Values:
            raise NotFound("There is no such row.")

        return Page("pages/long.html", values)

    @routes.get("/wrong", Spec(who=Who.ANYBODY))
    async def wrong(_: Ask) -> Page:
        """Lack a value that the template names."""
        return Page("pages/long.html", {"secret": "hunter2"})

    return routes


@pytest.fixture
async def slow() -> AsyncIterator[SlowRoutes]:
    made = SlowRoutes()
    yield made
    made.may_end.set()


@pytest.fixture
async def ask(
    slow: SlowRoutes, folders: Folders, tmp_path: Path
) -> AsyncIterator[Client]:
    templates = tmp_path / "templates"
    copytree(folders.templates, templates)
    (templates / "pages/long.html").write_text(
        '{% extends "base.html" %}{% block content %}{{ row }}{% endblock %}'
    )
    routes = (*all_routes(), *slow.routes().all, *failing_routes().all)
    there = FakeSite(folders=replace(folders, templates=templates), routes=routes)
    async with serving(there) as site:
        yield Client(site)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [("long", 203, "the last row"), ("api/v1/long", 202, '{"rows":[1,2]}')],
)
async def test_others_are_answered_while_something_long_is_drawn(
    ask: Client, slow: SlowRoutes, path: str, status: int, text: str
) -> None:
    drawn = asyncio.create_task(ask(path))
    assert await asyncio.to_thread(slow.begun.wait, LONGEST_S)
    assert (await ask("healthz")).status == 200
    assert (await ask("api/v1/whoami", "mia")).json["name"] == "mia"
    assert not drawn.done()
    slow.may_end.set()
    answer = await drawn
    assert (answer.status, text in answer.text) == (status, True)
    assert answer.headers["Content-Length"] == str(len(answer.text.encode()))
    assert "Etag" not in answer.headers


async def test_values_and_markup_of_a_page_are_made_by_the_drawing_thread(
    ask: Client, slow: SlowRoutes
) -> None:
    slow.may_end.set()
    await ask("long")
    await ask("long")
    assert len(slow.row.threads) == 4
    assert {name.rpartition("_")[0] for name in slow.row.threads} == {NAME}


async def test_a_head_request_of_a_page_has_its_headers_alone(
    ask: Client, slow: SlowRoutes
) -> None:
    slow.may_end.set()
    whole, head = await ask("long"), await ask("long", method="HEAD")
    assert (head.status, head.text) == (203, "")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    assert "Content-Security-Policy" in head.headers


async def test_an_error_of_a_document_under_way_has_its_own_status(ask: Client) -> None:
    answer = await ask("api/v1/refused")
    assert (answer.status, answer.json["reason"]) == (422, "Invalid qos")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"


async def test_an_error_of_a_page_under_way_has_its_own_page(ask: Client) -> None:
    answer = await ask("gone", "mia")
    assert answer.status == 404
    assert "There is no such row." in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


async def test_a_template_at_fault_is_told_by_the_requests_number(
    ask: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask("wrong")
    number = answer.headers["X-Request-Id"]
    assert answer.status == 500
    assert answer.headers["Content-Type"].startswith("text/html")
    assert number in answer.text
    assert "hunter2" not in answer.text
    [record] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert number in record.getMessage()
