"""Recovery codes: how they look, and what is kept of them."""

import hashlib
import hmac
import secrets
from typing import Final

HOW_MANY: Final = 10
# No 0 and O, 1 and I and L, U and V: each of 12 characters is worth 4.9 bits.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 12
_GROUP: Final = 4
_SALT_BYTES: Final = 16


def new_codes() -> tuple[str, ...]:
    """Return ten fresh codes such as 7KQD-XM2R-9TPA."""
    return tuple(_new_code() for _ in range(HOW_MANY))


def fingerprint(code: str) -> str:
    """Return what is kept of a code: a salt, and a hash that the code is found by."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{salt.hex()}{_hash(code, salt)}"


def matches(code: str, kept: str) -> bool:
    """Tell whether a typed code is the one that `kept` was made of."""
    salt, wanted = kept[: 2 * _SALT_BYTES], kept[2 * _SALT_BYTES :]
    return hmac.compare_digest(_hash(code, bytes.fromhex(salt)), wanted)


def _new_code() -> str:
    while True:
        bare = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        # Digits alone would be taken for a one-time code.
        if not bare.isdigit():
            groups = range(0, _LENGTH, _GROUP)
            return "-".join(bare[start : start + _GROUP] for start in groups)


def _hash(code: str, salt: bytes) -> str:
    bare = "".join(char for char in code.upper() if char.isalnum())
    return hashlib.sha256(salt + bare.encode()).hexdigest()
