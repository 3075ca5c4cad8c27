"""The doctor's questions to Slurm, each asked once for all the lines it feeds."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.health import NOW
from kqi_hub.services.checks import slurm
from kqi_hub.services.checks.examine import Check, aside
from kqi_hub.services.checks.finding import Finding, skip
from kqi_hub.services.checks.once import Once
from kqi_hub.services.checks.sources import Sources, Target

_SILENT = "the controller does not answer"


@dataclass(frozen=True, slots=True)
class _Config:
    """The controller's configuration and the times around the question."""

    values: Mapping[str, str]
    asked_at: float
    answered_at: float


class SlurmChecks:
    """Everything about Slurm that needs no job."""

    def __init__(self, target: Target, sources: Sources) -> None:
        self._target = target
        self._sources = sources
        self._config = Once(self._ask_config)
        self._process = Once(lambda: aside(sources.machine.process))

    def checks(self) -> list[Check]:
        """Return one check a line, the controller first."""
        return [
            Check(slurm.CONTROLLER, self._controller),
            Check(slurm.VERSION, self._version),
            Check(slurm.NODES, self._nodes),
            Check(slurm.ACCOUNTING, self._accounting),
            Check(
                slurm.ENFORCED, self._of_config(slurm.ENFORCED, slurm.judge_enforcement)
            ),
            Check(slurm.PRIVATE, self._privacy),
            Check(slurm.REMEMBERS, self._of_config(slurm.REMEMBERS, self._memory)),
            Check(slurm.CLOCK, self._clock),
            Check(slurm.MUNGE, self._munge),
        ]

    async def _ask_config(self) -> _Config:
        asked_at = self._sources.wall()
        values = await self._sources.slurm.config()
        return _Config(values, asked_at, self._sources.wall())

    async def _controller(self) -> Finding:
        return slurm.judge_controller((await self._config.get()).values)

    async def _version(self) -> Finding:
        client = await self._sources.cluster.version()
        config = await self._config_or_none()
        return slurm.judge_version(client, config.values if config else {})

    async def _nodes(self) -> Finding:
        if await self._config_or_none() is None:
            return skip(slurm.NODES, _SILENT)
        return slurm.judge_nodes(await self._sources.cluster.nodes())

    async def _accounting(self) -> Finding:
        known = await self._sources.slurm.accounting()
        config = await self._config_or_none()
        values = config.values if config else {}
        return slurm.judge_accounting(self._target.cluster, values, known)

    async def _privacy(self) -> Finding:
        config = await self._config_or_none()
        if config is None:
            return skip(slurm.PRIVATE, _SILENT)
        process = await self._process.get()
        try:
            billing = await self._sources.slurm.accounting_config()
            level = await self._sources.slurm.admin_level(process.user)
        except ClusterError:
            return skip(slurm.PRIVATE, "accounting does not answer")
        return slurm.judge_privacy(config.values, billing, process, level)

    async def _clock(self) -> Finding:
        config = await self._config_or_none()
        if config is None:
            return skip(slurm.CLOCK, _SILENT)
        told = float(config.values[NOW])
        return slurm.judge_clock(told, config.asked_at, config.answered_at)

    async def _munge(self) -> Finding:
        credential = await self._sources.slurm.credential()
        return slurm.judge_munge(credential, await self._process.get())

    def _memory(self, values: Mapping[str, str]) -> Finding:
        return slurm.judge_memory(values, self._target.rules.longest_s)

    def _of_config(
        self, name: str, judge: Callable[[Mapping[str, str]], Finding]
    ) -> Callable[[], Coroutine[None, None, Finding]]:
        async def look() -> Finding:
            config = await self._config_or_none()
            return skip(name, _SILENT) if config is None else judge(config.values)

        return look

    async def _config_or_none(self) -> _Config | None:
        """Return None where the line about the controller already tells the fault."""
        try:
            return await self._config.get()
        except ClusterError:
            return None
