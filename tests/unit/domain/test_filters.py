"""The grammar of filters (KX-38): what conditions let through, and hostile text."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.data_list import DataQuestion, filter_of
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.filters import (
    Part,
    Span,
    TagRule,
    moments_of,
    numbers_of,
    part_of,
    tags_of,
)
from kqi_hub.domain.listing import unread_of

TOKYO = ZoneInfo("Asia/Tokyo")
BERLIN = ZoneInfo("Europe/Berlin")
ASKED = DataQuestion()


def at(text: str, zone: tzinfo = TOKYO) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("text", "fits", "fails"),
    [
        ("", ["anything", ""], []),
        ("  ", ["anything", ""], []),
        ("sign", ["street SIGNS", "sign"], ["sing", ""]),
        (" sign ", ["assign"], ["si gn"]),
        ("!sign", ["sing", ""], ["Signs"]),
        ("! sign", ["sing"], ["Signs"]),
        ("!", ["anything", ""], []),
        ("!!", ["anything"], ["wow!"]),
        ("a!b", ["xa!b"], ["ab"]),
        ("%", ["100%"], ["100"]),
        ("日本", ["日本語"], ["日 本"]),
    ],
)
def test_a_text_is_contained_or_not(
    text: str, fits: list[str], fails: list[str]
) -> None:
    part = part_of(text)
    assert [one for one in fits if not part.fits(one)] == []
    assert [one for one in fails if part.fits(one)] == []


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("", Span()),
        (" ", Span()),
        (",", Span()),
        ("5", Span(5, 6)),
        ("=5", Span(5, 6)),
        ("= 5 ", Span(5, 6)),
        (">5", Span(6, None)),
        (">=5", Span(5, None)),
        ("<5", Span(None, 5)),
        ("<=5", Span(None, 6)),
        ("-3", Span(-3, -2)),
        (">=2,<9", Span(2, 9)),
        (">9, <2", Span(10, 2)),
        ("007", Span(7, 8)),
        ("\uff1e\uff1d\uff15", Span(5, None)),
    ],
)
def test_a_number_is_compared(text: str, span: Span) -> None:
    assert numbers_of(text) == span


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "5.0",
        "1e3",
        "5 6",
        "==5",
        "=>5",
        "!5",
        "<>5",
        ">",
        "\u0665",
        "1" * 19,
        "0x10",
        "nan",
        "inf",
        "1_000",
        "\0",
        "5\n6",
        ",".join("1" * 9),
        "5;--",
    ],
)
def test_what_is_no_number_is_not_read(text: str) -> None:
    assert numbers_of(text) is None


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-11-21", "2026-11-21", "2026-11-22"),
        ("2026/11/21", "2026-11-21", "2026-11-22"),
        ("2026.1.2", "2026-01-02", "2026-01-03"),
        ("2026-12-31", "2026-12-31", "2027-01-01"),
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("\uff12026\uff0f12", "2026-12-01", "2027-01-01"),
        ("2026", "2026-01-01", "2027-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2026-11-21 09:05", "2026-11-21 09:05", "2026-11-21 09:06"),
        ("2026-11-21T23:59", "2026-11-21 23:59", "2026-11-22 00:00"),
    ],
)
def test_a_date_is_the_whole_time_that_it_names(
    text: str, first: str, after: str
) -> None:
    edges = (at(first), at(after))
    assert moments_of(text, TOKYO) == Span(*edges)
    assert moments_of(f"={text}", TOKYO) == Span(*edges)
    assert moments_of(f">={text}", TOKYO) == Span(edges[0], None)
    assert moments_of(f">{text}", TOKYO) == Span(edges[1], None)
    assert moments_of(f"<{text}", TOKYO) == Span(None, edges[0])
    assert moments_of(f"<={text}", TOKYO) == Span(None, edges[1])


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)]
)
def test_a_day_on_which_clocks_change_is_a_day(day: str, hours: int) -> None:
    span = moments_of(day, BERLIN)
    assert span is not None
    assert span.at_least is not None
    assert span.below is not None
    assert span.below - span.at_least == hours * 3600


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13",
        "2026-02-30",
        "2025-02-29",
        "2026-11-21 24:00",
        "2026-11-21 09:60",
        "2026-11-21 9",
        "0000-01-01",
        "0000",
        "9999-12-31 23:59",
        "9999",
        "20261121",
        "\u0662026-11-21",
        "2026--11",
        "!2026",
        "2026-11-21\0",
    ],
)
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert moments_of(text, UTC) is None


@pytest.mark.parametrize(
    ("texts", "rule"),
    [
        ([], TagRule()),
        (["", " , "], TagRule()),
        (["a"], TagRule(("a",))),
        (["a,b", "c"], TagRule(("a", "b", "c"))),
        ([" a , !b ", "a"], TagRule(("a",), ("b",))),
        (["!"], TagRule()),
        (["a b"], TagRule(("a b",))),
    ],
)
def test_tags_are_wanted_or_refused(texts: list[str], rule: TagRule) -> None:
    assert tags_of(texts) == rule


def test_all_wanted_tags_and_none_refused() -> None:
    rule = TagRule(("a", "b"), ("c",))
    assert rule.fits(["b", "a", "d"])
    assert not rule.fits(["a"])
    assert not rule.fits(["a", "b", "c"])


OPERATORS = st.sampled_from(["", "=", ">", ">=", "<", "<="])


@given(OPERATORS, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_numbers_mean_what_their_signs_say(sign: str, border: int, value: int) -> None:
    span = numbers_of(f"{sign}{border}")
    assert span is not None
    means = {
        "": value == border,
        "=": value == border,
        ">": value > border,
        ">=": value >= border,
        "<": value < border,
        "<=": value <= border,
    }
    assert span.fits(value) is means[sign]


@given(
    OPERATORS,
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)),
    st.timedeltas(timedelta(days=-5), timedelta(days=5)),
    st.sampled_from([UTC, TOKYO, BERLIN]),
)
def test_days_mean_what_their_signs_say(
    sign: str, moment: datetime, apart: timedelta, zone: tzinfo
) -> None:
    span = moments_of(sign + moment.strftime("%Y-%m-%d"), zone)
    assert span is not None
    other = (moment + apart).replace(tzinfo=zone)
    # An hour that clocks skip is not on any day.
    other = datetime.fromtimestamp(other.timestamp(), zone)
    day, its = moment.date(), other.date()
    means = {
        "": its == day,
        "=": its == day,
        ">": its > day,
        ">=": its >= day,
        "<": its < day,
        "<=": its <= day,
    }
    assert span.fits(other.timestamp()) is means[sign]


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    part = part_of(text)
    assert isinstance(part, Part)
    assert part.fits(text) or part.is_refused
    assert numbers_of(text) is None or isinstance(numbers_of(text), Span)
    assert moments_of(text, TOKYO) is None or isinstance(moments_of(text, TOKYO), Span)
    for tag in (*tags_of([text]).wanted, *tags_of([text]).refused):
        assert tag == tag.strip()
        assert "," not in tag


@given(st.text(max_size=20), st.text(max_size=40))
def test_refusing_is_the_opposite_of_wanting(word: str, value: str) -> None:
    bare = word.strip()
    if bare and not bare.startswith("!"):
        assert part_of(bare).fits(value) is not part_of(f"!{bare}").fits(value)


def test_unread_conditions_are_named() -> None:
    asked = DataQuestion(id="x", created_at="soon", name="!")
    assert unread_of(asked, UTC) == {"id": "x", "created_at": "soon"}
    assert unread_of(ASKED, UTC) == {}


@pytest.mark.parametrize(
    "asked",
    [
        DataQuestion(sort="color"),
        DataQuestion(sort="--id"),
        DataQuestion(sort=""),
        DataQuestion(page=0),
        DataQuestion(page=10**30),
        DataQuestion(per_page=0),
        DataQuestion(per_page=1001),
        DataQuestion(name="x" * 1001),
        DataQuestion(tags=["x" * 1001]),
        DataQuestion(tags=[str(n) for n in range(51)]),
        DataQuestion(tags=[",".join(str(n) for n in range(51))]),
    ],
)
def test_a_wrong_question_is_refused(asked: DataQuestion) -> None:
    with pytest.raises(InvalidInput):
        filter_of(asked, ("vision",), UTC)


def test_a_question_becomes_a_filter() -> None:
    asked = DataQuestion(id=">3", name="!x", tags=["a,!b"], sort="-bytes", page=3)
    wanted = filter_of(asked, None, UTC)
    assert (wanted.id, wanted.name) == (Span(4), Part("x", is_refused=True))
    assert wanted.tags == TagRule(("a",), ("b",))
    assert (wanted.sort.value, wanted.is_descending) == ("bytes", True)
    assert (wanted.limit, wanted.offset) == (100, 200)
