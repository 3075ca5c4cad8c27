"""From what the directory says to the outcome of a login: counted and written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.address import counted_address
from kqi_hub.domain.login import (
    Attempt,
    AuditEvent,
    ChangePasswordFirst,
    DirectoryAnswer,
    DirectoryVerdict,
    EnrolFirst,
    Granted,
    Outcome,
    Refused,
)
from kqi_hub.domain.names import counting_name, loggable_name
from kqi_hub.domain.people import Person
from kqi_hub.services.desk import Desk, LoginRules
from kqi_hub.services.factor import Proof, use_factor

_LONGEST_AGENT: Final = 200
_HOLDS: Final = (DirectoryVerdict.RIGHT, DirectoryVerdict.MUST_CHANGE)


@dataclass(frozen=True, slots=True)
class Caller:
    """Under which names an attempt is counted and written down."""

    counted: str
    place: str
    shown: str
    address: str
    user_agent: str = ""

    @classmethod
    def of(cls, tried: Attempt) -> "Caller":
        """Read a form's sender."""
        return cls(
            counting_name(tried.name),
            counted_address(tried.address),
            loggable_name(tried.name),
            tried.address,
            tried.user_agent,
        )

    @classmethod
    def known(cls, person: str, address: str) -> "Caller":
        """Describe somebody whose name is proven."""
        return cls(counting_name(person), counted_address(address), person, address)


def settle(
    desk: Desk, tried: Attempt, caller: Caller, answer: DirectoryAnswer
) -> Outcome:
    """Decide, asking for the second factor; count and audit. Blocks."""
    person = answer.person
    if person is None or answer.verdict not in _HOLDS:
        return _refuse(desk, caller, f"password: {answer.verdict}")
    kept_out = _kept_out(person, desk.rules)
    if kept_out:
        return _refuse(desk, caller, kept_out)
    # Only now, so that a wrong password never uses up a code.
    proof = use_factor(desk, person.name, tried.code)
    if not proof.holds and proof is not Proof.TO_ENROL:
        return _refuse(desk, caller, f"code: {proof}")
    factor = str(proof) if proof.holds else ""
    if answer.verdict is DirectoryVerdict.MUST_CHANGE:
        write_down(desk, caller, "change-password-first", factor=factor)
        return ChangePasswordFirst(person, factor)
    if not factor:
        write_down(desk, caller, "enrol-first")
        return EnrolFirst(person)
    return let_in(desk, caller, person, factor, answer)


def let_in(
    desk: Desk,
    caller: Caller,
    person: Person,
    factor: str,
    answer: DirectoryAnswer | None = None,
) -> Granted:
    """Let a proven person in: forget failures, remember place and name. Blocks."""
    now = desk.clock.now()
    desk.throttle.clear(caller.counted, caller.place, now)
    desk.people.seen(person, now)
    left = None
    if factor in (Proof.CODE, Proof.RECOVERY):
        left = desk.factors.recovery_codes_left(person.name)
    write_down(desk, caller, "ok", factor=factor)
    return Granted(
        person,
        factor,
        expires_in_s=answer.expires_in_s if answer else None,
        grace_left=answer.grace_left if answer else None,
        recovery_codes_left=left,
    )


def write_down(desk: Desk, caller: Caller, outcome: str, **detail: str) -> None:
    """Audit what came of a login. Blocks."""
    said: Mapping[str, str] = {
        **{key: value for key, value in detail.items() if value},
        **({"agent": _printable(caller.user_agent)} if caller.user_agent else {}),
    }
    desk.audit.append(
        AuditEvent(
            at=desk.clock.now(),
            actor=caller.shown,
            action="login",
            outcome=outcome,
            address=caller.address,
            detail=said,
        )
    )


def _refuse(desk: Desk, caller: Caller, reason: str) -> Refused:
    desk.throttle.count_failure(caller.counted, caller.place, desk.clock.now())
    write_down(desk, caller, "refused", reason=reason)
    return Refused(reason)


def _kept_out(person: Person, rules: LoginRules) -> str:
    if person.uid < rules.min_uid:
        return f"uid {person.uid} is a system account's"
    if rules.portal_group not in person.groups:
        return f"not in group {rules.portal_group}"
    return ""


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else "?" for char in text[:_LONGEST_AGENT]
    )
