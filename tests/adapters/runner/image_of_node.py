"""An image made of a few of this machine's own programs, so that it can be run."""

import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.adapters.oci.fake_registry import entry, file_entry, layer_of

PROGRAMS = ("bash", "cat", "ls", "id", "touch", "sleep", "stdbuf", "env", "mkdir")


def layer_of_programs(programs: tuple[str, ...] = PROGRAMS) -> bytes:
    """Return a layer with programs and the libraries that they need."""
    files: dict[str, Path] = {}
    for name in programs:
        found = shutil.which(name)
        assert found is not None, name
        files[f"usr/bin/{name}"] = Path(found)
        files |= {str(one).lstrip("/"): one for one in libraries(Path(found))}
    folders = [
        entry("usr/bin", tarfile.DIRTYPE),
        entry("bin", tarfile.SYMTYPE, "usr/bin"),
    ]
    lists = [
        file_entry("etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n"),
        file_entry("etc/os-release", b"NAME=of-the-image\n"),
        entry("etc/resolv.conf", tarfile.SYMTYPE, "../run/resolve/stub.conf"),
        entry("tmp", tarfile.DIRTYPE, mode=0o1777),
    ]
    programs_and_libraries = [
        file_entry(name, file.read_bytes(), 0o755) for name, file in files.items()
    ]
    return layer_of([*folders, *lists, *programs_and_libraries])


def libraries(program: Path) -> list[Path]:
    """Return what a program is linked with, by the names that it knows."""
    listed = subprocess.run(
        ["ldd", str(program)], capture_output=True, text=True, check=False
    )
    words = [word for line in listed.stdout.splitlines() for word in line.split()]
    # Preloaded by whoever runs the tests, perhaps: then it is there by its path, too.
    return [
        Path(word) for word in words if word.startswith("/") and Path(word).exists()
    ]
