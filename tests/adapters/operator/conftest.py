"""A site of its own for each test.

Fixtures:
site     a folder with a right settings file, kqi.toml, and no database yet
kqi_hub  runs kqi-hub on that file and returns exit code, output and errors
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kqi_hub.operator.main import cli

Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "a site '文'"
    folder.mkdir(0o700)
    (folder / "kqi.toml").write_text(
        f'[cluster]\nname = "gpu1"\n'
        f'[database]\nurl = "sqlite:///{folder}/kqi.sqlite"\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def kqi_hub(site: Path) -> Run:
    def run(*words: str) -> Result:
        arguments = ["--config", str(site / "kqi.toml"), *words]
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    return run
