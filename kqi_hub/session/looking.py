"""Look at what works in the session: kernels, terminals, their processes, GPUs."""

import asyncio
import os
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kqi_hub.session.gpus import count_working
from kqi_hub.session.idle import USES, Look
from kqi_hub.session.processes import Process, Roots, below, own_processes, work

# One that starts has its last use at that moment: without anybody who asks it
# something, Jupyter says "starting" of it for ever.
_BUSY = "busy"


class Looker:
    """Looks at one server, and remembers what it saw for the next look."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._before: Mapping[int, Process] = {}
        self._before_at = 0.0

    async def look(self) -> Look:
        """Return what is to be seen now; /proc is read beside the loop."""
        now = time.time()
        kernels = self._kernels()
        processes = await asyncio.to_thread(own_processes)
        roots = self._roots()
        done = work(roots, processes, self._before, now - self._before_at)
        self._before, self._before_at = processes, now
        terminals = self._terminals()
        counts = {
            "kernels_busy": sum(k["execution_state"] == _BUSY for k in kernels),
            "terminals_foreground": done.foreground,
            "terminals_background": done.background,
            "kernel_children": done.kernel_children,
            "gpu_processes": 0,
            "kernels_idle": sum(k["execution_state"] == "idle" for k in kernels),
            "terminals_open": len(terminals),
            "connections": sum(k["connections"] for k in kernels)
            + sum(len(terminal.clients) for terminal in terminals.values()),
        }
        if not any(counts[name] for name in USES):
            own = below({roots.top}, processes)
            counts["gpu_processes"] = await count_working(own)
        return Look(now, counts, self._last_use(kernels, terminals))

    def _kernels(self) -> list[dict[str, Any]]:
        manager: Any = self._app.kernel_manager
        return [manager.kernel_model(one) for one in manager.list_kernel_ids()]

    def _terminals(self) -> dict[str, Any]:
        manager = self._app.web_app.settings.get("terminal_manager")
        return dict(manager.terminals) if manager is not None else {}

    def _roots(self) -> Roots:
        shells = [terminal.ptyproc.pid for terminal in self._terminals().values()]
        return Roots(os.getppid(), os.getpid(), self._kernel_pids(), shells)

    def _kernel_pids(self) -> list[int]:
        manager = self._app.kernel_manager
        kernels = [manager.get_kernel(one) for one in manager.list_kernel_ids()]
        pids = [getattr(kernel.provisioner, "pid", None) for kernel in kernels]
        return [pid for pid in pids if pid]

    def _last_use(
        self, kernels: list[dict[str, Any]], terminals: Mapping[str, Any]
    ) -> float:
        times = [datetime.fromisoformat(k["last_activity"]) for k in kernels]
        times += [terminal.last_activity for terminal in terminals.values()]
        return max((moment.timestamp() for moment in times), default=0.0)
