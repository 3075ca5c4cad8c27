"""Build an environment beside and put it in its place: what create and reset share."""

from dataclasses import dataclass
from pathlib import Path

from conda_bootstrap import activate_script, pip_packages
from conda_bootstrap.backends.port import Backend, Resolution, Work, find_backend
from conda_bootstrap.carrying import carry_over
from conda_bootstrap.errors import of_system
from conda_bootstrap.exchange import flush, flush_names
from conda_bootstrap.kernels import ensure_kernel
from conda_bootstrap.marker import LOCK_COPY, Marker
from conda_bootstrap.packages import record_stems
from conda_bootstrap.places import Places
from conda_bootstrap.reporting import Report
from conda_bootstrap.room import check_room, need
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import Source
from conda_bootstrap.stages import new_stage, remove


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every operation works with."""

    places: Places
    site: Site
    report: Report
    from_shell: bool = False


def prepare(shop: Workshop, source: Source) -> tuple[Backend, Resolution]:
    """Find out what will be installed and that there is room for it, or refuse."""
    backend = find_backend(shop.site)
    shop.report.phase("check", "Looking at what is needed and what is free")
    found = backend.resolve(source, shop.places)
    wanted = need(found.packages, source.base, shop.places)
    shop.report.note(check_room(wanted, shop.places))
    return backend, found


def build(
    shop: Workshop,
    name: str,
    backend: Backend,
    found: Resolution,
    careful: bool = False,
    carry_from: Path | None = None,
) -> tuple[Path, Marker, list[str]]:
    """Return a whole and marked environment that has not got its name yet.

    With it what pip could not get, which does not make it less whole.
    """
    final = shop.places.environment(name)
    stage = new_stage(shop.places, name)
    try:
        work = Work(shop.places, stage, final, careful)
        backend.install(found, work, shop.report)
        wanted = found.source.pip
        if carry_from:
            taken, left = carry_over(carry_from, stage)
            wanted = (*left, *(one for one in wanted if one not in taken))
        lacking = pip_packages.install(wanted, stage, final, shop.places, shop.report)
        marker = _marker(name, backend, found, stage)
        _finish(shop, stage, final, found.lock_text or found.source.explicit)
        marker.write(stage)
        flush_names(stage / "conda-meta")
    except BaseException as error:
        # Not kept for the next time: the packages themselves are in the cache.
        remove(stage)
        if isinstance(error, OSError):
            raise of_system(error) from error
        raise
    return stage, marker, lacking


def _finish(shop: Workshop, stage: Path, final: Path, lock_text: str) -> None:
    shop.report.phase("kernel", "Kernel, and everything written to disk")
    activate_script.write(stage, final)
    if not ensure_kernel(stage, final):
        shop.report.note(
            "It has no kernel, so notebooks cannot use it: add the package ipykernel."
        )
    if lock_text:
        (stage / LOCK_COPY).write_text(lock_text, encoding="utf-8")
    flush(stage)


def _marker(name: str, backend: Backend, found: Resolution, stage: Path) -> Marker:
    source = found.source
    return Marker(
        name=name,
        backend=backend.name,
        base=source.base_name,
        lock_sha256=source.sha256,
        packages=record_stems(stage),
        requested=source.specs,
    )
