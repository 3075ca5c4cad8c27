"""Trainings and inferences, as calls of the client.

with Client.from_config() as portal:
    run = portal.submit(
        Training, "vision", name="first", queue="a100", command="python train.py"
    )
    done = portal.wait(run)
    print(done.state, done.exit_code, done.value)
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from kqi_hub.sdk.calls import Calls, part
from kqi_hub.sdk.data import Outcome, pages
from kqi_hub.sdk.errors import NotReachable, PortalError, Refused
from kqi_hub.sdk.run_models import (
    Inference,
    PreprocessingRun,
    Run,
    RunDeletion,
    RunEstimate,
    RunEvent,
    RunSearch,
    Training,
)

LOOK_EVERY_S: Final = 2.0
KINDS: Final[Mapping[str, type[Run]]] = {
    one.kind: one for one in (Training, Inference, PreprocessingRun)
}
_AT_ONCE: Final = 1000
# For so long a portal that is started anew, or a network, may be away.
_PATIENCE_S: Final = 600.0
_SERVER_FAULT: Final = 500
R = TypeVar("R", bound=Run)


class StillLive(PortalError):
    """The time is over, and the run goes on."""

    # As timeout(1) has it.
    exit_code = 124


class RunCalls(Calls):
    """The part of `Client` for trainings and inferences.

    `kind` is the class Training or Inference; answers are of it.
    """

    def submit(
        self,
        kind: type[R],
        tenant: str,
        *,
        prepare: bool = False,
        keep_refused: bool = True,
        **choices: object,
    ) -> R:
        """Submit a run; with `prepare` only its script is made, to submit by hand.

        Choices: name, queue, command, and as the REST interface says. What Slurm
        refuses is kept as a refused run, or with keep_refused=False forgotten.
        """
        about = {"is_prepared": prepare, "keeps_refused": keep_refused}
        body = {**choices, "tenant": tenant, **about}
        return kind.read(self._api("POST", kind.path, body))

    def estimate_run(
        self, kind: type[Run], tenant: str, **choices: object
    ) -> RunEstimate:
        """Return what such a run would cost and meet; nothing is kept."""
        body = {**choices, "tenant": tenant}
        return RunEstimate.read(self._api("POST", f"{kind.path}/estimate", body))

    def runs(
        self, kind: type[R], most: int | None = None, **wanted: object
    ) -> Iterator[R]:
        """Yield those of one's tenants, filtered as the REST interface does."""
        for said in pages(self, kind.path, "runs", most, wanted):
            yield kind.read(said)

    def run_searches(self, kind: type[Run]) -> tuple[RunSearch, ...]:
        """Return the searches of this list that one keeps, by name."""
        said = self._api("GET", f"{kind.path}/searches")["searches"]
        return tuple(RunSearch.read(one) for one in said)

    def keep_run_search(
        self, kind: type[Run], name: str, conditions: Mapping[str, object]
    ) -> RunSearch:
        """Keep conditions, as `runs` takes them, in place of others of this name."""
        path = f"{kind.path}/searches/{part(name)}"
        return RunSearch.read(self._api("PUT", path, conditions))

    def drop_run_search(self, kind: type[Run], name: str) -> None:
        """Forget a search; one that is not there is no error."""
        self._api("DELETE", f"{kind.path}/searches/{part(name)}")

    def run(self, kind: type[R], run_id: int) -> R:
        """Return one, with all that was asked for."""
        return kind.read(self._api("GET", f"{kind.path}/{run_id}"))

    def run_events(self, kind: type[Run], run_id: int) -> tuple[RunEvent, ...]:
        """Return each change of its state, the oldest first."""
        said = self._api("GET", f"{kind.path}/{run_id}/events")
        return tuple(RunEvent.read(one) for one in said["events"])

    def wait(
        self,
        run: R,
        *,
        most_s: float | None = None,
        tell: Callable[[R], None] | None = None,
    ) -> R:
        """Return it when it has ended; StillLive when it has not within `most_s`.

        `tell` hears of it at each look. While the portal is away, it is tried again
        for ten minutes.
        """
        began = heard = time.monotonic()
        while True:
            try:
                run, heard = self.run(type(run), run.id), time.monotonic()
            except (NotReachable, Refused) as error:
                is_away = getattr(error, "status", _SERVER_FAULT) >= _SERVER_FAULT
                if not is_away or time.monotonic() > heard + _PATIENCE_S:
                    raise
            else:
                if tell is not None:
                    tell(run)
                if not run.is_live:
                    return run
            if most_s is not None and time.monotonic() > began + most_s:
                raise StillLive(
                    f"{run.kind} {run.id} is still {run.state}.", "It goes on."
                )
            time.sleep(LOOK_EVERY_S)

    def stop_run(self, kind: type[R], run_id: int, *, as_failed: bool = False) -> R:
        """Stop it, or cancel its submission; afterwards it is called failed or not."""
        body = {"as_failed": as_failed}
        return kind.read(self._api("POST", f"{kind.path}/{run_id}/stop", body))

    def change_run(self, kind: type[R], run_id: int, **changes: object) -> R:
        """Change its name, memo, tags or is_favourite; what is not named stays."""
        return kind.read(self._api("PATCH", f"{kind.path}/{run_id}", changes))

    def delete_run(self, kind: type[Run], run_id: int) -> None:
        """Delete one with its files; one that lives is gone when its job has ended."""
        self._api("DELETE", f"{kind.path}/{run_id}")

    def run_deletion(self, kind: type[Run], run_id: int) -> RunDeletion:
        """Return what deleting one's own would take along, and what is against it."""
        said = self._api("GET", f"{kind.path}/{run_id}/deletion")
        return RunDeletion.read(said)

    def run_choices(self, kind: type[Run], run_id: int) -> Mapping[str, Any]:
        """Return what was asked for, as `submit` takes it, for one that is alike."""
        found: Mapping[str, Any] = self._api("GET", f"{kind.path}/{run_id}/copy")
        return found

    def run_script(self, kind: type[Run], run_id: int) -> str:
        """Return the script of its job, as `sbatch` takes it."""
        return self._api_text("GET", f"{kind.path}/{run_id}/script")

    def run_tags(self, kind: type[Run], tenant: str) -> tuple[str, ...]:
        """Return the tags of a tenant's runs."""
        asked = urlencode({"tenant": tenant})
        return tuple(self._api("GET", f"{kind.path}/tags?{asked}")["tags"])

    def tag_run(self, kind: type[Run], run_id: int, tag: str) -> None:
        """Tag one; a tag that it has is no error."""
        self._api("PUT", f"{kind.path}/{run_id}/tags/{quote(tag, safe='')}")

    def untag_run(self, kind: type[Run], run_id: int, tag: str) -> None:
        """Take a tag off; one that it has not is no error."""
        self._api("DELETE", f"{kind.path}/{run_id}/tags/{quote(tag, safe='')}")

    def change_many_runs(
        self, kind: type[Run], run_ids: Sequence[int], action: str, tag: str = ""
    ) -> tuple[Outcome, ...]:
        """Do `tag`, `untag`, `stop`, `fail` or `delete` to many, each for itself."""
        found: list[Outcome] = []
        for start in range(0, len(run_ids), _AT_ONCE):
            some = list(run_ids[start : start + _AT_ONCE])
            asked = {"ids": some, "action": action, "tag": tag}
            said = self._api("POST", f"{kind.path}/bulk", asked)["outcomes"]
            found += (Outcome.read(one) for one in said)
        return tuple(found)
