"""Start kernels; one that cannot start is replaced by one that says why."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, ClassVar, Final

from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

from kqi_hub.session.probing import Notes, Print, fingerprint, problem

_EXPLAINER: Final = "kqi_hub.session.broken_kernel"
_HOW: Final = (
    "The environment “{name}” is broken, and no kernel of it can start.\n"
    "{why}\n\n"
    "Repair it on the Environments page of the portal, or in a terminal: "
    "kqi env repair {name}\n"
    "Then restart the kernel. Until then choose another kernel: the notebook itself "
    "does not need this environment."
)
_LEFT_OUT: Final = ("PYTHON", "LD_", "CONDA", "VIRTUAL_ENV")


class Kernels(ServerKernelManager):
    """Looks before it starts the kernel of an environment."""

    notes: ClassVar[Notes]
    _good: ClassVar[dict[str, Print]] = {}

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        prefix = self._prefix()
        if prefix is not None:
            self.notes.used(prefix)
            why = await self._why(prefix, kernel_cmd, kw)  # may take a second
            if why:
                kernel_cmd, kw = self._explaining(prefix, why, kw)
        await super()._async_launch_kernel(kernel_cmd, **kw)

    def _prefix(self) -> Path | None:
        """Return the folder of the kernel's environment; None for the site's own."""
        spec = self.kernel_spec
        ours = (spec.metadata.get("kqi") or {}) if spec is not None else {}
        prefix = ours.get("prefix") if isinstance(ours, dict) else None
        return Path(prefix) if prefix else None

    async def _why(
        self, prefix: Path, kernel_cmd: list[str], kw: dict[str, Any]
    ) -> str:
        """Return why the kernel cannot start; empty when it can."""
        program = Path(kernel_cmd[0])
        if program.parent != prefix / "bin" or not program.name.startswith("python"):
            return ""
        seen = await asyncio.to_thread(fingerprint, prefix)
        if self._good.get(str(prefix)) == seen:
            return ""
        folder = Path(kw.get("cwd") or self.parent_folder())
        why = await problem(str(program), kw.get("env") or os.environ, folder)
        await asyncio.to_thread(self.notes.note, prefix, why)
        if why:
            self.log.error("The environment %s is broken: %s", prefix.name, why)
        else:
            self._good[str(prefix)] = seen
        return why

    def parent_folder(self) -> str:
        """Return where a kernel starts when nobody says where."""
        return str(getattr(self.parent, "root_dir", "") or Path.cwd())

    def _explaining(
        self, prefix: Path, why: str, kw: dict[str, Any]
    ) -> tuple[list[str], dict[str, Any]]:
        """Return the command of a kernel that says why, and what it is started with."""
        argv = [sys.executable, "-I", "-m", _EXPLAINER, "-f", self.connection_file]
        given = dict(kw.get("env") or os.environ)
        environment = {
            key: value for key, value in given.items() if not key.startswith(_LEFT_OUT)
        }
        environment["KQI_BROKEN"] = _HOW.format(name=prefix.name, why=why)
        return argv, kw | {"env": environment}
