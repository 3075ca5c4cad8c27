"""Cuts of use: sums kept by fewer things, so that each question reads few of them."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from operator import add
from typing import Final

from kqi_hub.domain.usage_counts import DayKey

# A time; then whose and of what, in the order of the key: empty where it is not kept.
CutKey = tuple[int, str, str, str, str, str, str]
CutSums = dict[CutKey, list[int]]
PERSON, TENANT, QUEUE, QOS, GPU_TYPE, KIND = (
    "user",
    "tenant",
    "queue",
    "qos",
    "gpu_type",
    "kind",
)
_MIXED: Final = (QUEUE, QOS, GPU_TYPE, KIND)


class Grain(StrEnum):
    """How long the times are that sums are kept for."""

    DAY = "day"
    MONTH = "month"


class Cut(StrEnum):
    """By what sums are kept, beside the time."""

    TOTAL = "total"
    TENANT = "tenant"
    MIX = "mix"
    MEMBER = "member"
    TENANT_MIX = "tenant-mix"
    PERSON_QUEUE = "person-queue"
    PERSON_QOS = "person-qos"
    PERSON_GPU = "person-gpu"
    PERSON_KIND = "person-kind"

    @property
    def keeps(self) -> frozenset[str]:
        """Return what it tells apart."""
        return _KEEPS[self]

    @property
    def grains(self) -> frozenset[Grain]:
        """Return for which times there are sums."""
        months_only = self.value.startswith("person-")
        return frozenset({Grain.MONTH} if months_only else Grain)


_KEEPS: Final[Mapping[Cut, frozenset[str]]] = {
    Cut.TOTAL: frozenset(),
    Cut.TENANT: frozenset({TENANT}),
    Cut.MIX: frozenset(_MIXED),
    Cut.MEMBER: frozenset({PERSON, TENANT}),
    Cut.TENANT_MIX: frozenset({TENANT, *_MIXED}),
    Cut.PERSON_QUEUE: frozenset({PERSON, QUEUE}),
    Cut.PERSON_QOS: frozenset({PERSON, QOS}),
    Cut.PERSON_GPU: frozenset({PERSON, GPU_TYPE}),
    Cut.PERSON_KIND: frozenset({PERSON, KIND}),
}
# Each out of the smallest that holds it: (at, person, tenant, queue, QOS, GPU, kind).
_OUT_OF: Final[Mapping[Cut, tuple[Cut | None, Callable[[CutKey], CutKey]]]] = {
    Cut.MEMBER: (None, lambda k: (k[0], k[1], k[2], "", "", "", "")),
    Cut.TENANT_MIX: (None, lambda k: (k[0], "", *k[2:])),
    Cut.PERSON_QUEUE: (None, lambda k: (k[0], k[1], "", k[3], "", "", "")),
    Cut.PERSON_QOS: (None, lambda k: (k[0], k[1], "", "", k[4], "", "")),
    Cut.PERSON_GPU: (None, lambda k: (k[0], k[1], "", "", "", k[5], "")),
    Cut.PERSON_KIND: (None, lambda k: (k[0], k[1], "", "", "", "", k[6])),
    Cut.TENANT: (Cut.MEMBER, lambda k: (k[0], "", k[2], "", "", "", "")),
    Cut.MIX: (Cut.TENANT_MIX, lambda k: (k[0], "", "", *k[3:])),
    Cut.TOTAL: (Cut.TENANT, lambda k: (k[0], "", "", "", "", "", "")),
}


def cuts_of(
    sums: Mapping[DayKey, list[int]], grain: Grain
) -> Iterator[tuple[Cut, CutSums]]:
    """Yield every cut of sums by day, or of sums by month; only read them."""
    whole = dict(_whole(sums))
    found: dict[Cut | None, CutSums] = {None: whole}
    for cut, (source, key_of) in _OUT_OF.items():
        if grain in cut.grains:
            found[cut] = _folded(found[source], key_of)
            yield cut, found[cut]


def _whole(
    sums: Mapping[DayKey, list[int]],
) -> Iterator[tuple[CutKey, list[int]]]:
    for (at, (tenant, user, *rest)), numbers in sums.items():
        queue, qos, gpu_type, kind = rest
        yield (at, user, tenant, queue, qos, gpu_type, kind), numbers


def _folded(source: CutSums, key_of: Callable[[CutKey], CutKey]) -> CutSums:
    found: CutSums = {}
    for key, numbers in source.items():
        place = key_of(key)
        known = found.get(place)
        found[place] = numbers if known is None else list(map(add, known, numbers))
    return found
