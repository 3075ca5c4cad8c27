"""kqi-hub db upgrade and check, and the command as an installed program."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
AS_MODULE = [sys.executable, "-m", "kqi_hub.operator.main"]
AS_PROGRAM = [str(Path(sys.executable).parent / "kqi-hub")]


def test_check_before_the_first_upgrade_says_what_to_run(
    kqi_hub: Run, site: Path
) -> None:
    result = kqi_hub("db", "check")
    assert result.exit_code == 7
    assert "Run: kqi-hub db upgrade" in result.stderr
    assert not (site / "kqi.sqlite").exists()


def test_upgrade_makes_the_database_and_check_is_content(
    kqi_hub: Run, site: Path
) -> None:
    result = kqi_hub("db", "upgrade")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "(before: none)" in result.stdout
    assert (site / "kqi.sqlite").stat().st_mode & 0o777 == 0o600
    assert "as this version needs" in kqi_hub("db", "check").stdout


def test_upgrade_twice_has_nothing_to_do(kqi_hub: Run) -> None:
    kqi_hub("db", "upgrade")
    result = kqi_hub("db", "upgrade")
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout


def test_check_as_json_names_address_and_schema(kqi_hub: Run, site: Path) -> None:
    kqi_hub("db", "upgrade")
    data = json.loads(kqi_hub("db", "check", "--json").stdout)
    assert data["url"] == f"sqlite:///{site}/kqi.sqlite"
    assert data["schema"].isdigit()


def test_a_database_open_to_others_is_refused(kqi_hub: Run, site: Path) -> None:
    kqi_hub("db", "upgrade")
    (site / "kqi.sqlite").chmod(0o644)
    result = kqi_hub("db", "check")
    assert result.exit_code == 7
    assert "chmod 0600" in result.stderr


def test_an_unreachable_server_is_told_without_a_traceback(
    kqi_hub: Run, site: Path
) -> None:
    (site / "kqi.toml").write_text(
        '[cluster]\nname = "gpu1"\n[database]\n'
        'url = "postgresql+psycopg://kqi@/kqi?host=/nonexistent"\n'
    )
    for words in (("db", "check"), ("db", "upgrade")):
        result = kqi_hub(*words)
        assert result.exit_code == 7
        assert "does not answer" in result.stderr


@pytest.mark.parametrize("program", [AS_MODULE, AS_PROGRAM], ids=["module", "program"])
def test_the_command_runs_as_module_and_as_program(
    program: list[str], site: Path
) -> None:
    words = ["--config", str(site / "kqi.toml"), "db", "check"]
    done = subprocess.run(
        [*program, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 7
    assert done.stdout == ""
    assert done.stderr.startswith("Error: There is no database file")
