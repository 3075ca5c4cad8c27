"""Write a zip without going back: sizes and sums stand behind each file."""

import os
import stat
import struct
import time
import zlib
from collections.abc import Iterator
from typing import IO, Final

from kqi_hub.agent.files.walking import Seen

_LARGE: Final = 0xF0000000
_FULL: Final = 0xFFFFFFFF
_MANY: Final = 0xFFFF
# Sizes behind the content; names in UTF-8.
_FLAGS: Final = 0x0808
_DEFLATED: Final = 8
_UNIX: Final = 3 << 8
_NEEDS: Final = 45
# What is packed already is only wrapped.
_PACKED: Final = (
    ".7z", ".avi", ".bz2", ".gif", ".gz", ".jpeg", ".jpg", ".mkv", ".mov", ".mp3",
    ".mp4", ".npz", ".parquet", ".png", ".pt", ".pth", ".safetensors", ".tgz", ".webm",
    ".webp", ".whl", ".xz", ".zip", ".zst",
)  # fmt: skip


class Zip:
    """One archive, from its first entry to its end."""

    def __init__(self, listed: IO[bytes]) -> None:
        """Keep the list of entries in a file of the caller's until the end."""
        self._position = 0
        self._entries = 0
        self._list = listed

    def folder(self, seen: Seen) -> Iterator[bytes]:
        """Return a folder's entry."""
        yield from self._entry(_raw(seen.names) + b"/", seen.info, 0, iter(()))

    def link(self, seen: Seen, target: str) -> Iterator[bytes]:
        """Return a link's entry: its content is what it says."""
        said = iter([os.fsencode(target)])
        yield from self._entry(_raw(seen.names), seen.info, 1, said)

    def file(self, seen: Seen, content: Iterator[bytes]) -> Iterator[bytes]:
        """Return a file's entry."""
        level = 0 if seen.names[-1].lower().endswith(_PACKED) else 1
        yield from self._entry(_raw(seen.names), seen.info, level, content)

    def text(self, name: str, content: bytes) -> Iterator[bytes]:
        """Return a file of our own."""
        now = int(time.time())
        info = os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, len(content),
                               now, now, now))  # fmt: skip
        yield from self._entry(name.encode(), info, 1, iter([content]))

    def end(self) -> Iterator[bytes]:
        """Return the list of all entries, and where it is."""
        begin, size = self._position, self._list.tell()
        self._list.seek(0)
        while piece := self._list.read(256 * 1024):
            yield piece
        many = self._entries
        yield struct.pack(
            "<4sQHHIIQQQQ", b"PK\6\6", 44, _UNIX | _NEEDS, _NEEDS, 0, 0, many, many,
            size, begin,
        )  # fmt: skip
        yield struct.pack("<4sIQI", b"PK\6\7", 0, begin + size, 1)
        few = min(many, _MANY)
        yield struct.pack(
            "<4sHHHHIIH", b"PK\5\6", 0, 0, few, few, min(size, _FULL),
            min(begin, _FULL), 0,
        )  # fmt: skip

    def _entry(
        self, name: bytes, info: os.stat_result, level: int, content: Iterator[bytes]
    ) -> Iterator[bytes]:
        begin, is_large = self._position, info.st_size >= _LARGE
        when = _dos_time(info.st_mtime)
        yield self._counted(_local_header(name, when, is_large))
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        check = size = packed = 0
        for piece in content:
            check, size = zlib.crc32(piece, check), size + len(piece)
            out = packer.compress(piece)
            packed += len(out)
            if out:
                yield self._counted(out)
        out = packer.flush()
        packed += len(out)
        form = "<4sIQQ" if is_large else "<4sIII"
        sums = struct.pack(form, b"PK\7\x08", check, packed, size)
        yield self._counted(out + sums)
        self._entries += 1
        self._list.write(
            _list_entry(name, info.st_mode, when, (check, packed, size, begin))
        )

    def _counted(self, piece: bytes) -> bytes:
        self._position += len(piece)
        return piece


def _local_header(name: bytes, when: tuple[int, int], is_large: bool) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, 0, 0) if is_large else b""
    size = _FULL if is_large else 0
    return struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", _NEEDS, _FLAGS, _DEFLATED, *when, 0, size, size,
        len(name), len(extra),
    ) + name + extra  # fmt: skip


def _list_entry(
    name: bytes, mode: int, when: tuple[int, int], told: tuple[int, int, int, int]
) -> bytes:
    check, packed, size, begin = told
    extra = struct.pack("<HHQQQ", 1, 24, size, packed, begin)
    is_folder = 0x10 if stat.S_ISDIR(mode) else 0
    return struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", _UNIX | _NEEDS, _NEEDS, _FLAGS, _DEFLATED,
        *when, check, _FULL, _FULL, len(name), len(extra), 0, 0, 0,
        mode << 16 & _FULL | is_folder, _FULL,
    ) + name + extra  # fmt: skip


def _raw(names: tuple[str, ...]) -> bytes:
    """Return a path in UTF-8, which zip wants: other bytes become U+FFFD."""
    path = "/".join(name for name in names if name != ".") or "."
    return os.fsencode(path).decode(errors="replace").encode()


def _dos_time(moment: float) -> tuple[int, int]:
    """Return time and day; zip knows 1980 to 2107, in steps of two seconds."""
    year, month, day, hour, minute, second, *_ = time.localtime(
        min(max(moment, 315532800.0), 4354819198.0)
    )
    return (
        hour << 11 | minute << 5 | second // 2,
        max(0, year - 1980) << 9 | month << 5 | day,
    )
