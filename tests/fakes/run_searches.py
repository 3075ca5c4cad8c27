"""Searches that people keep, in memory."""

from dataclasses import dataclass, field

from kqi_hub.domain.run_searches import MOST_SEARCHES, RunSearch, too_many_searches
from kqi_hub.domain.runs import RunKind


@dataclass
class FakeRunSearches:
    """A RunSearchStore."""

    kept: dict[tuple[str, RunKind], dict[str, RunSearch]] = field(default_factory=dict)

    def searches(self, person: str, kind: RunKind) -> tuple[RunSearch, ...]:
        mine = self.kept.get((person, kind), {})
        return tuple(mine[name] for name in sorted(mine))

    def keep(self, person: str, kind: RunKind, search: RunSearch, now: float) -> None:
        mine = self.kept.setdefault((person, kind), {})
        if len(mine.keys() - {search.name}) >= MOST_SEARCHES:
            raise too_many_searches()
        mine[search.name] = search

    def drop(self, person: str, kind: RunKind, name: str) -> None:
        self.kept.get((person, kind), {}).pop(name, None)
