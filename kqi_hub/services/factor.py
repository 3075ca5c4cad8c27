"""Ask for the second factor, and accept each code once."""

from enum import StrEnum

from kqi_hub.domain.login import FactorMode
from kqi_hub.services.desk import Desk

LONGEST_CODE = 64


class Proof(StrEnum):
    """What came of asking for the second factor."""

    CODE = "code"
    RECOVERY = "recovery"
    DIRECTORY = "directory"
    NONE = "none"
    TO_ENROL = "to-enrol"
    MISSING = "missing"
    WRONG = "wrong"
    USED_BEFORE = "used-before"

    @property
    def holds(self) -> bool:
        """Tell whether the person is in, as far as the second factor goes."""
        return self in (Proof.CODE, Proof.RECOVERY, Proof.DIRECTORY, Proof.NONE)


def use_factor(desk: Desk, person: str, typed: str) -> Proof:
    """Use up a one-time or recovery code, as the site's mode demands; blocks."""
    if desk.rules.mode is FactorMode.OFF:
        return Proof.NONE
    if desk.rules.mode is FactorMode.DIRECTORY:
        return Proof.DIRECTORY
    factor = desk.factors.factor(person)
    if factor is None:
        optional = desk.rules.mode is FactorMode.OPTIONAL
        return Proof.NONE if optional else Proof.TO_ENROL
    return _use_code(desk, person, factor.secret, bare_code(typed))


def bare_code(typed: str) -> str:
    """Return a code without the spaces and hyphens that make it readable."""
    return "".join(typed[:LONGEST_CODE].replace("-", " ").split())


def _use_code(desk: Desk, person: str, secret: str, code: str) -> Proof:
    if not code:
        return Proof.MISSING
    if not (code.isascii() and code.isdigit()):
        used = desk.factors.use_recovery_code(person, code)
        return Proof.RECOVERY if used else Proof.WRONG
    step = desk.codes.step(secret, code, desk.clock.now())
    if step is None:
        return Proof.WRONG
    accepted = desk.factors.accept_step(person, step)
    return Proof.CODE if accepted else Proof.USED_BEFORE
