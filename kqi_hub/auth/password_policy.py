"""Understand what a directory says about a password beside yes and no.

Three dialects: the response control of draft-behera-ldap-password-policy (OpenLDAP,
389, OpenDJ), the two older Netscape controls (389), and the hexadecimal codes that
Active Directory puts into its error text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

REQUEST_OID: Final = "1.3.6.1.4.1.42.2.27.8.5.1"
_EXPIRED_OID: Final = "2.16.840.1.113730.3.4.4"
_EXPIRING_OID: Final = "2.16.840.1.113730.3.4.5"
_LARGEST_NUMBER: Final = 2**31 - 1


class PolicyError(IntEnum):
    """The numbers of draft-behera, section 6.2."""

    PASSWORD_EXPIRED = 0
    ACCOUNT_LOCKED = 1
    CHANGE_AFTER_RESET = 2
    MODIFICATION_NOT_ALLOWED = 3
    MUST_SUPPLY_OLD = 4
    QUALITY = 5
    TOO_SHORT = 6
    TOO_YOUNG = 7
    IN_HISTORY = 8


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What the policy adds to an answer."""

    expires_in_s: int | None = None
    grace_left: int | None = None
    error: PolicyError | None = None
    is_disabled: bool = False
    is_account_expired: bool = False


_AD_CODE: Final = re.compile(r"\bdata ([0-9a-f]{3,4})\b")
_AD_ANSWERS: Final[Mapping[str, PolicyAnswer]] = {
    "532": PolicyAnswer(error=PolicyError.PASSWORD_EXPIRED),
    "533": PolicyAnswer(is_disabled=True),
    "701": PolicyAnswer(is_account_expired=True),
    "773": PolicyAnswer(error=PolicyError.CHANGE_AFTER_RESET),
    "775": PolicyAnswer(error=PolicyError.ACCOUNT_LOCKED),
}


def read_answer(result: Mapping[str, Any]) -> PolicyAnswer:
    """Read the policy's part of an ldap3 result; what cannot be read says nothing."""
    controls: Mapping[str, Any] = result.get("controls") or {}
    value = _value(controls, REQUEST_OID)
    if value is not None:
        return _behera(value)
    if _EXPIRED_OID in controls:
        # 389 lets such a person in only to change the password.
        return PolicyAnswer(error=PolicyError.CHANGE_AFTER_RESET)
    expiring = _value(controls, _EXPIRING_OID)
    if expiring is not None and expiring.isdigit() and len(expiring) < 12:
        return PolicyAnswer(expires_in_s=min(int(expiring), _LARGEST_NUMBER))
    found = _AD_CODE.search(str(result.get("message") or "")[:1000])
    return _AD_ANSWERS.get(found[1], PolicyAnswer()) if found else PolicyAnswer()


def _value(controls: Mapping[str, Any], oid: str) -> bytes | None:
    control = controls.get(oid)
    value = control.get("value") if isinstance(control, dict) else None
    return value if isinstance(value, bytes) else None


def _behera(value: bytes) -> PolicyAnswer:
    """Decode SEQUENCE { warning [0] CHOICE {..} OPTIONAL, error [1] ENUM OPTIONAL }."""
    try:
        return _sequence(_tagged(value)[0x30])
    except (KeyError, IndexError, ValueError):
        return PolicyAnswer()


def _sequence(content: bytes) -> PolicyAnswer:
    parts = _tagged(content)
    warning = _tagged(parts.get(0xA0, b""))
    error = parts.get(0x81)
    return PolicyAnswer(
        expires_in_s=_number(warning[0x80]) if 0x80 in warning else None,
        grace_left=_number(warning[0x81]) if 0x81 in warning else None,
        error=PolicyError(_number(error)) if error is not None else None,
    )


def _tagged(data: bytes) -> dict[int, bytes]:
    """Split BER into contents by tag; IndexError or ValueError if it is cut off."""
    found = {}
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:
                raise ValueError("indefinite or absurd length")
            length = int.from_bytes(data[position : position + size], "big")
            position += size
        if position + length > len(data):
            raise ValueError("content is cut off")
        found[tag] = data[position : position + length]
        position += length
    return found


def _number(content: bytes) -> int:
    if not 1 <= len(content) <= 8:
        raise ValueError("no number")
    number = int.from_bytes(content, "big", signed=True)
    return max(0, min(number, _LARGEST_NUMBER))
