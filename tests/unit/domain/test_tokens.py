"""What may be asked for as an API token."""

import pytest

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.tokens import LONGEST_NOTE, USUAL_LIFETIME_S, Wish, wish_of

READ, WRITE, OPERATE = "custom:kqi:read", "custom:kqi:write", "custom:kqi:operate"
HELD = frozenset({READ, WRITE})
YEAR = 366 * 86_400


def wish(
    note: str = "ci",
    scopes: tuple[str, ...] = (READ,),
    lifetime_s: int | None = 3600,
    longest_s: int = YEAR,
) -> Wish:
    return wish_of(note, scopes, lifetime_s, HELD, longest_s)


def test_a_right_wish_is_granted_as_it_is() -> None:
    assert wish(" ci ", (READ, WRITE, READ)) == Wish("ci", (READ, WRITE), 3600)


@pytest.mark.parametrize("lifetime_s", [60, YEAR])
def test_lifetimes_up_to_the_sites_longest_are_granted(lifetime_s: int) -> None:
    assert wish(lifetime_s=lifetime_s).lifetime_s == lifetime_s


@pytest.mark.parametrize("lifetime_s", [-1, 0, 59, YEAR + 1, 2**63])
def test_other_lifetimes_are_refused(lifetime_s: int) -> None:
    with pytest.raises(InvalidInput, match="366 days"):
        wish(lifetime_s=lifetime_s)


@pytest.mark.parametrize(("longest_s", "given"), [(YEAR, USUAL_LIFETIME_S), (600, 600)])
def test_a_token_without_a_lifetime_gets_the_usual_one(
    longest_s: int, given: int
) -> None:
    assert wish(lifetime_s=None, longest_s=longest_s).lifetime_s == given


@pytest.mark.parametrize(
    "scopes",
    [
        (OPERATE,),
        (READ, OPERATE),
        ("inherit",),
        ("admin:users",),
        ("tokens!user",),
        ("custom:kqi:read!user=bob",),
        ("",),
    ],
)
def test_a_token_never_gets_more_than_what_made_it(scopes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="you do not have it here"):
        wish(scopes=scopes)


def test_a_token_for_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one scope"):
        wish(scopes=())


@pytest.mark.parametrize(
    "note", ["", "  ", "x" * (LONGEST_NOTE + 1), "a\nb", "a\0", "a\u202eb", "\ud800"]
)
def test_notes_that_say_nothing_or_hide_something_are_refused(note: str) -> None:
    with pytest.raises(InvalidInput, match="note"):
        wish(note)


@pytest.mark.parametrize("note", ["x" * LONGEST_NOTE, "評価　毎晩", "<b>'\"", "👩‍💻"])
def test_notes_are_what_people_write(note: str) -> None:
    assert wish(note).note == note
