"""Cards of rates as TOML: exact, every fault told with its place, read as written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.money import MICRO, Rule
from kqi_hub.domain.rate_cards import CardLine, RateCard, TenantTerms
from kqi_hub.domain.rate_documents import LONGEST, WrongRates, read_document
from kqi_hub.domain.rate_writing import with_beginning, write_document

TOKYO = "Asia/Tokyo"
WHOLE_CARD = """
from = 2026-12-01
currency = "JPY"

[[rate]]
queue = "a100"
gpu_type = "a100"
per_cpu = "0.25"
per_gpu = 90
per_node = "1200.000001"
rule = "max"
whole_node = true
minimum = "1"

[[rate]]
queue = "*"

[qos]
urgent = "1.5"

[tenant.vision]
discount_percent = "12.5"
allowance = "50000"
"""


def read(text: str, zone: str = TOKYO) -> RateCard:
    return read_document(text, zone, "JPY").card


def faults(text: str) -> dict[str, str]:
    with pytest.raises(WrongRates) as error:
        read(text)
    return {fault.where: str(fault.expected) for fault in error.value.faults}


def test_a_card_is_read_to_the_millionth() -> None:
    draft = read_document(WHOLE_CARD, TOKYO, "JPY")
    december = int(datetime(2026, 11, 30, 15, tzinfo=UTC).timestamp())
    assert draft.from_at == december
    assert draft.card == RateCard(
        0,
        december,
        lines=(
            CardLine(
                "a100",
                "a100",
                cpu=250_000,
                gpu=90 * MICRO,
                node=1_200_000_001,
                rule=Rule.MAX,
                whole_node=True,
                minimum=MICRO,
            ),
            CardLine("*"),
        ),
        qos={"urgent": 1_500_000},
        tenants={"vision": TenantTerms(125_000, 50_000 * MICRO)},
    )


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-12-01", "2026-11-30T15:00:00Z"),
        ("2026-12-01T09:30:00", "2026-12-01T00:30:00Z"),
        ("2026-12-01T09:30:00Z", "2026-12-01T09:30:00Z"),
        ("2026-12-01T09:30:00.9-05:00", "2026-12-01T14:30:00Z"),
        ("1970-01-01T09:00:00", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_date_without_an_offset_is_the_sites_own(written: str, moment: str) -> None:
    found = read_document(f"from = {written}", TOKYO, "JPY").from_at
    assert found == datetime.fromisoformat(moment).timestamp()


def test_a_document_need_not_say_from_when_on() -> None:
    draft = read_document('[[rate]]\nqueue = "cpu"', TOKYO, "JPY")
    assert draft.from_at is None
    told = with_beginning('[[rate]]\nqueue = "cpu"', 1_800_000_000, TOKYO)
    assert read_document(told, TOKYO, "JPY").from_at == 1_800_000_000


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("from = 'tomorrow'", "from"),
        ("from = 1969-12-31", "from"),
        ("from = 2201-01-01", "from"),
        ("from = 0001-01-01", "from"),
        ("from = 09:30:00", "from"),
        ('currency = "USD"', "currency"),
        ("currency = 1", "currency"),
        ("rates = 1", "rates"),
        ("rate = 1", "rate"),
        ("rate = [1]", "rate"),
        ("[[rate]]", "rate[1].queue"),
        ('[[rate]]\nqueue = "a b"', "rate[1].queue"),
        ('[[rate]]\nqueue = "a\\nb"', "rate[1].queue"),
        ('[[rate]]\nqueue = "x"\ngpu_type = "é"', "rate[1].gpu_type"),
        ('[[rate]]\nqueue = "x"\nper_cpu = 0.25', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nper_cpu = true', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nper_cpu = -1', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nper_cpu = "1.1234567"', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nper_cpu = "1e3"', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nper_cpu = "٣"', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nper_cpu = "1\\n"', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nper_cpu = 1000000000', "rate[1].per_cpu"),
        ('[[rate]]\nqueue = "x"\nrule = "min"', "rate[1].rule"),
        ('[[rate]]\nqueue = "x"\nrule = ["sum"]', "rate[1].rule"),
        ('[[rate]]\nqueue = "x"\nwhole_node = 1', "rate[1].whole_node"),
        ('[[rate]]\nqueue = "x"\nminimum = "5"', "rate[1].minimum"),
        ('[[rate]]\nqueue = "x"\nprice = "5"', "rate[1].price"),
        ('[[rate]]\nqueue = "x"\n[[rate]]\nqueue = "x"', "rate[2].queue"),
        ("qos = 1", "qos"),
        ('[qos]\n"" = "1"', "qos"),
        ('[qos]\n"a\\tb" = "1"', "qos"),
        ('[qos]\nhigh = "x"', "qos.high"),
        ("[tenant]\nvision = 3", "tenant.vision"),
        ('[tenant.a]\ndiscount_percent = "100.1"', "tenant.a.discount_percent"),
        ('[tenant.a]\ndiscount_percent = "0.00001"', "tenant.a.discount_percent"),
        ('[tenant.vision]\nallowance = "x"', "tenant.vision.allowance"),
        ("[tenant.vision]\nbonus = 1", "tenant.vision.bonus"),
        ("rate = ", "document"),
        ("from = 2026-02-30", "document"),
        ("a\0b", "document"),
        ("x" * (LONGEST + 1), "document"),
        ("a = " + "[" * 5000, "document"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(text: str, where: str) -> None:
    assert list(faults(text)) == [where]


def test_all_faults_are_told_at_once() -> None:
    found = faults("from = 1\n[[rate]]\nqueue = 1\nper_gpu = 0.5\n[tenant.a]\nx = 1")
    assert list(found) == [
        "from",
        "rate[1].queue",
        "rate[1].per_gpu",
        "tenant.a.x",
    ] or (set(found) == {"from", "rate[1].queue", "rate[1].per_gpu", "tenant.a.x"})
    with pytest.raises(WrongRates, match=r"rate\[1\].queue: found 1, expected"):
        read("[[rate]]\nqueue = 1")


def test_editors_of_other_systems_change_nothing() -> None:
    plain = WHOLE_CARD.strip()
    assert read("\ufeff" + plain.replace("\n", "\r\n")) == read(plain)
    without = plain.removeprefix("from = 2026-12-01\n")
    told = with_beginning("\ufeff" + without, read(plain).from_at, TOKYO)
    assert read(told) == read(plain)


names = st.text(min_size=1, max_size=64).filter(str.isprintable)
amounts = st.integers(0, 999_999_999_999_999)
slurm_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)
lines = st.builds(
    CardLine,
    queue=st.one_of(st.just("*"), slurm_names),
    gpu_type=st.one_of(st.just(""), slurm_names),
    cpu=amounts,
    memory_gb=amounts,
    gpu=amounts,
    node=st.integers(1, 10**9),
    rule=st.sampled_from(Rule),
    whole_node=st.booleans(),
    minimum=amounts,
)


@given(
    card=st.builds(
        RateCard,
        version=st.just(0),
        from_at=st.integers(0, 7_000_000_000),
        lines=st.lists(
            lines, max_size=4, unique_by=lambda one: (one.queue, one.gpu_type)
        ).map(tuple),
        qos=st.dictionaries(names, amounts, max_size=3),
        tenants=st.dictionaries(
            names,
            st.builds(TenantTerms, st.integers(0, MICRO), amounts),
            max_size=3,
        ),
    ),
    zone=st.sampled_from(["UTC", TOKYO, "Africa/Monrovia", "Europe/Berlin"]),
)
def test_what_is_written_is_read_again_as_it_was(card: RateCard, zone: str) -> None:
    assert read(write_document(card, zone, "JPY"), zone) == card
