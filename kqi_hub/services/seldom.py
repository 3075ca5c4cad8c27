"""Say the same thing once in a while only, however often it happens."""

from dataclasses import dataclass, field
from typing import Final

_MOST_REMEMBERED: Final = 4096


@dataclass(slots=True)
class Seldom:
    """Remember what was said lately; old entries make room for new ones."""

    every_s: float = 60.0
    _said: dict[str, float] = field(default_factory=dict)

    def is_due(self, what: str, now: float) -> bool:
        """Tell whether `what` is to be said now, and take it as said if so."""
        last = self._said.get(what)
        if last is not None and 0 <= now - last < self.every_s:
            return False
        self._said.pop(what, None)
        self._said[what] = now
        if len(self._said) > _MOST_REMEMBERED:
            del self._said[next(iter(self._said))]
        return True
