"""Lists of nodes."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.hostlist import expand_hostlist


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("(null)", ()),
        ("cpu01", ("cpu01",)),
        ("v100-[01-02,5]", ("v100-01", "v100-02", "v100-5")),
        ("a1,b[2-3],c", ("a1", "b2", "b3", "c")),
        ("n[08-11]", ("n08", "n09", "n10", "n11")),
        ("r[1-2]n[1-2]-ib", ("r1n1-ib", "r1n2-ib", "r2n1-ib", "r2n2-ib")),
    ],
)
def test_the_short_form_is_expanded_in_order(text: str, names: tuple[str, ...]) -> None:
    assert expand_hostlist(text) == names


@pytest.mark.parametrize(
    "text",
    ["a[1-", "a[]", "a[x]", "a[3-1]", "a,,b", ",a", "a[1-2]]", "a[1-2-3]", "[[1]]"],
)
def test_a_malformed_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no list of nodes|no range"):
        expand_hostlist(text)


@pytest.mark.parametrize(
    "text",
    [
        "n[1-999999999]",
        "n[1-60000],m[1-60000]",
        "n[1-1000]m[1-1000]",
        "n[1-60000,1-60000]",
        "n[" + ",".join(["1-9999"] * 1000) + "]",
    ],
)
def test_a_list_that_would_fill_memory_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="65536"):
        expand_hostlist(text)


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 40)), min_size=1, max_size=6)
)
def test_ranges_give_as_many_names_as_they_have_numbers(
    ranges: list[tuple[int, int]],
) -> None:
    text = ",".join(f"{first}-{first + more}" for first, more in ranges)
    names = expand_hostlist(f"n[{text}]")
    assert list(names) == [
        f"n{i}" for first, more in ranges for i in range(first, first + more + 1)
    ]
