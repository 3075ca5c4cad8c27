"""One run of a preprocessing: its state, its log, the data that it has made."""

from typing import Final

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page, Values
from handlers.pages.lineage import holds
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import refusal_of
from handlers.pages.preprocessings.array import array_of
from handlers.pages.runs.actions import said_of_deleted
from handlers.pages.runs.detail import log_of, used_in
from handlers.pages.runs.rows import row_of
from handlers.pages.runs.words import sentence_of
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import Conflict, KqiError, NotFound, NotPermitted
from kqi_hub.domain.run_states import may_go_later
from kqi_hub.domain.runs import Run, RunKind
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Preprocessings"))
_KIND: Final = RunKind.PREPROCESSING
# Of FakeSite: a run that has ended, one that runs.
DONE: Final = {"run_id": "8"}
LIVE: Final = {"run_id": "9"}
_OF_ONE: Final = (NotFound, NotPermitted)


@routes.get(
    "/preprocessing-runs/{run_id}",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=(NotFound,), example_path=DONE),
)
async def show_preprocessing_run(ask: Ask) -> Page:
    """Show a run: its state, on which data, what it has made."""
    return await _page(ask)


@routes.post(
    "/preprocessing-runs/{run_id}/stop",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        errors=(*_OF_ONE, Conflict),
        example_path=LIVE,
    ),
)
async def stop_preprocessing_run(ask: Ask) -> Page | GoTo:
    """Stop a run that has not ended."""
    number = ask.number("run_id")
    try:
        view = await ask.deps.runs.stop(ask.asker, _KIND, number)
    except Conflict as error:
        return await _page(ask, error)
    said = N_("{name} is being stopped.")
    return GoTo(_way(view.run), said, {"name": view.run.name})


@routes.get(
    "/preprocessing-runs/{run_id}/delete",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=_OF_ONE, example_path=DONE),
)
async def show_delete_preprocessing_run(ask: Ask) -> Page:
    """Show which data are lost with a run, or what keeps it."""
    return await _sure(ask)


@routes.post(
    "/preprocessing-runs/{run_id}/delete",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        errors=(*_OF_ONE, Conflict),
        example_path=DONE,
    ),
)
async def delete_preprocessing_run(ask: Ask) -> Page | GoTo:
    """Delete a run with the data that it has made."""
    number = ask.number("run_id")
    _, view = await ask.deps.runs.one(ask.asker, _KIND, number)
    try:
        await ask.deps.preprocessing_runs.delete(ask.asker, number)
    except Conflict as error:
        return await _sure(ask, error)
    run = view.run
    way = f"preprocessing/{run.preprocessing}?tenant={run.spec.tenant}"
    return GoTo(way, said_of_deleted(run), {"name": run.name})


async def _page(ask: Ask, error: KqiError | None = None) -> Page:
    number = ask.number("run_id")
    picture, view = await ask.deps.runs.one(ask.asker, _KIND, number)
    products = await ask.deps.preprocessing_runs.products(ask.asker, number)
    run = view.run
    array = await array_of(ask, [run])

    def values() -> Values:
        return {
            "run": run,
            "row": row_of(ask, view),
            "sentence": sentence_of(run, ask.texts),
            "products": products,
            "array": array,
            "used": used_in(ask, view),
            "log": log_of(ask, view),
            "problem": refusal_of(ask, error),
            "picture": Aged.of(picture),
        }

    status = error.status if error else 200
    return Page("pages/preprocessings/history.html", values, status)


async def _sure(ask: Ask, error: KqiError | None = None) -> Page:
    number = ask.number("run_id")
    found = await ask.deps.preprocessing_runs.consequences(ask.asker, number)
    picture, view = await ask.deps.runs.one(ask.asker, _KIND, number)
    values = {
        "run": found.run,
        "row": row_of(ask, view),
        "products": found.products,
        "holds": holds(ask, found.blockers),
        "ends_job": may_go_later(found.run),
        "problem": refusal_of(ask, error),
        "picture": Aged.of(picture),
    }
    status = error.status if error else 200
    return Page("pages/preprocessings/delete_run.html", values, status)


def _way(run: Run) -> str:
    return f"preprocessing-runs/{run.id}?tenant={run.spec.tenant}"
