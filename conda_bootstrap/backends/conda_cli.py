"""Install with the site's own conda, mamba or micromamba.

They write the folder that they work in into the files. So they work in one whose path
is as long as the final one, and it is replaced byte for byte afterwards.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from conda_bootstrap.backends.port import Resolution, Work
from conda_bootstrap.errors import BootstrapError, Refused, disk_full
from conda_bootstrap.packages import Package, record_stems
from conda_bootstrap.places import Places
from conda_bootstrap.prefix_text import replace_everywhere
from conda_bootstrap.reporting import Report
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import Source, explicit_packages, locked_packages
from conda_bootstrap.stages import new_twin

_TIMEOUT_S: Final = 3600.0
_LAST_CHARS: Final = 1500
_FULL: Final = ("No space left", "NoSpaceLeft", "Disk quota exceeded")


def make(site: Site) -> "CondaBackend":
    """Return the back-end for a site, or say that its program is not there."""
    program = site.backend_path or shutil.which(site.backend)
    if not program or not os.access(program, os.X_OK):
        raise BootstrapError(
            "backend",
            f"The installer {site.backend} is not here"
            + (f" ({site.backend_path})." if site.backend_path else "."),
            "Tell the operators of this site, or run it where conda is installed.",
        )
    return CondaBackend(site.backend, program, site.channels)


class CondaBackend:
    """Call one of the three, which take the same words."""

    def __init__(self, name: str, program: str, channels: tuple[str, ...]) -> None:
        self.name = name
        self._program = program
        self._channels = channels

    def resolve(self, source: Source, places: Places) -> Resolution:
        """Name the packages of a list or lock; those of specs only conda will know."""
        if source.kind == "specs":
            return Resolution((), source)
        text = source.explicit or _explicit_of(source)
        return Resolution(explicit_packages(text), source, [text])

    def resolve_more(
        self, prefix: Path, specs: Sequence[str], places: Places
    ) -> tuple[Resolution, list[str]]:
        """Ask for what is there, as it is, and for the rest in whatever version."""
        there = tuple("=".join(one.rsplit("-", 2)[:2]) for one in record_stems(prefix))
        wanted = tuple(one.replace(" ", "") for one in specs)
        return Resolution((), Source("specs", specs=(*there, *wanted))), []

    def install(self, found: Resolution, work: Work, report: Report) -> None:
        """Have the twin of the final path filled, and move it into the stage."""
        report.phase("packages", f"Packages, by {self.name}")
        twin = new_twin(work.places, work.stage, work.final)
        # They refuse a folder that exists and is no environment.
        twin.rmdir()
        with tempfile.TemporaryDirectory(prefix="kqi-env-") as folder:
            what = self._what(found, Path(folder))
            self._run(twin, what, work.places)
        report.phase("paths", "Writing the final path into the files")
        replace_everywhere(twin, twin, work.final)
        shutil.rmtree(work.stage)
        twin.rename(work.stage)

    def _what(self, found: Resolution, folder: Path) -> list[str]:
        if found.records:
            path = folder / "explicit.txt"
            path.write_text(found.records[0], encoding="utf-8")
            return ["--file", str(path)]
        channels = [word for one in self._channels for word in ("--channel", one)]
        return ["--override-channels", *channels, "--", *found.source.specs]

    def _run(self, twin: Path, what: list[str], places: Places) -> None:
        argv = [self._program, "create", "--yes", "--quiet", "--prefix", str(twin)]
        own = {
            "CONDA_PKGS_DIRS": str(places.pkgs),
            "CONDA_ENVS_DIRS": str(places.envs),
            "CONDA_REPORT_ERRORS": "false",
            "CONDA_NOTIFY_OUTDATED_CONDA": "false",
            "CONDA_REGISTER_ENVS": "false",
        }
        try:
            done = subprocess.run(
                [*argv, *what],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=os.environ | own,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BootstrapError(
                "install", f"{self._program} did not do its work: {error}"
            ) from error
        if done.returncode != 0:
            raise self._failure(done.stdout)

    def _failure(self, said: str) -> BootstrapError:
        if any(sign in said for sign in _FULL):
            return disk_full()
        return BootstrapError(
            "install",
            f"{self.name} could not install the packages: "
            f"{said.strip()[-_LAST_CHARS:]}",
            "What was there before is untouched.",
        )


def _explicit_of(source: Source) -> str:
    """Return the list that conda reads of a lock whose packages have URLs."""
    packages = locked_packages(source.text)
    if any("://" not in one.url for one in packages):
        raise Refused(
            "lock",
            "The installer of this site takes no lock whose packages have no URL.",
            "Export it as explicit and use that.",
        )
    return "@EXPLICIT\n" + "".join(_line(one) for one in packages)


def _line(package: Package) -> str:
    return f"{package.url}#{package.md5}\n" if package.md5 else f"{package.url}\n"
