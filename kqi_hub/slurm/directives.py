"""The directives of sbatch scripts: templates filled with values of an allow-list.

Nothing that a person typed freely gets into a script: numbers, Slurm's own names and
plain paths do, each checked here once more whatever was checked before.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.names import is_name
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.phrase import Phrase
from kqi_hub.i18n import N_

_BLANK: Final = re.compile(r"\{\{(\w+)\}\}", re.ASCII)
# What each value may look like: no space, quote, line end, `$`, `#`, or leading dash.
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}", re.ASCII)
_QUEUES: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}", re.ASCII)
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_.+@-]{1,128}){1,32}", re.ASCII)
_MOST: Final = 2**31 - 1
# More than this sbatch does not take.
_LATEST_SIGNAL_S: Final = 65535


@dataclass(frozen=True, slots=True)
class Directives:
    """Check values for a script; InvalidInput in the words of one kind of job."""

    sentence: str
    advice: str

    def resources(
        self, queue: str, tenant: str, shape: Shape, lifetime_s: int | None
    ) -> dict[str, str]:
        """Return where a job runs, with how much and for how long."""
        return {
            "partition": self.checked(_QUEUES, N_("the queue"), queue),
            "account": self.checked(_WORD, N_("the tenant"), tenant),
            "cpus": self.number(N_("the number of CPUs"), shape.cpus),
            "memory_mb": self.number(N_("the memory in MB"), shape.memory_mb),
            "gres": self._gres(shape),
            "minutes": self._minutes(lifetime_s),
        }

    def warning(self, seconds: int) -> str:
        """Return how long before its end a job is warned, as sbatch takes it."""
        what = N_("the warning before the end")
        return self.number(what, min(seconds, _LATEST_SIGNAL_S))

    def own_folder(self, root: str, owner: str) -> str:
        """Return a person's folder on scratch."""
        if not is_name(owner):
            raise self.refused(N_("the owner"), owner)
        return self.path(N_("the folder on scratch"), f"{root}/{owner}")

    def path(self, what: str, value: str) -> str:
        """Return a plain absolute path."""
        if "/../" in f"{value}/" or "/./" in f"{value}/":
            raise self.refused(what, value)
        return self.checked(_PATH, what, value)

    def number(self, what: str, value: object) -> str:
        """Return a whole number from 1 up."""
        if type(value) is not int or not 1 <= value <= _MOST:
            raise self.refused(what, value)
        return str(value)

    def checked(self, allowed: re.Pattern[str], what: str, value: object) -> str:
        """Return a value that is as it may be from beginning to end."""
        if not isinstance(value, str) or allowed.fullmatch(value) is None:
            raise self.refused(what, value)
        return value

    def refused(self, what: str, value: object) -> InvalidInput:
        """Return the refusal of a value, which it shows without its raw characters."""
        return InvalidInput(
            self.sentence, self.advice, what=Phrase(what), value=ascii(value)[:80]
        )

    def _gres(self, shape: Shape) -> str:
        if shape.gpus == 0:
            return ""
        count = self.number(N_("the number of GPUs"), shape.gpus)
        if not shape.gpu_type:
            return f"gpu:{count}"
        kind = self.checked(_WORD, N_("the kind of GPU"), shape.gpu_type)
        return f"gpu:{kind}:{count}"

    def _minutes(self, lifetime_s: int | None) -> str:
        if lifetime_s is None:
            return ""
        seconds = int(self.number(N_("the lifetime in seconds"), lifetime_s))
        return str(math.ceil(seconds / 60))


def filled(template: str, values: Mapping[str, str]) -> str:
    """Fill a template of slurm_templates/; a line with an empty value is left out."""
    lines = []
    for line in _text(template).splitlines(keepends=True):
        if any(not values[name] for name in _BLANK.findall(line)):
            continue
        lines.append(_BLANK.sub(lambda found: values[found[1]], line))
    return "".join(lines)


@cache
def _text(template: str) -> str:
    return (files("slurm_templates") / template).read_text(encoding="ascii")
