"""The page of a preprocessing: what it does, and on which data it has run."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page, Values
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import refusal_of
from handlers.pages.pager import Pager
from handlers.pages.preprocessings.array import array_of
from handlers.pages.runs.rows import row_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import Conflict, KqiError, NotFound, NotPermitted
from kqi_hub.domain.run_list import RunQuestion
from kqi_hub.domain.runs import RunKind
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Preprocessings"))
PER_PAGE: Final = 50
_EXAMPLE: Final = {"preprocessing_id": "1"}
_FREE: Final = {"preprocessing_id": "2"}


class Part(Model):
    """Which page of its runs is shown."""

    page: int = Field(1, ge=1, le=100_000)


@routes.get(
    "/preprocessing/{preprocessing_id}",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=Part,
        errors=(NotFound,),
        example_path=_EXAMPLE,
    ),
)
async def show_preprocessing(ask: Ask) -> Page:
    """Show a preprocessing: what it does, its runs, what they stand at."""
    number, part = ask.number("preprocessing_id"), ask.query(Part)
    view = await ask.deps.preprocessings.one(ask.asker, number)
    asked = RunQuestion(
        tenant=view.preprocessing.tenant,
        preprocessing=number,
        page=part.page,
        per_page=PER_PAGE,
    )
    found = await ask.deps.runs.search(ask.asker, RunKind.PREPROCESSING, asked)

    newest = [one.run for one in found.items] if part.page == 1 else []
    array = await array_of(ask, newest)

    def values() -> Values:
        return {
            "preprocessing": view.preprocessing,
            "view": view,
            "array": array,
            "rows": [row_of(ask, one) for one in found.items],
            "found": found.total,
            "page": Pager.of(part.page, PER_PAGE, found.total),
            "picture": Aged.of(found.picture),
        }

    return Page("pages/preprocessings/detail.html", values)


@routes.get(
    "/preprocessing/{preprocessing_id}/delete",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=(NotFound,), example_path=_FREE),
)
async def show_delete_preprocessing(ask: Ask) -> Page:
    """Show what is lost when a preprocessing is deleted, or what keeps it."""
    return await _sure(ask)


@routes.post(
    "/preprocessing/{preprocessing_id}/delete",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(Conflict, NotFound, NotPermitted),
        example_path=_FREE,
    ),
)
async def delete_preprocessing(ask: Ask) -> Page | GoTo:
    """Delete a preprocessing that has no runs any more."""
    number = ask.number("preprocessing_id")
    found = (await ask.deps.preprocessings.one(ask.asker, number)).preprocessing
    try:
        await ask.deps.preprocessings.delete(ask.asker, number)
    except (Conflict, NotPermitted) as error:
        return await _sure(ask, error)
    way = f"preprocessing?tenant={found.tenant}"
    return GoTo(way, N_("{name} is deleted."), {"name": found.name})


async def _sure(ask: Ask, error: KqiError | None = None) -> Page:
    number = ask.number("preprocessing_id")
    view = await ask.deps.preprocessings.one(ask.asker, number)
    values = {
        "preprocessing": view.preprocessing,
        "view": view,
        "problem": refusal_of(ask, error),
    }
    status = error.status if error else 200
    return Page("pages/preprocessings/sure.html", values, status)
