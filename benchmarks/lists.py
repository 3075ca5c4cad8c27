"""100,000 runs in the database: pages and searches of their lists, beside MLflow's."""

import json
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, insert, update

from benchmarks.cluster import WORK, BenchFailed, Say
from benchmarks.peer_venv import peer_python
from benchmarks.result import Figure, Goal, Result, machine
from kqi_hub.db import schema
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.db.run_asking import add_runs
from kqi_hub.db.run_rows import PARENTS, RUNS
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.filters import Part, Span, TagRule
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_list import RunColumn, RunFilter
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import LIVE, RunKind, RunSpec, RunState, Source

ABOUT: Final = "100,000 runs: any page or search of a list, p99"
REQUIREMENTS: Final = ("mlflow-skinny==2.22.0", "sqlalchemy==2.0.43", "alembic")
PEER_RUNS: Final = 10_000
RUNS_IN_ALL: Final = 100_000
MOST_P99_MS: Final = 100.0
_CHUNK: Final = 5000
_TIMES: Final = 30
_TENANTS: Final = ("vision", "nlp", "speech")
_NOW: Final = 1_795_000_000.0
_WORDS: Final = [
    "resnet",
    "bert",
    "whisper",
    "vit",
    "unet",
    "yolo",
    "t5",
    "llama",
    "moco",
    "clip",
]


@dataclass(frozen=True)
class Question:
    """A list that somebody looks at."""

    name: str
    wanted: RunFilter


def questions() -> tuple[Question, ...]:
    """Return what people ask of a list: from its first page to a search in vain."""
    ours = RunFilter(RunKind.TRAINING, ("vision",))
    everybodys = RunFilter(RunKind.TRAINING, None)
    return (
        Question("first page", ours),
        Question("first page of an operator", everybodys),
        Question("page 300", replace(ours, offset=29_900)),
        Question("last page", replace(everybodys, offset=89_900)),
        Question("by name", replace(ours, sort=RunColumn.NAME)),
        Question("by value", replace(ours, sort=RunColumn.VALUE)),
        Question("by end", replace(everybodys, sort=RunColumn.ENDED_AT)),
        Question("live", replace(ours, states=LIVE)),
        Question("a number", replace(ours, id=Span(77_777, 77_778))),
        Question("a word of names", replace(ours, name=Part("llama"))),
        Question("a word no name has", replace(everybodys, name=Part("nothing"))),
        Question(
            "not a word", replace(everybodys, name=Part("llama", is_refused=True))
        ),
        Question("a word of memos", replace(everybodys, memo=Part("seed 99"))),
        Question(
            "a word of commands", replace(everybodys, command=Part("--lr 0.0077"))
        ),
        Question(
            "a word no command has",
            replace(everybodys, command=Part("nothing of that kind")),
        ),
        Question("one person's", replace(ours, owner=Part("user07"))),
        Question("a dataset's", replace(everybodys, dataset=Part("signs 3"))),
        Question("a parent's", replace(everybodys, parent_name=Part("whisper"))),
        Question("two tags", replace(ours, tags=TagRule(("tag-1", "tag-2")))),
        Question("without a tag", replace(everybodys, tags=TagRule((), ("tag-1",)))),
        Question(
            "all at once",
            replace(ours, name=Part("vit"), memo=Part("seed 9"), states=LIVE),
        ),
    )


def run(say: Say) -> Result:
    """Make both databases, ask everything, take them away."""
    python = peer_python("mlflow", REQUIREMENTS, say)
    place = WORK / "lists"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        engine = make_engine(f"sqlite:///{place}/kqi.sqlite", create=True)
        schema.upgrade(engine)
        say(f"Storing {RUNS_IN_ALL:,} runs")
        fill(engine)
        figures = {one.name: _asked(engine, one, say) for one in questions()}
        floor = statistics.median(_timed(lambda: _floor(engine))[0])
        engine.dispose()
        size = (place / "kqi.sqlite").stat().st_size / 1e6
        say(f"MLflow, {PEER_RUNS:,} runs")
        peer = _peers(python, place)
    finally:
        shutil.rmtree(place)
    conditions = {
        **machine(),
        "runs": RUNS_IN_ALL,
        "times": _TIMES,
        "database_mb": round(size),
        "cpu": "ms of the answering thread: what it takes on a machine with time",
        "peer": f"{REQUIREMENTS[0]}, search_runs on SQLite with {PEER_RUNS:,} runs",
    }
    return judge(figures, peer, floor, conditions)


def judge(
    figures: Mapping[str, Mapping[str, float]],
    peer: Mapping[str, float],
    floor: float,
    conditions: dict[str, object],
) -> Result:
    """Compare what both are asked, and the slowest answer with the goal."""
    worst = max(figures, key=lambda name: figures[name]["p99"])
    both = sorted(set(peer) & set(figures))
    ours = statistics.median(figures[name]["p50"] for name in both)
    theirs = statistics.median(peer[name] for name in both)
    details = {
        name: {**told, **({"mlflow": peer[name]} if name in peer else {})}
        for name, told in figures.items()
    }
    return Result(
        bench="lists",
        ours=Figure(f"the median of {len(both)} questions", ours, "ms"),
        peer=Figure("MLflow, a tenth of the runs", theirs, "ms"),
        floor=Figure("100 numbers out of the index", floor, "ms"),
        goals=(Goal.below(f"p99 of {worst}, ms", MOST_P99_MS, figures[worst]["p99"]),),
        conditions=conditions,
        details=details,
    )


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


def fill(engine: Engine, count: int = RUNS_IN_ALL) -> None:
    """Store runs as years of use leave them behind; nine of ten are trainings."""
    dice = random.Random(7)  # noqa: S311 - the same runs each time, no secret
    sets = SqlDatasetStore(engine)
    datasets = [
        sets.create(NewDataset(tenant, f"signs {at}", "", False, ()), "u", _NOW).id
        for at in range(20)
        for tenant in _TENANTS
    ]
    for start in range(0, count, _CHUNK):
        with writing(engine) as connection:
            new = [_new(dice, at) for at in range(start, start + _CHUNK)]
            numbers = add_runs(connection, new, _NOW + start)
            parents = [
                {"run": number, "parent": dice.choice(numbers)}
                for number, one in zip(numbers, new, strict=True)
                if one.kind is RunKind.INFERENCE or number % 5 == 0
            ]
            connection.execute(insert(PARENTS), parents)
    with writing(engine) as connection:
        c = RUNS.c
        connection.execute(
            update(RUNS).values(
                dataset=datasets[0] + c.number % len(datasets),
                began_at=c.asked_at + 60,
                asked_at=c.asked_at + c.number % _CHUNK,
            )
        )
        is_over = c.number <= count - 500
        ended = update(RUNS).where(is_over)
        for at, state in enumerate((RunState.COMPLETED, RunState.FAILED)):
            connection.execute(
                ended.where(c.number % 2 == at).values(
                    state=state.value,
                    ended_at=c.asked_at + 3600,
                    settled_at=c.asked_at + 3601,
                    value_number=c.number * 7919 % 1000,
                )
            )


def _new(dice: random.Random, at: int) -> NewRun:
    kind = RunKind.INFERENCE if at % 10 == 0 else RunKind.TRAINING
    spec = RunSpec(
        name=f"{dice.choice(_WORDS)}-{dice.choice(_WORDS)}-{at}",
        tenant=_TENANTS[0] if dice.random() < 0.7 else dice.choice(_TENANTS),
        queue="a100",
        command=f"python train.py --data /kqi/input --out /kqi/output "
        f"--lr {dice.random():.4f} --epochs {dice.randrange(200)}",
        shape=Shape(8, 65_536, 1, "a100"),
        environment="torch",
        source=Source("https://git.example.org/vision/model.git", "main", "1" * 40),
        variables=(("SEED", str(at)),),
        memo=f"What happens with seed {dice.randrange(1000)}, and more of the same",
        tags=tuple({f"tag-{dice.randrange(40)}" for _ in range(3)}),
    )
    return NewRun(kind, f"user{at % 40:02}", f"key{at}", spec)


def _asked(engine: Engine, question: Question, say: Say) -> dict[str, float]:
    store = SqlRunStore(engine)
    found = store.search(question.wanted)

    def ask() -> None:
        runs, _ = store.search(question.wanted)
        store.names(runs)

    times, cpu = _timed(ask)
    told = {
        "p50": round(statistics.median(times), 1),
        "p99": _p99(times),
        "cpu_p50": round(statistics.median(cpu), 1),
        "cpu_p99": _p99(cpu),
        "found": found[1],
    }
    line = " ".join(f"{value:8.1f}" for value in told.values())
    say(f"{question.name:28}{line}")
    return told


def _timed(call: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each of some calls: by the clock, and of the CPU."""
    times, cpu = [], []
    for _ in range(_TIMES):
        start, began = time.perf_counter(), time.thread_time()
        call()
        cpu.append((time.thread_time() - began) * 1000)
        times.append((time.perf_counter() - start) * 1000)
    return times, cpu


def _p99(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=100, method="inclusive")[98], 1)


def _floor(engine: Engine) -> None:
    with reading(engine) as connection:
        connection.exec_driver_sql(
            "SELECT number FROM runs WHERE tenant = 'vision' AND kind = 'training' "
            "ORDER BY number DESC LIMIT 100"
        ).all()
