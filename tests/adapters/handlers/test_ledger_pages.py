"""Months and the book by REST and by pages: an operator closes one, nobody else."""

from urllib.parse import urlencode

import pytest

from kqi_hub.domain.ledger_ports import MonthBill
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.reconciliation import Cause, Reconciliation
from tests.adapters.handlers.conftest import Client
from tests.fakes.ledger import OCTOBER
from tests.fakes.site import FakeSite

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def furnished(site: FakeSite) -> None:
    site.ledger.furnish()


async def posted(ask: Client, path: str, **fields: str) -> tuple[int, str]:
    body = urlencode(fields).encode()
    answer = await ask(path, "rita", "POST", body, **FORM)
    return answer.status, answer.text


async def test_a_month_is_closed_by_rest_as_it_was_planned(
    ask: Client, site: FakeSite
) -> None:
    plan = (await ask("api/v1/ledger/months/2026-10", "rita")).json
    assert plan["total_micro"] == 1_217 * MICRO + 5
    assert plan["bills"][1]["allowance_micro"] == -50 * MICRO
    assert (plan["obstacles"], plan["closed_at"]) == ([], None)
    wrong = {"confirmation": "0" * 16}
    path = "api/v1/ledger/months/2026-10/close"
    assert (await ask(path, "rita", "POST", wrong)).status == 409
    right = {"confirmation": plan["confirmation"]}
    ordered = await ask(path, "rita", "POST", right)
    assert (ordered.status, ordered.json["step"]) == (202, "waiting")
    assert (ordered.json["asked_by"], ordered.json["is_open"]) == ("rita", True)
    # Nothing is read within a request.
    assert (site.ledger.read, site.ledger.closed) == ([], {})
    assert (await ask(path, "rita", "POST", right)).status == 409
    await site.closing.service().work()
    closed = (await ask("api/v1/ledger/months/2026-10", "rita")).json
    assert closed["closed_at"] is not None
    assert closed["total_micro"] == plan["total_micro"]
    order = closed["order"]
    assert (order["step"], order["read_percent"], order["runs_read"]) == (
        *("closed", 100),
        1100,
    )
    assert (await ask(path, "rita", "POST", right)).status == 409
    months = (await ask("api/v1/ledger/months", "rita")).json["months"]
    assert [(one["period"], one["closed_by"]) for one in months] == [
        ("2026-11", ""),
        ("2026-10", "rita"),
    ]
    assert [one.action for one in site.ledger.audit.events] == [
        "month-close-ordered",
        "month-closed",
    ]


async def test_an_order_by_rest_is_taken_back(ask: Client, site: FakeSite) -> None:
    path = "api/v1/ledger/months/2026-10/close"
    assert (await ask(path, "rita", "DELETE")).status == 404
    plan = (await ask("api/v1/ledger/months/2026-10", "rita")).json
    sent = {"confirmation": plan["confirmation"]}
    assert (await ask(path, "rita", "POST", sent)).status == 202
    assert (await ask(path, "max", "DELETE")).status == 403
    answer = await ask(path, "rita", "DELETE")
    assert (answer.status, answer.json["step"]) == (200, "canceled")
    await site.closing.service().work()
    assert site.ledger.closed == {}


@pytest.mark.parametrize(
    "body",
    [
        {"confirmation": "x" * 65},
        {"confirmation": "x", "accepted_differences": -1},
        {"confirmation": "x", "accepted_differences": 2**60},
        {"confirmation": 5},
        {},
    ],
)
async def test_an_order_that_is_none_is_refused(
    ask: Client, site: FakeSite, body: dict[str, object]
) -> None:
    path = "api/v1/ledger/months/2026-10/close"
    assert (await ask(path, "rita", "POST", body)).status == 400
    assert site.closing.orders == []


async def test_a_credit_by_rest_is_a_line(ask: Client) -> None:
    credit = {"tenant": "vision", "given_micro": 5 * MICRO, "reason": "a broken node"}
    answer = await ask("api/v1/ledger/credits", "rita", "POST", credit)
    assert answer.status == 201
    found = (await ask("api/v1/ledger/lines?kind=credit", "rita")).json
    (line,) = found["lines"]
    assert line["id"] == answer.json["id"]
    assert (line["tenant"], line["cost_micro"]) == ("vision", -5 * MICRO)
    assert found["following"] is None


async def test_lines_are_paged(ask: Client) -> None:
    credit = {"tenant": "vision", "given_micro": 1, "reason": "x"}
    for _ in range(3):
        await ask("api/v1/ledger/credits", "rita", "POST", credit)
    first = (await ask("api/v1/ledger/lines?limit=2", "rita")).json
    assert [one["id"] for one in first["lines"]] == [3, 2]
    rest = await ask(f"api/v1/ledger/lines?limit=2&before={first['following']}", "rita")
    assert [one["id"] for one in rest.json["lines"]] == [1]


@pytest.mark.parametrize(
    ("credit", "status"),
    [
        ({"tenant": "ghost", "given_micro": 1, "reason": "x"}, 404),
        ({"tenant": "vision", "given_micro": 0, "reason": "x"}, 400),
        ({"tenant": "vision", "given_micro": 1, "reason": "a\nb"}, 400),
        ({"tenant": "vision", "given_micro": 1, "reason": ""}, 400),
        ({"tenant": "vision", "given_micro": 1.5, "reason": "x"}, 400),
        ({"tenant": "vision", "given_micro": 1, "reason": "x", "period": "2027"}, 400),
        (
            {"tenant": "vision", "given_micro": 1, "reason": "x", "period": "2026-12"},
            400,
        ),
    ],
)
async def test_a_credit_that_is_none_is_refused(
    ask: Client, site: FakeSite, credit: dict[str, object], status: int
) -> None:
    answer = await ask("api/v1/ledger/credits", "rita", "POST", credit)
    assert answer.status == status
    assert site.ledger.book == []


async def test_the_page_of_a_month_closes_it_as_it_was_shown(
    ask: Client, site: FakeSite
) -> None:
    page = (await ask("usage/months/2026-10", "rita")).text
    for shown in ("1,217", "Allowance", "Close 2026-10", "vision"):
        assert shown in page
    confirmation = page.split('name="confirmation" value="')[1].split('"')[0]
    site.ledger.late[OCTOBER] = MonthBill("late", 1, 0, 0)
    path = "usage/months/2026-10/close"
    status, _ = await posted(ask, path, confirmation=confirmation)
    assert (status, site.ledger.closed) == (303, {})
    page = (await ask("usage/months/2026-10", "rita")).text
    assert "It waits for the worker." in page
    assert 'name="confirmation"' not in page
    await site.closing.service().work()
    page = (await ask("usage/months/2026-10", "rita")).text
    assert "A bill has changed since." in page
    assert site.ledger.closed == {}
    status, text = await posted(ask, path, confirmation=confirmation)
    assert status == 409
    assert "not those that were confirmed" in text
    confirmation = text.split('name="confirmation" value="')[1].split('"')[0]
    status, _ = await posted(ask, path, confirmation=confirmation)
    assert status == 303
    await site.closing.service().work()
    assert OCTOBER in site.ledger.closed
    page = (await ask("usage/months/2026-10", "rita")).text
    assert "rita closed it" in page
    assert 'name="confirmation"' not in page
    assert "Write it on the bill" not in page


async def test_an_order_is_taken_back_on_the_page(ask: Client, site: FakeSite) -> None:
    page = (await ask("usage/months/2026-10", "rita")).text
    confirmation = page.split('name="confirmation" value="')[1].split('"')[0]
    await posted(ask, "usage/months/2026-10/close", confirmation=confirmation)
    path = "usage/months/2026-10/close/cancel"
    assert path in (await ask("usage/months/2026-10", "rita")).text
    status, _ = await posted(ask, path)
    assert status == 303
    assert "It was canceled." in (await ask("usage/months/2026-10", "rita")).text
    status, _ = await posted(ask, path)
    assert status == 404
    assert site.closing.open() is None


async def test_what_differs_from_slurm_is_decided_on_the_page(
    ask: Client, site: FakeSite
) -> None:
    site.closing.counts = {Cause.MISSING: 7}
    path = "usage/months/2026-10"
    page = (await ask(path, "rita")).text
    confirmation = page.split('name="confirmation" value="')[1].split('"')[0]
    await posted(ask, f"{path}/close", confirmation=confirmation)
    await site.closing.service().work()
    page = (await ask(path, "rita")).text
    assert "The book differs from Slurm." in page
    assert "Differences: 7" in page
    assert 'name="accepted" value="7"' in page
    assert "Close 2026-10 all the same" in page
    await posted(ask, f"{path}/close", confirmation=confirmation, accepted="7")
    await site.closing.service().work()
    assert OCTOBER in site.ledger.closed


async def test_the_page_says_why_a_month_could_not_be_closed(
    ask: Client, site: FakeSite
) -> None:
    site.closing.fails_at = 2
    path = "usage/months/2026-10"
    page = (await ask(path, "rita")).text
    confirmation = page.split('name="confirmation" value="')[1].split('"')[0]
    await posted(ask, f"{path}/close", confirmation=confirmation)
    await site.closing.service().work()
    page = (await ask(path, "rita")).text
    assert "It could not be closed." in page
    assert "slurmdbd does not answer." in page
    assert f"Close {'2026-10'}" in page


async def test_the_page_says_what_stands_against_closing(
    ask: Client, site: FakeSite
) -> None:
    page = (await ask("usage/months/2026-11", "rita")).text
    assert "it is not over" in page
    assert "2026-10 has bills and comes first" in page
    assert 'name="confirmation"' not in page
    assert site.ledger.read == []


@pytest.mark.parametrize(
    ("until", "counts", "said"),
    [
        (1_793_491_200, {Cause.RUNNING: 2}, "nothing to look at"),
        (1_793_491_200, {Cause.MISSING: 1}, "something differs"),
        (1_700_000_000, {Cause.MISSING: 1}, ""),
    ],
)
async def test_the_page_says_what_the_comparison_with_slurm_found(
    ask: Client, site: FakeSite, until: int, counts: dict[Cause, int], said: str
) -> None:
    site.comparison.found = Reconciliation(0, until, 1_793_500_000.0, counts=counts)
    page = (await ask("usage/months/2026-10", "rita")).text
    assert ("Compared with Slurm" in page) == bool(said)
    assert said in page


@pytest.mark.parametrize(
    ("way", "amount"), [("give", -12_500_000), ("take", 12_500_000)]
)
async def test_a_credit_is_given_and_taken_on_the_page(
    ask: Client, site: FakeSite, way: str, amount: int
) -> None:
    status, _ = await posted(
        ask,
        "usage/months/2026-10/credit",
        tenant="vision",
        amount="12.50",
        way=way,
        reason="<b>broken</b>",
    )
    assert status == 303
    assert [line.amount for line in site.ledger.book] == [amount]
    page = (await ask("usage/months/2026-10", "rita")).text
    assert "&lt;b&gt;broken&lt;/b&gt;" in page


async def test_what_was_typed_stays_where_it_is_refused(
    ask: Client, site: FakeSite
) -> None:
    status, page = await posted(
        ask, "usage/months/2026-10/credit", tenant="vision", amount="much", reason="why"
    )
    assert status == 400
    assert 'value="much"' in page
    assert 'value="why"' in page
    assert site.ledger.book == []


@pytest.mark.parametrize("person", ["mia", "max", "mallory", "victor"])
@pytest.mark.parametrize(
    "path",
    [
        "usage/months",
        "usage/months/2026-10",
        "api/v1/ledger/months",
        "api/v1/ledger/months/2026-10",
        "api/v1/ledger/lines?tenant=vision",
    ],
)
async def test_the_book_of_all_is_for_operators(
    ask: Client, person: str, path: str
) -> None:
    answer = await ask(path, person)
    assert answer.status == 403
    assert "1,217" not in answer.text
