"""How the bench of reports is judged, what it makes, and that benches run alone."""

from itertools import islice
from pathlib import Path

import pytest

from benchmarks import report_history
from benchmarks.cluster import BenchFailed, alone
from benchmarks.report import judge
from benchmarks.report_history import BEGINS, CLUSTER, DAYS, NOW, fill, history
from benchmarks.report_questions import SAME, questions
from kqi_hub.db.engine import make_engine
from kqi_hub.db.ledger_proof import Prover

QUICK = {"p50": 2.0, "p99": 9.0, "cpu_p50": 1.0, "cpu_p99": 1.0}
FIGURES = {SAME: QUICK, "floor": QUICK | {"p50": 1.0}, "filling": {"lines": 5.0}}
PEER = {"by person, ms": 30.0, "by account and person, ms": 50.0, "by person, lines": 9}


def test_the_slowest_answer_of_each_database_is_judged() -> None:
    slow = FIGURES | {"runs: of a job": QUICK | {"p99": 151.0}}
    result = judge({"SQLite": FIGURES, "PostgreSQL": slow}, PEER, {})
    assert [goal.met for goal in result.goals] == [True, False]
    assert "of a job" in result.goals[1].name
    assert (result.ratio, result.floor_ratio) == (40.0, 2.0)


def test_the_history_is_the_same_each_time_and_of_its_years() -> None:
    runs = list(history(2000))
    assert runs == list(history(2000))
    assert {one.key for one in runs}.__len__() == 2000
    assert min(one.started_at or 0 for one in runs) > BEGINS
    assert max(one.ended_at or 0 for one in runs) < NOW
    assert len({one.user for one in runs}) > 100
    assert {one.partition for one in runs} == {"cpu", "a100", "v100", "h100"}


@pytest.mark.slow
def test_a_fill_that_was_ended_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_history, "BATCH", 50)
    engine = make_engine(f"sqlite:///{tmp_path}/kept.sqlite", create=True)
    with monkeypatch.context() as patch:
        patch.setattr(
            report_history, "history", lambda runs: islice(history(runs), 120)
        )
        fill(engine, 250, lambda _: None)
    told = fill(engine, 250, lambda _: None)
    assert told["runs"] == 200
    proof = Prover(engine, CLUSTER, DAYS).prove()
    assert (proof.records, proof.wrong) == (200, 0)
    assert fill(engine, 250, lambda _: None)["lines"] == told["lines"]
    for one in questions(engine):
        one.ask()
    engine.dispose()


def test_two_benches_at_once_are_refused(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(BenchFailed, match="another"), alone(tmp_path):
        pytest.fail("both ran")
    with alone(tmp_path):
        pass
