"""When a notebook is idle, and what follows."""

import pytest

from kqi_hub.session.idle import (
    SHOWN,
    USES,
    Idleness,
    Look,
    Rule,
    Verdict,
    seconds_between_looks,
)

RULE = Rule(stop_s=3600, warn_s=600)
START = Idleness(used_at=1000.0, looked_at=1000.0)
MOST_COUNTS = 8


def looked(*looks: Look, rule: Rule = RULE) -> Idleness:
    known = START
    for look in looks:
        known = known.after(look, rule)
    return known


def every_minute(until: float, **counts: int) -> list[Look]:
    return [Look(1000.0 + 60 * n, counts) for n in range(1, int(until / 60) + 1)]


@pytest.mark.parametrize("name", USES)
def test_each_kind_of_work_alone_keeps_a_notebook_alive(name: str) -> None:
    known = looked(*every_minute(7200, **{name: 1}))
    assert known.stops_at(RULE) is None
    assert known.verdict(RULE, 8200.0) is Verdict.STAY


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_merely_open_keeps_nothing_alive(name: str) -> None:
    known = looked(*every_minute(3600, **{name: 5}))
    assert known.verdict(RULE, 4600.0) is Verdict.STOP


@pytest.mark.parametrize(
    ("after_s", "verdict"),
    [
        (60, Verdict.STAY),
        (2940, Verdict.STAY),
        (3000, Verdict.WARN),
        (3599, Verdict.WARN),
        (3600, Verdict.STOP),
        (9999, Verdict.STOP),
    ],
)
def test_idle_notebook_is_warned_and_then_ended(after_s: int, verdict: Verdict) -> None:
    known = looked(Look(1001.0))
    assert known.verdict(RULE, 1000.0 + after_s) is verdict


def test_work_that_ends_begins_the_hour_anew() -> None:
    known = looked(*every_minute(3000, kernels_busy=1), Look(4060.0))
    assert known.idle_since() == 4000.0
    assert known.stops_at(RULE) == 7600.0


def test_a_cell_that_ran_between_two_looks_counts() -> None:
    known = looked(Look(1060.0), Look(1120.0, last_use=1100.0))
    assert known.idle_since() == 1100.0


def test_a_moment_in_the_future_counts_as_now() -> None:
    known = looked(Look(1060.0, last_use=99_999.0))
    assert known.idle_since() == 1060.0


def test_somebody_who_is_here_begins_the_hour_anew() -> None:
    known = looked(Look(1060.0)).touched(4500.0)
    assert known.verdict(RULE, 4600.0) is Verdict.STAY
    assert known.stops_at(RULE) == 8100.0


def test_time_in_which_the_job_was_suspended_is_no_idleness() -> None:
    known = looked(Look(1060.0), Look(101_060.0))
    assert known.verdict(RULE, 101_060.0) is Verdict.STAY
    assert known.stops_at(RULE) == 101_000.0 + 3600


def test_clock_that_is_set_back_ends_nothing_early_nor_keeps_it_for_ever() -> None:
    known = looked(Look(1060.0), Look(500.0), Look(560.0))
    assert known.stops_at(RULE) == 500.0 + 3600


@pytest.mark.parametrize("stop_s", [0, -1])
def test_rule_of_zero_never_ends_anything(stop_s: int) -> None:
    rule = Rule(stop_s=stop_s, warn_s=600)
    known = looked(*every_minute(360_000), rule=rule)
    assert known.verdict(rule, 1e9) is Verdict.STAY


def test_warning_longer_than_the_rule_begins_at_once() -> None:
    rule = Rule(stop_s=300, warn_s=600)
    assert looked(Look(1001.0), rule=rule).verdict(rule, 1002.0) is Verdict.WARN


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        (Rule(3600, 600), 30.0),
        (Rule(300, 60), 12.0),
        (Rule(2, 1), 0.5),
        (Rule(3600, 0), 30.0),
        (Rule(0, 600), 60.0),
    ],
)
def test_looks_come_in_time_for_the_warning(rule: Rule, seconds: float) -> None:
    assert seconds_between_looks(rule) == seconds


def test_counts_are_few_and_named_as_the_hub_takes_them() -> None:
    names = USES + SHOWN
    assert len(names) <= MOST_COUNTS
    assert all(name.replace("_", "").islower() and len(name) <= 20 for name in names)
