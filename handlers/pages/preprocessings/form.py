"""Define a preprocessing, or change one: only its name is needed until it is run."""

from collections.abc import Mapping
from typing import Final

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page
from handlers.pages.notebooks.offers import gpu_types
from handlers.pages.notebooks.refusal import faults_of, refusal_at_field
from handlers.pages.notebooks.saving import SHOWN_IN_FORM
from handlers.pages.preprocessings.typed import (
    Defined,
    change_of,
    empty,
    new_of,
    texts_of,
)
from handlers.route import Routes, Spec
from kqi_hub.domain.datasets import LONGEST_MEMO
from kqi_hub.domain.errors import (
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
)
from kqi_hub.domain.runs import Preprocessing
from kqi_hub.i18n import N_
from kqi_hub.services.tenant_rights import require_change

routes = Routes(tag=N_("Preprocessings"))
_EXAMPLE: Final = {"preprocessing_id": "1"}


@routes.get("/preprocessing/new", Spec(who=Who.MEMBER))
async def show_new_preprocessing(ask: Ask) -> Page:
    """Show the form that defines a preprocessing."""
    return await _form(ask, empty(Defined))


@routes.post(
    "/preprocessing/new",
    Spec(
        who=Who.MEMBER,
        body=Defined,
        errors=(InvalidInput, NotFound, NotPermitted),
        example={"name": "resize", "command": "python resize.py"},
    ),
)
async def define_preprocessing(ask: Ask) -> Page | GoTo:
    """Keep a new preprocessing."""
    sent = ask.body(Defined).model_dump()
    try:
        new = new_of(sent, ask.tenant or "-")
        view = await ask.deps.preprocessings.create(ask.asker, new)
    except SHOWN_IN_FORM as error:
        return await _form(ask, sent, error=error)
    found = view.preprocessing
    way = f"preprocessing/{found.id}?tenant={found.tenant}"
    return GoTo(way, N_("{name} is saved."), {"name": found.name})


@routes.get(
    "/preprocessing/{preprocessing_id}/edit",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(NotFound, NotPermitted),
        example_path=_EXAMPLE,
    ),
)
async def show_preprocessing_form(ask: Ask) -> Page:
    """Show the form that changes a preprocessing; one that has run keeps its recipe."""
    found = await _own(ask)
    return await _form(ask, texts_of(found), found)


@routes.post(
    "/preprocessing/{preprocessing_id}/edit",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=Defined,
        errors=(InvalidInput, NotFound, NotPermitted, Conflict),
        example={"name": "resize", "command": "python resize.py"},
        example_path=_EXAMPLE,
    ),
)
async def change_preprocessing(ask: Ask) -> Page | GoTo:
    """Change a preprocessing."""
    found, sent = await _own(ask), ask.body(Defined).model_dump()
    try:
        change = change_of(sent, found)
        await ask.deps.preprocessings.change(ask.asker, found.id, change)
    except (InvalidInput, Conflict) as error:
        return await _form(ask, sent, found, error)
    way = f"preprocessing/{found.id}?tenant={found.tenant}"
    return GoTo(way, N_("{name} is saved."), {"name": sent["name"]})


async def _own(ask: Ask) -> Preprocessing:
    number = ask.number("preprocessing_id")
    view = await ask.deps.preprocessings.one(ask.asker, number)
    found = view.preprocessing
    require_change(ask.asker, found.tenant, found.created_by)
    return found


async def _form(
    ask: Ask,
    sent: Mapping[str, str],
    found: Preprocessing | None = None,
    error: KqiError | None = None,
) -> Page:
    tenant = found.tenant if found else ask.tenant
    _, queues = await ask.deps.queues.list(ask.me.person, tenant)
    problem = refusal_at_field(ask, error, sent)
    values = {
        "preprocessing": found,
        "sent": sent,
        "problem": problem,
        "faults": faults_of(sent, problem),
        "gpu_types": gpu_types([one for one in queues if one.obstacle is None]),
        "longest_memo": LONGEST_MEMO,
    }
    status = error.status if error else 200
    return Page("pages/preprocessings/form.html", values, status)
