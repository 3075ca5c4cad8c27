"""The files of Slurm name each node once, with ports and devices of its own."""

import re
from pathlib import Path

import pytest

from kqi_hub.devstack import slurmconf
from kqi_hub.devstack.catalogue import PORT_NAMES


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("os.chown", lambda *_: None)
    folder = tmp_path / "slurm"
    ports = {name: 20000 + number for number, name in enumerate(PORT_NAMES)}
    slurmconf.write_slurm_files(folder, ports, 64030)
    return folder


def test_every_node_has_a_port_of_its_own(written: Path) -> None:
    lines = re.findall(
        r"^NodeName=(\S+) .*Port=(\d+)", (written / "slurm.conf").read_text(), re.M
    )
    assert [name for name, _ in lines] == list(slurmconf.NODE_NAMES)
    assert len({port for _, port in lines}) == len(lines)


def test_every_gpu_is_told_to_slurm(written: Path) -> None:
    gres = (written / "gres.conf").read_text()
    for node in slurmconf.NODES:
        has_line = f"NodeName={node.name} Name=gpu Type={node.gpu_type}" in gres
        assert has_line == bool(node.gpus)
    assert "/run/slurm/gpu/a100-01/nvidia[0-7]" in gres
    assert "/run/slurm/gpu/jup01/nvidia0\n" in gres


def test_slurmdbds_file_is_closed(written: Path) -> None:
    assert (written / "slurmdbd.conf").stat().st_mode & 0o777 == 0o600


def test_people_of_the_same_tenants_are_added_at_once() -> None:
    lines = slurmconf.sacctmgr_after_controller().splitlines()
    added = [line for line in lines if line.startswith("add user")]
    assert added == [
        "add user alice account=vision,nlp defaultaccount=vision",
        "add user bob account=nlp defaultaccount=nlp",
        "add user carol,dave,erin account=vision defaultaccount=vision",
    ]
