"""What two settings say of each other that cannot be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two settings of one table that do not go together; told at `key`."""

    key: str
    found: str
    expected: str
