"""Ask remote Git repositories for their tips, with `git ls-remote`.

It runs as the portal, so it has nothing of a person's but the token that they stored
for that very server: no files, no SSH key, no Git configuration of anybody's.
"""

import asyncio
import ipaddress
import os
import re
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from kqi_hub.domain.credentials import Secret
from kqi_hub.domain.errors import GitUnavailable, InvalidInput, KqiError
from kqi_hub.domain.git_refs import COMMIT, Refs
from kqi_hub.i18n import N_

DEFAULT_TIMEOUT_S: Final = 15.0
OUTPUT_LIMIT_BYTES: Final = 16 * 1024 * 1024
_STDERR_BYTES: Final = 8 * 1024
_CHUNK: Final = 64 * 1024
_REAP_S: Final = 2.0
_SCHEMES: Final = frozenset({"https", "http", "git"})
_PORTS: Final = {"https": 443, "http": 80}
# Git reads addresses in its own way: of git://10.0.0.1%2Fx@host it decodes a whole
# address before it looks for the server. So nothing is left to be read two ways.
_SERVER: Final = (
    r"(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)
_PLAIN_SERVER: Final = re.compile(_SERVER, re.ASCII | re.IGNORECASE)
_PLAIN_PLACE: Final = re.compile(
    rf"(?:[a-z0-9._~%+-]*@)?{_SERVER}", re.ASCII | re.IGNORECASE
)
# What operators set for the portal's process and Git needs to get out of the house.
_HANDED_ON: Final = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY"),
    *("NO_PROXY", "ALL_PROXY", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_REFUSED: Final = re.compile(
    r"authentication failed|could not read (username|password)|terminal prompts "
    r"disabled|access denied|\b40[13]\b",
    re.IGNORECASE,
)
_ABSENT: Final = re.compile(
    r"repository .*not found|\b404\b|does not appear to be a git|"
    r"not exported|no such repository|not valid: is this a git",
    re.IGNORECASE,
)
_MOVED: Final = re.compile(r"unable to update url base|\b30[12378]\b", re.IGNORECASE)
_PROXIES: Final = tuple(name for name in _HANDED_ON if "proxy" in name.lower())


@dataclass(frozen=True, slots=True)
class GitRemote:
    """Tips of repositories over https, http and git; certificates are checked."""

    program: str = "git"
    timeout_s: float = DEFAULT_TIMEOUT_S
    # More variables for Git, such as where a site keeps its certificates.
    more: Mapping[str, str] = field(default_factory=dict)

    async def refs(self, url: str, secret: Secret | None, trusted: bool) -> Refs:
        """Return the tips of a repository; `trusted`: it is one of the site's.

        Raises InvalidInput when the server knows no such repository, or does not show
        it to this person, GitUnavailable when it does not answer in time.
        """
        host = _host_of(url)
        found = () if trusted else await _refuse_own_network(host)
        with (
            tempfile.TemporaryDirectory(prefix="kqi-git-") as home,
            _helper(url, secret, home) as options,
        ):
            argv = (
                *(self.program, *_options(trusted), *_pinned(url, found), *options),
                *("ls-remote", "--symref", "--", url),
                *("HEAD", "refs/heads/*", "refs/tags/*"),
            )
            answer = await self._ask(argv, home, host)
        return await asyncio.to_thread(read_refs, answer)

    async def _ask(self, argv: tuple[str, ...], home: str, host: str) -> bytes:
        async with _started(argv, home, self._environment(home)) as process:
            try:
                async with asyncio.timeout(self.timeout_s):
                    answer, said = await asyncio.gather(
                        _read(process.stdout, OUTPUT_LIMIT_BYTES),
                        _read(process.stderr, _STDERR_BYTES),
                    )
                    status = await process.wait()
            except TimeoutError:
                raise _no_answer(host, self.timeout_s) from None
        if len(answer) > OUTPUT_LIMIT_BYTES:
            raise GitUnavailable(
                "{host} says more of this repository than can be shown.",
                "Give the commit itself, all of its 40 digits.",
                host=host,
            )
        if status != 0:
            raise _error(host, said.decode(errors="replace"))
        return answer

    def _environment(self, home: str) -> dict[str, str]:
        handed = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        return {
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": home,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            # Nobody is there to be asked, and no other program is started by a URL.
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_ALLOW_PROTOCOL": ":".join(sorted(_SCHEMES)),
            # One that says nothing more is not waited for.
            "GIT_HTTP_LOW_SPEED_LIMIT": "1",
            "GIT_HTTP_LOW_SPEED_TIME": str(max(1, int(self.timeout_s))),
            **handed,
            **self.more,
        }


def read_refs(answer: bytes) -> Refs:
    """Return what `git ls-remote --symref` said; lines that are no tips are left."""
    branches: dict[str, str] = {}
    tags: dict[str, str] = {}
    default = head = ""
    for line in answer.decode(errors="replace").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/heads/"):
            default = value.removeprefix("ref: refs/heads/")
        elif COMMIT.fullmatch(value) is None or not name.isprintable():
            continue
        elif name == "HEAD":
            head = value
        elif name.startswith("refs/heads/"):
            branches[name.removeprefix("refs/heads/")] = value
        elif name.startswith("refs/tags/"):
            # The commit that a tag with a text stands for comes after it, as `v1^{}`.
            tags[name.removeprefix("refs/tags/").removesuffix("^{}")] = value
    return Refs(branches, tags, default, head)


def _options(trusted: bool) -> tuple[str, ...]:
    # A strange server must not send the portal to a place of its own choice.
    follow = "initial" if trusted else "false"
    return (
        *("-c", "http.sslVerify=true", "-c", f"http.followRedirects={follow}"),
        *("-c", "credential.helper="),
    )


@contextmanager
def _helper(url: str, secret: Secret | None, home: str) -> Iterator[tuple[str, ...]]:
    """Let Git find the token, as long as it is needed, and for that host alone.

    It is in a file of mode 0600, neither in a command line nor in the environment.
    """
    place = urlsplit(url)
    if secret is None or place.scheme != "https":
        yield ()
        return
    user, value = (
        quote(part, safe="") for part in (secret.user_name or "oauth2", secret.value)
    )
    host = place.netloc.rpartition("@")[2]
    path = Path(home, "credentials")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"https://{user}:{value}@{host}\n")
        yield ("-c", f"credential.helper=store --file={path}")
    finally:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def _started(
    argv: tuple[str, ...], home: str, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=home,
            start_new_session=True,
        )
    except OSError as error:
        raise GitUnavailable(
            "Git cannot be run on the portal's machine: {reason}.",
            "Ask the site's operators to install it.",
            reason=error.strerror,
        ) from error
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing running: git-remote-https is a child of git's own."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_REAP_S):
            await process.wait()


async def _read(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """Return what comes, and one byte more than `most` at most; the rest is lost."""
    kept = bytearray()
    while stream is not None and (some := await stream.read(_CHUNK)):
        kept += some[: most + 1 - len(kept)]
    return bytes(kept)


def _host_of(url: str) -> str:
    place = urlsplit(url)
    if place.scheme not in _SCHEMES or not place.hostname:
        raise InvalidInput(
            "url: the portal can ask repositories with https, http and git alone.",
            "Use the https address, or give the commit, all of its 40 digits.",
        )
    plain = _PLAIN_SERVER if place.scheme == "git" else _PLAIN_PLACE
    if plain.fullmatch(place.netloc) is None:
        raise InvalidInput(
            "url: this is not the address of a Git repository.",
            "It looks like https://git.example.org/group/name.git or "
            "git@git.example.org:group/name.git.",
        )
    return place.hostname


def _pinned(url: str, found: Sequence[str]) -> tuple[str, ...]:
    """Return options that keep Git to the addresses that were looked at.

    The name's own server could tell Git another one a moment later.
    """
    place = urlsplit(url)
    if not found or place.scheme not in _PORTS or place.hostname in found:
        return ()
    port = place.port or _PORTS[place.scheme]
    where = f"{place.hostname}:{port}:{','.join(found)}"
    return ("-c", f"http.curloptResolve={where}")


async def _refuse_own_network(host: str) -> tuple[str, ...]:
    """Refuse addresses that only the portal's own machine can reach; return others.

    Else anybody could have the portal knock at doors that are closed to them.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(5):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        if any(os.environ.get(name) for name in _PROXIES):
            return ()  # the proxy knows names that this machine does not
        raise GitUnavailable(
            "There is no server {host}.", N_("Check the address."), host=host
        ) from error
    for *_, address in found:
        place = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped:
            place = place.ipv4_mapped
        if place.is_loopback or place.is_link_local or place.is_unspecified:
            raise InvalidInput(
                "url: {host} is the portal's own machine, not a Git server.",
                "Ask the site's operators to name it as a Git service.",
                host=host,
            )
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _no_answer(host: str, seconds: float) -> GitUnavailable:
    return GitUnavailable(
        "{host} did not answer within {seconds} s.",
        "Try again later, or give the commit itself, all of its 40 digits.",
        host=host,
        seconds=f"{seconds:g}",
    )


def _error(host: str, said: str) -> KqiError:
    if _REFUSED.search(said):
        return InvalidInput(
            "url: {host} does not show this repository to you.",
            "Check the address; if it is private, store a token for {host} under Your "
            "account, Git services.",
            host=host,
        )
    if _ABSENT.search(said):
        return InvalidInput(
            "url: {host} has no such repository, or does not show it to you.",
            "Check the address; if it is private, store a token for {host} under Your "
            "account, Git services.",
            host=host,
        )
    if _MOVED.search(said):
        return InvalidInput(
            "url: {host} says that the repository has moved.",
            "Use the address that the Git service shows for cloning.",
            host=host,
        )
    return GitUnavailable(
        "{host} could not be asked: {said}",
        "Try again later, or give the commit itself, all of its 40 digits.",
        host=host,
        said=_last_line(said),
    )


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "Git ended without a word"
    return "".join(c if c.isprintable() else "?" for c in last[:200])
