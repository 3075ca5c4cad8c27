"""Who sees a tenant's bills."""

import pytest

from kqi_hub.domain.errors import KqiError, NotFound, NotPermitted
from kqi_hub.services.bills import Bills
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.usage import FakeUse
from tests.fakes.usage_life import furnish
from tests.unit.services.test_usage import MALLORY, MAX, MIA, NOW, RITA, VICTOR


@pytest.fixture
def bills() -> Bills:
    made = FakeUse()
    furnish(made, NOW)
    return made.bills_service()


@pytest.mark.parametrize(
    ("who", "error"),
    [(VICTOR, NotPermitted), (MIA, NotPermitted), (MALLORY, NotFound)],
)
async def test_a_bill_is_for_managers_of_the_tenant(
    bills: Bills, who: Asker, error: type[KqiError]
) -> None:
    with pytest.raises(error):
        await bills.list(who, "vision", 202601, 202612)
    with pytest.raises(error):
        await bills.one(who, "vision", 202611)
    assert await bills.list(who, None, 202601, 202612) == ()


async def test_managers_have_their_tenant_s_operators_all(bills: Bills) -> None:
    own = await bills.list(MAX, None, 202601, 202612)
    assert {bill.tenant for bill in own} == {"vision"}
    everybody = await bills.list(RITA, None, 202601, 202612)
    assert {bill.tenant for bill in everybody} == {"vision", "nlp"}
    assert await bills.list(RITA, "vision", 202601, 202612) == own


async def test_a_statement_adds_up(bills: Bills) -> None:
    found = await bills.one(MAX, "vision", 202610)
    parts = sum(one.amount for one in found.positions)
    assert parts + sum(one.amount for one in found.credits) == found.bill.total
    assert found.bill.credited == -5_000_000
    assert found.bill.closed_at is not None


async def test_a_month_without_use_has_no_bill(bills: Bills) -> None:
    with pytest.raises(NotFound, match="2025-01"):
        await bills.one(RITA, "vision", 202501)
