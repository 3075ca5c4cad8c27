"""The steps of a start with their times, as a list that is read and heard."""

from dataclasses import dataclass

from handlers.pages.notebooks.words import PHASES
from kqi_hub.domain.notebooks import Session
from kqi_hub.i18n import Texts


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `state` is done, now, failed or next, `took_s` since the one before."""

    label: str
    state: str
    at: float | None = None
    took_s: float | None = None


def steps_of(session: Session, texts: Texts) -> tuple[Step, ...]:
    """Return the steps of a session's start, those to come too."""
    reached, found = dict(session.reached), list[Step]()
    before, is_open = session.asked_at, True
    furthest = list(PHASES).index(session.phase) if session.phase in PHASES else -1
    for number, (phase, label) in enumerate(PHASES.items()):
        at = reached.get(phase)
        if number <= furthest:
            took_s = None if at is None else at - before
            found.append(Step(texts.say(label), "done", at, took_s))
            before = before if at is None else at
            continue
        state = ("now" if session.is_live else "failed") if is_open else "next"
        found.append(Step(texts.say(label), state))
        is_open = False
    return tuple(found)
