"""The example notebooks that are shipped, and copies of them in the workspace."""

from pathlib import Path
from typing import Any

from conda_bootstrap import examples
from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.places import Places
from kqi_hub.agent.conda import CondaRefuses


class OwnShelf:
    """Copy as the person, into the person's own workspace."""

    def __init__(self, scratch: Path) -> None:
        self._workspace = Places(scratch).workspace

    def examples(self) -> list[dict[str, Any]]:
        """Return the example notebooks."""
        return examples.examples()

    def copy_examples(self, names: list[str]) -> list[str]:
        """Copy some into the workspace; return the paths, nothing is overwritten."""
        try:
            return [str(path) for path in examples.copy(names, self._workspace)]
        except BootstrapError as error:
            raise CondaRefuses(error.code, error.message, error.hint) from error
