"""Roles and scopes: who may, who may not, and what they are told."""

import pytest

from handlers.access import Scope, Who, check_role, check_scope, check_tenant_role
from kqi_hub.domain.errors import KqiError, NotFound, NotPermitted
from kqi_hub.domain.people import Membership, Role, Standing

NOBODY = Standing("mallory", ())
OPERATOR = Standing("rita", (), is_operator=True)


def person(role: Role) -> Standing:
    return Standing("mia", (Membership("vision", role),))


@pytest.mark.parametrize(
    ("who", "standing", "refusal"),
    [
        (Who.PERSON, NOBODY, None),
        (Who.VIEWER, person(Role.VIEWER), None),
        (Who.MEMBER, person(Role.VIEWER), NotPermitted),
        (Who.MEMBER, person(Role.MANAGER), None),
        (Who.MANAGER, person(Role.MEMBER), NotPermitted),
        (Who.MANAGER, person(Role.MANAGER), None),
        (Who.VIEWER, NOBODY, NotFound),
        (Who.MANAGER, OPERATOR, None),
        (Who.OPERATOR, OPERATOR, None),
        (Who.OPERATOR, person(Role.MANAGER), NotPermitted),
    ],
)
def test_a_role_opens_what_it_should(
    who: Who, standing: Standing, refusal: type[KqiError] | None
) -> None:
    if refusal is None:
        check_role(who, standing, "vision")
    else:
        with pytest.raises(refusal):
            check_role(who, standing, "vision")


@pytest.mark.parametrize("standing", [NOBODY, OPERATOR, person(Role.MANAGER)])
def test_without_a_tenant_there_is_no_role_in_it(standing: Standing) -> None:
    with pytest.raises(NotFound):
        check_tenant_role(Role.VIEWER, standing, None)


def test_a_long_name_of_a_tenant_is_cut_in_the_answer() -> None:
    with pytest.raises(NotFound) as refused:
        check_role(Who.VIEWER, NOBODY, "x" * 5000)
    assert len(refused.value.message) < 200


def test_a_scope_is_exactly_the_one_needed() -> None:
    check_scope(Scope.READ, frozenset({Scope.READ}))
    with pytest.raises(NotPermitted, match="custom:kqi:write"):
        check_scope(Scope.WRITE, frozenset({Scope.READ, Scope.OPERATE}))
