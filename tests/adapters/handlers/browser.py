"""A browser without a screen: it keeps cookies and sends what browsers send."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, CookieJar

from tests.fakes.site import FakeSite

NAVIGATE = {
    "Accept": "text/html",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
}
SCRIPT = {
    "Accept": "application/json",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
}


@dataclass(frozen=True)
class Shown:
    """What the browser shows at the end of all redirects."""

    status: int
    url: str
    text: str
    headers: Mapping[str, str]

    @property
    def main(self) -> str:
        """Return the page without the frame around it."""
        return self.text.partition("<main")[2].partition("</main>")[0]

    @property
    def xsrf(self) -> str:
        """Return the token that the page holds for its own scripts and forms."""
        found = re.search(r'name="xsrf-token" content="([^"]*)"', self.text)
        return found[1] if found else ""


@dataclass(frozen=True)
class Browser:
    """Open pages, send forms, and let the pages' scripts ask."""

    site: FakeSite
    session: ClientSession

    async def log_in(self, person: str) -> Shown:
        """Log in at the fake hub and open the first page."""
        await self.session.get(f"{self.site.origin}/hub/login?as={person}")
        return await self.open()

    async def open(self, path: str = "", **headers: str) -> Shown:
        """Open a page of the portal."""
        return await self._ask("GET", path, None, {**NAVIGATE, **_named(headers)})

    async def send(self, path: str, fields: Mapping[str, str], **headers: str) -> Shown:
        """Send a form; redirects are followed."""
        return await self._ask("POST", path, fields, {**NAVIGATE, **_named(headers)})

    async def script(self, path: str, **headers: str) -> Shown:
        """Let a script of some page of this origin read."""
        return await self._ask("GET", path, None, {**SCRIPT, **_named(headers)})

    def cookies(self) -> dict[str, str]:
        """Return all cookies, with their attributes."""
        return {
            c.key: "; ".join(c.OutputString().split("; ")[1:])
            for c in self.session.cookie_jar
        }

    async def _ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> Shown:
        answer = await self.session.request(
            method, self.site.url(path), data=fields, headers=headers
        )
        text = await answer.text()
        return Shown(answer.status, str(answer.url), text, dict(answer.headers))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def browsing(site: FakeSite) -> AsyncIterator[Browser]:
    """Open a new browser, which knows nobody."""
    jar = CookieJar(unsafe=True)  # an address is no domain, and keeps no cookie else
    async with ClientSession(cookie_jar=jar) as session:
        yield Browser(site, session)
