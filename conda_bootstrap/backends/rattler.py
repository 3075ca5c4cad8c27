"""Install with py-rattler; only this module and rattler_records import it."""

import asyncio
import threading
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from rattler import Gateway, PackageCache, PrefixRecord, ValidationMode, install
from rattler.exceptions import InstallerError
from rattler.install import InstallerReporter

from conda_bootstrap.backends.port import Resolution, Work
from conda_bootstrap.backends.rattler_records import (
    added,
    lock_text,
    locked,
    looked_up,
    package_of,
    solved,
)
from conda_bootstrap.errors import BootstrapError, disk_full
from conda_bootstrap.packages import Package
from conda_bootstrap.places import Places
from conda_bootstrap.reporting import Report
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import Source

_FULL: Final = ("No space left", "os error 28", "quota exceeded", "os error 122")
_T = TypeVar("_T")


def make(site: Site) -> "RattlerBackend":
    """Return the back-end for a site."""
    return RattlerBackend(site.channels)


class RattlerBackend:
    """Solve, fetch and link in this process; packages are linked from the cache."""

    name = "rattler"

    def __init__(self, channels: tuple[str, ...]) -> None:
        self._channels = channels

    def resolve(self, source: Source, places: Places) -> Resolution:
        """Read a lock, look up an explicit list, or solve."""
        if source.kind == "lock":
            records, text = locked(source.text), source.text
        else:
            channels = source.channels or self._channels
            gateway = Gateway(cache_dir=places.own / "repodata")
            if source.kind == "explicit":
                records = asyncio.run(looked_up(source.text, gateway))
            else:
                records = asyncio.run(solved(source.specs, channels, gateway))
            text = lock_text(records, channels)
        packages = tuple(package_of(one) for one in records)
        return Resolution(packages, source, records, text)

    def resolve_more(
        self, prefix: Path, specs: Sequence[str], places: Places
    ) -> tuple[Resolution, list[str]]:
        """Solve for what is there and what is wanted; without what is not to be had."""
        gateway = Gateway(cache_dir=places.own / "repodata")
        present = [
            PrefixRecord.from_path(one)
            for one in sorted((prefix / "conda-meta").glob("*.json"))
        ]
        records, lacking = asyncio.run(added(present, specs, self._channels, gateway))
        text = lock_text(records, self._channels)
        source = Source("specs", channels=self._channels)
        packages = tuple(package_of(one) for one in records)
        return Resolution(packages, source, records, text), lacking

    def install(self, found: Resolution, work: Work, report: Report) -> None:
        """Fetch what the cache lacks and link everything into the stage.

        The final path is written into the files from the start.
        """
        report.phase("packages", "Packages", len(found.records))
        installing = install(
            list(found.records),
            work.stage,
            cache_dir=work.places.pkgs,
            package_cache=_cache(work),
            show_progress=False,
            # rattler's do-nothing methods look abstract to mypy
            reporter=_Reporter(report, found.packages),  # type: ignore[abstract]
            alternative_target_prefix=work.final,
        )
        try:
            asyncio.run(_awaited(installing))
        except InstallerError as error:
            raise _failure(error) from error


def _cache(work: Work) -> PackageCache | None:
    """Return a cache that is looked into file by file, for careful work."""
    if not work.careful:
        return None
    mode = ValidationMode.full()
    return PackageCache.new_layered([work.places.pkgs], validation_mode=mode)


class _Reporter(InstallerReporter):
    """Count packages that are in place; rattler calls from threads of its own."""

    def __init__(self, report: Report, packages: Sequence[Package]) -> None:
        self._report = report
        self._sizes = [one.size for one in packages]
        self._lock = threading.Lock()
        self._done = self._bytes = 0

    def on_transaction_operation_complete(self, operation: int) -> None:
        with self._lock:
            self._done += 1
            if operation < len(self._sizes):
                self._bytes += self._sizes[operation]
            self._report.progress(self._done, self._bytes)


async def _awaited(work: Awaitable[_T]) -> _T:
    return await work


def _failure(error: InstallerError) -> BootstrapError:
    text = " ".join(str(error).split())
    if any(sign in text for sign in _FULL):
        return disk_full()
    return BootstrapError(
        "install",
        f"The packages could not be installed: {text}",
        "What was there before is untouched. Run it again; if it stays so, tell the "
        "operators of this site.",
    )
