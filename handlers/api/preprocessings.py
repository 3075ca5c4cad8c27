"""Preprocessings: ways to make new data from data, and what ran of them."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.api import preprocessing_models as shown, run_models
from handlers.api.array_models import ArrayUse, array_use
from handlers.api.data_models import Blocker, Data, blocker, data
from handlers.api.run_choices_models import BODY_LIMIT
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data_errors import Blocked
from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    GitUnavailable,
    InvalidInput,
    NotFound,
    RegistryUnavailable,
    StoreError,
)
from kqi_hub.domain.preprocessings import BatchRequest
from kqi_hub.domain.runs import RunKind
from kqi_hub.i18n import N_
from kqi_hub.services.run_defaults import lifetime_for

routes = Routes("/api/v1", tag=N_("Preprocessing"))
_ID: Final = "preprocessing_id"
_KIND: Final = RunKind.PREPROCESSING
_NEW: Final = {
    "tenant": "vision",
    "name": "resize 224",
    "command": "python resize.py",
    "shape": {"cpus": 1, "memory_mb": 1024},
}
_ENDED: Final = {"run_id": "8"}
_RUNNING: Final = (InvalidInput, NotFound, Conflict, ClusterUnreachable)


class Products(Model):
    """What a run of a preprocessing has made."""

    data: tuple[Data, ...] = Field(description="The new data.")


class PastDeletion(Model):
    """What deleting a run of a preprocessing would take along."""

    data: tuple[Data, ...] = Field(description="Data that it has made, which go.")
    blockers: tuple[Blocker, ...] = Field(description="What needs them: nothing goes.")


@routes.get(
    "/preprocessing",
    Spec(
        query=shown.WantedPreprocessings,
        answer=shown.PreprocessingList,
        errors=(InvalidInput, NotFound),
    ),
)
async def list_preprocessings(ask: Ask) -> Listing:
    """List the preprocessings of your tenants."""
    wanted = ask.query(shown.WantedPreprocessings).question()
    found = await ask.deps.preprocessings.search(ask.asker, wanted)
    return Listing(
        lambda: shown.PreprocessingList(
            preprocessings=tuple(map(shown.row, found.items)),
            total=found.total,
            unread=dict(found.unread),
        ),
        found.total,
    )


@routes.post(
    "/preprocessing",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.NewPreprocessing,
        body_limit=BODY_LIMIT,
        answer=shown.PreprocessingNow,
        status=201,
        errors=(InvalidInput, NotFound),
        example=_NEW,
    ),
)
async def create_preprocessing(ask: Ask) -> shown.PreprocessingNow:
    """Define a preprocessing; only its name is needed until it is run."""
    new = ask.body(shown.NewPreprocessing).known()
    return shown.preprocessing(await ask.deps.preprocessings.create(ask.asker, new))


@routes.get(
    "/preprocessing/{preprocessing_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=shown.PreprocessingNow,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
    ),
)
async def show_preprocessing(ask: Ask) -> shown.PreprocessingNow:
    """Show a preprocessing: what it does, and whether that may still change."""
    number = ask.number(_ID)
    return shown.preprocessing(await ask.deps.preprocessings.one(ask.asker, number))


@routes.patch(
    "/preprocessing/{preprocessing_id}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.ChangedPreprocessing,
        body_limit=BODY_LIMIT,
        answer=shown.PreprocessingNow,
        errors=(InvalidInput, NotFound, Conflict),
        example_path=shown.EXAMPLE,
        example={"memo": "for the small model"},
    ),
)
async def change_preprocessing(ask: Ask) -> shown.PreprocessingNow:
    """Change a preprocessing; what it does, only before its first run."""
    change, number = ask.body(shown.ChangedPreprocessing), ask.number(_ID)
    view = await ask.deps.preprocessings.change(ask.asker, number, change.known())
    return shown.preprocessing(view)


@routes.delete(
    "/preprocessing/{preprocessing_id}",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(NotFound, Conflict),
        example_path=shown.FREE_EXAMPLE,
    ),
)
async def delete_preprocessing(ask: Ask) -> None:
    """Delete a preprocessing of which no run is there any more."""
    await ask.deps.preprocessings.delete(ask.asker, ask.number(_ID))


@routes.post(
    "/preprocessing/{preprocessing_id}/estimate",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.BatchChoices,
        body_limit=BODY_LIMIT,
        answer=run_models.Estimate,
        errors=_RUNNING,
        example_path=shown.FREE_EXAMPLE,
        example=shown.EXAMPLE_BATCH,
    ),
)
async def estimate_preprocessing(ask: Ask) -> run_models.Estimate:
    """Say what each of the jobs would cost and meet; nothing is kept."""
    asked, number = await _asked(ask), ask.number(_ID)
    found = await ask.deps.preprocessings.check(ask.asker, number, asked)
    return run_models.estimate(ask, found)


@routes.post(
    "/preprocessing/{preprocessing_id}/run",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=shown.BatchChoices,
        body_limit=BODY_LIMIT,
        answer=shown.BatchMade,
        status=201,
        errors=(*_RUNNING, GitUnavailable, RegistryUnavailable),
        example_path=shown.FREE_EXAMPLE,
        example=shown.EXAMPLE_BATCH,
    ),
)
async def run_preprocessing(ask: Ask) -> shown.BatchMade:
    """Run a preprocessing on data, once on each: all of it is one array of Slurm."""
    asked, number = await _asked(ask), ask.number(_ID)
    return shown.batch(await ask.deps.preprocessings.run(ask.asker, number, asked))


@routes.get(
    "/preprocessing-runs",
    Spec(
        query=shown.WantedPast,
        answer=run_models.RunList,
        errors=(InvalidInput, NotFound),
    ),
)
async def list_preprocessing_runs(ask: Ask) -> Listing:
    """List what has run of preprocessings, one line for each data item."""
    wanted = ask.query(shown.WantedPast).question()
    found = await ask.deps.runs.search(ask.asker, _KIND, wanted)
    return Listing(lambda: run_models.run_list(ask, found), found.total)


@routes.get(
    "/preprocessing-runs/{run_id}/data",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=Products,
        errors=(NotFound,),
        example_path=_ENDED,
    ),
)
async def list_products(ask: Ask) -> Products:
    """List the data that a run of a preprocessing has made."""
    number = ask.number("run_id")
    found = await ask.deps.preprocessing_runs.products(ask.asker, number)
    return Products(data=tuple(map(data, found)))


@routes.get(
    "/preprocessing-runs/{run_id}/array",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=ArrayUse,
        errors=(NotFound, Conflict),
        example_path=_ENDED,
    ),
)
async def show_array_use(ask: Ask) -> ArrayUse:
    """Show what the array that a run is a task of has used: all its tasks together."""
    _, found = await ask.deps.arrays.of_run(ask.asker, ask.number("run_id"))
    return array_use(ask, found)


@routes.get(
    "/preprocessing-runs/{run_id}/deletion",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        answer=PastDeletion,
        errors=(NotFound,),
        example_path=_ENDED,
    ),
)
async def show_preprocessing_run_deletion(ask: Ask) -> PastDeletion:
    """Say what deleting a run of yours would take along, and what is against it."""
    number = ask.number("run_id")
    found = await ask.deps.preprocessing_runs.consequences(ask.asker, number)
    tenant = found.run.spec.tenant
    return PastDeletion(
        data=tuple(map(data, found.products)),
        blockers=tuple(blocker(one, tenant) for one in found.blockers),
    )


@routes.delete(
    "/preprocessing-runs/{run_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        errors=(NotFound, Conflict, Blocked, StoreError),
        example_path=_ENDED,
    ),
)
async def delete_preprocessing_run(ask: Ask) -> None:
    """Delete a run of yours with the data that it has made, if nothing needs them.

    The job of one that lives is ended first: until then its status is `deleting`.
    """
    await ask.deps.preprocessing_runs.delete(ask.asker, ask.number("run_id"))


async def _asked(ask: Ask) -> BatchRequest:
    sent = ask.body(shown.BatchChoices)
    view = await ask.deps.preprocessings.one(ask.asker, ask.number(_ID))
    tenant = view.preprocessing.tenant
    return sent.known(
        await lifetime_for(
            ask.deps.runs, ask.asker, sent.queue, tenant, sent.lifetime_s
        )
    )
