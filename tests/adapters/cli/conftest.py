"""The `kqi` command against a portal and a store on loopback, both over real HTTP."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handlers.service import Folders
from kqi_hub.cli.main import kqi
from kqi_hub.sdk.config import Config, save
from kqi_hub.sdk.errors import PortalError
from tests.fakes.site import FOLDERS, FakeSite, serving_beside


@dataclass(frozen=True)
class Ran:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return the portal's folders without npm's files."""
    static = tmp_path_factory.mktemp("static")
    ignore = shutil.ignore_patterns("vendor")
    shutil.copytree(FOLDERS.static, static, ignore=ignore, dirs_exist_ok=True)
    (static / "vendor").mkdir()
    for name in ("bootstrap.min.css", "icons.svg"):
        (static / "vendor" / name).write_text("")
    return replace(FOLDERS, static=static)


@pytest.fixture
def site(folders: Folders) -> Iterator[FakeSite]:
    with serving_beside(FakeSite(folders=folders)) as site:
        yield site


@pytest.fixture
def run(site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs `kqi` as mia, a member of vision, in an empty folder."""
    for name in ("KQI_SERVER", "KQI_TOKEN", "KQI_TENANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("TZ", "UTC")
    save(Config(site.origin, "vision", site.hub.token("mia")))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*words: str, text: str = "") -> Ran:
        done: Result = CliRunner().invoke(kqi, words, input=text)
        code = done.exit_code
        if isinstance(done.exception, PortalError):
            said = f"{done.stderr}kqi: {done.exception}"
            return Ran(done.exception.exit_code, done.stdout, said)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(code, done.stdout, done.stderr)

    return run
