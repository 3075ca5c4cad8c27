"""What a remote Git repository has: branches, tags, commits; and which one is meant."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from kqi_hub.domain.credentials import Secret, Service, Use
from kqi_hub.domain.errors import InvalidInput

LONGEST_URL: Final = 1000
SCHEMES: Final = ("https", "http", "ssh", "git")
COMMIT: Final = re.compile(r"[0-9a-f]{40}", re.ASCII)
# Git itself shortens commits to no fewer digits than these.
_PART_OF_COMMIT: Final = re.compile(r"[0-9a-f]{4,40}", re.ASCII)
_REF: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@#=-]{0,199}", re.ASCII)
# git@host:folder/name.git, as Git services show it.
_SCP: Final = re.compile(
    r"([A-Za-z0-9_][A-Za-z0-9_.-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):([^\s:/-][^\s:]*)"
)
# What the tip of a repository is called where the server does not say it.
_USUAL: Final = ("master", "main")


@dataclass(frozen=True, slots=True)
class Refs:
    """The tips of a repository: commits of branches and tags, and the default branch.

    `head` is the commit that is checked out where nothing is chosen.
    """

    branches: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    head: str = ""


@dataclass(frozen=True, slots=True)
class RemoteRepository:
    """A repository as a Git service lists it; `url` is what one clones."""

    name: str
    url: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class RemoteCommit:
    """A commit as a Git service lists it."""

    commit: str
    title: str
    author: str = ""
    at: float | None = None


class Resolver(Protocol):
    """Find the commit that a person means, at the moment of submission (K-28)."""

    async def resolve(
        self, person: str, url: str, ref: str = "", commit: str = ""
    ) -> str:
        """Return 40 hex digits.

        A commit wins over a branch or tag; without both it is the default branch's
        tip. Raises InvalidInput for what is not there and GitUnavailable (in
        domain/errors.py) when the server does not tell in time.
        """


class RemoteGit(Protocol):
    """Ask Git servers; GitUnavailable when one does not answer, or refuses."""

    async def refs(self, url: str, secret: Secret | None, trusted: bool) -> Refs:
        """Return the tips of a repository; `trusted`: it is one of the site's."""

    async def repositories(
        self, service: Service, secret: Secret, part: str
    ) -> Sequence[RemoteRepository]:
        """Return repositories that the person sees, with a part of their names."""

    async def commits(
        self, service: Service, secret: Secret | None, url: str, ref: str
    ) -> Sequence[RemoteCommit]:
        """Return the newest commits of a branch, the newest first."""


def checked_url(url: str) -> str:
    """Return the address without blanks around; InvalidInput if it cannot be one."""
    text = url.strip()
    if not _is_address(text):
        raise InvalidInput(
            "url: this is not the address of a Git repository.",
            "It looks like https://git.example.org/group/name.git or "
            "git@git.example.org:group/name.git.",
        )
    if urlsplit(text).password:
        raise InvalidInput(
            "url: there is a password in this address, which others could see.",
            "Store it under Your account, Git services, and leave it out here.",
        )
    return text


def checked_ref(ref: str) -> str:
    """Return the name of a branch or tag, or nothing; InvalidInput otherwise."""
    name = ref.strip()
    if name and (_REF.fullmatch(name) is None or ".." in name or "@{" in name):
        raise InvalidInput(
            "ref: this is not the name of a branch or tag.",
            "Leave it empty for the repository's default branch.",
        )
    return name


def checked_commit(commit: str) -> str:
    """Return a commit's digits in lower case, or nothing; InvalidInput otherwise."""
    digits = commit.strip().lower()
    if digits and _PART_OF_COMMIT.fullmatch(digits) is None:
        raise InvalidInput(
            "commit: a commit is 40 hexadecimal digits, or the first few of them.",
            "Copy it from the Git service, or leave it out for the branch's newest.",
        )
    return digits


def commit_of(refs: Refs, ref: str, commit: str) -> str:
    """Return the commit that is meant (K-28); InvalidInput if there is none."""
    if commit:
        return _whole(refs, commit)
    if ref:
        return _tip(refs, ref)
    if refs.head:
        return refs.head
    for name in _USUAL:
        if name in refs.branches:
            return refs.branches[name]
    raise InvalidInput(
        "ref: the repository has no default branch.",
        "Name a branch, tag or commit.",
    )


def service_of(services: Sequence[Service], url: str) -> Service | None:
    """Return the site's Git service that an https address of a repository is at."""
    for service in services:
        if service.use is Use.GIT and _is_below(url, service.url):
            return service
    return None


def as_https(services: Sequence[Service], url: str) -> str:
    """Return an ssh address at one of the site's services as its https address.

    The portal has nobody's SSH key: it asks the same server with the stored token.
    """
    host, path = _ssh_parts(url)
    for service in services:
        base = urlsplit(service.url)
        if service.use is Use.GIT and host and base.hostname == host:
            return f"{service.url.rstrip('/')}/{path}"
    return url


def ssh_host(url: str) -> str:
    """Return the host of an address that is asked with an SSH key, else nothing."""
    return _ssh_parts(url)[0]


def path_in(service: Service, url: str) -> str:
    """Return a repository's path at its service, such as group/name."""
    base = urlsplit(service.url).path.rstrip("/")
    path = urlsplit(url).path.removeprefix(base).strip("/")
    return path.removesuffix(".git")


def _ssh_parts(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme == "ssh":
        return (parts.hostname or "", parts.path.lstrip("/"))
    found = _SCP.fullmatch(url)
    return (found[2].lower(), found[3]) if found else ("", "")


def _is_address(url: str) -> bool:
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        return False
    if " " in url or url.startswith("-"):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme in SCHEMES:
        # ssh would take a host such as -oProxyCommand=... for an option.
        return bool(host) and not host.startswith("-") and len(parts.path) > 1
    return _SCP.fullmatch(url) is not None


def _is_below(url: str, base: str) -> bool:
    one, other = urlsplit(url), urlsplit(base)
    if one[:2] != other[:2] or one.scheme != "https":
        return False
    return one.path.startswith(other.path.rstrip("/") + "/")


def _whole(refs: Refs, part: str) -> str:
    if COMMIT.fullmatch(part):
        return part
    tips = {*refs.branches.values(), *refs.tags.values()}
    found = sorted(tip for tip in tips if tip.startswith(part))
    if len(found) == 1:
        return found[0]
    raise InvalidInput(
        "commit: {commit} is not enough to tell which commit it is.",
        "Give all of its 40 digits.",
        commit=part,
    )


def _tip(refs: Refs, ref: str) -> str:
    bare = ref.removeprefix("refs/")
    for named, name in (
        (refs.branches, ref),
        (refs.tags, ref),
        (refs.branches, bare.removeprefix("heads/")),
        (refs.tags, bare.removeprefix("tags/")),
    ):
        if name in named:
            return named[name]
    raise InvalidInput(
        "ref: the repository has no branch or tag {ref}.",
        "Choose one of: {some}.",
        ref=ref,
        some=", ".join(sorted(refs.branches)[:10]) or "-",
    )
