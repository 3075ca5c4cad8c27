"""`kqi usage` and `kqi bill` against a portal."""

import csv
import io

import pytest

from kqi_hub.sdk.config import Config, save
from tests.adapters.cli.conftest import Run
from tests.fakes.site import FakeSite
from tests.fakes.usage_life import furnish

NOW = 1_795_000_000.0  # 2026-11-18


@pytest.fixture(autouse=True)
def furnished(site: FakeSite) -> None:
    furnish(site.usage, NOW)


def log_in(site: FakeSite, person: str) -> None:
    save(Config(site.origin, "vision", site.hub.token(person)))


def test_usage_alone_is_this_month_by_day(run: Run) -> None:
    done = run("usage")
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines() if line.strip()]
    assert lines[0][0] == "Day"
    assert lines[-1][0] == "all"
    assert "2026-11-01 to 2026-11-18 (UTC), in JPY" in done.err


def test_use_is_added_up_by_queue_for_people_and_programs(run: Run) -> None:
    said = run("usage", "show", "--by", "queue", "--json").json
    shown = run("usage", "show", "--by", "queue").out
    for row in said["rows"]:
        assert row["key"] in shown
    assert sum(row["sums"]["runs"] for row in said["rows"]) == said["total"]["runs"]


def test_the_file_is_the_portal_s_own(run: Run) -> None:
    text = run("usage", "runs", "--period", "2026-11", "--csv").out
    found = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert {row["Person"] for row in found} == {"mia"}
    assert text.startswith("\ufeff")


def test_runs_are_listed_page_by_page(run: Run) -> None:
    done = run("usage", "runs", "--since", "2026-01-01")
    assert "There are more: --after" in done.err
    after = done.err.split("--after ")[1].split()[0]
    more = run("usage", "runs", "--since", "2026-01-01", "--after", after, "--json")
    assert more.json["runs"][0]["job"] not in done.out


def test_a_job_is_explained_line_by_line(run: Run) -> None:
    done = run("usage", "job", "1581")
    assert done.code == 0, done.err
    assert "training-12" in done.out
    assert "Together:" in done.out
    assert "No run of job 5 is known" in run("usage", "job", "5").err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("usage", "show", "--of", "tenant", "--tenant", "vision"), 3),
        (("usage", "show", "--of", "cluster"), 3),
        (("usage", "show", "--tenant", "nowhere"), 4),
        (("usage", "show", "--period", "2026-13"), 2),
        (("bill", "2026-10", "--tenant", "vision"), 3),
        (("bill", "2026-10", "--tenant", "empty"), 4),
        (("bill", "2026-10"), 1),
    ],
)
def test_what_is_not_theirs_is_refused(
    run: Run, words: tuple[str, ...], code: int
) -> None:
    assert run(*words).code == code


def test_a_manager_reads_bills(site: FakeSite, run: Run) -> None:
    log_in(site, "max")
    listed = run("bill")
    months = [line.split()[0] for line in listed.out.splitlines() if "vision" in line]
    assert months == ["2026-11", "2026-10", "2026-09"]
    assert "still open" in listed.out
    shown = run("bill", "2026-10")
    assert "Node a100-01 was slow" in shown.out
    assert "closed" in shown.out
    said = run("bill", "2026-10", "--json").json
    parts = sum(one["amount_micro"] for one in said["positions"])
    credits = sum(one["cost_micro"] for one in said["credits"])
    assert parts + credits == said["bill"]["total_micro"]
    assert run("bill", "2026-10", "--csv").out.startswith("\ufeffMonth,")


def test_nobody_else_has_bills(run: Run) -> None:
    assert "you manage no tenant" in run("bill").err


def test_a_history_that_is_still_being_read_is_told(site: FakeSite, run: Run) -> None:
    site.usage.state = site.usage.state._replace(filled_back_to=None)
    assert "still being read" in run("usage").err
