"""Prices follow the cards, at the cost of one question."""

from kqi_hub.domain.rate_ports import NewCard, Published, Standing
from kqi_hub.services.pricing import Pricing
from kqi_hub.services.rate_watch import RateWatch
from tests.fakes.rates import FakeRateStore

NOW = 1_795_000_000.0


class Counted(FakeRateStore):
    """Counts how often the cards themselves were read."""

    readings = 0

    def cards(self) -> tuple[Published, ...]:
        self.readings += 1
        return super().cards()


def publish(store: FakeRateStore, cpu: int, known: Standing) -> None:
    text = f'[[rate]]\nqueue = "cpu"\nper_cpu = {cpu}'
    store.publish(NewCard(0, text, "oda"), known, NOW)


def test_cards_are_read_when_there_are_others() -> None:
    store, pricing = Counted(), Pricing()
    watch = RateWatch(store, pricing)
    watch.renew()
    assert not pricing.has_rates
    publish(store, 1, Standing())
    watch.renew()
    watch.renew()
    assert [line.cpu for line in pricing.rates_of("cpu")] == [1_000_000]
    assert store.readings == 2
    text = '[[rate]]\nqueue = "cpu"\nper_cpu = 9'
    store.publish(NewCard(int(NOW) + 60, text, "oda"), Standing(1), NOW)
    watch.renew()
    assert len(pricing.tariff.cards) == 2
    store.withdraw(2, NOW)
    watch.renew()
    assert len(pricing.tariff.cards) == 1


def test_the_first_card_is_published_while_there_is_none() -> None:
    store, pricing = Counted(), Pricing()
    asked = []

    def seed() -> None:
        asked.append(1)
        if len(asked) == 2:
            publish(store, 3, Standing())

    watch = RateWatch(store, pricing, seed)
    for _ in range(4):
        watch.renew()
    assert len(asked) == 2
    assert pricing.has_rates
