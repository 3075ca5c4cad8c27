"""What an array has used, as JSON."""

from pydantic import Field

from handlers.ask import Ask
from handlers.route import Model
from kqi_hub.domain import array_use as domain
from kqi_hub.services.array_use import ArrayView


class Spread(Model):
    """The least, the middle one and the most of what tasks had."""

    least: float = Field(description="The least.")
    median: float = Field(description="The middle one.")
    most: float = Field(description="The most.")


class ArrayUse(Model):
    """The tasks of an array together. Shares are of 1; what is not known is none."""

    array: int = Field(description="Number of its first run.")
    job_id: int | None = Field(description="Slurm's number of it; none: no job yet.")
    tasks: int = Field(description="How many tasks it has.")
    ended: int = Field(description="How many of them have ended.")
    ran: int = Field(description="How many of these had begun: times are theirs.")
    measured: int = Field(description="How many of these measured their use.")
    states: dict[str, int] = Field(description="How many tasks are in each state.")
    total_s: float = Field(description="Seconds that they ran together.")
    median_s: float | None = Field(description="Seconds that the middle one ran.")
    longest_s: float | None = Field(description="Seconds that the longest one ran.")
    cpus: int = Field(description="CPUs that each task asked for.")
    memory_mb: int = Field(description="Memory in MB that each task asked for.")
    gpus: int = Field(description="GPUs that each task asked for.")
    cpu: Spread | None = Field(description="Shares of their CPUs that were busy.")
    memory: Spread | None = Field(description="Shares of memory they used at most.")
    memory_mb_max: float | None = Field(description="The most memory of one, in MB.")
    gpu_percent: Spread | None = Field(description="How busy their GPUs were.")
    gpu_hours: float = Field(description="Hours of a GPU that they had.")
    cost: int | None = Field(
        description="What they cost so far, in micro-currency; none: there is no price."
    )
    currency: str = Field(description="Currency of the cost.")
    unbooked: int = Field(
        description="Tasks that ran and whose cost accounting does not tell yet."
    )
    advice: tuple[str, ...] = Field(description="What to ask for next time, in words.")


def array_use(ask: Ask, view: ArrayView) -> ArrayUse:
    """Return an array as JSON."""
    run, use, shape = view.run, view.use, view.run.spec.shape
    return ArrayUse(
        array=run.batch or run.id,
        job_id=run.job_id,
        tasks=use.tasks,
        ended=use.ended,
        ran=use.ran,
        measured=use.measured,
        states={state.value: count for state, count in use.states.items()},
        total_s=use.total_s,
        median_s=use.median_s,
        longest_s=use.longest_s,
        cpus=shape.cpus,
        memory_mb=shape.memory_mb,
        gpus=shape.gpus,
        cpu=_spread(view.cpu),
        memory=_spread(view.memory),
        memory_mb_max=use.memory_mb and use.memory_mb.most,
        gpu_percent=_spread(use.gpu_percent),
        gpu_hours=view.gpu_hours,
        cost=view.cost,
        currency=ask.deps.queues.pricing.billing.currency,
        unbooked=view.unbooked,
        advice=tuple(map(ask.texts.phrase, view.advice)),
    )


def _spread(found: domain.Spread | None) -> Spread | None:
    return None if found is None else Spread(**found._asdict())
