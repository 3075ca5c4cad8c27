"""Note which packages a run was made with, so that it can be made again."""

import hashlib
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.packages import record_stems
from kqi_hub.runner.runs.files import write_json

NOTED: Final = "environment.json"


def note_packages(prefix: Path, folder: Path) -> dict[str, Any]:
    """Write an environment's packages into the run's folder; return their digest.

    Conda's are told with version and build, those of pip by their version.
    """
    told = {
        "conda": list(record_stems(prefix)),
        "pip": sorted(
            name
            for place in prefix.glob("lib/python3*/site-packages")
            for name in _of_pip(place)
        ),
    }
    everything = "\n".join([*told["conda"], "", *told["pip"]])
    digest = hashlib.sha256(everything.encode(errors="surrogateescape")).hexdigest()
    about = {"name": prefix.name, "sha256": digest}
    write_json(folder / NOTED, about | told)
    return about


def _of_pip(folder: Path) -> list[str]:
    return [file.name.removesuffix(".dist-info") for file in folder.glob("*.dist-info")]
