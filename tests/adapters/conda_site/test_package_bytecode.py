"""Packages of one Python version bring their bytecode along."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from kqi_hub.devstack.channel.bytecode import with_bytecode
from kqi_hub.devstack.channel.package import PLACEHOLDER, Entry
from tests.adapters.conda_site.wheels import tiny_package

MODULE = "lib/python3.11/site-packages/greeter.py"


def paths(*entries: Entry, noarch: bool = False) -> set[str]:
    package = replace(tiny_package("greeter"), entries=entries, noarch=noarch)
    return {entry.path for entry in with_bytecode(package).entries}


def test_python_takes_the_bytecode_for_its_own(tmp_path: Path) -> None:
    source = Entry(MODULE, b"print(__cached__)\n")
    package = replace(tiny_package("greeter"), entries=(source,))
    for entry in with_bytecode(package).entries:
        file = tmp_path / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(entry.data)
    cached = Path(importlib.util.cache_from_source(str(tmp_path / MODULE)))
    before = cached.stat().st_ino
    code = "import sys; sys.path.insert(0, sys.argv[1]); import greeter"
    home = str((tmp_path / MODULE).parent)
    argv = (sys.executable, "-I", "-v", "-c", code, home)
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(cached)
    assert f"code object from '{cached}'" in done.stderr
    assert cached.stat().st_ino == before


def test_what_is_no_module_is_not_compiled() -> None:
    left = (
        Entry("share/example.py", b"x = 1\n"),
        Entry("lib/python3.11/greeter/tests/test_it.py", b"x = 1\n"),
        Entry("lib/python3.11/template.py", b"{{ x }} = (\n"),
        Entry("lib/python3.11/nul.py", b"x = '\0'\n"),
        Entry("lib/python3.11/changed.py", f"x = '{PLACEHOLDER}'\n".encode()),
        Entry("lib/python3.11/link.py", link_to="other.py"),
        Entry("lib/python3.11/data.json", b"{}"),
    )
    assert paths(*left) == {entry.path for entry in left}


def test_a_package_for_every_version_of_python_is_left_as_it_is() -> None:
    assert paths(Entry(MODULE, b"x = 1\n"), noarch=True) == {MODULE}
