"""What Slurm would refuse, or accept and let wait for ever: told before submitting."""

from collections.abc import Iterator
from typing import Final

from kqi_hub.domain.amounts import GPU, Amounts, is_enough, of_shape
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import Queue, smallest_fit
from kqi_hub.domain.tenant_limits import Limit, Scope

_MB_PER_GB: Final = 1024
_HOUR_S: Final = 3600
_ONE: Final = {"cpu": Phrase("1 CPU"), "node": Phrase("1 node"), GPU: Phrase("1 GPU")}
_MANY: Final = {
    "cpu": Phrase("{count} CPUs"),
    "node": Phrase("{count} nodes"),
    GPU: Phrase("{count} GPUs"),
}
_SCOPES: Final = {
    Scope.JOB: Phrase("one job"),
    Scope.PERSON: Phrase("you"),
}


def objections(
    queue: Queue, shape: Shape, lifetime_s: int | None
) -> tuple[Phrase, ...]:
    """Return why such a job could never start in this queue; empty if it could.

    `lifetime_s` None leaves the time to the queue. What is merely taken by others
    now is no objection: see `cautions`.
    """
    if queue.obstacle is not None:
        return (queue.obstacle,)
    found = [*_of_state(queue), *_of_nodes(queue, shape), *_of_site(queue, shape)]
    found += [*_of_time(queue, lifetime_s), *_of_limits(queue, shape)]
    return tuple(found)


def cautions(queue: Queue, shape: Shape) -> tuple[Phrase, ...]:
    """Return what would make such a job wait for something else than its turn."""
    found = [*_closed(queue), *_only_down(queue, shape), *_taken(queue, shape)]
    return tuple(found)


def taken_by(queue: Queue, shape: Shape) -> Amounts:
    """Return what a job takes of the limits.

    On an exclusive queue Slurm gives it every CPU and GPU of the node, but only the
    memory that it asks for (slurm.conf, OverSubscribe=EXCLUSIVE).
    """
    wanted = of_shape(shape)
    if queue.is_exclusive:
        node = smallest_fit(queue.supply, wanted)
        if node is not None:
            return Amounts(node.cpus, shape.memory_mb, node.gpus, 1)
    types = {kind for one in queue.supply.kinds for kind in one.has.gpus}
    if shape.gpus and not shape.gpu_type and len(types) == 1:
        return Amounts(shape.cpus, shape.memory_mb, {types.pop(): shape.gpus}, 1)
    return wanted


def in_words(resource: str, amount: int) -> Phrase:
    """Say an amount of what Slurm calls `cpu`, `mem`, `gres/gpu:v100`."""
    if resource == "mem":
        return Phrase("{count} GB of memory", count=_gb(amount))
    if amount == 1 and resource in _ONE:
        return _ONE[resource]
    if resource in _MANY:
        return Phrase(_MANY[resource].template, count=amount)
    if resource.startswith(f"{GPU}:"):
        kind = resource.removeprefix(f"{GPU}:")
        if amount == 1:
            return Phrase("1 GPU of type {type}", type=kind)
        return Phrase("{count} GPUs of type {type}", count=amount, type=kind)
    return Phrase("{count} of {resource}", count=amount, resource=resource)


def _of_state(queue: Queue) -> Iterator[Phrase]:
    if queue.partition.state == "DRAIN":
        yield Phrase(
            "Queue {queue} takes no new jobs at present. Choose another one.",
            queue=queue.name,
        )
    allowance = queue.allowance
    most = allowance.max_submit
    if most is not None and allowance.submitted + 1 > most:
        yield Phrase(
            "Your jobs here, running and waiting: {count}. Slurm takes at most "
            "{most}. Wait for one to end, or cancel one.",
            count=allowance.submitted,
            most=most,
        )


def _of_nodes(queue: Queue, shape: Shape) -> Iterator[Phrase]:
    has, wanted = [kind.has for kind in queue.supply.kinds], of_shape(shape)
    if any(is_enough(one, wanted) for one in has):
        most = queue.partition.max_memory_per_node_mb
        if most is not None and shape.memory_mb > most:
            yield _too_much(queue, "mem", shape.memory_mb, most)
        return
    if not has:
        yield Phrase("Queue {queue} has no nodes.", queue=queue.name)
        return
    yield from _one_by_one(queue, shape, has)


def _one_by_one(queue: Queue, shape: Shape, has: list[Amounts]) -> Iterator[Phrase]:
    """Say which of the things asked for no node has; else that none has them all."""
    kind = f"{GPU}:{shape.gpu_type}" if shape.gpu_type else GPU
    asked = (("cpu", shape.cpus), ("mem", shape.memory_mb), (kind, shape.gpus))
    said = False
    for resource, amount in asked:
        most = max((one.of(resource) or 0) for one in has)
        if amount > most:
            said = True
            yield _too_much(queue, resource, amount, most)
    if not said:
        yield Phrase(
            "No single node of queue {queue} has all of this at once: {cpus}, "
            "{memory}, {gpus}. Ask for less of one of them.",
            queue=queue.name,
            cpus=in_words("cpu", shape.cpus),
            memory=in_words("mem", shape.memory_mb),
            gpus=in_words(kind, shape.gpus),
        )


def _of_site(queue: Queue, shape: Shape) -> Iterator[Phrase]:
    rules = queue.rules
    for resource, amount, most in (
        ("cpu", shape.cpus, rules.most_cpus),
        ("mem", shape.memory_mb, rules.most_memory_mb),
        (GPU, shape.gpus, rules.most_gpus),
    ):
        if most is not None and amount > most:
            yield Phrase(
                "Queue {queue} gives one job at most {most}; this asks for {asked}.",
                queue=queue.name,
                most=in_words(resource, most),
                asked=in_words(resource, amount),
            )


def _of_time(queue: Queue, lifetime_s: int | None) -> Iterator[Phrase]:
    most = queue.max_time_s
    if most is not None and lifetime_s is not None and lifetime_s > most:
        yield Phrase(
            "Jobs of queue {queue} may last {most} h at most; this asks for {asked} h.",
            queue=queue.name,
            most=_hours(most),
            asked=_hours(lifetime_s),
        )


def _of_limits(queue: Queue, shape: Shape) -> Iterator[Phrase]:
    takes = taken_by(queue, shape)
    for limit in queue.allowance.limits:
        amount = takes.of(limit.resource) or 0
        if amount > limit.most:
            yield _over(limit, amount)


def _closed(queue: Queue) -> Iterator[Phrase]:
    if not queue.partition.is_up and queue.partition.state != "DRAIN":
        yield Phrase(
            "Queue {queue} is closed now: jobs wait until operators open it.",
            queue=queue.name,
        )


def _only_down(queue: Queue, shape: Shape) -> Iterator[Phrase]:
    wanted = of_shape(shape)
    fits = [kind for kind in queue.supply.kinds if is_enough(kind.has, wanted)]
    if fits and not any(kind.usable for kind in fits):
        yield Phrase(
            "Every node of queue {queue} that is large enough is out of service now.",
            queue=queue.name,
        )


def _taken(queue: Queue, shape: Shape) -> Iterator[Phrase]:
    allowance, takes = queue.allowance, taken_by(queue, shape)
    if allowance.max_jobs is not None and allowance.running + 1 > allowance.max_jobs:
        yield Phrase(
            "Your running jobs here: {count}, the most you may have. It starts when "
            "one of them ends.",
            count=allowance.running,
        )
    for limit in allowance.limits:
        amount = takes.of(limit.resource) or 0
        if limit.scope is not Scope.JOB and limit.left < amount <= limit.most:
            yield Phrase(
                "Of {most} for {whom}, still free: {left}. It starts when jobs of "
                "{whom} end.",
                most=in_words(limit.resource, limit.most),
                left=limit.left if limit.resource != "mem" else _gb(limit.left),
                whom=_whom(limit),
            )


def _over(limit: Limit, amount: int) -> Phrase:
    return Phrase(
        "This takes {asked}, more than {whom} may have at all: {most}.",
        asked=in_words(limit.resource, amount),
        whom=_whom(limit),
        most=in_words(limit.resource, limit.most),
    )


def _whom(limit: Limit) -> Phrase:
    if limit.scope is Scope.QOS:
        return Phrase("everybody in QOS {qos} together", qos=limit.account)
    known = _SCOPES.get(limit.scope)
    return known or Phrase("tenant {tenant}", tenant=limit.account)


def _too_much(queue: Queue, resource: str, amount: int, most: int) -> Phrase:
    return Phrase(
        "The largest node of queue {queue} has {most}; this asks for {asked}.",
        queue=queue.name,
        most=in_words(resource, most),
        asked=in_words(resource, amount),
    )


def _gb(megabytes: int) -> str:
    return f"{megabytes / _MB_PER_GB:.10g}"


def _hours(seconds: int) -> str:
    return f"{seconds / _HOUR_S:.4g}"
