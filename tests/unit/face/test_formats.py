"""Numbers, sizes and times as the reader's language writes them."""

import pytest

from kqi_hub.face.formats import Formats


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (52428800, "50 MiB"),
        (1024**5 * 4000, "4,000 PiB"),
    ],
)
def test_a_size_has_the_unit_that_fits(count: int, shown: str) -> None:
    assert Formats("en", "UTC").size(count) == shown


def test_a_time_is_of_the_site_and_readable_by_programs() -> None:
    exact = "2026-11-21T18:00:00+09:00"
    assert Formats("ko", "Asia/Tokyo").moment(1795251600.9) == (
        f'<time datetime="{exact}" title="{exact} Asia/Tokyo">2026-11-21 18:00</time>'
    )


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "1 hour"), ("ja", "1 時間"), ("ko", "1시간")]
)
def test_a_duration_is_said_in_words(language: str, shown: str) -> None:
    assert Formats(language, "UTC").duration(5025) == shown


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (-5, "0 sec", "0 秒"),
        (0.9, "0 sec", "0 秒"),
        (59, "59 sec", "59 秒"),
        (61, "1 min 1 sec", "1 分 1 秒"),
        (3600, "1 hr", "1 時間"),
        (4859, "1 hr 20 min", "1 時間 20 分"),
        (86_461, "1 day", "1 日"),
        (360_000, "4 days 4 hr", "4 日 4 時間"),
    ],
)
def test_a_span_is_written_in_its_two_largest_units(
    seconds: float, english: str, japanese: str
) -> None:
    assert Formats("en", "UTC").span(seconds) == english
    assert Formats("ja", "UTC").span(seconds) == japanese


def test_what_is_kept_of_one_language_is_not_said_in_another() -> None:
    said = [Formats(one, "UTC").number(1234.5) for one in ("en", "ja", "ko")]
    prices = {Formats(one, "UTC").money(1_500_000, "JPY") for one in ("en", "ja", "ko")}
    spans = {Formats(one, "UTC").span(3700) for one in ("en", "ja", "ko")}
    assert said == ["1,234.5"] * 3
    assert len(prices) == len(spans) == 3
