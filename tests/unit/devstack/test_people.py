"""One-time codes are those of every authenticator."""

import base64

import pyotp
import pytest

from kqi_hub.devstack.people import GROUPS, PEOPLE, TENANTS, one_time_code

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("moment", "code"),  # RFC 6238, appendix B, its last six digits
    [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")],
)
def test_a_code_is_the_one_of_the_rfc(moment: float, code: str) -> None:
    assert one_time_code(SECRET, moment)[0] == code


@pytest.mark.parametrize("moment", [0, 29.999, 30, 1_795_254_391.4, 20_000_000_000])
def test_a_code_is_the_one_of_pyotp(moment: float) -> None:
    assert one_time_code(SECRET, moment)[0] == pyotp.TOTP(SECRET).at(int(moment))


@pytest.mark.parametrize(("moment", "left"), [(0, 30), (29.9, 1), (30, 30), (45, 15)])
def test_a_code_says_how_long_it_is_valid(moment: float, left: int) -> None:
    assert one_time_code(SECRET, moment)[1] == left


def test_everybody_has_a_tenant_and_only_groups_that_exist() -> None:
    for person in PEOPLE:
        assert person.tenants
        assert set(person.tenants) <= set(TENANTS)
        assert set(person.groups) <= GROUPS.keys()
        assert "kqi-users" in person.groups
    numbers = [person.uid for person in PEOPLE] + list(GROUPS.values())
    assert len(set(numbers)) == len(numbers)
