"""What a run of accounting ran, where the portal began it and the reader may see it.

Managers and operators see of others' runs the script, the command and the code. Values
of environment variables are left to the owner: people keep keys and tokens in them.
"""

from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.errors import Conflict, NotFound, NotPermitted
from kqi_hub.domain.runs import Run, RunKind, Source
from kqi_hub.domain.usage import UsedRun
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker

_KINDS: Final = frozenset(kind.value for kind in RunKind)


@dataclass(frozen=True, slots=True)
class WhatRan:
    """The batch script of a run, and what that began; `variables` are names alone."""

    command: str
    script: str = ""
    source: Source | None = None
    environment: str = ""
    image: str = ""
    variables: tuple[str, ...] = ()


async def what_ran(runs: Runs, asker: Asker, used: UsedRun) -> WhatRan | None:
    """Return what a run of accounting ran; None where that is not to be told.

    Whoever names a job like one of somebody else's is not shown that one's.
    """
    if used.kind not in _KINDS or used.thing is None:
        return None
    kind = RunKind(used.kind)
    try:
        _, view = await runs.one(asker, kind, used.thing)
        run = view.run
        if not _is_its(run, used):
            return None
        script = await _script(runs, asker, run)
    except (NotFound, NotPermitted):
        return None
    spec = run.spec
    names = tuple(name for name, _ in spec.variables)
    where = (spec.environment, spec.image)
    return WhatRan(spec.command, script, spec.source, *where, names)


def _is_its(run: Run, used: UsedRun) -> bool:
    record = used.record
    whose = (run.owner, run.spec.tenant, run.job_name)
    return whose == (record.user, record.account, record.name)


async def _script(runs: Runs, asker: Asker, run: Run) -> str:
    try:
        return await runs.script(asker, run.kind, run.id)
    except Conflict:
        return ""
