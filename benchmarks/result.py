"""What a benchmark found, and how it is told."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A number of something."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Goal:
    """A number that was to be reached, and whether it was."""

    name: str
    goal: str
    value: float
    met: bool

    @classmethod
    def below(cls, name: str, limit: float, value: float) -> "Goal":
        return cls(name, f"< {limit:g}", round(value, 2), value < limit)

    @classmethod
    def at_least(cls, name: str, limit: float, value: float) -> "Goal":
        return cls(name, f">= {limit:g}", round(value, 2), value >= limit)


@dataclass(frozen=True)
class Result:
    """Ours beside the peer and the floor; less is better in all three.

    `ratio` is how many times better than the peer we are, `floor_ratio` how many times
    the floor we cost. `details` are further figures, by the condition they hold for.
    """

    bench: str
    ours: Figure
    peer: Figure
    floor: Figure
    goals: tuple[Goal, ...]
    conditions: Mapping[str, object]
    details: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return round(self.peer.value / self.ours.value, 2)

    @property
    def floor_ratio(self) -> float:
        return round(self.ours.value / self.floor.value, 2)

    def as_json(self) -> str:
        """Return one line, the last that a benchmark prints."""
        return json.dumps(
            {
                "bench": self.bench,
                "ours": asdict(self.ours),
                "peer": asdict(self.peer),
                "floor": asdict(self.floor),
                "ratio": self.ratio,
                "floor_ratio": self.floor_ratio,
                "goals": [asdict(goal) for goal in self.goals],
                "conditions": {**self.conditions, "details": self.details},
            }
        )

    def as_table(self) -> str:
        """Return the same for a person."""
        lines = [""]
        for label, figures in self.details.items():
            told = ", ".join(f"{name} {value:g}" for name, value in figures.items())
            lines.append(f"  {label}: {told}")
        for role, figure in (
            ("ours", self.ours),
            ("peer", self.peer),
            ("floor", self.floor),
        ):
            lines.append(f"{role:6} {figure.value:10.1f} {figure.unit:4} {figure.name}")
        lines.append(f"{self.ratio:g} times better than the peer")
        lines.append(f"{self.floor_ratio:g} times the floor")
        for goal in self.goals:
            met = "met" if goal.met else "NOT MET"
            lines.append(f"  goal {goal.name}: {goal.value:g} ({goal.goal}) {met}")
        return "\n".join(lines)


def machine() -> dict[str, object]:
    """Return what a figure depends on wherever it is measured."""
    return {
        "cpus": os.cpu_count() or 0,
        "cpu": _cpu_model(),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return next(models, platform.machine()).strip()
