"""A portal beside a fake hub, and a client that asks it.

Fixtures:
folders   templates and catalogues of the portal, its static files without npm's
site      the portal and the fake hub, listening
ask       asks the portal: path, and optionally person, method, JSON, headers
browser   opens pages, follows redirects, keeps cookies
"""

import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from handlers.service import Folders
from tests.adapters.handlers.browser import Browser, browsing
from tests.fakes.site import FOLDERS, FakeSite, serving


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return the portal's folders; npm's files may be missing where these tests run."""
    static = tmp_path_factory.mktemp("static")
    ignore = shutil.ignore_patterns("vendor")
    shutil.copytree(FOLDERS.static, static, ignore=ignore, dirs_exist_ok=True)
    (static / "vendor").mkdir()
    for name in ("bootstrap.min.css", "icons.svg", "uplot.css", "uplot.mjs"):
        (static / "vendor" / name).write_text("")
    return replace(FOLDERS, static=static)


@pytest.fixture
async def site(folders: Folders) -> AsyncIterator[FakeSite]:
    async with serving(FakeSite(folders=folders)) as served:
        yield served


@dataclass(frozen=True)
class Answer:
    """What the portal answered."""

    status: int
    text: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Client:
    """Ask the portal as a person with a token, or as nobody."""

    site: FakeSite
    tokens: dict[str, str] = field(default_factory=dict)

    async def __call__(
        self,
        path: str,
        person: str | None = None,
        method: str = "GET",
        body: object = None,
        **headers: str,
    ) -> Answer:
        """Return the answer; underscores in names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if person is not None:
            if person not in self.tokens:
                self.tokens[person] = self.site.hub.token(person)
            named["Authorization"] = f"token {self.tokens[person]}"
        data = body if isinstance(body, bytes) else None
        if body is not None and data is None:
            data = json.dumps(body).encode()
            named.setdefault("Content-Type", "application/json")
        request = HTTPRequest(
            self.site.url(path),
            method=method,
            headers=named,
            body=data,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            decompress_response=False,
        )
        return _answer(await AsyncHTTPClient().fetch(request, raise_error=False))


def _answer(response: HTTPResponse) -> Answer:
    return Answer(
        response.code,
        response.body.decode(errors="replace"),
        dict(response.headers.items()),
        tuple(response.headers.get_list("Set-Cookie")),
    )


@pytest.fixture
def ask(site: FakeSite) -> Client:
    return Client(site)


@pytest.fixture
async def browser(site: FakeSite) -> AsyncIterator[Browser]:
    async with browsing(site) as opened:
        yield opened
