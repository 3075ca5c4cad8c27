"""What pip brings is installed into the stage; its commands have the final path."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.adapters.conda_bootstrap.person import Person

pytestmark = pytest.mark.slow

METADATA = "Metadata-Version: 2.1\nName: seaborn\nVersion: 0.1\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
COMMAND = "[console_scripts]\nseaborn-tool = seaborn:main\n"


def wheels(folder: Path) -> Path:
    """Make a folder with one wheel, which is all that pip can get here."""
    folder.mkdir()
    info = "seaborn-0.1.dist-info"
    files = {
        "seaborn.py": "def main():\n    print('hello')\n",
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": WHEEL,
        f"{info}/entry_points.txt": COMMAND,
    }
    rows = [f"{name},," for name in (*files, f"{info}/RECORD")]
    files[f"{info}/RECORD"] = "\n".join([*rows, ""])
    with zipfile.ZipFile(folder / "seaborn-0.1-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return folder


def test_package_of_pip_is_installed_reset_away_and_brought_back(
    person: Person, tmp_path: Path
) -> None:
    links = {"PIP_FIND_LINKS": str(wheels(tmp_path / "wheels"))}
    yml = tmp_path / "environment.yml"
    yml.write_text(
        "dependencies:\n  - python=3.11\n  - ipykernel\n"
        "  - pip:\n    - seaborn==0.1\n    - not-to-be-had==1\n"
    )
    answer = person.json("create", "notebook", "--file", str(yml), **links)
    assert answer.code == 0, answer.out
    assert answer.last["result"]["not_had"] == ["not-to-be-had==1"]
    check_command(person)
    assert person.json("reset", "notebook", "--base", "minimal").code == 0
    assert not (person.prefix("notebook") / "bin/seaborn-tool").exists()
    answer = person.json("bring-back", "notebook", **links)
    assert answer.code == 0, answer.out
    assert answer.last["result"]["not_had"] == []
    check_command(person)
    assert person.listed()["notebook"]["state"] == "ready"


def check_command(person: Person) -> None:
    tool = person.prefix("notebook") / "bin/seaborn-tool"
    assert str(person.places.stage) not in tool.read_text()
    said = subprocess.run([str(tool)], capture_output=True, text=True, check=True)
    assert said.stdout == "hello\n"
