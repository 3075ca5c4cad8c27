"""When the poller looks: pure arithmetic, so the whole table is tried."""

import pytest

from kqi_hub.services.polling import FLOOR_S, LastLook, PollRules, due_at, refresh_at

RULES = PollRules(interval_s=10, max_interval_s=120)


def test_quick_controller_is_asked_at_the_usual_interval() -> None:
    assert due_at(RULES, LastLook(started=100, took_s=0.1)) == 110


@pytest.mark.parametrize("interval_s", [0, 0.1, 1, 4.999])
def test_no_setting_makes_it_faster_than_every_five_seconds(interval_s: float) -> None:
    rules = PollRules(interval_s=interval_s, max_interval_s=interval_s)
    assert due_at(rules, LastLook(0, 0.01)) >= FLOOR_S
    assert refresh_at(rules, LastLook(0, 0.01)) >= FLOOR_S


@pytest.mark.parametrize("took_s", [0.6, 1.0, 2.0, 5.9])
def test_slow_controller_spends_at_most_a_twentieth_of_its_time(took_s: float) -> None:
    assert took_s / due_at(RULES, LastLook(0, took_s)) <= 0.05


def test_very_slow_controller_is_still_asked_within_the_longest_interval() -> None:
    assert due_at(RULES, LastLook(0, 14)) == 120


@pytest.mark.parametrize("took_s", [3.0, 100.0, 119.0, 500.0])
def test_two_looks_never_follow_without_a_pause(took_s: float) -> None:
    for failures in (0, 1):
        last = LastLook(0, took_s, failures)
        assert due_at(RULES, last) >= took_s + FLOOR_S


@pytest.mark.parametrize(
    ("failures", "pause_s"), [(1, 10), (2, 20), (3, 40), (4, 80), (5, 120), (5000, 120)]
)
def test_pauses_double_after_failures_up_to_the_cap(
    failures: int, pause_s: float
) -> None:
    assert due_at(RULES, LastLook(1000, 9, failures)) == 1009 + pause_s


def test_jitter_only_shortens_and_by_a_fifth_at_most() -> None:
    last = LastLook(0, 0, failures=4)
    assert due_at(RULES, last, jitter=1.0) == pytest.approx(64)
    assert 64 < due_at(RULES, last, jitter=0.5) < 80


def test_first_success_brings_the_usual_interval_back() -> None:
    assert due_at(RULES, LastLook(500, 0.2, failures=0)) == 510


def test_refresh_comes_when_the_last_look_is_five_seconds_old() -> None:
    assert refresh_at(RULES, LastLook(100, 0.1)) == 105


def test_refresh_of_a_slow_controller_leaves_it_three_quarters_of_its_time() -> None:
    assert refresh_at(RULES, LastLook(0, 2.0)) == 8.0


def test_refresh_never_comes_later_than_the_look_that_is_due() -> None:
    rules = PollRules(interval_s=6, max_interval_s=6)
    for took_s in (0.1, 2, 5, 20):
        last = LastLook(0, took_s)
        assert refresh_at(rules, last) <= due_at(rules, last)


def test_refresh_does_not_press_a_controller_that_does_not_answer() -> None:
    last = LastLook(0, 9, failures=3)
    assert refresh_at(RULES, last, 0.3) == due_at(RULES, last, 0.3)


def test_longest_interval_below_the_usual_one_does_not_speed_up() -> None:
    assert due_at(PollRules(30, 5), LastLook(0, 0.1)) == 30


def test_picture_counts_as_old_after_three_missed_looks() -> None:
    assert PollRules(10).stale_after_s == 40
    assert PollRules(60).stale_after_s == 180


def test_a_picture_that_is_slow_to_store_does_not_slow_the_looks_down() -> None:
    stored_slowly = LastLook(0, took_s=9.0, own_s=8.9)
    assert due_at(RULES, stored_slowly) == 14.0
    assert due_at(RULES, LastLook(0, took_s=9.0)) == 120
