"""Small file systems for a test, made in a file and mounted for as long as it takes."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MIB = 1024 * 1024
_MAKERS = {
    "ext4": (["mkfs.ext4", "-q", "-m", "0"], 32),
    # XFS is never smaller.
    "xfs": (["mkfs.xfs", "-q", "-m", "reflink=1"], 320),
}


@contextmanager
def small_disk(kind: str) -> Iterator[Path]:
    """Give a folder that is a file system of its own; skip where that cannot be."""
    folder = Path(tempfile.mkdtemp(prefix="kqi-small-"))
    image = folder.with_suffix(".image")
    try:
        _mount(kind, folder, image)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        folder.rmdir()
        image.unlink(missing_ok=True)
        pytest.skip(f"nothing can be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
        image.unlink(missing_ok=True)


def _mount(kind: str, folder: Path, image: Path) -> None:
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)]
    else:
        maker, megabytes = _MAKERS[kind]
        with image.open("wb") as file:
            file.truncate(megabytes * MIB)
        subprocess.run([*maker, str(image)], check=True, capture_output=True)
        command = ["mount", "-o", "loop", str(image), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
