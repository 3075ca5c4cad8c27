"""What runs have used, read from their folders through the door, with real people."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.runas.house import House, a_house
from tests.adapters.runas.run_folder_house import (
    HOSTILE,
    a_run,
    collected,
    command,
    give,
    kqi_folder,
)

USE: dict[str, object] = {
    "source": "cgroup v2", "seconds": 100.0, "samples": 20.0, "cpu_s": 120.0,
    "cores_max": 4.0, "memory_mb_mean": 10.0, "memory_mb_max": 20.0,
    "gpu_percent_mean": None,
}  # fmt: skip
LINES = (
    "epoch,cpu_cores_used,memory_mb,gpu_percent,gpu_memory_mb\n"
    "100.0,1.00,10,,\n110.0,2.00,30,,\n"
)


@pytest.fixture(scope="module")
def house(able: None) -> Iterator[House]:
    with a_house() as made:
        made.configure(
            collect_command=command(made, "--store", str(made.base / "store.sock"))
        )
        made.start()
        yield made


@pytest.fixture
def kqi(house: House) -> Path:
    return kqi_folder(house)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (USE, USE), ([USE], None), ("x", None), (5, None),
        ({"source": "a\nb", "seconds": -1, "x": 10**400, "y": float("nan"),
                 "z": True, "w": [1]},
         {"source": "a b", "seconds": None, "x": None, "y": None, "z": None,
          "w": None}),
        ({str(at): at for at in range(500)}, {str(at): at for at in range(20)}),
    ],
)  # fmt: skip
def test_figures_of_a_result_are_fit_to_be_stored(
    house: House, kqi: Path, said: object, read: object
) -> None:
    a_run(kqi, changes={"use": said})
    one = collected(house)
    assert (one["found"], one["result"]["use"], one["use"]) == ("result", read, read)


def test_what_was_used_is_read_with_the_result(house: House, kqi: Path) -> None:
    (a_run(kqi, changes={"use": USE}) / "use.csv").write_text(LINES)
    assert collected(house)["use"] == USE


def test_of_a_run_that_was_cut_off_the_lines_are_summed_up(
    house: House, kqi: Path
) -> None:
    run = a_run(kqi)
    (run / "result.json").unlink()
    (run / "use.csv").write_text(LINES)
    give(kqi)
    use = collected(house)["use"]
    assert (use["source"], use["seconds"], use["cpu_s"]) == ("samples", 10.0, 20.0)
    assert (use["memory_mb_max"], use["gpu_percent_mean"]) == (30.0, None)


@pytest.mark.parametrize("spoil", [spoil for spoil, _ in HOSTILE])
def test_lines_that_are_none_are_not_read_and_keep_nobody_waiting(
    house: House, kqi: Path, spoil: Callable[[Path], None]
) -> None:
    run = a_run(kqi)
    (run / "use.csv").touch()
    give(kqi)
    spoil(run / "use.csv")
    began = time.monotonic()
    one = collected(house)
    assert time.monotonic() - began < 5
    assert (one["found"], one["use"]) == ("result", None)
