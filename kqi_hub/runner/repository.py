"""Bring a Git repository into the workspace, once."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from kqi_hub.runner.programs import run

TIMEOUT_S: Final = 1800.0
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", re.ASCII)
# How Git is run: nobody is there to be asked, and no other program is started by a URL.
GIT_ENVIRONMENT: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
    "GIT_HTTP_LOW_SPEED_TIME": "60",
}


_FROM_ELSEWHERE: Final = re.compile(r"(?:https?|ssh|git)://|[^/]+@[^/]+:", re.ASCII)


class CloneFailed(Exception):
    """The repository could not be brought; the message is for people."""


@dataclass(frozen=True, slots=True)
class Source:
    """A repository, what to check out of it, and who asks for it."""

    url: str
    ref: str = ""
    credentials: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """Return the folder's name, as Git would choose it."""
        last = re.split(r"[/:]", self.url.rstrip("/"))[-1].removesuffix(".git")
        if _NAME.fullmatch(last) is None:
            raise CloneFailed(f"no folder can be named after the address {self.url!r}")
        return last


def bring(
    source: Source,
    parent: Path,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> Path:
    """Return the folder of the clone, made now if there is none; CloneFailed."""
    target = parent / source.name
    if target.is_symlink() or target.exists():
        say(f"The folder {target} is there already: it is left as it is.")
        return target
    refuse_options(source)
    begun = time.monotonic()
    shown = without_password(source.url)
    say(f"Cloning {shown} to {target}.")
    parent.mkdir(parents=True, exist_ok=True)
    # Under another name until it is whole: a clone that broke off is no clone.
    half = Path(tempfile.mkdtemp(prefix=f".{source.name}-", dir=parent))
    try:
        with credentials_helper(source) as options:
            _clone(source, half, [*options], environment)
        half.rename(target)
    except OSError as error:
        raise CloneFailed(f"{shown}: {error}") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    say(f"Cloned in {time.monotonic() - begun:.1f} s.")
    return target


def git_environment(source: Source) -> dict[str, str]:
    """Return how Git is run for a source.

    The submodules of one from elsewhere are from elsewhere: else a stranger's
    repository could bring files of this machine along, as Git itself would refuse.
    """
    if _FROM_ELSEWHERE.match(source.url) is None:
        return dict(GIT_ENVIRONMENT)
    return {**GIT_ENVIRONMENT, "GIT_ALLOW_PROTOCOL": "https:http:ssh:git"}


def refuse_options(source: Source) -> None:
    """Refuse an address or a name that Git would take for something else."""
    for text in (source.url, source.ref):
        if text.startswith("-") or not text.isprintable():
            raise CloneFailed(f"{text!r} is no address or name for Git")
    try:
        urlsplit(source.url)
    except ValueError as error:
        raise CloneFailed(f"{source.url!r} is no address: {error}") from error


def _clone(
    source: Source, half: Path, options: list[str], environment: Mapping[str, str]
) -> None:
    surroundings = dict(environment) | git_environment(source)

    def git(*words: str) -> bool:
        argv = ["git", *options, "-C", str(half), *words]
        try:
            return run(argv, half, surroundings, TIMEOUT_S) == 0
        except subprocess.TimeoutExpired as error:
            raise CloneFailed(f"it took more than {TIMEOUT_S:.0f} s") from error

    if not git("clone", "--no-checkout", "--", source.url, str(half)):
        raise CloneFailed(f"{without_password(source.url)} could not be cloned")
    if not any(git(*words) for words in _checkouts(source.ref, git)):
        raise CloneFailed(f"it has no branch, tag or commit {source.ref!r}")
    if (half / ".gitmodules").exists() and not git(
        "submodule", "update", "--init", "--recursive"
    ):
        raise CloneFailed("its submodules could not be brought")


def _checkouts(ref: str, git: Callable[..., bool]) -> Iterator[tuple[str, ...]]:
    """Yield how to check out a ref: as a branch, as a tag, as a commit."""
    if not ref:
        yield ("checkout",)
        return
    if git("rev-parse", "--quiet", "--verify", f"refs/remotes/origin/{ref}^{{commit}}"):
        yield ("checkout", "-B", ref, "--track", f"origin/{ref}")
    if git("rev-parse", "--quiet", "--verify", f"refs/tags/{ref}^{{commit}}"):
        yield ("checkout", "--detach", f"refs/tags/{ref}")
    if _COMMIT.fullmatch(ref):
        if not git("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}"):
            git("fetch", "origin", ref)  # a commit that no branch leads to
        yield ("checkout", "--detach", ref)


@contextmanager
def credentials_helper(source: Source) -> Iterator[list[str]]:
    """Give Git's options that let it find the credentials, as long as they are needed.

    They are in a file of mode 0600 that goes away: neither in a command line, which
    everybody on the node can read, nor in the clone.
    """
    place = urlsplit(source.url)
    if source.credentials is None or place.scheme not in ("http", "https"):
        yield []
        return
    user, password = (quote(part, safe="") for part in source.credentials)
    host = place.netloc.rpartition("@")[2]
    handle, path = tempfile.mkstemp(prefix="kqi-git-")
    try:
        os.write(handle, f"{place.scheme}://{user}:{password}@{host}\n".encode())
        os.close(handle)
        # The empty one first: helpers of the person's would be told the password.
        ours = f"credential.helper=store --file={path}"
        yield ["-c", "credential.helper=", "-c", ours]
    finally:
        Path(path).unlink(missing_ok=True)


def without_password(url: str) -> str:
    """Return an address as it may be shown."""
    place = urlsplit(url)
    if "@" not in place.netloc or not place.scheme:
        return url
    return place._replace(netloc=place.netloc.rpartition("@")[2]).geturl()
