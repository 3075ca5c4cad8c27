"""Ask GitHub, GitLab, Gitea and GitBucket for lists, over their own REST interfaces."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from kqi_hub.domain.credentials import Kind, Secret, Service
from kqi_hub.domain.errors import GitUnavailable, InvalidInput, KqiError
from kqi_hub.domain.git_refs import COMMIT, RemoteCommit, RemoteRepository, path_in

DEFAULT_TIMEOUT_S: Final = 5.0
MOST: Final = 100
_MOST_COMMITS: Final = 30
_ANSWER_BYTES: Final = 4 * 1024 * 1024
_LONGEST_TEXT: Final = 200
# Threads of its own: servers that hang must not hold those that draw pages.
_THREADS: Final = 4
_GITHUB: Final = "github.com"
_NOT_FOR_YOU: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
)


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How one kind of software is asked, and what its answers call things."""

    base: Callable[[str], str]
    header: Callable[[str], tuple[str, str]]
    repositories: Callable[[str], str]
    commits: Callable[[str, str], str]
    name: str = "full_name"
    url: str = "clone_url"


def _token(value: str) -> tuple[str, str]:
    return "Authorization", f"token {value}"


def _github_base(url: str) -> str:
    place = urlsplit(url)
    if place.hostname == _GITHUB:
        return "https://api.github.com"
    return f"{url.rstrip('/')}/api/v3"


def _github_commits(path: str, ref: str) -> str:
    chosen = {"sha": ref} if ref else {}
    return f"/repos/{quote(path)}/commits?" + urlencode(
        {"per_page": _MOST_COMMITS, **chosen}
    )


def _gitlab_commits(path: str, ref: str) -> str:
    chosen = {"ref_name": ref} if ref else {}
    asked = urlencode({"per_page": _MOST_COMMITS, **chosen})
    return f"/projects/{quote(path, safe='')}/repository/commits?{asked}"


def _gitea_commits(path: str, ref: str) -> str:
    chosen = {"sha": ref} if ref else {}
    asked = {"limit": _MOST_COMMITS, "stat": "false", "files": "false", **chosen}
    return f"/repos/{quote(path)}/commits?{urlencode(asked)}"


def _own_repositories(_: str) -> str:
    return f"/user/repos?per_page={MOST}&sort=pushed"


_DIALECTS: Final[Mapping[Kind, _Dialect]] = {
    Kind.GITHUB: _Dialect(
        _github_base,
        lambda value: ("Authorization", f"Bearer {value}"),
        _own_repositories,
        _github_commits,
    ),
    Kind.GITBUCKET: _Dialect(
        lambda url: f"{url.rstrip('/')}/api/v3",
        _token,
        _own_repositories,
        _github_commits,
    ),
    Kind.GITLAB: _Dialect(
        lambda url: f"{url.rstrip('/')}/api/v4",
        lambda value: ("PRIVATE-TOKEN", value),
        lambda part: (
            "/projects?membership=true&simple=true&order_by=last_activity_at&"
            + urlencode({"per_page": MOST, "search": part})
        ),
        _gitlab_commits,
        name="path_with_namespace",
        url="http_url_to_repo",
    ),
    Kind.GITEA: _Dialect(
        lambda url: f"{url.rstrip('/')}/api/v1",
        _token,
        lambda part: "/repos/search?" + urlencode({"limit": 50, "q": part}),
        _gitea_commits,
    ),
}


class _StayThere(urllib.request.HTTPRedirectHandler):
    """Follow nobody: the token is for this address alone."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return nothing, which makes an error of it."""
        return None


class GitServices:
    """Lists of repositories and commits; nothing is listed for other software."""

    def __init__(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_StayThere)
        self._threads = ThreadPoolExecutor(_THREADS, "git-services")

    async def repositories(
        self, service: Service, secret: Secret, part: str
    ) -> Sequence[RemoteRepository]:
        """Return repositories that the person sees, with a part of their names."""
        dialect = _dialect(service)
        answer = await self._ask(service, secret, dialect, dialect.repositories(part))
        # Gitea puts its list into another answer.
        rows = answer.get("data") if isinstance(answer, dict) else answer
        found = [
            RemoteRepository(name, url, _text(row.get("default_branch")))
            for row in _rows(rows)
            if (name := _text(row.get(dialect.name)))
            and (url := _text(row.get(dialect.url)))
        ]
        return [one for one in found if part.casefold() in one.name.casefold()]

    async def commits(
        self, service: Service, secret: Secret | None, url: str, ref: str
    ) -> Sequence[RemoteCommit]:
        """Return the newest commits of a branch, the newest first."""
        dialect = _dialect(service)
        path = dialect.commits(path_in(service, url), ref)
        answer = await self._ask(service, secret, dialect, path)
        found = (_commit(row) for row in _rows(answer))
        return [one for one in found if one is not None]

    async def _ask(
        self, service: Service, secret: Secret | None, dialect: _Dialect, path: str
    ) -> Any:
        headers = {"Accept": "application/json", "User-Agent": "kqi-hub"}
        if secret is not None:
            name, value = dialect.header(secret.value)
            headers[name] = value
        # The address is the operator's own, of a kind that the settings checked.
        request = urllib.request.Request(  # noqa: S310 - http or https by the settings
            dialect.base(service.url) + path, headers=headers
        )
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: self._answer(service, request)
        )

    def _answer(self, service: Service, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                raw = answer.read(_ANSWER_BYTES + 1)
        except urllib.error.HTTPError as error:
            raise _refused(service, error) from error
        except (OSError, HTTPException, ValueError) as error:
            raise GitUnavailable(
                "{service} does not answer.",
                "Type the address of the repository, or try again later.",
                service=service.name,
            ) from error
        if len(raw) > _ANSWER_BYTES:
            raise _unreadable(service)
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise _unreadable(service) from error


def _dialect(service: Service) -> _Dialect:
    found = _DIALECTS.get(service.kind)
    if found is None:
        raise GitUnavailable(
            "{service} has no list that the portal can read.",
            "Type the address of the repository.",
            service=service.name,
        )
    return found


def _refused(service: Service, error: urllib.error.HTTPError) -> KqiError:
    if error.code in _NOT_FOR_YOU:
        return InvalidInput(
            "{service} does not show this to you.",
            "Store a token that is still valid under Your account, Git services.",
            service=service.name,
        )
    return GitUnavailable(
        "{service} answers with status {status}.",
        "Type the address of the repository, or try again later.",
        service=service.name,
        status=error.code,
    )


def _unreadable(service: Service) -> GitUnavailable:
    return GitUnavailable(
        "The answer of {service} cannot be read.",
        "Ask the site's operators whether it is of the kind that the settings say.",
        service=service.name,
    )


def _rows(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list):
        return []
    return [row for row in answer[:MOST] if isinstance(row, dict)]


def _commit(row: Mapping[str, Any]) -> RemoteCommit | None:
    """Read a commit as GitLab says it, or as GitHub and those like it do."""
    digits = _text(row.get("id") or row.get("sha"))
    if COMMIT.fullmatch(digits) is None:
        return None
    told = row.get("commit")
    inner = told if isinstance(told, dict) else {}
    author = inner.get("author")
    person = author if isinstance(author, dict) else {}
    message = str(row.get("title") or inner.get("message") or "")
    return RemoteCommit(
        digits,
        _text(message.split("\n")[0]),
        _text(row.get("author_name") or person.get("name")),
        _moment(row.get("committed_date") or person.get("date")),
    )


def _text(value: object) -> str:
    """Return somebody else's words short and in one line; nothing for no text."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else "?" for c in value[:_LONGEST_TEXT])


def _moment(value: object) -> float | None:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
