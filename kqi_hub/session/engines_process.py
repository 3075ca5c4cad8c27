"""Run one group of engines, in the Python of the environment that they are for.

`python -c RUN engines_process.py ENGINES ID`: needs IPython Parallel and nothing of
ours. It says on its output, a JSON object a line, how far it is; it ends, and the
engines with it, when it is told to or when the notebook's server has gone.
"""

import asyncio
import contextlib
import json
import signal
import sys

_LOOK_S = 1.0


def tell(**what: object) -> None:
    """Say one thing to the notebook's server."""
    sys.__stdout__.write(json.dumps(what) + "\n")  # type: ignore[union-attr]  # a pipe
    sys.__stdout__.flush()  # type: ignore[union-attr]


async def run(engines: int, name: str) -> None:
    """Start, say how many engines are there, and stop."""
    # The environment may lack it: that is said, too.
    import ipyparallel  # noqa: PLC0415

    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    loop.add_reader(0, over.set)
    cluster = ipyparallel.Cluster(profile="slurm", cluster_id=name, n=engines)
    try:
        await cluster.start_controller()
        client = await cluster.connect_client()
        await cluster.start_engines(engines)
        tell(state="waiting", job=cluster.engine_set.job_id)
        await _watch(client, over)
    finally:
        loop.remove_reader(0)
        with contextlib.suppress(Exception):
            await cluster.stop_cluster()


async def _watch(client: object, over: asyncio.Event) -> None:
    """Say whenever the number of engines changes; return when it is over."""
    count = 0
    while not over.is_set():
        now = len(client.ids)  # type: ignore[attr-defined]
        if now != count:
            tell(state="running" if now else "waiting", engines=now)
            if not now:
                raise RuntimeError("all engines have ended")
        count = now
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(over.wait(), _LOOK_S)


def main() -> int:
    """Run one group of engines; return the exit code."""
    engines, name = int(sys.argv[-2]), sys.argv[-1]
    try:
        asyncio.run(run(engines, name))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it is told and that is all
        tell(state="failed", why=f"{type(error).__name__}: {error}"[:1000])
        return 1
    tell(state="ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
