"""Requests made up from the OpenAPI document: no fault of ours, no undocumented answer.

schemathesis makes right and wrong requests for every operation. The examples are few
and the same every time, so that the test is quick and its result is the code's.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import BaseSchema

from handlers.openapi import document
from handlers.service import Folders, all_routes
from kqi_hub.face.site import Site
from tests.fakes.hub import READ
from tests.fakes.site import PREFIX, FakeSite, serving_beside

DOCUMENT = document(all_routes(), Site("KQI Hub", "0.1.0"), PREFIX)
pytestmark = pytest.mark.slow
# What is longer than anything that is taken is refused before it is read.
REFUSED = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
CHECKED = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}}


def made_up(**more: Any) -> BaseSchema:
    """Return what makes requests for every operation of the document."""
    config = schemathesis.Config.from_dict(CHECKED | more)
    return schemathesis.openapi.from_dict(DOCUMENT, config=config)


# Each limit, each missing or wrong part, each method that is not there: some fifty
# requests an operation. Only who may ask for everything has them all judged: others are
# mostly refused before, whatever they send.
thorough = made_up()
usual = made_up(phases={"coverage": {"enabled": False}})
SOME = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FEW = settings(SOME, max_examples=5)
load_all_checks()
# Not `positive_data_acceptance`: a tenant may be well written and not the asker's.
PROMISES: list[Any] = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "ignored_auth",
    )
]


@pytest.fixture(scope="module")
def beside(folders: Folders) -> Iterator[FakeSite]:
    with serving_beside(FakeSite(folders=folders)) as site:
        yield site


@pytest.fixture
def all_scopes(beside: FakeSite) -> str:
    """Return a token for all requests of a test: each new one is asked about anew."""
    return beside.hub.token("rita")


@pytest.fixture
def few_scopes(beside: FakeSite) -> str:
    return beside.hub.token("mia", READ)


def check(case: Case[Any], site: FakeSite, token: str | None) -> int:
    """Send one request, hold the answer against the document, return its status."""
    headers = {} if token is None else {"Authorization": f"token {token}"}
    answer = case.call_and_validate(
        base_url=site.origin + PREFIX.rstrip("/"), headers=headers, checks=PROMISES
    )
    return int(answer.status_code)


@thorough.parametrize()
@SOME
def test_an_operator_is_answered_as_documented(
    case: Case[Any], beside: FakeSite, all_scopes: str
) -> None:
    check(case, beside, all_scopes)


@usual.parametrize()
@FEW
def test_a_token_with_few_scopes_is_answered_as_documented(
    case: Case[Any], beside: FakeSite, few_scopes: str
) -> None:
    check(case, beside, few_scopes)


@usual.parametrize()
@FEW
def test_nobody_is_answered_as_documented(case: Case[Any], beside: FakeSite) -> None:
    status = check(case, beside, None)
    operation = DOCUMENT["paths"][case.path].get(case.method.lower())
    if operation and operation["security"]:
        # 404: what stands in the path can be nobody's name. 413: before it is read.
        assert status in {401, 404, 413}
