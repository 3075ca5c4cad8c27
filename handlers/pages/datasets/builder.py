"""Make a dataset, or change one: the page that its script puts the items into."""

import json
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page
from handlers.problem import Problem, problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data import FLAT
from kqi_hub.domain.datasets import LONGEST_MEMO, LONGEST_NAME
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound, NotPermitted
from kqi_hub.i18n import N_
from kqi_hub.services.datasets import DatasetView
from kqi_hub.services.tenant_rights import require_change

routes = Routes(tag=N_("Datasets"))
_EXAMPLE: Final = {"dataset_id": "1"}
_TEMPLATE: Final = "pages/datasets/form.html"
_LOOSE: Final = 100_000


class Named(Model):
    """What stays changeable in a locked dataset, too."""

    name: str = Field("", max_length=_LOOSE)
    memo: str = Field("", max_length=_LOOSE)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the form begins with; `view` is the dataset that is changed."""

    name: str = ""
    memo: str = ""
    view: DatasetView | None = None
    error: KqiError | None = None


@routes.get("/datasets/new", Spec(who=Who.MEMBER))
async def show_new_dataset(ask: Ask) -> Page:
    """Show the page that puts a new dataset together."""
    tenant = ask.tenant or "-"
    types = await ask.deps.datasets.types(ask.asker, tenant)
    return _form(ask, Draft(), tenant, types)


@routes.get(
    "/datasets/{dataset_id}/edit",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(NotFound, NotPermitted),
        example_path=_EXAMPLE,
    ),
)
async def show_dataset_form(ask: Ask) -> Page:
    """Show the page that changes a dataset; a locked one keeps its items."""
    view = await ask.deps.datasets.one(ask.asker, ask.number("dataset_id"))
    require_change(ask.asker, view.dataset.tenant, view.dataset.created_by)
    return _known_form(ask, Draft(view.dataset.name, view.dataset.memo, view))


@routes.post(
    "/datasets/{dataset_id}/edit",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=Named,
        errors=(InvalidInput, NotFound, NotPermitted),
        example={"name": "signs", "memo": ""},
        example_path=_EXAMPLE,
    ),
)
async def rename_dataset(ask: Ask) -> Page | GoTo:
    """Change a dataset's name and memo, locked or not."""
    sent, number = ask.body(Named), ask.number("dataset_id")
    datasets, memo = ask.deps.datasets, sent.memo.replace("\r\n", "\n")
    try:
        found = await datasets.rename(ask.asker, number, sent.name, memo)
    except InvalidInput as error:
        view = await datasets.one(ask.asker, number)
        return _known_form(ask, Draft(sent.name, sent.memo, view, error))
    way = f"datasets/{number}?tenant={found.tenant}"
    return GoTo(way, N_("{name} is saved."), {"name": found.name})


def _known_form(ask: Ask, draft: Draft) -> Page:
    if draft.view is None:
        raise TypeError("there is no dataset to change")
    types = tuple(name for name, _ in draft.view.types)
    return _form(ask, draft, draft.view.dataset.tenant, types)


def _form(ask: Ask, draft: Draft, tenant: str, types: tuple[str, ...]) -> Page:
    view, error = draft.view, draft.error
    dataset = view.dataset if view else None
    problem: Problem | None = None
    if error is not None:
        problem = problem_of(error, ask.texts, ask.request_id)
    values = {
        "dataset": dataset,
        "view": view,
        "tenant": tenant,
        "name": draft.name,
        "memo": draft.memo,
        "types": json.dumps([one for one in types if one != FLAT]),
        "problem": problem,
        "longest_name": LONGEST_NAME,
        "longest_memo": LONGEST_MEMO,
    }
    return Page(_TEMPLATE, values, error.status if error else 200)
