"""Say how far a stored picture can be trusted, in words for people."""

from dataclasses import dataclass
from enum import StrEnum

from kqi_hub.domain.cluster import Freshness


class Trust(StrEnum):
    """How far the stored picture can be trusted."""

    NONE = "none"
    FRESH = "fresh"
    PARTIAL = "partial"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Standing:
    """The picture's trust and age, and one sentence that says both."""

    trust: Trust
    age_s: float | None
    sentence: str


def judge(freshness: Freshness, now: float, stale_after_s: float) -> Standing:
    """Judge a stored picture at the time `now`."""
    age = freshness.age_s(now)
    if age is None or freshness.taken_at is None:
        why = freshness.error or "The worker has not looked yet: is it running?"
        return Standing(Trust.NONE, None, f"No picture of the cluster yet. {why}")
    old = f"as of {words_for(age)} ago"
    if freshness.error and (freshness.tried_at or 0) > freshness.taken_at:
        return Standing(Trust.STALE, age, f"STALE, {old}. {freshness.error}")
    if age > stale_after_s:
        return Standing(Trust.STALE, age, f"STALE, {old}. No worker has looked since.")
    if freshness.error:
        return Standing(Trust.PARTIAL, age, f"{_capital(old)}. {freshness.error}")
    return Standing(Trust.FRESH, age, f"{_capital(old)}.")


def words_for(seconds: float) -> str:
    """Say a duration with at most two units, such as 3 min 20 s."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h"
    if hours:
        return f"{hours} h {minutes_left} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{whole} s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
