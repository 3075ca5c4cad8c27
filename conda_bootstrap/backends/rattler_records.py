"""Ask py-rattler what will be installed: from a lock, a list, or by solving."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rattler import (
    Gateway,
    LockChannel,
    LockFile,
    LockPlatform,
    RepoDataRecord,
    VirtualPackage,
    solve,
)
from rattler.exceptions import (
    GatewayError,
    InvalidMatchSpecError,
    ParseCondaLockError,
    SolverError,
)

from conda_bootstrap.errors import Refused, WrongUse
from conda_bootstrap.packages import Package
from conda_bootstrap.sources import explicit_packages

_PLATFORM: Final = "linux-64"


def locked(text: str) -> list[RepoDataRecord]:
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


async def solved(
    specs: Sequence[str],
    channels: Sequence[str],
    gateway: Gateway,
    present: Sequence[RepoDataRecord] = (),
) -> list[RepoDataRecord]:
    """Solve, staying with what is present, or say what the channels do not have."""
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


async def added(
    present: Sequence[RepoDataRecord],
    wanted: Sequence[str],
    channels: Sequence[str],
    gateway: Gateway,
) -> tuple[list[RepoDataRecord], list[str]]:
    """Solve for more packages, in their exact versions where that is possible."""
    lacking = await _missing(wanted, channels, gateway)
    exact = [one for one in wanted if one not in lacking]
    base = [one.name.normalized for one in present]
    try:
        return await solved([*base, *exact], channels, gateway, present), lacking
    except Refused:
        loose = [one.partition(" ")[0] for one in exact]
        return await solved([*base, *loose], channels, gateway, present), lacking


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


async def looked_up(text: str, gateway: Gateway) -> list[RepoDataRecord]:
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


def lock_text(records: Sequence[RepoDataRecord], channels: Sequence[str]) -> str:
    """Return a lock file of what was found."""
    platform = LockPlatform(_PLATFORM)
    lock = LockFile([platform])
    lock.set_channels("default", [LockChannel(one) for one in channels])
    for record in records:
        lock.add_conda_package("default", platform, record)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lock")
        lock.to_path(path)
        return path.read_text(encoding="utf-8")


def package_of(record: RepoDataRecord) -> Package:
    """Return a record as what the rest of this program knows."""
    return Package(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        url=record.url,
        size=record.size or 0,
        md5=record.md5.hex() if record.md5 else "",
    )
