"""Entry point of `python -m benchmarks`, which ./bench runs."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks import (
    browse,
    env,
    env_kill,
    hub,
    ingest,
    lists,
    login,
    report,
    rpc,
    snapshot,
    spawn,
    stage,
    submit,
    upload,
)
from benchmarks.cluster import BenchFailed, alone
from benchmarks.result import Result

Say = Callable[[str], None]


@dataclass(frozen=True)
class Benchmark:
    """What it measures, in a line, and how it is run."""

    about: str
    run: Callable[[Say], Result]


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "browse": Benchmark(browse.ABOUT, browse.run),
    "env": Benchmark(env.ABOUT, env.run),
    "env_kill": Benchmark(env_kill.ABOUT, env_kill.run),
    "hub": Benchmark(hub.ABOUT, hub.run),
    "ingest": Benchmark(ingest.ABOUT, ingest.run),
    "lists": Benchmark(lists.ABOUT, lists.run),
    "login": Benchmark(login.ABOUT, login.run),
    "report": Benchmark(report.ABOUT, report.run),
    "rpc": Benchmark(rpc.ABOUT, rpc.run),
    "snapshot": Benchmark(snapshot.ABOUT, snapshot.run),
    "spawn": Benchmark(spawn.ABOUT, spawn.run),
    "stage": Benchmark(stage.ABOUT, stage.run),
    "submit": Benchmark(submit.ABOUT, submit.run),
    "upload": Benchmark(upload.ABOUT, upload.run),
}


def main(arguments: list[str]) -> int:
    """List the benchmarks or run one; its last line on stdout is JSON."""
    match arguments:
        case ["list"]:
            for name, benchmark in BENCHMARKS.items():
                print(f"{name:12}{benchmark.about}")
        case [name] if name in BENCHMARKS:
            try:
                with alone():
                    result = BENCHMARKS[name].run(say)
            except BenchFailed as error:
                say(f"{name}: {error}")
                return 1
            say(result.as_table())
            print(result.as_json())
        case _:
            known = ", ".join(BENCHMARKS)
            say(f"Expected `list` or the name of a benchmark ({known}).")
            return 2
    return 0


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
