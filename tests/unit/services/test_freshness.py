"""What a reader is told about a picture's age."""

import pytest

from kqi_hub.domain.cluster import Freshness
from kqi_hub.services.freshness import Trust, judge, words_for


@pytest.mark.parametrize(
    ("freshness", "trust", "words"),
    [
        (Freshness(0, None, None), Trust.NONE, "is it running?"),
        (Freshness(0, None, 5.0, "Nobody answers."), Trust.NONE, "Nobody answers."),
        (Freshness(1, 990.0, 990.0), Trust.FRESH, "As of 10 s ago."),
        (Freshness(1, 990.0, 995.0, "Nobody answers."), Trust.STALE, "STALE, as of 10"),
        (Freshness(1, 990.0, 990.0, "job 3 unsure"), Trust.PARTIAL, "job 3 unsure"),
        (Freshness(1, 900.0, 900.0), Trust.STALE, "No worker has looked since."),
        (Freshness(1, 900.0, 900.0, "job 3"), Trust.STALE, "1 min 40 s"),
        (Freshness(1, 1500.0, 1500.0), Trust.FRESH, "As of 0 s ago."),
    ],
)
def test_trust_and_words(freshness: Freshness, trust: Trust, words: str) -> None:
    standing = judge(freshness, now=1000.0, stale_after_s=40.0)
    assert standing.trust is trust
    assert words in standing.sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (200, "3 min 20 s"),
        (7260, "2 h 1 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert words_for(seconds) == words
