"""Folders that look like an environment to whoever only reads files."""

import json
import sys
from pathlib import Path
from typing import Any

from conda_bootstrap.marker import Marker
from conda_bootstrap.places import Places

NEEDED = ("ipykernel", "IPython", "jupyter_client", "tornado", "traitlets", "zmq")
LIBRARY = "lib/python3.11/site-packages"


def pretend_environment(places: Places, name: str, **marker: Any) -> Path:
    """Make a whole environment of ours: records, a Python, a kernel, the mark."""
    prefix = pretend_foreign(places.envs / name)
    Marker(name=name, backend="rattler", **marker).write(prefix)
    return prefix


def pretend_foreign(prefix: Path) -> Path:
    """Make an environment as somebody would have made by hand."""
    for folder in ("bin", "conda-meta", "share/jupyter/kernels/python3", LIBRARY):
        (prefix / folder).mkdir(parents=True)
    (prefix / "bin/python").symlink_to(sys.executable)
    record = {"name": "python", "version": "3.11.2", "build": "0_here"}
    add_record(prefix, record)
    for module in NEEDED:
        (prefix / LIBRARY / module).mkdir()
        (prefix / LIBRARY / module / "__init__.py").touch()
    spec = {
        "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    (prefix / "share/jupyter/kernels/python3/kernel.json").write_text(json.dumps(spec))
    return prefix


def add_record(prefix: Path, record: dict[str, Any]) -> Path:
    stem = f"{record['name']}-{record['version']}-{record['build']}"
    path = prefix / "conda-meta" / f"{stem}.json"
    path.write_text(json.dumps(record))
    return path


def add_distribution(
    prefix: Path, name: str, version: str, installer: str = "pip", record: str = ""
) -> Path:
    folder = prefix / LIBRARY / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "INSTALLER").write_text(f"{installer}\n")
    (folder / "RECORD").write_text(record)
    return folder
