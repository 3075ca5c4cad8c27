"""Encrypt what must be readable again: keys of code devices, tokens of people.

The keys are lines of one file. The first encrypts, all of them decrypt, and the file
is read again when it changes: a rotation needs no restart. What is sealed carries what
it is for, so that a row copied to somebody else's name opens for nobody.
"""

import base64
import binascii
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from kqi_hub.domain.errors import SecretUnreadable, SettingsError

_SEPARATOR: Final = b"\0"
_KEY_BYTES: Final = 32


class SecretBox:
    """Seal and open text; any thread may call it."""

    def __init__(
        self,
        read_keys: Callable[[], Sequence[str]],
        stamp: Callable[[], object],
    ) -> None:
        """Read the keys; `stamp` tells, cheaply, when they may have changed."""
        self._read_keys = read_keys
        self._stamp = stamp
        self._lock = threading.Lock()
        self._seen: object = None
        self._fernet = self._current()

    def seal(self, text: str, purpose: str) -> str:
        """Encrypt `text`; `open` wants the same purpose, such as "totp alice"."""
        return self._current().encrypt(_bound(text, purpose)).decode()

    def open(self, sealed: str, purpose: str, longest_age_s: int | None = None) -> str:
        """Decrypt what `seal` returned, or raise SecretUnreadable."""
        content = _decrypted(self._current(), sealed, longest_age_s)
        said, _, text = content.partition(_SEPARATOR)
        if said != purpose.encode():
            raise _unreadable()
        return text.decode()

    def resealed(self, sealed: str) -> str:
        """Return the same secret under the first key, or raise SecretUnreadable."""
        fernet = self._current()
        _decrypted(fernet, sealed)
        return fernet.rotate(sealed.encode()).decode()

    def _current(self) -> MultiFernet:
        with self._lock:
            stamp = self._stamp()
            if stamp != self._seen:
                self._fernet = MultiFernet([Fernet(key) for key in self._keys()])
                self._seen = stamp
            return self._fernet

    def _keys(self) -> Sequence[str]:
        keys = self._read_keys()
        for number, key in enumerate(keys, start=1):
            if not is_key(key):
                raise SettingsError(
                    f"Line {number} of the key file is no key.",
                    "Lines are made by `kqi-hub keys generate` and `keys rotate` only.",
                )
        return keys


def _decrypted(
    fernet: MultiFernet, sealed: str, longest_age_s: int | None = None
) -> bytes:
    try:
        return fernet.decrypt(sealed.encode(), longest_age_s)
    except (InvalidToken, UnicodeError):
        raise _unreadable() from None


def _unreadable() -> SecretUnreadable:
    return SecretUnreadable(
        "A stored secret cannot be decrypted.",
        "The key file lacks the key that sealed it, or somebody changed the database: "
        "put the key back (docs/operators/login.md).",
    )


def is_key(text: str) -> bool:
    """Tell whether a line of the file can be a key."""
    try:
        return len(base64.b64decode(text, altchars="-_", validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def new_key() -> str:
    """Return a fresh key."""
    return Fernet.generate_key().decode()


def file_stamp(path: Path) -> Callable[[], object]:
    """Return what tells when a file has been replaced or written."""

    def stamp() -> object:
        try:
            status = path.stat()
        except OSError as error:
            raise SettingsError(
                f"The key file {path} cannot be read: {error.strerror}."
            ) from error
        return status.st_mtime_ns, status.st_ino, status.st_size

    return stamp


def _bound(text: str, purpose: str) -> bytes:
    if "\0" in purpose:
        raise ValueError("a purpose holds no NUL")
    return purpose.encode() + _SEPARATOR + text.encode()
