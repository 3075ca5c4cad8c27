"""kqi-hub doctor where half of the site is missing: that is its job."""

import json
from pathlib import Path

import pytest

from tests.adapters.operator.conftest import Run


@pytest.fixture
def bare(site: Path) -> Path:
    """Settings that point at nothing that exists."""
    settings = (site / "kqi.toml").read_text()
    (site / "kqi.toml").write_text(
        f'[site]\nstate_dir = "{site}"\n'
        f'[door]\nsocket = "{site}/no.sock"\n'
        f'[scratch]\nroot = "{site}/scratch"\n'
        + settings.replace(
            'name = "gpu1"',
            f'name = "gpu1"\nslurm_bin = "{site}/bin"\ncommand_timeout_s = 2',
        )
    )
    return site


def lines(kqi_hub: Run, *words: str) -> dict[str, dict[str, str]]:
    done = kqi_hub("doctor", "--json", *words)
    data = json.loads(done.stdout)
    assert done.exit_code == (0 if data["ok"] else 1)
    return {check["name"]: check for check in data["checks"]}


def test_wrong_settings_are_the_only_line(site: Path, kqi_hub: Run) -> None:
    (site / "kqi.toml").write_text("[cluster]\nname = 5\n")
    done = kqi_hub("doctor")
    assert done.exit_code == 1
    assert "cluster.name" in done.output
    assert "0 ok, 0 warn, 1 fail" in done.output


def test_missing_settings_say_where_they_should_be(kqi_hub: Run, site: Path) -> None:
    (site / "kqi.toml").unlink()
    (check,) = lines(kqi_hub).values()
    assert check["level"] == "fail"
    assert "kqi.toml" in check["seen"]


def test_nothing_there_is_a_line_each_with_what_to_do(bare: Path, kqi_hub: Run) -> None:
    found = lines(kqi_hub)
    failed = {name for name, check in found.items() if check["level"] == "fail"}
    assert {
        "slurm controller",
        "slurm version",
        "slurm accounting",
        "scratch root",
        "door",
        "door files",
        "database",
        "worker",
    } <= failed
    assert all(found[name]["todo"] for name in failed)
    assert "cluster.slurm_bin" in found["slurm controller"]["todo"]
    assert found["database"]["todo"].startswith("Run: kqi-hub db upgrade")
    assert found["directory"]["level"] == "warn"
    assert found["settings"]["level"] == "ok"


def test_text_has_one_line_a_check_and_a_sum(bare: Path, kqi_hub: Run) -> None:
    done = kqi_hub("doctor")
    assert done.exit_code == 1
    shown = done.stdout.splitlines()
    assert all(line.split()[0] in ("ok", "warn", "fail", "skip") for line in shown[:-2])
    assert "Traceback" not in done.output
    assert shown[-1].endswith("skip")


def test_program_that_hangs_costs_its_time_limit_only(bare: Path, kqi_hub: Run) -> None:
    (bare / "bin").mkdir()
    for name in ("scontrol", "sinfo", "sacctmgr"):
        program = bare / "bin" / name
        program.write_text("#!/bin/sh\nexec sleep 60\n")
        program.chmod(0o755)
    found = lines(kqi_hub)
    assert "within 2 s" in found["slurm controller"]["seen"]
    assert found["clock"]["level"] == "skip"


def test_person_that_nobody_can_become_is_told(bare: Path, kqi_hub: Run) -> None:
    found = lines(kqi_hub, "--person", "alice")
    assert found["scratch of alice"]["level"] == "fail"
    assert found["job of a person"]["level"] == "fail"
    assert found["clock of a node"]["level"] == "skip"
