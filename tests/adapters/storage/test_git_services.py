"""Lists of Git services, from a small server that answers as each of them does."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kqi_hub.domain.credentials import Kind, Secret, Service, Use
from kqi_hub.domain.errors import GitUnavailable, InvalidInput
from kqi_hub.storage.git_services import GitServices
from tests.fakes.git_lab import hanging_server

TOKEN = Secret("mia", "t0ken")
TIP = "1" * 40
HUB_REPOSITORY = {
    "full_name": "lab/model",
    "clone_url": "https://git/lab/model.git",
    "default_branch": "main",
}
HUB_COMMIT = {
    "sha": TIP,
    "commit": {
        "message": "second\n\nmore",
        "author": {"name": "Mia", "date": "2026-11-21T10:00:00Z"},
    },
}
LAB_REPOSITORY = {
    "path_with_namespace": "lab/model",
    "http_url_to_repo": "https://git/lab/model.git",
    "default_branch": "main",
}
LAB_COMMIT = {
    "id": TIP,
    "title": "second",
    "author_name": "Mia",
    "committed_date": "2026-11-21T10:00:00.000+00:00",
}


class Answers:
    """What the server says, by the path without the query; `seen` what it was asked."""

    def __init__(self) -> None:
        self.by_path: dict[str, Any] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def service(self, kind: Kind) -> Service:
        return Service("lab", Use.GIT, kind, self.url)


@contextmanager
def answering() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.seen.append((self.path, dict(self.headers)))
            said = answers.by_path.get(self.path.partition("?")[0], 404)
            status = said if isinstance(said, int) else 200
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    answers.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def answers() -> Iterator[Answers]:
    with answering() as found:
        yield found


@pytest.mark.parametrize(
    ("kind", "path", "answer", "header"),
    [
        (Kind.GITHUB, "/api/v3/user/repos", [HUB_REPOSITORY], "Bearer t0ken"),
        (Kind.GITBUCKET, "/api/v3/user/repos", [HUB_REPOSITORY], "token t0ken"),
        (Kind.GITEA, "/api/v1/repos/search", {"data": [HUB_REPOSITORY]}, "token t0ken"),
        (Kind.GITLAB, "/api/v4/projects", [LAB_REPOSITORY], "t0ken"),
    ],
)
async def test_repositories_are_listed_with_the_token(
    answers: Answers, kind: Kind, path: str, answer: object, header: str
) -> None:
    answers.by_path[path] = answer
    [found] = await GitServices().repositories(answers.service(kind), TOKEN, "MOD")
    assert (found.name, found.url, found.default) == (
        "lab/model",
        "https://git/lab/model.git",
        "main",
    )
    [(asked, headers)] = answers.seen
    assert header in {headers.get("Authorization"), headers.get("Private-Token")}
    assert "t0ken" not in asked


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        (Kind.GITHUB, "/api/v3/repos/lab/model/commits", HUB_COMMIT),
        (Kind.GITBUCKET, "/api/v3/repos/lab/model/commits", HUB_COMMIT),
        (Kind.GITEA, "/api/v1/repos/lab/model/commits", HUB_COMMIT),
        (Kind.GITLAB, "/api/v4/projects/lab%2Fmodel/repository/commits", LAB_COMMIT),
    ],
)
async def test_commits_are_listed_with_title_author_and_time(
    answers: Answers, kind: Kind, path: str, answer: object
) -> None:
    answers.by_path[path] = [answer, {"sha": "no commit"}, "nothing"]
    url = f"{answers.url}/lab/model.git"
    [found] = await GitServices().commits(answers.service(kind), TOKEN, url, "a&b=c")
    assert (found.commit, found.title, found.author) == (TIP, "second", "Mia")
    assert found.at == 1795255200.0
    assert "a%26b%3Dc" in answers.seen[0][0]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[" * 100_000,
        {},
        "text",
        None,
        [1, None, [], {"full_name": 3, "clone_url": {}}],
        [{"full_name": "x", "clone_url": ""}],
    ],
)
async def test_answers_that_make_no_sense_list_nothing(
    answers: Answers, answer: object
) -> None:
    answers.by_path["/api/v3/user/repos"] = answer
    try:
        found = await GitServices().repositories(
            answers.service(Kind.GITHUB), TOKEN, ""
        )
    except GitUnavailable as error:
        assert "cannot be read" in error.message
    else:
        assert list(found) == []


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, InvalidInput, "does not show"),
        (403, InvalidInput, "does not show"),
        (404, InvalidInput, "does not show"),
        (302, GitUnavailable, "status 302"),
        (500, GitUnavailable, "status 500"),
    ],
)
async def test_refusals_are_said_and_nobody_is_followed(
    answers: Answers, status: int, error: type[Exception], words: str
) -> None:
    answers.by_path["/api/v3/user/repos"] = status
    with pytest.raises(error, match=words):
        await GitServices().repositories(answers.service(Kind.GITHUB), TOKEN, "")
    assert len(answers.seen) == 1


async def test_a_server_that_hangs_is_given_up() -> None:
    with hanging_server() as place:
        service = Service("lab", Use.GIT, Kind.GITLAB, f"http://{place}")
        began = time.monotonic()
        with pytest.raises(GitUnavailable, match="does not answer"):
            await GitServices(timeout_s=0.3).repositories(service, TOKEN, "")
        assert time.monotonic() - began < 3


async def test_other_software_has_no_list() -> None:
    service = Service("lab", Use.GIT, Kind.OTHER, "https://git.example.org")
    with pytest.raises(GitUnavailable, match="no list"):
        await GitServices().repositories(service, TOKEN, "")


async def test_a_token_that_no_header_can_hold_is_no_crash(answers: Answers) -> None:
    with pytest.raises(GitUnavailable):
        await GitServices().repositories(
            answers.service(Kind.GITLAB), Secret("mia", "パス"), ""
        )
    assert answers.seen == []
