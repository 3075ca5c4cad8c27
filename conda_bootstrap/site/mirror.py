"""Bring the packages of a lock into the site's channel, each checked by its hash."""

import contextlib
import errno
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urlsplit

from rattler import RepoDataRecord

from conda_bootstrap.errors import BootstrapError, Refused
from conda_bootstrap.site.folder import SiteFolder
from conda_bootstrap.site.lock import hash_of

_AT_ONCE: Final = 4
_CHUNK: Final = 1 << 20
_TIMEOUT_S: Final = 60.0
_SCHEMES: Final = ("https", "http", "file")


@dataclass(frozen=True, slots=True)
class Package:
    """A package file: where it is to be had, where it belongs, what it has to be."""

    url: str
    path: Path
    sha256: str
    size: int

    @property
    def unfinished(self) -> Path:
        """Return where it is while it comes; what is there is gone on with."""
        return self.path.with_name(f".{self.path.name}.part")

    def is_here(self) -> bool:
        """Return whether it is in the channel, whole."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return False
        return size == self.size and hash_of(self.path) == self.sha256


def packages_of(site: SiteFolder, records: Sequence[RepoDataRecord]) -> list[Package]:
    """Return the files of these packages; refuse one that has no SHA-256 or size."""
    found = []
    for record in records:
        if record.sha256 is None or record.size is None:
            raise BootstrapError(
                "no_hash",
                f"{record.url} has no SHA-256 or no size in its channel's index.",
                "Only packages that can be checked are taken: use another channel.",
            )
        folder = site.channel / ("noarch" if record.subdir == "noarch" else "linux-64")
        name = Path(record.file_name).name
        found.append(
            Package(record.url, folder / name, record.sha256.hex(), record.size)
        )
    return found


def mirror(
    packages: Sequence[Package],
    told: Callable[[int, int], None],
    *,
    link: bool = False,
) -> int:
    """Fetch what is missing or damaged and return how many bytes that were.

    `told` hears bytes done and bytes in all. With `link`, packages of a channel on
    the same file system are hard links to those there.
    """
    missing = [package for package in packages if not package.is_here()]
    total = sum(package.size for package in missing)
    if missing and not link:
        _require_room(missing[0].path.parent, total)
    done = 0
    with ThreadPoolExecutor(_AT_ONCE) as fetchers:
        running = fetchers.map(lambda package: _bring(package, link=link), missing)
        try:
            for size in running:
                done += size
                told(done, total)
        except BaseException:
            fetchers.shutdown(cancel_futures=True)
            raise
    return total


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Refused(
            "no_room",
            f"The packages need {needed / 1e6:.0f} MB and {folder} has"
            f" {free / 1e6:.0f} MB.",
            "Make room, or remove old locks: python -I -m conda_bootstrap.site"
            " remove-old",
        )


def _bring(package: Package, *, link: bool) -> int:
    if not (link and _linked(package)):
        _fetch(package)
    if hash_of(package.unfinished) != package.sha256:
        package.unfinished.unlink()
        raise BootstrapError(
            "damaged",
            f"{package.url} is not what its channel's index says (SHA-256 differs).",
            "Try again; if it stays so, the channel is damaged: tell its owner.",
        )
    package.unfinished.chmod(0o644)
    package.unfinished.replace(package.path)
    return package.size


def _linked(package: Package) -> bool:
    """Make a hard link of a package of a local channel; return whether that went."""
    place = urlsplit(package.url)
    if place.scheme != "file":
        return False
    package.unfinished.unlink(missing_ok=True)
    try:
        os.link(unquote(place.path), package.unfinished)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            return False
        raise _unreachable(package, error) from error
    return True


def _fetch(package: Package) -> None:
    """Write the package's unfinished file, going on after what is there already."""
    have = 0
    with contextlib.suppress(FileNotFoundError):
        have = package.unfinished.stat().st_size
    if have == package.size:
        return
    try:
        with _open(package, have if have < package.size else 0) as answer:
            resumed = getattr(answer, "status", None) == http.HTTPStatus.PARTIAL_CONTENT
            with package.unfinished.open("ab" if resumed else "wb") as stream:
                shutil.copyfileobj(answer, stream, _CHUNK)
                os.fsync(stream.fileno())
    except urllib.error.HTTPError as error:
        with error:  # it is also the answer, and that has a connection
            raise _unreachable(package, error) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(package, error) from error


def _open(package: Package, have: int) -> IO[bytes]:
    if urlsplit(package.url).scheme not in _SCHEMES:
        raise BootstrapError("address", f"{package.url} is none of {_SCHEMES}.")
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(package.url, headers=headers)  # noqa: S310 - checked above
    answer: IO[bytes] = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310
    return answer


def _unreachable(package: Package, error: Exception) -> BootstrapError:
    reason = getattr(error, "reason", None) or error
    return BootstrapError(
        "not_fetched",
        f"{package.url} could not be fetched: {reason}",
        "What did arrive is kept: run it again and it goes on from there.",
    )
