"""Into a running run, in a real browser: terminal, ports, TensorBoard, search in logs.

The agent answers in place of the network; the real one is in tests/cluster.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from tests.browser.conftest import OpenPage
from tests.browser.gallery import answer, violations
from tests.browser.run_states import RunStates, furnish_runs, run_number
from tests.fakes.site import FakeSite

WAY = {"url": "user/mia/agent/", "token": "mine-alone", "lifetime_s": 600}
GREETING = b"hello \x1b[31mred\x1b[0m \x1b[38;2;10;200;30mtrue\x1b[0m of the job\r\n$ "
LOG = "first\n\x1b[32mloss 0.5\x1b[0m <b>bold?</b>\n 10%\r 99%\nlast"


class LiveAgent:
    """Terminals that greet, a TensorBoard that waits and runs, a log with colours."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.typed: list[str | bytes] = []
        self.sockets: list[WebSocketRoute] = []
        self.board: dict[str, Any] = {"state": "none"}
        self.refuses: dict[str, Any] | None = None

    def serve(self, place: BrowserContext) -> None:
        """Answer a page's questions."""
        place.route("**/api/v1/agent", lambda route: said(route, WAY))
        place.route("**/user/mia/agent/**", self._answer)
        place.route_web_socket("**/agent/terminals/**", self._greet)

    def _greet(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda message: self.typed.append(message))
        socket.send(GREETING)

    def _answer(self, route: Route) -> None:
        request = route.request
        address = urlsplit(request.url)
        path = address.path.split("/agent/", 1)[1]
        body = json.loads(request.post_data or "null")
        if request.method != "GET":
            self.asked.append((request.method, path, body))
        if path.startswith("api/terminals"):
            return self._terminal(route)
        if path.endswith("/tensorboard"):
            return self._board(route)
        if path == "api/log/search":
            text = parse_qs(address.query)["text"][0]
            found = [{"at": 20, "text": f"\x1b[32m{text} 0.5\x1b[0m <b>bold?</b>"}]
            about = {"job": 1, "matches": found, "next": 40, "size": 40}
            return said(route, {**about, "is_over": True})
        if path == "api/log":
            about = {"job": 1, "from": 0, "to": 40, "size": 40, "changed_at": 0}
            return said(route, {**about, "text": LOG})
        if path == "api/log/follow":
            # All of it once; whoever has that hears nothing new.
            event = {"from": 0, "to": 40, "size": 40, "text": LOG}
            text = f"event: log\nid: 40\ndata: {json.dumps(event)}\n\n"
            text = ": nothing new\n\n" if "from=40" in address.query else text
            return route.fulfill(body=text, content_type="text/event-stream")
        return answer(route, "{}", 404)

    def _terminal(self, route: Route) -> None:
        if self.refuses:
            return said(route, self.refuses, 409)
        if route.request.method == "DELETE":
            return route.fulfill(status=204)
        return said(route, {"id": "ab12", "job": 1, "name": "t", "ticket": "once"}, 201)

    def _board(self, route: Route) -> None:
        if route.request.method == "POST":
            self.board = {"state": "waiting", "path": "tensorboard/training-1/"}
        if route.request.method == "DELETE":
            self.board = {"state": "ended", "path": ""}
        said(route, self.board)


def said(route: Route, what: object, status: int = 200) -> None:
    answer(route, json.dumps(what), status)


@pytest.fixture
def agent() -> LiveAgent:
    return LiveAgent()


@pytest.fixture
def states(site: FakeSite) -> RunStates:
    return furnish_runs(site)


@pytest.fixture
def visit(
    open_page: OpenPage, site: FakeSite, states: RunStates, agent: LiveAgent
) -> Callable[..., Page]:
    def visit_one(**about: Any) -> Page:
        number = run_number(site, "running")
        return open_page(
            f"training/{number}?tenant=vision", before=agent.serve, **about
        )

    return visit_one


def test_a_terminal_is_opened_used_and_closed(
    visit: Callable[..., Page], agent: LiveAgent, keep_shot: Callable[[Page, str], None]
) -> None:
    page = visit()
    page.get_by_role("button", name="Open a terminal").click()
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("hello red true of the job")
    colours = rows.evaluate(
        """rows => [...rows.querySelectorAll("span")]
             .filter(one => ["red", "true"].includes(one.textContent))
             .map(one => getComputedStyle(one).color)"""
    )
    assert colours == ["rgb(204, 0, 0)", "rgb(10, 200, 30)"]
    [(method, path, body)] = [one for one in agent.asked if one[0] == "POST"]
    assert (method, path) == ("POST", "api/terminals")
    assert body["run"].startswith("training/")
    assert body["columns"] > 60
    page.keyboard.type("ls\n")
    page.wait_for_timeout(300)
    typed = b"".join(one for one in agent.typed if isinstance(one, bytes))
    assert typed == b"ls\r"
    told = [json.loads(one) for one in agent.typed if isinstance(one, str)]
    assert {"shown": len(GREETING)} in told
    assert any("columns" in one for one in told)
    keep_shot(page, "run-terminal")
    assert violations(page) == []
    page.keyboard.press("Control+Shift+Escape")
    close = page.get_by_role("button", name="Close the terminal")
    expect(close).to_be_focused()
    close.press("Enter")
    expect(page.get_by_text("The terminal has ended.")).to_be_visible()
    assert ("DELETE", "api/terminals/ab12", None) in agent.asked
    expect(page.get_by_role("button", name="Open a terminal")).to_be_focused()


def test_a_lost_connection_is_taken_up_again(
    visit: Callable[..., Page], agent: LiveAgent
) -> None:
    page = visit()
    page.get_by_role("button", name="Open a terminal").click()
    expect(page.locator(".xterm-rows")).to_contain_text("hello")
    agent.sockets[0].close(code=1011, reason="a proxy went away")
    expect(
        page.get_by_text("The connection is lost; it is tried again.")
    ).to_be_visible()
    expect(page.get_by_text("leaves the terminal with the keyboard")).to_be_visible()
    assert len(agent.sockets) == 2
    assert ("POST", "api/terminals/ab12", {}) in agent.asked


@pytest.mark.parametrize(
    ("code", "words"),
    [(4001, "shown in another window"), (1000, "The terminal has ended.")],
)
def test_what_has_ended_is_said_and_not_tried_again(
    visit: Callable[..., Page], agent: LiveAgent, code: int, words: str
) -> None:
    page = visit()
    page.get_by_role("button", name="Open a terminal").click()
    expect(page.locator(".xterm-rows")).to_contain_text("hello")
    agent.sockets[0].close(code=code)
    expect(page.get_by_text(words)).to_be_visible()
    page.wait_for_timeout(2000)
    assert len(agent.sockets) == 1


def test_why_there_is_no_terminal_is_said(
    visit: Callable[..., Page], agent: LiveAgent
) -> None:
    agent.refuses = {"error": "not-running", "message": "Job 7 does not run."}
    page = visit()
    page.get_by_role("button", name="Open a terminal").click()
    expect(page.get_by_text("Job 7 does not run.")).to_be_visible()
    expect(page.get_by_role("button", name="Open a terminal")).to_be_enabled()


def test_a_log_has_its_colours_and_no_markup_of_its_own(
    visit: Callable[..., Page], agent: LiveAgent
) -> None:
    page = visit()
    code = page.locator(".log code").first
    expect(code).to_contain_text("loss 0.5 <b>bold?</b>")
    expect(code.locator(".ansi-fore-green").first).to_have_text("loss 0.5")
    text = code.inner_text()
    assert " 99%" in text
    assert "10%" not in text
    assert "\x1b" not in text
    assert code.locator("b").count() == 0


def test_a_log_is_searched_and_read_where_it_was_found(
    visit: Callable[..., Page], agent: LiveAgent, keep_shot: Callable[[Page, str], None]
) -> None:
    page = visit()
    page.get_by_text("Search the log, or read it").click()
    page.get_by_role("searchbox", name="Text to find in the log").fill("loss")
    page.keyboard.press("Enter")
    expect(
        page.get_by_text("Places found: 1; 100 percent of the log searched.")
    ).to_be_visible()
    found = page.locator(".run-found button")
    expect(found).to_have_text("loss 0.5 <b>bold?</b>")
    found.click()
    piece = page.get_by_role("region", name="Part of the log")
    expect(piece).to_contain_text("first")
    expect(page.get_by_text("Bytes 0 to 40 of 40")).to_be_visible()
    keep_shot(page, "run-log-search")
    assert violations(page) == []


def test_a_tensorboard_is_started_opened_and_stopped(
    visit: Callable[..., Page], agent: LiveAgent, keep_shot: Callable[[Page, str], None]
) -> None:
    page = visit()
    part = page.locator("[data-run-tensorboard]")
    expect(part).to_contain_text("There is none yet.")
    part.get_by_label("Hours").fill("5")
    part.get_by_label("Together with").fill("#11, inference/7")
    part.get_by_role("button", name="Start TensorBoard").click()
    expect(part).to_contain_text("Its job waits for its turn")
    wish = next(body for method, path, body in agent.asked if method == "POST")
    assert (wish["hours"], wish["with"]) == (5, ["training/11", "inference/7"])
    assert (wish["queue"], wish["tenant"]) == ("v100", "vision")
    agent.board = {
        "state": "running",
        "path": "tensorboard/training-1/",
        "ends_in_s": 7140,
    }
    expect(part).to_contain_text(
        "It runs. Minutes until it ends by itself: 119.", timeout=8000
    )
    keep_shot(page, "run-tensorboard")
    assert violations(page) == []
    with page.context.expect_page() as opened:
        part.get_by_role("link", name="Open TensorBoard").click()
    opened.value.wait_for_url("**/user/mia/agent/tensorboard/training-1/")
    opened.value.close()
    part.get_by_role("button", name="Stop TensorBoard").click()
    expect(part).to_contain_text("It has ended.")
    expect(part.get_by_role("button", name="Start TensorBoard")).to_be_visible()


def test_all_of_it_fits_a_telephone(
    visit: Callable[..., Page], agent: LiveAgent, keep_shot: Callable[[Page, str], None]
) -> None:
    page = visit(viewport={"width": 390, "height": 800})
    page.get_by_role("button", name="Open a terminal").click()
    expect(page.locator(".xterm-rows")).to_contain_text("hello")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    keep_shot(page, "run-terminal-390")
