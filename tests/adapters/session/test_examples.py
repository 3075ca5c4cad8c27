"""The example notebooks, run to their end in the base that people get."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rattler import LockFile, install

from conda_bootstrap.examples import copy
from conda_bootstrap.ipython_profile import Facts, install_profile
from kqi_hub.devstack.environments import Environments
from tests.fakes.local_slurm import LocalSlurm
from tests.fakes.session_hub import until


@pytest.fixture(scope="module")
def prefix(
    real_site: Environments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Install the base `notebook` from its lock, as people's environments are."""
    place = tmp_path_factory.mktemp("people") / "envs/notebook"
    lock = LockFile.from_path(real_site.site / "bases/notebook/current/lock")
    environment = lock.environment("default")
    assert environment is not None
    (platform,) = environment.platforms()
    records = environment.conda_repodata_records_for_platform(platform)
    assert records is not None
    cache = place.parents[1] / "pkgs"

    async def put() -> None:
        await install(records, place, cache_dir=cache, show_progress=False)

    # A browser of other tests may have this thread's event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, put()).result()
    yield place
    shutil.rmtree(place.parents[1])  # 700 MB, which pytest would keep three times


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[LocalSlurm]:
    made = LocalSlurm(tmp_path / "slurm")
    yield made
    made.end()


def execute(prefix: Path, place: Path, name: str, **more: str) -> str:
    """Run an example in a copy, and return what its cells printed."""
    [file] = copy([name], place / "workspace")
    home = {"HOME": str(place), "JUPYTER_RUNTIME_DIR": str(place / "runtime")}
    home |= {"PATH": f"{prefix}/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    home |= {"MPLCONFIGDIR": str(place / "matplotlib"), "MPLBACKEND": ""}
    jupyter = [str(prefix / "bin/jupyter"), "nbconvert", "--to", "notebook"]
    done = subprocess.run(
        [*jupyter, "--execute", "--output", "done", str(file)],
        env=home | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads((file.parent / "done.ipynb").read_text())["cells"]
    outputs = [one for cell in cells for one in cell.get("outputs", ())]
    return "".join("".join(one.get("text", "")) for one in outputs)


def test_iris_tells_nearly_all_flowers_right(prefix: Path, tmp_path: Path) -> None:
    printed = execute(prefix, tmp_path, "iris_ex")
    share = float(printed.split("%")[0])
    assert share > 90
    assert "of 45 unseen flowers" in printed


def test_tfboard_writes_what_the_four_views_of_tensorboard_show(
    prefix: Path, tmp_path: Path
) -> None:
    printed = execute(prefix, tmp_path, "tfboard_ex")
    assert float(printed.split("%")[0]) > 95
    [logs] = (tmp_path / "workspace/logs").iterdir()
    code = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
seen = EventAccumulator(sys.argv[1]).Reload()
tags = seen.Tags()
plugins = {name: seen.PluginTagToContent(name) for name in ("scalars", "histograms")}
print(json.dumps([tags["graph"], {name: sorted(of) for name, of in plugins.items()}]))
"""
    argv = [str(prefix / "bin/python"), "-c", code, str(logs)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    has_graph, plugins = json.loads(said)
    assert has_graph is True
    assert plugins["scalars"] == ["accuracy", "loss"]
    assert plugins["histograms"] == [f"layer{n}/weights" for n in (1, 2, 3)]


def test_ipy_starts_four_engines_uses_and_stops_them(
    prefix: Path, tmp_path: Path, slurm: LocalSlurm
) -> None:
    ipython = tmp_path / "ipython"
    install_profile(ipython, Facts(tmp_path / "log"))
    path = f"{slurm.bin}:{prefix}/bin:{os.environ['PATH']}"
    more = {"IPYTHONDIR": str(ipython), "PATH": path, "KQI_NODE_ADDRESS": "127.0.0.1"}
    more |= {"SLURM_JOB_ID": "99", "SLURM_JOB_PARTITION": "cpu"}
    printed = execute(prefix, tmp_path, "ipy_ex", **more)
    assert "4 engines threw 8,000,000 points" in printed
    assert "pi is about 3.14" in printed
    assert str(prefix / "bin/python") in slurm.said("script")
    until(lambda: not slurm.runs(), 30)
