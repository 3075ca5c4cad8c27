"""Outputs of preprocessings on their way to become data: what is asked and told."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.runs import Run

_KEY_BYTES: Final = 16


class OutputRefused(KqiError):
    """A folder of an output cannot become data, now and later."""

    status, exit_code, code = 409, 5, "output-refused"


@dataclass(frozen=True, slots=True)
class Offered:
    """What became of files that were offered to the store.

    `after` is the path up to which all have gone; with `more` the rest is to be
    offered, beginning after it. `misses` counts files that were left out, `missed`
    names one of them and why.
    """

    after: str = ""
    more: bool = False
    misses: int = 0
    missed: str = ""


class OutputFiles(Protocol):
    """What hands files of a run's output to the store, as the run's owner."""

    async def offer(
        self, person: str, folder: str, name: str, ticket: str, after: str = ""
    ) -> Offered:
        """Offer what lies in `output/<name>` of a run's folder.

        Raises StoreUnavailable, OutputRefused, and what the door raises.
        """


def output_key(run: Run, name: str) -> str:
    """Return the key of the upload that an output becomes: always the same one."""
    said = f"{run.key}\n{run.id}\n{name}".encode()
    digest = hashlib.sha256(said).digest()[:_KEY_BYTES]
    return base64.b32encode(digest).decode().rstrip("=").lower()
