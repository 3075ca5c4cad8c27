"""Tell from a directory entry whether its account is closed.

Each directory has its own way to say it. An attribute that cannot be read closes the
account: nobody gets in by a spoilt date.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

Entry = Mapping[str, Sequence[str]]
"""Attributes by name in lower case."""

_DAY_S: Final = 86_400
_AD_DISABLED: Final = 0x2
_AD_NEVER: Final = (0, 0x7FFFFFFFFFFFFFFF)
_AD_EPOCH_S: Final = 11_644_473_600
_FOR_EVER_LOCKED: Final = "000001010000Z"


class Closed(StrEnum):
    """Why an account is closed."""

    DISABLED = "disabled"
    EXPIRED = "expired"
    LOCKED = "locked"


_Judge = Callable[[str, float], Closed | None]


def _shadow_expire(value: str, now: float) -> Closed | None:
    day = int(value)
    return Closed.EXPIRED if 0 <= day <= now // _DAY_S else None


def _locked_time(value: str, now: float) -> Closed | None:
    # A real date is a lock that may have passed: there the directory decides.
    return Closed.LOCKED if value == _FOR_EVER_LOCKED else None


def _flag(value: str, now: float) -> Closed | None:
    return Closed.DISABLED if value.strip().lower() in ("true", "yes", "1") else None


def _account_control(value: str, now: float) -> Closed | None:
    return Closed.DISABLED if int(value) & _AD_DISABLED else None


def _account_expires(value: str, now: float) -> Closed | None:
    ticks = int(value)
    if ticks in _AD_NEVER:
        return None
    return Closed.EXPIRED if ticks / 10_000_000 - _AD_EPOCH_S <= now else None


_JUDGES: Final[Mapping[str, _Judge]] = {
    "shadowexpire": _shadow_expire,
    "pwdaccountlockedtime": _locked_time,
    "nsaccountlock": _flag,
    "logindisabled": _flag,
    "useraccountcontrol": _account_control,
    "accountexpires": _account_expires,
}


def closed(
    entry: Entry, attributes: Sequence[str], closed_when: Sequence[str], now: float
) -> Closed | None:
    """Return why the entry's account is closed, None if it is open.

    `attributes` are looked at as their kind demands (one of an unknown kind closes the
    account when it says TRUE); `closed_when` are further `attribute=value` pairs.
    """
    for attribute in attributes:
        judge = _JUDGES.get(attribute.lower(), _flag)
        for value in entry.get(attribute.lower(), ()):
            try:
                reason = judge(value, now)
            except ValueError:
                reason = Closed.DISABLED
            if reason is not None:
                return reason
    return Closed.DISABLED if _matches_any(entry, closed_when) else None


def wanted(attributes: Sequence[str], closed_when: Sequence[str]) -> tuple[str, ...]:
    """Return the attributes that `closed` needs; most must be asked for by name."""
    return (*attributes, *(pair.partition("=")[0] for pair in closed_when))


def _matches_any(entry: Entry, pairs: Sequence[str]) -> bool:
    for pair in pairs:
        attribute, _, expected = pair.partition("=")
        found = (value.casefold() for value in entry.get(attribute.lower(), ()))
        if expected.casefold() in found:
            return True
    return False
