from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conda_bootstrap.site.checking import check
from conda_bootstrap.site.folder import SiteFolder
from conda_bootstrap.site.making import Built, Order, build
from tests.adapters.conda_site.wheels import make_channel, tiny_package


@dataclass
class Heard:
    """What an operator would have read."""

    lines: list[str] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def count(self, done: int, total: int) -> None:
        self.counts.append((done, total))


@dataclass
class Lab:
    """A channel with two tiny packages, and a site folder to be filled."""

    folder: Path
    heard: Heard = field(default_factory=Heard)

    @property
    def site(self) -> SiteFolder:
        return SiteFolder(self.folder / "site")

    @property
    def channel(self) -> Path:
        return self.folder / "channel"

    def file(self, text: str, name: str = "tiny.yml") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def order(self, **changes: object) -> Order:
        file = self.folder / "tiny.yml"
        if not file.exists():
            self.file("dependencies:\n  - tool\n")
        values: dict[str, object] = {
            "name": "tiny",
            "file": file,
            "channels": (self.channel.as_uri(),),
            "cache": self.folder / "cache",
        }
        return Order(**{**values, **changes})  # type: ignore[arg-type]  # a table of its fields

    def build(self, **changes: object) -> Built:
        return build(self.site, self.order(**changes), self.heard)

    def wrong(self) -> list[str]:
        """Check the site; that pytest closes the folders above is no matter."""
        lines = check(self.site, self.heard.count)
        return [line for line in lines if "nobody reaches" not in line]

    def package(self, name: str = "tool-1.0-0.conda") -> Path:
        return self.site.channel / "linux-64" / name


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    tmp_path.chmod(0o755)
    found = Lab(tmp_path)
    tool = tiny_package("tool", depends=("part >=1",))
    make_channel(found.channel, tool, tiny_package("part"))
    return found
