"""One line of the doctor: what was looked at, what was seen, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a finding counts; only `fail` makes the doctor's exit code 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw, and what an operator does about it."""

    name: str
    level: Level
    seen: str
    todo: str = ""


def ok(name: str, seen: str) -> Finding:
    """Report that all is well."""
    return Finding(name, Level.OK, seen)


def warn(name: str, seen: str, todo: str) -> Finding:
    """Report what works today and deserves a look."""
    return Finding(name, Level.WARN, seen, todo)


def fail(name: str, seen: str, todo: str) -> Finding:
    """Report what keeps the portal from working."""
    return Finding(name, Level.FAIL, seen, todo)


def skip(name: str, why: str) -> Finding:
    """Report that nothing could be said, for a reason that another line gives."""
    return Finding(name, Level.SKIP, f"not checked: {why}")


def worst(findings: list[Finding]) -> Finding:
    """Return the most serious of several findings, the first of equals."""
    rank = [Level.FAIL, Level.WARN, Level.SKIP, Level.OK]
    return min(findings, key=lambda finding: rank.index(finding.level))
