"""What the site says of its queues: purpose, prices, ready-made choices."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Between, Each, Line, Matches, WebAddress

_QUEUE: Final = Matches(
    r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "the name of a Slurm partition"
)
_AMOUNT: Final = Matches(
    r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?",
    'an amount as text, such as "0.25", with at most 6 digits after the point',
)
_MICRO: Final = 1_000_000


def micro(amount: str) -> int:
    """Return an amount of the settings in millionths, exactly."""
    return int(Decimal(amount) * _MICRO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """Money: in which currency, and where people read about it."""

    currency: str = field(
        default="USD",
        metadata=about(
            "Currency of every price, by its ISO 4217 code.",
            Matches(r"[A-Z]{3}", "three capital letters such as JPY"),
        ),
    )
    price_page: str | None = field(
        default=None,
        metadata=about(
            "Address of the site's own page about prices; linked beside each price.",
            WebAddress(),
        ),
    )
    empty_budget: Literal["refuse", "warn"] = field(
        default="refuse",
        metadata=about(
            "What the portal does with jobs that cost something once a tenant's "
            "budget is used up."
        ),
    )
    slurm_limits: Literal["by-hand", "worker"] = field(
        default="by-hand",
        metadata=about(
            "Who writes budgets and quotas into Slurm as limits: an operator with "
            "`kqi-hub limits apply`, or the worker every 15 minutes."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What an hour costs in a queue; one table for each queue and GPU type.

    These are the first card of rates; others are published with `kqi-hub rates`, and
    then these count no more. A queue without one shows no price. Where all amounts are
    left out, it is free.
    """

    queue: str = field(
        metadata=about("The Slurm partition that it is for.", _QUEUE, example='"a100"')
    )
    gpu_type: str = field(
        default="",
        metadata=about(
            "Only for nodes with GPUs of this type; left out, for all other nodes "
            "of the queue.",
            Matches(r"[A-Za-z0-9_.-]{0,40}", "a GPU type as in Slurm's gres"),
        ),
    )
    per_cpu: str = field(
        default="0", metadata=about("Price of one CPU for an hour.", _AMOUNT)
    )
    per_memory_gb: str = field(
        default="0", metadata=about("Price of 1 GB of memory for an hour.", _AMOUNT)
    )
    per_gpu: str = field(
        default="0", metadata=about("Price of one GPU for an hour.", _AMOUNT)
    )
    per_node: str = field(
        default="0",
        metadata=about("Price of a node for an hour, whatever is used of it.", _AMOUNT),
    )
    rule: Literal["sum", "max"] = field(
        default="sum",
        metadata=about(
            "`sum`: the parts are added; `max`: the dearest part is the price. On "
            "queues with OverSubscribe=EXCLUSIVE the parts are those of the whole node."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A ready-made choice for notebooks: queue, size and lifetime under one name."""

    name: str = field(
        metadata=about(
            "Short name, for links and `kqi`; no other preset has it.",
            Matches(
                r"[a-z0-9][a-z0-9-]{0,29}",
                "lower case letters, digits and -, 1 to 30 of them",
            ),
            example='"free-4h"',
        )
    )
    title: str = field(
        metadata=about("What people see.", Line(60), example='"Free, 4 hours"')
    )
    queue: str = field(
        metadata=about("The Slurm partition to run in.", _QUEUE, example='"jupyter"')
    )
    cpus: int = field(
        default=1, metadata=about("How many CPUs it gets.", Between(1, 4096))
    )
    memory_gb: int = field(
        default=4, metadata=about("How much memory it gets, in GB.", Between(1, 65_536))
    )
    gpus: int = field(
        default=0, metadata=about("How many GPUs it gets.", Between(0, 64))
    )
    gpu_type: str = field(
        default="",
        metadata=about(
            "Type of GPU; any when left out.",
            Matches(r"[A-Za-z0-9_.-]{0,40}", "a GPU type as in Slurm's gres"),
        ),
    )
    lifetime_hours: float | None = field(
        default=None,
        metadata=about(
            "Hours until it is stopped; the queue's own limit when left out.",
            Between(0.1, 24 * 365),
        ),
    )
    tenants: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Tenants that may use it; all when left out.",
            Each(Line(64), least=0),
        ),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse a type of GPU without a GPU."""
        if self.gpu_type and not self.gpus:
            yield Contradiction("gpu_type", f'"{self.gpu_type}"', "gpus of 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What Slurm does not tell of a queue; one table for each that needs it."""

    name: str = field(
        metadata=about("The Slurm partition.", _QUEUE, example='"jupyter"')
    )
    purpose: str = field(
        default="",
        metadata=about(
            "What it is for, in one line under its name.",
            Matches(r"[^\x00-\x1f\x7f]{0,200}", "one line, at most 200 characters"),
        ),
    )
    shares_gpus: bool = field(
        default=False,
        metadata=about(
            "Whether jobs of several people use the same GPU (shards, MPS): people "
            "are told that nothing keeps them apart there."
        ),
    )
    places_per_node: int | None = field(
        default=None,
        metadata=about(
            "How many jobs Slurm lets onto one node, where shards bound them.",
            Between(1, 10_000),
        ),
    )
    most_cpus: int | None = field(
        default=None,
        metadata=about(
            "CPUs that one job may have, if fewer than Slurm allows.",
            Between(1, 65_536),
        ),
    )
    most_memory_gb: int | None = field(
        default=None,
        metadata=about("Memory in GB that one job may have.", Between(1, 1_048_576)),
    )
    most_gpus: int | None = field(
        default=None,
        metadata=about("GPUs that one job may ask for.", Between(0, 1024)),
    )


def repeated(
    presets: tuple[Preset, ...], rates: tuple[Rate, ...], queues: tuple[Queue, ...]
) -> Iterator[Contradiction]:
    """Refuse a name that stands twice: nobody could say which one counts."""
    named = [(f"preset[{n}].name", one.name) for n, one in enumerate(presets, 1)]
    named += [(f"queue[{n}].name", one.name) for n, one in enumerate(queues, 1)]
    priced = [
        (f"rate[{n}].queue", f"{one.queue} {one.gpu_type}".strip())
        for n, one in enumerate(rates, 1)
    ]
    seen: set[tuple[str, str]] = set()
    for where, name in (*named, *priced):
        key = (re.sub(r"\[.*", "", where), name)
        if key in seen:
            yield Contradiction(
                where, f'"{name}" a second time', "each of them only once"
            )
        seen.add(key)
