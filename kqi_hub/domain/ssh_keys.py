"""Public SSH keys: what one looks like, and what is refused.

A key is one line of an `authorized_keys` file without its options. Only the kind and
the key itself are kept; the comment behind them becomes its name here.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Protocol

from kqi_hub.domain.errors import Conflict, InvalidInput
from kqi_hub.domain.one_line import is_one_line

MOST_KEYS: Final = 50
LONGEST_KEY_NAME: Final = 64
LONGEST_KEY: Final = 16 * 1024
LEAST_RSA_BITS: Final = 2048
MOST_RSA_BITS: Final = 16384
RSA: Final = "ssh-rsa"
KINDS: Final = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    RSA,
)
_PRIVATE: Final = re.compile(r"PRIVATE\s+KEY|PuTTY-User-Key-File", re.IGNORECASE)
_CERTIFICATE: Final = re.compile(r"\S+-cert-v\d\d@openssh\.com")
_RFC4716: Final = "---- BEGIN SSH2"
_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of a known kind; `blob` is its wire format in base64."""

    kind: str
    blob: str

    @property
    def line(self) -> str:
        """Return it as `authorized_keys` takes it."""
        return f"{self.kind} {self.blob}"

    @property
    def fingerprint(self) -> str:
        """Return what `ssh-keygen -l` calls it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class SshKey:
    """A public key of a person."""

    id: int
    name: str
    key: PublicKey
    added_at: float


class KeyCheck(Protocol):
    """Knows the mathematics of keys."""

    def rsa_bits(self, key: PublicKey) -> int | None:
        """Return an RSA key's size, None for other kinds; ValueError if it is none."""


class SshKeyStore(Protocol):
    """Where people's public keys are kept. Every method blocks."""

    def keys(self, person: str) -> tuple[SshKey, ...]:
        """Return the person's keys, oldest first."""

    def add(self, person: str, name: str, key: PublicKey, now: float) -> SshKey:
        """Add a key; Conflict if the person has it, or has as many as one may."""

    def remove(self, person: str, key_id: int) -> SshKey | None:
        """Remove a key and return it; None if the person has none of this number."""


def same_key(name: str) -> Conflict:
    """Return the refusal of a key that the person has under this name."""
    return Conflict(
        "You have this key already: {name}.",
        "Each key is added once, whatever it is called.",
        name=name,
    )


def too_many_keys() -> Conflict:
    """Return the refusal of one key more than anybody may have."""
    return Conflict(
        "You have {most} SSH keys, which is as many as one may have.",
        "Remove one that you no longer use.",
        most=MOST_KEYS,
    )


def key_name(typed: str) -> str:
    """Return the name of a key as typed, trimmed, or raise InvalidInput."""
    name = typed.strip()
    if not is_one_line(name, LONGEST_KEY_NAME):
        raise InvalidInput(
            "A key's name has 1 to {most} characters, on one line.",
            "Name the machine that the key is on, such as laptop.",
            most=LONGEST_KEY_NAME,
        )
    return name


def public_key(typed: str) -> PublicKey:
    """Return the key in what was typed, or raise InvalidInput saying what it is."""
    text = typed.strip()
    _refuse_other_things(text)
    words = text.split(maxsplit=2)
    if not words or words[0] not in KINDS:
        raise _wrong_kind(text)
    if len(words) == 1:
        raise _not_whole()
    key = PublicKey(words[0], words[1])
    if _kind_inside(key.blob) != key.kind:
        raise _not_whole()
    return key


def check_strength(key: PublicKey, check: KeyCheck) -> None:
    """Refuse what only looks like a key, and RSA keys that are too short or long."""
    try:
        bits = check.rsa_bits(key)
    except ValueError:
        raise _not_whole() from None
    if bits is not None and not LEAST_RSA_BITS <= bits <= MOST_RSA_BITS:
        raise InvalidInput(
            "An RSA key needs {least} to {most} bits; this one has {bits}.",
            "Make a better one: ssh-keygen -t ed25519",
            least=LEAST_RSA_BITS,
            most=MOST_RSA_BITS,
            bits=bits,
        )


def _refuse_other_things(text: str) -> None:
    if _PRIVATE.search(text):
        raise InvalidInput(
            "This is a private key. It was not stored, but it has left your machine.",
            "Make a new pair (ssh-keygen -t ed25519) and paste the file that ends in "
            ".pub; no longer use this one.",
        )
    if text.startswith(_RFC4716):
        raise InvalidInput(
            "This key is in another format than OpenSSH's.",
            "Convert it: ssh-keygen -i -f FILE",
        )
    if not is_one_line(text.replace("\t", " "), LONGEST_KEY):
        raise InvalidInput(
            "A public key is one line of text.",
            "Paste the one line of the file that ends in .pub, one key at a time.",
        )


def _wrong_kind(text: str) -> InvalidInput:
    if _CERTIFICATE.search(text):
        return InvalidInput(
            "This is a certificate, not a key.",
            "Paste the key that it was made for: the .pub file without -cert.",
        )
    if not set(KINDS).isdisjoint(text.split()):
        return InvalidInput(
            "There is something before the key, such as options or a command.",
            "Paste the key alone; it begins with its kind, such as ssh-ed25519.",
        )
    return InvalidInput(
        "This is not a public key of a kind that is taken here.",
        "Possible: {kinds}. Make one: ssh-keygen -t ed25519",
        kinds=", ".join(KINDS),
    )


def _not_whole() -> InvalidInput:
    return InvalidInput(
        "This key is damaged: its content is not what its first word says.",
        "Copy it again, whole, from the file that ends in .pub.",
    )


def _kind_inside(blob: str) -> str:
    """Return the kind that the wire format begins with, empty if it is none."""
    try:
        wire = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return ""
    if base64.b64encode(wire).decode() != blob:
        return ""  # the same key in other letters would pass as another key
    length = int.from_bytes(wire[:_LENGTH_BYTES], "big")
    return wire[_LENGTH_BYTES : _LENGTH_BYTES + length].decode("ascii", "replace")
