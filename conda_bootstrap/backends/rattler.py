"""Install with py-rattler: the only module that imports it."""

import asyncio
import tempfile
import threading
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from rattler import (
    Gateway,
    LockChannel,
    LockFile,
    LockPlatform,
    PackageCache,
    PrefixRecord,
    RepoDataRecord,
    ValidationMode,
    VirtualPackage,
    install,
    solve,
)
from rattler.exceptions import (
    GatewayError,
    InstallerError,
    InvalidMatchSpecError,
    ParseCondaLockError,
    SolverError,
)
from rattler.install import InstallerReporter

from conda_bootstrap.backends.port import Resolution, Work
from conda_bootstrap.errors import BootstrapError, Refused, WrongUse
from conda_bootstrap.packages import Package
from conda_bootstrap.places import Places
from conda_bootstrap.reporting import Report
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import Source, explicit_packages

_PLATFORM: Final = "linux-64"
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
            records, text = _locked(source.text), source.text
        else:
            channels = source.channels or self._channels
            gateway = Gateway(cache_dir=places.own / "repodata")
            if source.kind == "explicit":
                records = asyncio.run(_looked_up(source.text, gateway))
            else:
                records = asyncio.run(_solved(source.specs, channels, gateway))
            text = _lock_text(records, channels)
        packages = tuple(_package(one) for one in records)
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
        records, lacking = asyncio.run(_added(present, specs, self._channels, gateway))
        text = _lock_text(records, self._channels)
        source = Source("specs", channels=self._channels)
        packages = tuple(_package(one) for one in records)
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


def _locked(text: str) -> list[RepoDataRecord]:
    """Return the packages of a lock for this kind of machine."""
    with tempfile.NamedTemporaryFile("w", suffix=".lock", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            lock = LockFile.from_path(Path(file.name))
        except ParseCondaLockError as error:
            raise WrongUse("lock", f"This lock file cannot be read: {error}") from error
    environment = lock.default_environment()
    for platform in lock.platforms():
        if environment and platform.name == _PLATFORM:
            return environment.conda_repodata_records_for_platform(platform) or []
    raise WrongUse(
        "lock",
        f"This lock file has no packages for {_PLATFORM} in its environment `default`.",
    )


async def _solved(
    specs: Sequence[str],
    channels: Sequence[str],
    gateway: Gateway,
    present: Sequence[RepoDataRecord] = (),
) -> list[RepoDataRecord]:
    try:
        return await solve(
            sources=list(channels),
            specs=list(specs),
            gateway=gateway,
            platforms=[_PLATFORM, "noarch"],
            locked_packages=list(present),
            virtual_packages=VirtualPackage.detect(),
            timestamp_policy="allow-missing",
        )
    except InvalidMatchSpecError as error:
        raise WrongUse(
            "spec", f"A package is not named as conda does: {error}"
        ) from error
    except SolverError as error:
        missing = await _missing(specs, channels, gateway)
        raise Refused("unsolvable", *_told(missing, str(error))) from error
    except GatewayError as error:
        raise _unreachable(channels, error) from error


def _told(missing: Sequence[str], problem: str) -> tuple[str, str]:
    if missing:
        return (
            f"The channels of this site do not have: {', '.join(missing)}.",
            "Leave them out, install them with pip afterwards, or ask the operators "
            "to add them to the channel.",
        )
    return (
        f"These packages do not fit together: {problem.strip()}",
        "Ask for fewer exact versions and try again.",
    )


async def _added(
    present: Sequence[RepoDataRecord],
    wanted: Sequence[str],
    channels: Sequence[str],
    gateway: Gateway,
) -> tuple[list[RepoDataRecord], list[str]]:
    lacking = await _missing(wanted, channels, gateway)
    exact = [one for one in wanted if one not in lacking]
    base = [one.name.normalized for one in present]
    try:
        return await _solved([*base, *exact], channels, gateway, present), lacking
    except Refused:
        loose = [one.partition(" ")[0] for one in exact]
        return await _solved([*base, *loose], channels, gateway, present), lacking


async def _missing(
    specs: Sequence[str], channels: Sequence[str], gateway: Gateway
) -> list[str]:
    """Return the specs for which no channel has any package."""
    lacking = []
    for spec in specs:
        found = await gateway.query(
            list(channels), [_PLATFORM, "noarch"], [spec], recursive=False
        )
        if not any(found):
            lacking.append(spec)
    return lacking


async def _looked_up(text: str, gateway: Gateway) -> list[RepoDataRecord]:
    """Return what the channels tell of the packages of an explicit list."""
    wanted = explicit_packages(text)
    channels = sorted({one.url.rsplit("/", 2)[0] for one in wanted})
    names = sorted({one.name for one in wanted})
    try:
        found = await gateway.query(
            channels, [_PLATFORM, "noarch"], names, recursive=False
        )
    except GatewayError as error:
        raise _unreachable(channels, error) from error
    known = {record.url: record for records in found for record in records}
    if lacking := [one for one in wanted if one.url not in known]:
        raise Refused(
            "not_there",
            f"{len(lacking)} of {len(wanted)} packages are no longer in their channel, "
            f"the first is {lacking[0].file_stem}.",
            "Create it from an environment.yml instead, which finds newer ones.",
        )
    for one in wanted:
        told = known[one.url].md5
        if one.md5 and told and told.hex() != one.md5:
            raise Refused(
                "checksum",
                f"The checksum of {one.file_stem} in the list is not the channel's.",
                "The package was replaced or the list was changed: export it again.",
            )
    return [known[one.url] for one in wanted]


def _unreachable(channels: Sequence[str], error: Exception) -> Refused:
    return Refused(
        "channel",
        f"The packages of {', '.join(channels)} cannot be asked for: {error}",
        "Try again later; if it stays so, tell the operators of this site.",
    )


def _lock_text(records: Sequence[RepoDataRecord], channels: Sequence[str]) -> str:
    platform = LockPlatform(_PLATFORM)
    lock = LockFile([platform])
    lock.set_channels("default", [LockChannel(one) for one in channels])
    for record in records:
        lock.add_conda_package("default", platform, record)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lock")
        lock.to_path(path)
        return path.read_text(encoding="utf-8")


def _package(record: RepoDataRecord) -> Package:
    return Package(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        url=record.url,
        size=record.size or 0,
        md5=record.md5.hex() if record.md5 else "",
    )


def _failure(error: InstallerError) -> BootstrapError:
    text = " ".join(str(error).split())
    if any(sign in text for sign in _FULL):
        return BootstrapError(
            "disk_full",
            "The disk or your quota became full while packages were installed.",
            "What was there before is untouched. Free some space and run it again.",
        )
    return BootstrapError(
        "install",
        f"The packages could not be installed: {text}",
        "What was there before is untouched. Run it again; if it stays so, tell the "
        "operators of this site.",
    )
