"""kqi-hub rates: what is published was shown, and nothing is changed afterwards."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert

from kqi_hub.db.accounting_tables import JobRecordRow, PeriodRow
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.engine import make_engine, writing
from kqi_hub.operator.main import cli

Run = Callable[..., Result]
CARD = """
[[rate]]
queue = "a100"
per_gpu = "90.5"
whole_node = true
minimum = "10"

[[rate]]
queue = "*"
"""


@pytest.fixture
def database(site: Path, kqi_hub: Run) -> str:
    assert kqi_hub("db", "upgrade").exit_code == 0
    return f"sqlite:///{site}/kqi.sqlite"


@pytest.fixture
def card(site: Path) -> Path:
    path = site / "new rates '文'.toml"
    path.write_text(CARD, encoding="utf-8")
    return path


def run_of(database: str, **about: object) -> None:
    """Keep an hour of a job of two CPUs that ended on 2026-01-02."""
    ended = 1_767_312_000
    row = {
        **dict.fromkeys(("db_index", "suspended_s", "thing", "hash"), 0),
        **dict.fromkeys(("first_seen", "changed_at"), 0.0),
        **dict.fromkeys(("eligible_at", "suspended", "time_limit_s"), None),
        "cluster": "gpu1",
        "job_id": 7,
        "shown_id": "7",
        "name": "j",
        "user": "mia",
        "account": "vision",
        "partition": "cpu",
        "qos": "normal",
        "kind": "other",
        "state": "COMPLETED",
        "exit_code": "0:0",
        "gpus": "",
        "node_list": "n1",
        "nodes": 1,
        "cpus": 2,
        "memory_mb": 1024,
        "submitted_at": ended - 4000,
        "started_at": ended - 3600,
        "ended_at": ended,
    }
    engine = make_engine(database)
    with writing(engine) as connection:
        connection.execute(insert(JobRecordRow), {**row, **about})
    engine.dispose()


def test_a_card_is_shown_published_listed_exported_and_withdrawn(
    kqi_hub: Run, database: str, card: Path
) -> None:
    assert "no card of rates" in kqi_hub("rates", "list").stdout
    shown = kqi_hub("rates", "check", str(card), "--from", "2199-01-01")
    assert shown.exit_code == 0
    assert "a100: no rate -> 90.5 a GPU, whole nodes, at least 10" in shown.stdout
    assert "*: no rate -> free" in shown.stdout
    assert kqi_hub("rates", "list", "--json").stdout == "[]\n"
    words = ("rates", "import", str(card), "--from", "2199-01-01", "--yes")
    done = kqi_hub(*words, "--note", "as decided")
    assert done.stdout.endswith("Card 1 is published.\n")
    [row] = kqi_hub("rates", "list").stdout.splitlines()[1:]
    assert row.split()[:3] == ["1", "2199-01-01", "00:00"]
    assert "to come" in row
    assert row.endswith("as decided")
    assert "to begin" not in kqi_hub("rates", "export", "1").stdout
    again = card.with_name("again.toml")
    again.write_text(kqi_hub("rates", "export", "1").stdout)
    same = kqi_hub("rates", "check", str(again))
    assert "no rate of a queue changes" in same.stdout
    assert kqi_hub("rates", "withdraw", "1").exit_code == 0
    assert "withdrawn" in kqi_hub("rates", "list").stdout
    assert kqi_hub("rates", "withdraw", "1").exit_code == 5


def test_a_card_of_the_past_says_what_bills_will_say_and_posts_it(
    kqi_hub: Run, database: str, site: Path
) -> None:
    run_of(database)
    path = site / "card.toml"
    path.write_text('from = 2026-01-01\n[[rate]]\nqueue = "cpu"\nper_cpu = "1.5"\n')
    shown = kqi_hub("rates", "check", str(path)).stdout
    assert "will cost" in shown
    assert ["vision", "0", "3", "3"] in [line.split() for line in shown.splitlines()]
    told = json.loads(kqi_hub("rates", "check", str(path), "--json").stdout)
    assert told["effect"]["tenants"]["vision"]["after_micro"] == 3_000_000
    done = kqi_hub("rates", "import", str(path), "--yes").stdout
    assert "posted again, lines: 1" in done
    [card] = json.loads(kqi_hub("rates", "list", "--json").stdout)
    assert (card["state"], card["is_posted"]) == ("counts", True)
    # What was charged is corrected, not changed.
    path.write_text('from = 2026-01-01\n[[rate]]\nqueue = "cpu"\nper_cpu = "1"\n')
    again = kqi_hub("rates", "import", str(path), "--yes").stdout
    assert ["vision", "3", "2", "-1"] in [line.split() for line in again.splitlines()]


def test_publishing_is_audited(kqi_hub: Run, database: str, card: Path) -> None:
    kqi_hub("rates", "import", str(card), "--from", "now", "--yes", "--note", "x")
    engine = make_engine(database)
    [(_, event)] = SqlAuditLog(engine).read(action="rates-published")
    engine.dispose()
    assert event.actor.endswith("@shell")
    assert (event.target, event.detail["note"]) == ("rates 1", "x")


def test_nobody_publishes_by_accident(
    kqi_hub: Run, database: str, card: Path, site: Path
) -> None:
    result = kqi_hub("rates", "import", str(card), "--from", "now")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    words = ["--config", str(site / "kqi.toml"), "rates", "import", "-"]
    piped = CliRunner().invoke(cli, [*words, "--from", "now"], input=CARD)
    assert piped.exit_code == 2
    assert kqi_hub("rates", "list", "--json").stdout == "[]\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"[[rate]]\nqueue = 1", "rate[1].queue"),
        (b"[[rate]]\nqueue = 'x'\nper_cpu = 0.5", "rate[1].per_cpu"),
        (b"currency = 'XXX'", "currency"),
        (b"", "from when on"),
    ],
)
def test_a_wrong_file_is_told_with_its_fault(
    kqi_hub: Run, database: str, site: Path, content: bytes, said: str
) -> None:
    path = site / "card.toml"
    path.write_bytes(content)
    result = kqi_hub("rates", "check", str(path))
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_closed_month_is_left_alone(kqi_hub: Run, database: str, card: Path) -> None:
    engine = make_engine(database)
    row = {"cluster": "gpu1", "period": 202601, "closed_at": 0.0, "author": "oda"}
    with writing(engine) as connection:
        connection.execute(insert(PeriodRow), {**row, "notes": "{}"})
    engine.dispose()
    words = ("rates", "import", str(card), "--yes", "--from")
    closed = kqi_hub(*words, "2026-01-31T23:59:59")
    assert closed.exit_code == 5
    assert "2026-01" in closed.stderr
    assert kqi_hub(*words, "2026-02-01").exit_code == 0


@pytest.mark.parametrize("words", [("show",), ("export", "3"), ("withdraw", "1")])
def test_a_card_that_is_not_there_is_told(
    kqi_hub: Run, database: str, words: tuple[str, ...]
) -> None:
    assert kqi_hub("rates", *words).exit_code == 4


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", "--"])
def test_a_date_is_read_strictly(
    kqi_hub: Run, database: str, card: Path, when: str
) -> None:
    assert kqi_hub("rates", "check", str(card), "--from", when).exit_code == 2
