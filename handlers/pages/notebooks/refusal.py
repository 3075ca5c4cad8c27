"""What something was refused for, shown in the page where it was asked for."""

import logging
from typing import Final

from handlers.ask import Ask
from handlers.problem import Problem, problem_of
from kqi_hub.domain.errors import KqiError

# From here on it is a fault of ours or of what we stand on.
_OURS: Final = 500
log = logging.getLogger(__name__)


def refusal_of(ask: Ask, error: KqiError | None) -> Problem | None:
    """Return what is wrong; the number that operators are told leads to the log."""
    if error is None:
        return None
    if error.status >= _OURS:
        log.warning("%s %s", ask.request_id, error, exc_info=error.__cause__)
    return problem_of(error, ask.texts, ask.request_id)
