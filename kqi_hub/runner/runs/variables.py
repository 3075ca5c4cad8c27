"""The variables of a run's command: who outranks whom (K-101 to K-106, KX-47 to 49)."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kqi_hub.runner.environment import without_other_pythons
from kqi_hub.runner.images.cache import KeptImage
from kqi_hub.runner.images.gpu_libraries import INSIDE as GPUS
from kqi_hub.runner.images.variables import variables_in_image
from kqi_hub.runner.runs.mounts import Home
from kqi_hub.runner.runs.order import RunOrder

_ALWAYS: Final = {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}
_UNLESS_SAID: Final = {
    "PYTHONUNBUFFERED": "1",
    # Packages below ~/.local are of some other Python.
    "PYTHONNOUSERSITE": "1",
}


def command_variables(
    order: RunOrder,
    home: Home,
    prefix: Path | None,
    environ: Mapping[str, str],
    image: KeptImage | None = None,
) -> dict[str, str]:
    """Return what the command sees, from the weakest to the strongest.

    What the job began with, or what the image sets; the operator's defaults; the
    person's variables; the chosen environment; what is said of the run, which nobody
    overrides.
    """
    found = _of_node(environ) if image is None else _of_image(environ, image, home)
    found |= {**_UNLESS_SAID, **order.defaults, **order.variables}
    if prefix is not None:
        found["PATH"] = _joined(str(prefix / "bin"), found["PATH"])
        found["CONDA_PREFIX"] = str(prefix)
        found["CONDA_DEFAULT_ENV"] = prefix.name
    return found | _ALWAYS | dict(order.control) | run_variables(order, home)


def run_variables(order: RunOrder, home: Home) -> dict[str, str]:
    """Return what is said of the run, beside what the order has in `control`."""
    places = ("input", "output", "git", "attach", "parent")
    told = {f"KQI_{name.upper()}": home.at(name) for name in places}
    told |= {
        "KQI_HOME": home.path,
        # What srun starts elsewhere finds the same folders there.
        "KQI_FOLDER": str(order.folder),
        "KQI_KIND": order.kind,
        "KQI_RUN_ID": str(order.id),
        "KQI_PORTS": ",".join(map(str, order.ports)),
        "ENTRY_POINT": order.command,
        "MODEL_REPOSITORY_TOKEN": order.git[1] if order.git else "",
    }
    if order.item is not None:
        number = "" if order.item.data is None else str(order.item.data)
        told |= {
            "DATA_ID": number,
            "DATA_NAME": order.item.name,
            "TAGS": ",".join(order.item.tags),
        }
    return told


def _of_node(environ: Mapping[str, str]) -> dict[str, str]:
    found = without_other_pythons(environ)
    # Last, so that git, python and kqi are there and nothing of the person's is hidden.
    tools = str(Path(sys.executable).parent)
    found["PATH"] = _joined(found.get("PATH", ""), tools)
    return found


def _of_image(
    environ: Mapping[str, str], image: KeptImage, home: Home
) -> dict[str, str]:
    has_gpus = any(one.startswith(GPUS) for one in home.argv)
    return variables_in_image(environ, image.variables, has_gpus=has_gpus)


def _joined(*paths: str) -> str:
    return ":".join(filter(None, paths))
