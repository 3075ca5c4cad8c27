"""Copy and delete a dataset; what keeps it from being deleted is named."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page
from handlers.pages.datasets.detail import frame_of
from handlers.problem import problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
)
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Datasets"))
_EXAMPLE: Final = {"dataset_id": "1"}


class Name(Model):
    """What the copy is to be called; empty: as the dataset, with a word behind."""

    name: str = Field("", max_length=100_000)


@routes.post(
    "/datasets/{dataset_id}/copy",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=Name,
        errors=(InvalidInput, NotFound, NotPermitted),
        example={"name": ""},
        example_path=_EXAMPLE,
    ),
)
async def copy_dataset(ask: Ask) -> GoTo:
    """Copy a dataset, locked or not; the copy is free to be changed."""
    number, sent = ask.number("dataset_id"), ask.body(Name)
    made = await ask.deps.datasets.copy(ask.asker, number, sent.name)
    said = N_("The copy is yours to change: {name}.")
    return GoTo(
        f"datasets/{made.id}/edit?tenant={made.tenant}", said, {"name": made.name}
    )


@routes.get(
    "/datasets/{dataset_id}/delete",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=(NotFound,), example_path=_EXAMPLE),
)
async def show_delete_dataset(ask: Ask) -> Page:
    """Show what is lost and what stays when a dataset is deleted, or why it is not."""
    return await _sure(ask)


@routes.post(
    "/datasets/{dataset_id}/delete",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(Conflict, NotFound, NotPermitted),
        example_path=_EXAMPLE,
    ),
)
async def delete_dataset(ask: Ask) -> Page | GoTo:
    """Delete a dataset that nothing uses; its data stay."""
    number = ask.number("dataset_id")
    view = await ask.deps.datasets.one(ask.asker, number)
    try:
        await ask.deps.datasets.delete(ask.asker, number)
    except (Conflict, NotPermitted) as error:
        return await _sure(ask, error)
    said = N_("The dataset {name} is deleted. Its data are still there.")
    return GoTo(
        f"datasets?tenant={view.dataset.tenant}", said, {"name": view.dataset.name}
    )


async def _sure(ask: Ask, error: KqiError | None = None) -> Page:
    view = await ask.deps.datasets.one(ask.asker, ask.number("dataset_id"))
    problem = problem_of(error, ask.texts, ask.request_id) if error else None
    values = {**frame_of(ask, view), "problem": problem}
    return Page("pages/datasets/sure.html", values, error.status if error else 200)
