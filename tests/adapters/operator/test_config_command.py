"""kqi-hub config check and show."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kqi_hub.operator.main import cli

Run = Callable[..., Result]
POSTGRESQL = """
[cluster]
name = "gpu1"
[database]
url = "postgresql+psycopg://kqi@db.example.org/kqi"
password_file = "{folder}/password"
"""


@pytest.fixture
def password(site: Path) -> Path:
    text = POSTGRESQL.format(folder=site)
    (site / "kqi.toml").write_text(text, encoding="utf-8")
    path = site / "password"
    path.write_text("hunter2\n")
    path.chmod(0o600)
    return path


def test_check_says_that_a_right_file_is_right(kqi_hub: Run, site: Path) -> None:
    result = kqi_hub("config", "check")
    assert result.exit_code == 0
    assert f"{site}/kqi.toml is right" in result.stdout


def test_check_tells_every_mistake_and_what_to_do(kqi_hub: Run, site: Path) -> None:
    (site / "kqi.toml").write_text("[clster]\n[site]\nlanguage = 1\n")
    result = kqi_hub("config", "check")
    assert result.exit_code == 6
    assert result.stdout == ""
    assert "clster: unknown table; did you mean cluster?" in result.stderr
    assert "site.language: found 1" in result.stderr
    assert "docs/operators/settings.md" in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback_too(kqi_hub: Run, site: Path) -> None:
    (site / "kqi.toml").write_text("[clster]\n")
    arguments = ["--debug", "--config", str(site / "kqi.toml"), "config", "check"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 6
    assert "Traceback" in result.stderr
    assert "Error: " in result.stderr


def test_check_opens_the_secret_files(kqi_hub: Run, password: Path) -> None:
    assert kqi_hub("config", "check").exit_code == 0
    password.chmod(0o644)
    result = kqi_hub("config", "check")
    assert result.exit_code == 6
    assert "database.password_file: The secret file" in result.stderr
    assert "chmod 0600" in result.stderr
    password.unlink()
    assert "There is no secret file" in kqi_hub("config", "check").stderr


@pytest.mark.parametrize("words", [("config", "show"), ("config", "show", "--json")])
def test_show_never_prints_a_secret(
    kqi_hub: Run, password: Path, words: tuple[str, ...]
) -> None:
    result = kqi_hub(*words)
    assert result.exit_code == 0
    assert password.read_text().strip() not in result.output
    assert "password_file" in result.stdout


def test_show_prints_a_file_that_means_the_same(kqi_hub: Run, site: Path) -> None:
    shown = kqi_hub("config", "show").stdout
    assert tomllib.loads(shown)["cluster"]["poll_interval_s"] == 10
    (site / "kqi.toml").write_text(shown, encoding="utf-8")
    assert kqi_hub("config", "show").stdout == shown


def test_show_as_json_names_the_file_and_every_table(kqi_hub: Run, site: Path) -> None:
    data = json.loads(kqi_hub("config", "show", "--json").stdout)
    assert data["source"] == f"{site}/kqi.toml"
    assert data["settings"]["cluster"]["name"] == "gpu1"
    assert data["settings"]["directory"] is None


def test_the_environment_names_the_file(site: Path) -> None:
    environ = {"KQI_CONFIG": str(site / "kqi.toml")}
    result = CliRunner(env=environ).invoke(cli, ["config", "check"])
    assert result.exit_code == 0


def test_a_missing_file_is_an_error_of_the_settings(tmp_path: Path) -> None:
    arguments = ["--config", str(tmp_path / "no.toml"), "config", "show"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 6
    assert "There is no settings file" in result.stderr


def test_a_wrong_command_line_is_exit_code_2(kqi_hub: Run) -> None:
    assert kqi_hub("config", "chek").exit_code == 2
