"""Find the exact packages of a base: py-rattler's solver on the channels given."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rattler import (
    BuildString,
    Gateway,
    GenericVirtualPackage,
    PackageName,
    RepoDataRecord,
    Version,
    VirtualPackage,
    solve,
)
from rattler.exceptions import (
    FetchRepoDataError,
    GatewayError,
    InvalidChannelError,
    InvalidMatchSpecError,
    InvalidUrlError,
    InvalidVersionError,
    SolverError,
)

from conda_bootstrap.errors import BootstrapError, WrongUse

PLATFORM: Final = "linux-64"


def solve_packages(
    specs: Sequence[str],
    channels: Sequence[str],
    machine: Mapping[str, str],
    cache: Path | None,
) -> list[RepoDataRecord]:
    """Return the packages for `specs`; `machine` is what nodes have and this has not.

    A login node without GPUs has no `__cuda`, which builds of GPU packages ask for.
    """
    try:
        virtual = _virtual_packages(machine)
        gateway = Gateway() if cache is None else Gateway(cache_dir=cache)
        coroutine = solve(
            sources=list(channels),
            specs=list(specs),
            gateway=gateway,
            platforms=[PLATFORM, "noarch"],
            virtual_packages=virtual,
        )
        found = asyncio.run(coroutine)
    except SolverError as error:
        raise BootstrapError(
            "no_solution",
            f"No set of packages fits: {error}",
            "Loosen a version in the environment file, or add a channel.",
        ) from error
    except (GatewayError, FetchRepoDataError) as error:
        raise BootstrapError(
            "channel",
            f"A channel cannot be read: {error}",
            f"Asked were: {', '.join(channels)}. Name others with --channel URL.",
        ) from error
    except (
        InvalidMatchSpecError,
        InvalidChannelError,
        InvalidUrlError,
        InvalidVersionError,
    ) as error:
        raise WrongUse("spec", f"That is not understood: {error}") from error
    return sorted(found, key=lambda record: record.name.normalized)


def _virtual_packages(machine: Mapping[str, str]) -> list[GenericVirtualPackage]:
    here = [one.into_generic() for one in VirtualPackage.detect()]
    kept = [one for one in here if one.name.normalized not in machine]
    return kept + [
        GenericVirtualPackage(PackageName(name), Version(version), BuildString("0"))
        for name, version in machine.items()
    ]
