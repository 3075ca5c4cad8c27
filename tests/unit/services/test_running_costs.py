"""What live jobs cost is worked out once for each picture, not for each page."""

from collections.abc import Mapping

import pytest

from kqi_hub.services.running_costs import OncePerPicture, together


@pytest.fixture
def asked() -> list[tuple[int, float]]:
    return []


@pytest.fixture
def pictures() -> list[int]:
    return [1]


@pytest.fixture
def costs(asked: list[tuple[int, float]], pictures: list[int]) -> OncePerPicture:
    def work_out(period: int, now: float) -> Mapping[str, int]:
        asked.append((period, now))
        return {"vision": len(asked)}

    return OncePerPicture(lambda: pictures[0], work_out)


def test_many_pages_of_one_picture_are_one_reckoning(
    costs: OncePerPicture, asked: list[tuple[int, float]]
) -> None:
    assert [costs(202611, 10.0 + n)["vision"] for n in range(5)] == [1] * 5
    assert asked == [(202611, 10.0)]


def test_a_new_picture_and_another_month_are_reckoned_anew(
    costs: OncePerPicture, asked: list[tuple[int, float]], pictures: list[int]
) -> None:
    costs(202611, 10.0)
    pictures[0] = 2
    assert costs(202611, 11.0) == {"vision": 2}
    assert costs(202610, 11.0) == {"vision": 3}
    assert len(asked) == 3


@pytest.mark.parametrize("later", [71.0, 5.0])
def test_an_old_picture_is_not_believed_for_ever(
    costs: OncePerPicture, asked: list[tuple[int, float]], later: float
) -> None:
    costs(202611, 10.0)
    costs(202611, later)
    assert len(asked) == 2


def test_sums_of_both_have_every_tenant() -> None:
    assert together({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"a": 1, "b": 5, "c": 4}
