"""The steps of a run's life with their times, as a list that is read and heard."""

from collections.abc import Mapping, Sequence
from typing import Final

from handlers.pages.notebooks.steps import Step
from kqi_hub.domain.runs import Run, RunEvent, RunState
from kqi_hub.i18n import N_, Texts

_STEPS: Final[Mapping[RunState, str]] = {
    RunState.ASKED: N_("Asked for"),
    RunState.PENDING: N_("In the queue"),
    RunState.RUNNING: N_("Running"),
    RunState.COLLECTING: N_("Collecting"),
}
_ENDED: Final = N_("Ended")
_ORDER: Final = tuple(_STEPS)


def steps_of(run: Run, events: Sequence[RunEvent], texts: Texts) -> tuple[Step, ...]:
    """Return the steps of a run, those to come too; of a prepared one there are none.

    What Slurm started at once was never seen waiting: that step is done all the same.
    """
    if run.state is RunState.PREPARED:
        return ()
    reached = _reached(run, events)
    furthest = max(_ORDER.index(one) for one in reached)
    found, before = list[Step](), run.asked_at
    for number, (state, label) in enumerate(_STEPS.items()):
        at = reached.get(state)
        if number > furthest:
            found.append(Step(texts.say(label), "next" if run.is_live else "failed"))
            continue
        is_now = run.is_live and number == furthest
        took_s = None if at is None else at - before
        found.append(Step(texts.say(label), "now" if is_now else "done", at, took_s))
        before = before if at is None else at
    return (*found, _end(run, events, before, texts))


def _end(run: Run, events: Sequence[RunEvent], before: float, texts: Texts) -> Step:
    if run.is_live:
        return Step(texts.say(_ENDED), "next")
    went_well = run.state in {RunState.COMPLETED, RunState.USER_CANCELED}
    at = next((one.at for one in reversed(events) if one.state is run.state), None)
    took_s = None if at is None else at - before
    return Step(texts.say(_ENDED), "done" if went_well else "failed", at, took_s)


def _reached(run: Run, events: Sequence[RunEvent]) -> dict[RunState, float]:
    """Return when each step was first reached; Slurm's own times count before ours."""
    found: dict[RunState, float] = {}
    for event in events:
        if event.state in _STEPS:
            found.setdefault(event.state, event.at)
    found.setdefault(RunState.ASKED, run.asked_at)
    if run.began_at is not None:
        found[RunState.RUNNING] = run.began_at
    if run.state in _STEPS:
        found.setdefault(run.state, run.changed_at)
    return found
