"""The few texts that people meet inside a notebook, in their browser's language."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

FALLBACK: Final = "en"


@cache
def catalogue(name: str = "texts.json") -> Mapping[str, Mapping[str, str]]:
    """Return all texts of a file by language."""
    text = (files("kqi_hub.session") / name).read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def language_for(accepted: str) -> str:
    """Return the language for a header such as `ko-KR,ko;q=0.9,en;q=0.5`."""
    best, best_weight = FALLBACK, 0.0
    for part in accepted[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.partition("-")[0].lower()
        weight = _weight(parameter)
        if language in catalogue() and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
