"""100,000 runs in the database: pages and searches of their lists, beside MLflow's."""

import json
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from benchmarks.asking import TIMES, timed
from benchmarks.cluster import WORK, BenchFailed, Say, bench_cluster
from benchmarks.lists_rows import Question, fill, questions
from benchmarks.peer_venv import peer_python
from benchmarks.postgresql import postgresql
from benchmarks.result import Figure, Goal, Result, machine
from kqi_hub.bootstrap.loop import favour_the_loop
from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine, reading
from kqi_hub.db.runs import SqlRunStore

Figures = dict[str, dict[str, float]]
DATABASES: Final = ("SQLite", "PostgreSQL")
ABOUT: Final = "100,000 runs: any page or search of a list, p99"
REQUIREMENTS: Final = ("mlflow-skinny==2.22.0", "sqlalchemy==2.0.43", "alembic")
PEER_RUNS: Final = 10_000
RUNS_IN_ALL: Final = 100_000
MOST_P99_MS: Final = 100.0
_WATCHERS: Final = "50 watchers"
_LOG: Final = "a log in a browser, ms"
_LONGEST_LOG_MS: Final = 1000.0


def run(say: Say) -> Result:
    """Make the databases, ask everything, take them away; then a cluster's turn."""
    python = peer_python("mlflow", REQUIREMENTS, say)
    place = WORK / "lists"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    figures: Figures = {}
    try:
        with _filled(f"sqlite:///{place}/kqi.sqlite", say) as engine:
            figures |= _asked_all(engine, "SQLite", say)
            floor = timed(lambda: _floor(engine))["p50"]
        size = (place / "kqi.sqlite").stat().st_size / 1e6
        say(f"MLflow, {PEER_RUNS:,} runs")
        peer = _peers(python, place)
    finally:
        shutil.rmtree(place)
    with postgresql() as address, _filled(address, say) as engine:
        figures |= _asked_all(engine, "PostgreSQL", say)
    with bench_cluster("", say) as cluster:
        cluster.demo("service", "worker", "start")
        say("50 people watch a list, for about three minutes")
        watched = cluster.run("benchmarks.lists_watchers")
        say("A log of 100 MB is opened in a browser, again and again")
        log = cluster.run("benchmarks.lists_log")
    conditions = {
        **machine(),
        "runs": RUNS_IN_ALL,
        "times": TIMES,
        "database_mb": round(size),
        "cpu": "ms of the answering thread: what it takes on a machine with time; "
        "of PostgreSQL without the server's own",
        "peer": f"{REQUIREMENTS[0]}, search_runs on SQLite with {PEER_RUNS:,} runs",
    }
    return judge(figures, peer, floor, watched, log, conditions)


def judge(
    figures: Figures,
    peer: Mapping[str, float],
    floor: float,
    watched: Mapping[str, float],
    log: Mapping[str, float],
    conditions: dict[str, object],
) -> Result:
    """Compare what both are asked, and each database's slowest answer with the goal."""
    both = sorted(name for name in peer if f"{name}, SQLite" in figures)
    ours = statistics.median(figures[f"{name}, SQLite"]["p50"] for name in both)
    theirs = statistics.median(peer[name] for name in both)
    details = {
        **figures,
        **{f"{name}, MLflow": {"p50": peer[name]} for name in both},
        _WATCHERS: watched,
        _LOG: log,
    }
    slowest = [_slowest(figures, database) for database in DATABASES]
    more = watched["calls_a_look_watched"] - watched["calls_a_look_alone"]
    return Result(
        bench="lists",
        ours=Figure(f"the median of {len(both)} questions", ours, "ms"),
        peer=Figure("MLflow, a tenth of the runs", theirs, "ms"),
        floor=Figure("100 numbers out of the index", floor, "ms"),
        goals=(
            *(
                Goal.below(f"p99 of {name}, ms", MOST_P99_MS, figures[name]["p99"])
                for name in slowest
            ),
            # Something that the worker asks now and then may fall into one window.
            Goal.below("slurmctld's calls a look, more by 50 watchers", 0.5, more),
            Goal.below(
                "the end of a log of 100 MB, ms", _LONGEST_LOG_MS, log["longest"]
            ),
        ),
        conditions=conditions,
        details=details,
    )


def _slowest(figures: Figures, database: str) -> str:
    of_it = [name for name in figures if name.endswith(f", {database}")]
    return max(of_it, key=lambda name: figures[name]["p99"])


@contextmanager
def _filled(address: str, say: Say) -> Iterator[Engine]:
    """Give an engine on a new database full of runs."""
    engine = make_engine(address, create=True)
    try:
        schema.upgrade(engine)
        say(f"Storing {RUNS_IN_ALL:,} runs")
        fill(engine, RUNS_IN_ALL)
        if engine.dialect.name == "postgresql":
            # What its autovacuum does within a minute or two.
            with engine.execution_options(
                isolation_level="AUTOCOMMIT"
            ).connect() as connection:
                connection.exec_driver_sql("VACUUM (ANALYZE)")
        yield engine
    finally:
        engine.dispose()


def _asked_all(engine: Engine, database: str, say: Say) -> Figures:
    say(f"{database}: p50, p99, the first, p50 and p99 of the CPU, found")
    favour_the_loop()
    return {f"{one.name}, {database}": _asked(engine, one, say) for one in questions()}


def _peers(python: Path, place: Path) -> dict[str, float]:
    """Return the median of each of MLflow's answers."""
    program = Path(__file__).with_name("lists_peer.py")
    database = place / "mlflow.sqlite"
    argv = [str(python), str(program), str(database), str(PEER_RUNS), "5"]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise BenchFailed(f"MLflow failed:\n{ran.stderr[-2000:]}")
    told: dict[str, list[float]] = json.loads(ran.stdout.splitlines()[-1])
    return {name: round(statistics.median(one), 1) for name, one in told.items()}


def _asked(engine: Engine, question: Question, say: Say) -> dict[str, float]:
    store = SqlRunStore(engine)
    found = store.search(question.wanted)

    def ask() -> None:
        runs, _ = store.search(question.wanted)
        store.names(runs)

    told = timed(ask) | {"found": found[1]}
    line = " ".join(f"{value:8.1f}" for value in told.values())
    say(f"{question.name:28}{line}")
    return told


def _floor(engine: Engine) -> None:
    with reading(engine) as connection:
        connection.exec_driver_sql(
            "SELECT number FROM runs WHERE tenant = 'vision' AND kind = 'training' "
            "ORDER BY number DESC LIMIT 100"
        ).all()
