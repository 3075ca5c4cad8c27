"""Rates are published after their effect was shown, and never changed."""

from datetime import UTC, datetime

import pytest

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.imagined import record_of_wish
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.rate_cards import CardLine, TenantTerms
from kqi_hub.domain.rate_documents import WrongRates
from kqi_hub.domain.rate_ports import Sums
from kqi_hub.services.rates import Author
from tests.fakes.rates import FakeRates

OPERATOR = Author("oda", "192.0.2.7")
HOUR = 3600


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def card(begins: str, cpu: str, more: str = "") -> str:
    return f'from = {begins}\n[[rate]]\nqueue = "cpu"\nper_cpu = "{cpu}"\n{more}'


def run(begins: str, hours: int, tenant: str = "vision", cpus: int = 2) -> JobRecord:
    begun = at(begins)
    times = (begun, begun + hours * HOUR)
    return record_of_wish(Amounts(cpus, 1024, {}, 1), "cpu", "", tenant, times)


@pytest.fixture
def fake() -> FakeRates:
    return FakeRates(now=at("2026-11-20T12:00"))


async def publish(fake: FakeRates, text: str, note: str = "") -> int:
    rates = fake.rates()
    shown = await rates.preview(text)
    return await rates.publish(OPERATOR, shown.document, shown.confirmation, note)


async def test_a_card_to_come_is_compared_with_the_month_so_far(
    fake: FakeRates,
) -> None:
    await publish(fake, card("2026-01-01", "1"))
    fake.runs.runs = [
        run("2026-11-02T00:00", 10),
        run("2026-11-03T00:00", 5, "nlp"),
        # Half of it lies in October, which the comparison leaves out.
        run("2026-10-31T23:00", 2),
        run("2026-10-15T00:00", 100),
    ]
    shown = await fake.rates().preview(card("2026-12-01", "1.5"))
    effect = shown.effect
    assert not effect.is_real
    assert effect.begins == at("2026-11-01")
    assert effect.runs == 3
    assert effect.tenants == {
        "nlp": Sums(10 * MICRO, 15 * MICRO),
        "vision": Sums(22 * MICRO, 33 * MICRO),
    }
    assert effect.total == Sums(32 * MICRO, 48 * MICRO)
    assert shown.changes == (
        (CardLine("cpu", cpu=MICRO), CardLine("cpu", cpu=MICRO * 3 // 2)),
    )
    assert fake.book.since == []


async def test_a_queue_without_its_own_line_has_that_of_all_others(
    fake: FakeRates,
) -> None:
    await publish(fake, card("2026-01-01", "1"))
    other = 'from = 2026-12-01\n[[rate]]\nqueue = "*"\nper_cpu = 3'
    shown = await fake.rates().preview(other)
    assert shown.changes == (
        (CardLine("cpu", cpu=MICRO), CardLine("cpu", cpu=3 * MICRO)),
        (None, CardLine("*", cpu=3 * MICRO)),
    )
    same = 'from = 2026-12-01\n[[rate]]\nqueue = "cpu"\nper_cpu = 1'
    assert (await fake.rates().preview(same)).changes == ()


async def test_factors_and_terms_that_change_are_told(fake: FakeRates) -> None:
    some = '[qos]\nhigh = 2\nlow = "0.5"\n[tenant.nlp]\nallowance = 5\n'
    await publish(fake, card("2026-01-01", "1", some))
    other = "[qos]\nhigh = 2\n[tenant.nlp]\nallowance = 5\n"
    more = other + '[tenant.vision]\ndiscount_percent = "12.5"\n'
    shown = await fake.rates().preview(card("2026-12-01", "1", more))
    assert shown.changes == ()
    assert shown.factors == (("low", 500_000, 1_000_000),)
    assert shown.terms == (("vision", TenantTerms(), TenantTerms(discount=125_000)),)


async def test_a_card_of_the_past_says_what_use_will_cost_then(fake: FakeRates) -> None:
    await publish(fake, card("2026-01-01", "1"))
    fake.runs.runs = [run("2026-11-10T00:00", 24), run("2026-11-12T00:00", 1)]
    shown = await fake.rates().preview(card("2026-11-10T12:00:00", "2"))
    assert shown.effect.is_real
    # Twelve hours of the first are before; the day that it begins on counts whole.
    assert shown.effect.total == Sums(50 * MICRO, 76 * MICRO)


async def test_what_is_closed_stays_as_it_was_billed(fake: FakeRates) -> None:
    await publish(fake, card("2026-01-01", "1"))
    fake.store.closed = 202610
    fake.runs.runs = [run("2026-10-31T23:00", 2)]
    shown = await fake.rates().preview(card("2026-10-01", "2"))
    assert shown.effect.begins == at("2026-11-01")
    assert shown.effect.total == Sums(2 * MICRO, 4 * MICRO)
    with pytest.raises(Conflict, match="closed"):
        await fake.rates().publish(OPERATOR, shown.document, shown.confirmation)


async def test_use_without_a_price_is_counted(fake: FakeRates) -> None:
    fake.runs.runs = [run("2026-11-10T00:00", 1)]
    text = 'from = 2026-12-01\n[[rate]]\nqueue = "gpu"\nper_gpu = 1'
    effect = (await fake.rates().preview(text)).effect
    assert (effect.unpriced, effect.runs) == (1, 1)
    assert (await fake.rates().preview(card("2026-12-01", "1"))).effect.unpriced == 0


async def test_what_is_published_is_audited_and_told(fake: FakeRates) -> None:
    version = await publish(fake, card("2026-12-01", "1"), "the board's decision")
    assert version == 1
    [event] = fake.audit.events
    assert (event.actor, event.action, event.target) == (
        "oda",
        "rates-published",
        "rates 1",
    )
    assert event.address == "192.0.2.7"
    assert event.detail["note"] == "the board's decision"
    assert fake.renewed == 1
    [known] = await fake.rates().cards()
    assert (known.author, known.note) == ("oda", "the board's decision")


@pytest.mark.parametrize("confirmation", ["", "0" * 16, "x"])
async def test_nothing_is_published_that_was_not_shown(
    fake: FakeRates, confirmation: str
) -> None:
    with pytest.raises(Conflict):
        await fake.rates().publish(OPERATOR, card("2026-12-01", "1"), confirmation)
    assert fake.store.published == []


async def test_a_document_changed_after_it_was_shown_is_refused(
    fake: FakeRates,
) -> None:
    shown = await fake.rates().preview(card("2026-12-01", "1"))
    other = card("2026-12-01", "100")
    with pytest.raises(Conflict):
        await fake.rates().publish(OPERATOR, other, shown.confirmation)


async def test_of_two_who_publish_at_once_one_looks_again(fake: FakeRates) -> None:
    rates = fake.rates()
    one = await rates.preview(card("2026-12-01", "1"))
    two = await rates.preview(card("2027-01-01", "2"))
    await rates.publish(OPERATOR, one.document, one.confirmation)
    with pytest.raises(Conflict):
        await rates.publish(OPERATOR, two.document, two.confirmation)


async def test_the_beginning_is_said_once(fake: FakeRates) -> None:
    rates, bare = fake.rates(), '[[rate]]\nqueue = "cpu"'
    with pytest.raises(InvalidInput, match="from when on"):
        await rates.preview(bare)
    with pytest.raises(InvalidInput, match="from when on"):
        await rates.preview(card("2026-12-01", "1"), at("2026-12-02"))
    shown = await rates.preview(bare, at("2026-12-02"))
    assert shown.card.from_at == at("2026-12-02")
    assert await rates.publish(OPERATOR, shown.document, shown.confirmation) == 1


async def test_a_wrong_document_is_told_whole(fake: FakeRates) -> None:
    with pytest.raises(WrongRates) as error:
        await fake.rates().preview("from = 2026-12-01\ncurrency = 'EUR'\nx = 1")
    assert [one.where for one in error.value.faults] == ["x", "currency"]


async def test_a_card_that_does_not_count_yet_is_withdrawn(fake: FakeRates) -> None:
    await publish(fake, card("2026-01-01", "1"))
    await publish(fake, card("2026-12-01", "2"))
    rates = fake.rates()
    await rates.withdraw(OPERATOR, 2)
    with pytest.raises(Conflict):
        await rates.withdraw(OPERATOR, 1)
    assert fake.audit.events[-1].action == "rates-withdrawn"
    fake.now = at("2026-12-15")
    assert (await rates.card()).card.version == 1


async def test_use_is_posted_again_once(fake: FakeRates) -> None:
    await publish(fake, card("2026-11-10", "1"))
    await publish(fake, card("2026-11-05", "2"))
    await publish(fake, card("2026-12-01", "3"))
    assert await fake.rates().settle() == 1
    assert fake.book.since == [at("2026-11-05")]
    assert await fake.rates().settle() == 0


async def test_the_document_of_a_card_begins_a_new_one(fake: FakeRates) -> None:
    await publish(fake, card("2026-01-01", "1.25", "whole_node = true\n"))
    text = await fake.rates().document()
    assert 'per_cpu = "1.25"' in text
    shown = await fake.rates().preview(text)
    assert shown.changes == ()
    with pytest.raises(NotFound):
        await fake.rates().document(9)


async def test_before_the_first_card_none_counts(fake: FakeRates) -> None:
    with pytest.raises(NotFound):
        await fake.rates().card()
