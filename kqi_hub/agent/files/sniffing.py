"""What a file is, by its first bytes: a name may say anything."""

import codecs
from typing import Final

HEAD_BYTES: Final = 8192
# Only what browsers draw without running anything; SVG is a program and stays text.
_IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftypavif", 4, "image/avif"),
    (b"BM", 0, "image/bmp"),
)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ENCODINGS: Final = (
    "utf-8", "utf-16-le", "utf-16-be", "cp932", "euc_jp", "cp949", "iso-8859-1",
)  # fmt: skip


def image_type(head: bytes) -> str | None:
    """Return the type of an image, or None."""
    for mark, place, kind in _IMAGES:
        if head.startswith(mark, place):
            return None if kind == "image/bmp" and b"\0" not in head[:16] else kind
    return None


def marked_encoding(head: bytes) -> tuple[str, int]:
    """Return the encoding that a file's mark tells, and how long the mark is."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return "utf-8", 0


def is_binary(head: bytes) -> bool:
    """Tell whether it is no text in any encoding that we know."""
    return b"\0" in head and marked_encoding(head)[1] == 0
