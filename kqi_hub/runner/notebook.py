"""The work of a notebook's job, as the person: prepare, serve, and tell the hub.

`python -I -m kqi_hub.runner.notebook ORDER` is the last line of the batch script. It
needs nothing but Python, so that whatever happens to the site's environment for
notebooks, the job's log says what it was.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Final

from kqi_hub.runner.dataset import Near, near_dataset, variables_of
from kqi_hub.runner.engines import EnginesEnd, prepare_engines
from kqi_hub.runner.environment import children_environment, server_environment
from kqi_hub.runner.folders import Folders, make_folders
from kqi_hub.runner.git_token import (
    forget_order,
    forget_orders,
    token_environment,
)
from kqi_hub.runner.hub import HubVoice
from kqi_hub.runner.listen import NoAddress, listen
from kqi_hub.runner.notebook_variables import control_variables
from kqi_hub.runner.order import BadOrder, Order, read_order
from kqi_hub.runner.orphans import adopt_orphans
from kqi_hub.runner.parents import variables_of_parents
from kqi_hub.runner.preparing import Prepared, prepare
from kqi_hub.runner.say import say
from kqi_hub.runner.serving import Server
from kqi_hub.runner.terminal import terminal_shell, write_conda_lines

_USAGE: Final = 64
_CANNOT_LISTEN: Final = 69
_STOPPED: Final = 128 + signal.SIGTERM
_KILLED: Final = 128 + signal.SIGKILL


class Stopped(Exception):
    """Slurm or the person ends the job before it serves."""


def main(arguments: list[str]) -> int:
    """Do the work of one job; return its exit code."""
    begun = time.monotonic()
    try:
        (file,) = arguments
        order = read_order(Path(file))
    except ValueError:
        say("How to run it: python -I -m kqi_hub.runner.notebook ORDER")
        return _USAGE
    except BadOrder as error:
        say(f"{error}. Start the notebook again from the portal.")
        return _USAGE
    node = os.environ.get("SLURMD_NODENAME") or os.uname().nodename
    say(f"Notebook {order.name} on node {node}, job {_job_id()}.")
    voice = HubVoice(order.hub, say)
    voice.phase("node")
    code = 1
    forget_orders(order.file, order.notebook_id, say)
    try:
        code = _run(order, voice, begun)
    finally:
        voice.ended(code)
        if order.may_push:
            forget_order(order.file, say)
    return code


def _run(order: Order, voice: HubVoice, begun: float) -> int:
    _until_it_serves()
    folders = make_folders(order.folder, say)
    try:
        listener = listen(order.hub.get("JUPYTERHUB_API_URL", ""))
    except NoAddress as error:
        say(f"No address of this node can be listened on: {error}.")
        return _CANNOT_LISTEN
    address, port = listener.getsockname()[:2]
    url = _service_url(order, address, port)
    here = {"JUPYTERHUB_SERVICE_URL": url, "KQI_NODE_ADDRESS": address}
    hub = dict(order.hub) | here
    surroundings = server_environment(os.environ, hub, folders)
    server = Server(listener, surroundings, folders.workspace)
    adopt_orphans(say)
    engines = EnginesEnd(folders.ipython)
    try:
        voice.phase("environment")
        with near_dataset(order.dataset, order.copies, say) as near:
            told = _prepared(order, near, folders, hub)
            voice.port(port)
            voice.phase("server")
            server.serve(told)
            say(f"Prepared in {time.monotonic() - begun:.1f} s; the server starts.")
            return _wait(server, engines)
    except Stopped:
        say("Stopped before the server was up.")
        return _STOPPED
    finally:
        engines.begin(say)
        server.end(say)
        engines.finish(say)


def _prepared(
    order: Order, near: Near, folders: Folders, hub: Mapping[str, str]
) -> dict[str, object]:
    """Make everything ready, and return what the server is told."""
    places = {**variables_of(near.dataset), **variables_of_parents(order.parents)}
    told = {**hub, **control_variables(order), **places}
    plain = children_environment(os.environ, {}, told, folders)
    children = children_environment(os.environ, order.variables, told, folders)
    plain, children = (token_environment(order, one) for one in (plain, children))
    prepared = prepare(order, near, folders, children, say)
    write_conda_lines(folders.conda, order.folder, say)
    prepare_engines(folders.ipython, order.folder / "log", say)
    environments = {"environment": plain, "children": children}
    return environments | _told(order, folders, prepared)


def _told(order: Order, folders: Folders, prepared: Prepared) -> dict[str, object]:
    """Return what the server is told beside its environments."""
    return {
        "root": str(folders.workspace),
        "ui": order.ui,
        "default_kernel": prepared.kernel or "python3",
        "environments": str(order.folder / ".conda" / "envs"),
        "data": str(folders.data),
        "notices": list(prepared.notices),
        "notebook": {"id": order.notebook_id, "name": order.name, "page": order.page},
        "shell": terminal_shell(os.environ),
        "node": os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
        "ends_at": _ends_at(order.lifetime_s),
        "idle_stop_s": order.idle_stop_s,
        "idle_warn_s": order.idle_warn_s,
        "end_warn_s": order.end_warn_s,
    }


def _ends_at(lifetime_s: int | None) -> float | None:
    """Return when Slurm will end the job: as it says itself, or as it was asked."""
    known = os.environ.get("SLURM_JOB_END_TIME", "")
    if known.isdecimal():
        return float(known)
    return None if lifetime_s is None else time.time() + lifetime_s


def _service_url(order: Order, address: str, port: int) -> str:
    shown = f"[{address}]" if ":" in address else address
    return f"http://{shown}:{port}{order.hub.get('JUPYTERHUB_SERVICE_PREFIX', '/')}"


def _until_it_serves() -> None:
    """Let a stop end the preparation; the server inherits that USR1 is no end."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def _wait(server: Server, engines: EnginesEnd) -> int:
    """Wait for the server's end, and pass on what Slurm has to say meanwhile."""

    def time_is_nearly_up(_number: int, _frame: FrameType | None) -> None:
        say("The time limit is near: people in the notebook are warned.")
        server.signal(signal.SIGUSR1)

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    signal.signal(signal.SIGUSR1, time_is_nearly_up)
    signal.signal(signal.SIGTERM, stop)
    try:
        code = server.wait()
    except Stopped:
        say("Told to stop: kernels are shut down, then the server.")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        engines.begin(say)
        server.end(say)
        code = server.wait()
    say(f"The server has ended with exit code {code}.")
    if code == _KILLED:
        say(
            "That is what kill -9 leaves. If nobody did that, most likely the memory "
            "was full: use less of it, or start the notebook again with more."
        )
    return code


def _job_id() -> str:
    return os.environ.get("SLURM_JOB_ID", "(none)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
