"""Small files, which come whole: hashed first, and written only if nobody has them."""

import contextlib
import hashlib
import os

from kqi_hub.store.contents import MODE, Contents
from kqi_hub.store.errors import telling_full_disk


def keep(contents: Contents, file: str, data: bytes) -> str:
    """Make a file of these bytes, or a link to a content that has them; its hash."""
    sha256 = hashlib.sha256(data).hexdigest()
    if data:
        with telling_full_disk():
            if not contents.put(sha256, len(data), file):
                _write_whole(file, data)
                contents.take(file, sha256, len(data))
    return sha256


def _write_whole(file: str, data: bytes) -> None:
    """Write a file at once; one that a killed process left there is not ours yet."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(file, flags, MODE)
    except FileExistsError:
        os.unlink(file)
        descriptor = os.open(file, flags, MODE)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file)
        raise
    finally:
        os.close(descriptor)
