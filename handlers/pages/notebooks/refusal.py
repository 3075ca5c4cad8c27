"""What something was refused for, shown in the page where it was asked for."""

import logging
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from handlers.ask import Ask
from handlers.failures import InvalidFields
from handlers.problem import Problem, problem_of
from kqi_hub.domain.errors import KqiError

# From here on it is a fault of ours or of what we stand on.
_OURS: Final = 500
# Services and the forms count some things in other units, or call them otherwise.
_OTHER_NAMES: Final = {
    "memory_mb": "memory_gb",
    "memory": "memory_gb",
    "lifetime": "lifetime_h",
    "lifetime_s": "lifetime_h",
    "source": "repository",
}
log = logging.getLogger(__name__)


def refusal_of(ask: Ask, error: KqiError | None) -> Problem | None:
    """Return what is wrong; the number that operators are told leads to the log."""
    if error is None:
        return None
    if error.status >= _OURS:
        log.warning("%s %s", ask.request_id, error, exc_info=error.__cause__)
    return problem_of(error, ask.texts, ask.request_id)


def refusal_at_field(
    ask: Ask, error: KqiError | None, fields: Collection[str]
) -> Problem | None:
    """Return what is wrong, at the field that a service's error begins with."""
    found = refusal_of(ask, error)
    if error is None or found is None:
        return None
    field = str(error.values.get("field", "")) or error.template.partition(":")[0]
    name = _OTHER_NAMES.get(field, field)
    if found.fields or name not in fields:
        return found
    text = f"{found.detail.removeprefix(f'{field}: ')} {found.hint}".strip()
    whole = problem_of(InvalidFields(()), ask.texts, "")
    return replace(found, detail=whole.detail, fields=((name, error.code, text),))


def faults_of(fields: Collection[str], problem: Problem | None) -> dict[str, str]:
    """Return the fault of each field, empty where it is right."""
    found = dict.fromkeys(fields, "")
    if problem is not None:
        found |= {name: message for name, _, message in problem.fields}
    return found
