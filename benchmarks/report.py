"""Every chart, table and list of use over 10,000,000 charge lines, beside sreport."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from benchmarks.asking import TIMES, timed
from benchmarks.cluster import WORK, BenchFailed, Say, bench_cluster
from benchmarks.postgresql import postgresql
from benchmarks.report_history import YEARS, fill
from benchmarks.report_questions import SAME, questions
from benchmarks.result import Figure, Goal, Result, machine
from kqi_hub.bootstrap.loop import favour_the_loop
from kqi_hub.db.engine import make_engine, reading

ABOUT: Final = "10,000,000 charge lines: any chart, table or list of use, p99"
LINES: Final = int(os.environ.get("KQI_BENCH_LINES", "10000000"))
# Filled databases stay in this folder, to be asked again.
KEPT: Final = os.environ.get("KQI_BENCH_KEEP", "")
MOST_P99_MS: Final = 150.0
# Lines, their runs and indexes, of the larger of the databases; one is there at a time.
BYTES_A_LINE: Final = 1500
# As a site would set it for so many lines.
_BUFFERS: Final = "shared_buffers=512MB"
_FLOOR: Final = (
    "SELECT sum(amount) FROM usage_sums WHERE cluster = 'bench' AND cut = 'total'"
    " AND grain = 'month'"
)

Figures = dict[str, dict[str, float]]


def run(say: Say) -> Result:
    """Ask sreport, then fill and ask one database after the other."""
    _require_room()
    with bench_cluster("# as it is\n", say) as cluster:
        say("sreport")
        peer = cluster.run("benchmarks.report_slurm")
    found: dict[str, Figures] = {}
    with sqlite() as url:
        found["SQLite"] = measure(make_engine(url, create=True), LINES, say)
    with postgresql(_BUFFERS, kept=kept("postgresql")) as url:
        found["PostgreSQL"] = measure(make_engine(url), LINES, say)
    return judge(
        found, peer, {**machine(), "lines": LINES, "years": YEARS, "times": TIMES}
    )


def kept(name: str) -> Path | None:
    """Return the folder where a filled database of this size stays, if it is to."""
    return Path(KEPT, str(LINES), name) if KEPT else None


@contextmanager
def sqlite() -> Iterator[str]:
    """Give the address of a file, kept or thrown away."""
    WORK.mkdir(exist_ok=True)
    stays = kept("sqlite")
    folder = stays or Path(tempfile.mkdtemp(prefix="report-", dir=WORK))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield f"sqlite:///{folder}/kqi.sqlite"
    finally:
        if stays is None:
            shutil.rmtree(folder)


def measure(engine: Engine, lines: int, say: Say) -> Figures:
    """Fill a database and ask everything of it."""
    name = engine.dialect.name
    try:
        say(f"{name}: taking in {lines:,} lines")
        found = {"filling": fill(engine, lines, say)}
        if name == "postgresql":
            # It does so by itself in the course of a day; SQLite never does.
            with engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(text("VACUUM (ANALYZE)"))
        favour_the_loop()
        for one in questions(engine):
            found[one.name] = timed(one.ask)
            told = found[one.name]
            say(
                f"  {one.name:48}{told['p50']:9.1f}{told['p99']:9.1f}"
                f"{told['first']:9.1f}{told['cpu_p99']:9.1f}"
            )
        found["floor"] = timed(lambda: _floor(engine))
    finally:
        engine.dispose()
    return found


def judge(
    found: Mapping[str, Figures],
    peer: Mapping[str, float],
    conditions: dict[str, object],
) -> Result:
    """Compare the slowest answers with the goal, and one of them with sreport's."""
    goals, details = [], {"sreport": dict(peer)}
    for name, figures in found.items():
        asked = {key: one for key, one in figures.items() if "p99" in one}
        worst = max(asked, key=lambda key: asked[key]["p99"])
        goals.append(
            Goal.below(f"{name}: p99 of {worst}, ms", MOST_P99_MS, asked[worst]["p99"])
        )
        details |= {f"{name}: {key}": one for key, one in figures.items()}
    first = next(iter(found.values()))
    theirs = sum(value for key, value in peer.items() if key.endswith(", ms"))
    return Result(
        bench="report",
        ours=Figure(f"{SAME}: seven tables with money", first[SAME]["p50"], "ms"),
        peer=Figure("sreport: two of them, without money", theirs, "ms"),
        floor=Figure("the months' totals alone", first["floor"]["p50"], "ms"),
        goals=tuple(goals),
        conditions=conditions,
        details=details,
    )


def _floor(engine: Engine) -> object:
    with reading(engine) as connection:
        return connection.execute(text(_FLOOR)).scalar()


def _require_room() -> None:
    needed = LINES * BYTES_A_LINE
    places = [WORK.parent, Path("/var/tmp")]  # noqa: S108 - only looked at
    if KEPT:
        # Both are there at once, or already.
        places = [Path(KEPT)]
        places[0].mkdir(parents=True, exist_ok=True)
        files = Path(KEPT, str(LINES)).rglob("*")
        needed = 2 * needed - sum(one.lstat().st_size for one in files)
    for place in places:
        free = shutil.disk_usage(place).free
        if free < needed:
            raise BenchFailed(
                f"{place} has {free / 1e9:.0f} GB free, {needed / 1e9:.0f} GB are "
                "needed: make room, or set KQI_BENCH_LINES to fewer lines"
            )
