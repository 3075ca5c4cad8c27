"""What the pages ask of the service of notebooks."""

from typing import Protocol

from kqi_hub.domain.money import Price
from kqi_hub.domain.notebooks import Choices, Notebook
from kqi_hub.domain.reasons import Explained


class View(Protocol):
    """A notebook joined with what Slurm said last."""

    @property
    def notebook(self) -> Notebook: ...

    @property
    def choices(self) -> Choices: ...

    @property
    def why(self) -> Explained | None: ...

    @property
    def ends_at(self) -> float | None: ...

    @property
    def left_s(self) -> float | None: ...

    @property
    def price(self) -> Price | None: ...

    @property
    def cost(self) -> int | None: ...
