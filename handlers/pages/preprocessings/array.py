"""What an array has used, in the reader's words: a piece of two pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.ask import Ask
from handlers.pages.notebooks.money import in_money
from handlers.pages.notebooks.words import Status
from handlers.pages.runs.words import status_of
from kqi_hub.domain.array_use import ArrayUse, Spread
from kqi_hub.domain.runs import Run
from kqi_hub.i18n import N_
from kqi_hub.services.array_use import ArrayView
from kqi_hub.services.run_efficiency import amount, memory_in_words


@dataclass(frozen=True, slots=True)
class ArraySaid:
    """An array as pages show it; `scope` says of how many tasks that is."""

    slurm_id: str
    use: ArrayUse
    counts: tuple[tuple[Status, int], ...]
    scope: str
    cpu: str
    memory: str
    peak: str
    gpu: str
    gpu_hours: str
    cost: str
    unbooked: int
    advice: tuple[str, ...]


async def array_of(ask: Ask, runs: Sequence[Run]) -> ArraySaid | None:
    """Return the array of the first of these; None where there is none, or of one."""
    run = next((one for one in runs if one.batch is not None), None)
    if run is None:
        return None
    _, view = await ask.deps.arrays.of_run(ask.asker, run.id)
    return said_of(ask, view) if view.use.tasks > 1 else None


def said_of(ask: Ask, view: ArrayView) -> ArraySaid:
    """Return an array in the reader's words."""
    use, shape = view.use, view.run.spec.shape
    held = use.memory_mb and memory_in_words(use.memory_mb.most, shape.memory_mb)
    has_cost = view.cost is not None and (use.ran or use.booked or view.cost)
    return ArraySaid(
        slurm_id=str(view.run.job_id or ""),
        use=use,
        counts=tuple(
            (status_of(state.value, ask.texts), count)
            for state, count in use.states.items()
        ),
        scope=_scope(ask, use),
        cpu=_shares(ask, view.cpu),
        memory=_shares(ask, view.memory),
        peak=ask.texts.phrase(held) if held else "",
        gpu=_percents(ask, use.gpu_percent) if shape.gpus else "",
        gpu_hours=amount(view.gpu_hours) if shape.gpus and use.ran else "",
        cost=in_money(ask, view.cost or 0) if has_cost else "",
        unbooked=view.unbooked,
        advice=tuple(map(ask.texts.phrase, view.advice)),
    )


def _scope(ask: Ask, use: ArrayUse) -> str:
    if use.ended == use.tasks:
        return ask.texts.say(N_("All tasks have ended: {count}."), {"count": use.tasks})
    if not use.ended:
        return ask.texts.say(
            N_("No task has ended yet; tasks: {count}."), {"count": use.tasks}
        )
    return ask.texts.say(
        N_("Of {ended} tasks that have ended; tasks in all: {count}."),
        {"ended": use.ended, "count": use.tasks},
    )


def _shares(ask: Ask, found: Spread | None) -> str:
    return _percents(ask, found and Spread(*(100 * one for one in found)))


def _percents(ask: Ask, found: Spread | None) -> str:
    if found is None:
        return ""
    return ask.texts.say(
        N_("{median} % (from {least} to {most})"),
        {name: amount(value) for name, value in found._asdict().items()},
    )
