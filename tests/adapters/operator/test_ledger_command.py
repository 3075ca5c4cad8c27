"""kqi-hub ledger and kqi-hub close: a month's close from the terminal alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, insert, select

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import (
    IntakeRow,
    LedgerRow,
    PeriodRow,
    RateCardRow,
)
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.db.job_records import SqlJobRecords
from kqi_hub.db.ledger import SqlBook
from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.rate_cards import CardLine, RateCard, TenantTerms
from kqi_hub.domain.rate_writing import write_document
from kqi_hub.domain.site_days import SiteDays
from tests.fakes.book import NOON, a_record

Run = Callable[..., Result]
CARD = RateCard(
    1,
    0,
    (CardLine("a100", gpu=3 * MICRO),),
    tenants={"vision": TenantTerms(allowance=MICRO)},
)


@pytest.fixture
def engine(site: Path) -> Engine:
    """Return a site whose accounting was read in October 2026, of the past."""
    engine = make_engine(f"sqlite:///{site}/kqi.sqlite", create=True)
    schema.upgrade(engine)
    card = {"cluster": "gpu1", "version": 1, "from_at": 0, "author": "root"}
    card |= {"document": write_document(CARD, "UTC", "USD"), "note": ""}
    with writing(engine) as connection:
        connection.execute(insert(RateCardRow), card | {"published_at": 0.0})
        intake = {"cluster": "gpu1", "filled_back_to": 0, "read_until": NOON}
        connection.execute(insert(IntakeRow), intake | {"fill_back_to": 0})
    runs = [a_record(), a_record(job_id=8, account="speech", gpus="a100=1")]
    book = SqlBook(engine, "gpu1", SiteDays())
    store = SqlJobRecords(engine, "gpu1", book)
    store.take_in([ReadRecord(one, one.job_id) for one in runs], float(NOON))
    return engine


@pytest.fixture
def slurm(site: Path, engine: Engine) -> None:
    """Give the site a sacct that knows of no further run."""
    programs = site / "slurm"
    programs.mkdir()
    sacct = programs / "sacct"
    sacct.write_text("#!/bin/sh\nexit 0\n")
    sacct.chmod(0o755)
    settings = site / "kqi.toml"
    told = settings.read_text().replace(
        'name = "gpu1"\n', f'name = "gpu1"\nslurm_bin = "{programs}"\n'
    )
    settings.write_text(told)


def test_lines_are_shown_and_given_as_json(kqi_hub: Run, engine: Engine) -> None:
    shown = kqi_hub("ledger", "show", "--tenant", "vision")
    assert shown.exit_code == 0
    assert "2026-10-31" in shown.output
    assert "speech" not in shown.output
    found = json.loads(kqi_hub("ledger", "show", "--json", "--limit", "1").stdout)
    assert [line["tenant"] for line in found["lines"]] == ["speech"]
    assert found["more_before"] == found["lines"][0]["id"]
    assert "No lines." in kqi_hub("ledger", "show", "--month", "2020-01").output
    of_job = json.loads(kqi_hub("ledger", "show", "--job", "8", "--json").stdout)
    assert [line["amount"] for line in of_job["lines"]] == [3 * MICRO]


def test_a_credit_is_written_and_audited(kqi_hub: Run, engine: Engine) -> None:
    words = ("vision", "1.50", "--reason", "a broken node", "--month", "2026-10")
    assert kqi_hub("ledger", "credit", *words).exit_code == 0
    assert kqi_hub("ledger", "credit", *words, "--take").exit_code == 0
    with reading(engine) as connection:
        query = select(LedgerRow.amount).where(LedgerRow.kind == "credit")
        assert list(connection.scalars(query)) == [-1_500_000, 1_500_000]
    assert "a broken node" in kqi_hub("audit", "--action", "credit").output


@pytest.mark.parametrize(
    "words",
    [
        ("ghost", "1", "--reason", "x"),
        ("vision", "0", "--reason", "x"),
        ("vision", "much", "--reason", "x"),
        ("vision", "1", "--reason", "a\nb"),
        ("vision", "1"),
        ("vision", "1", "--reason", "x", "--month", "2999-01"),
        ("vision", "1", "--reason", "x", "--month", "October"),
    ],
)
def test_a_credit_that_is_none_ends_with_an_error(
    kqi_hub: Run, engine: Engine, words: tuple[str, ...]
) -> None:
    assert kqi_hub("ledger", "credit", *words).exit_code != 0
    assert "No lines." in kqi_hub("ledger", "show", "--kind", "credit").output


def test_the_book_is_proved_and_put_right(kqi_hub: Run, engine: Engine) -> None:
    proved = kqi_hub("ledger", "verify")
    assert (proved.exit_code, proved.output) == (
        0,
        "Records: 2, lines: 2: all of it is right.\n",
    )
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE bills SET charged = charged + 1")
    wrong = kqi_hub("ledger", "verify")
    assert wrong.exit_code == 1
    assert "bills 202610, vision" in wrong.output
    mended = kqi_hub("ledger", "verify", "--mend")
    assert mended.exit_code == 0
    assert "2 differed and are put right" in mended.output
    assert kqi_hub("ledger", "verify", "--json").exit_code == 0


def test_how_far_accounting_was_read_is_shown(kqi_hub: Run, engine: Engine) -> None:
    assert "The history is whole." in kqi_hub("ledger", "intake").output
    assert json.loads(kqi_hub("ledger", "intake", "--json").stdout)["is_whole"]


@pytest.mark.usefixtures("slurm")
def test_a_month_is_closed_after_a_look(kqi_hub: Run, engine: Engine) -> None:
    looked = kqi_hub("close", "2026-10", "--dry-run")
    assert looked.exit_code == 0, looked.output
    assert "All tenants: 8" in looked.output
    plan = json.loads(kqi_hub("close", "2026-10", "--dry-run", "--json").stdout)
    assert [bill["allowance"] for bill in plan["bills"]] == [0, MICRO]
    refused = kqi_hub("close", "2026-10")
    assert refused.exit_code == 1
    assert kqi_hub("close", "2026-10", "--dry-run").exit_code == 0
    closed = kqi_hub("close", "2026-10", "--yes")
    assert closed.exit_code == 0, closed.output
    assert "2026-10 is closed." in closed.output
    again = kqi_hub("close", "2026-10", "--yes")
    assert again.exit_code != 0
    assert "closed it already" in again.output
    assert kqi_hub("ledger", "verify").exit_code == 0
    assert "2026-10" in kqi_hub("audit", "--action", "month-closed").output


@pytest.mark.usefixtures("slurm")
def test_a_month_that_is_not_over_is_not_closed(kqi_hub: Run) -> None:
    answer = kqi_hub("close", "2999-01", "--yes")
    assert answer.exit_code != 0
    assert "it is not over" in answer.output


def test_a_month_is_not_closed_where_slurm_does_not_answer(
    kqi_hub: Run, engine: Engine, site: Path
) -> None:
    (site / "kqi.toml").write_text(
        (site / "kqi.toml")
        .read_text()
        .replace('name = "gpu1"\n', f'name = "gpu1"\nslurm_bin = "{site}/none"\n')
    )
    assert kqi_hub("close", "2026-10", "--yes").exit_code != 0
    with reading(engine) as connection:
        assert connection.execute(select(PeriodRow)).all() == []
