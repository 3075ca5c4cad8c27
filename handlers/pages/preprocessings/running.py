"""Run a preprocessing on data: those of a link, of numbers that are typed."""

import time
from collections.abc import Mapping
from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page
from handlers.own_page import own_page
from handlers.pages.notebooks.offers import gpu_types, queue_card, said
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import faults_of, refusal_at_field
from handlers.pages.notebooks.saving import SHOWN_IN_FORM
from handlers.pages.preprocessings.typed import (
    Running,
    batch_of,
    empty,
)
from handlers.pages.typed_fields import HOUR_S, hours_of, sizes_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
)
from kqi_hub.domain.people import Role
from kqi_hub.domain.preprocessings import MOST_AT_ONCE
from kqi_hub.i18n import N_
from kqi_hub.services import preferences
from kqi_hub.services.tenant_rights import require

routes = Routes(tag=N_("Preprocessings"))
# One that has not been run on any data yet.
_EXAMPLE: Final = {"preprocessing_id": "2"}


class Link(Model):
    """On which data it is to run, and where one was; it never starts anything."""

    data: str = Field("", max_length=20_000)
    back: str = Field("", max_length=1000)


@routes.get(
    "/preprocessing/{preprocessing_id}/run",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        query=Link,
        errors=(NotFound, NotPermitted),
        example_path=_EXAMPLE,
    ),
)
async def show_run_preprocessing(ask: Ask) -> Page:
    """Show the form that runs a preprocessing on data."""
    number = ask.number("preprocessing_id")
    found = (await ask.deps.preprocessings.one(ask.asker, number)).preprocessing
    require(ask.asker, found.tenant, Role.MEMBER)
    sent = empty(Running) | ask.query(Link).model_dump() | sizes_of(found.shape)
    if ask.chosen.opens_history is not False:
        sent |= {"opens_history": "yes"}
    _, queues = await ask.deps.queues.list(ask.me.person, found.tenant)
    usable = [one for one in queues if one.obstacle is None]
    usual = next((one for one in usable if one.partition.is_default), None)
    first = usual or next(iter(usable), None)
    if first is not None:
        longest_s = first.max_time_s or 24 * HOUR_S
        hours = hours_of(min(24 * HOUR_S, longest_s))
        sent |= {"queue": first.name, "lifetime_h": hours}
    return await _form(ask, sent)


@routes.post(
    "/preprocessing/{preprocessing_id}/run",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=Running,
        errors=(InvalidInput, Conflict, NotFound, NotPermitted, ClusterUnreachable),
        example={"data": "1", "queue": "cpu", "lifetime_h": "4"},
        example_path=_EXAMPLE,
    ),
)
async def run_preprocessing(ask: Ask) -> Page | GoTo:
    """Run a preprocessing on data, once on each; then to its history, or back."""
    number, sent = ask.number("preprocessing_id"), ask.body(Running).model_dump()
    try:
        batch = batch_of(sent)
        made = await ask.deps.preprocessings.run(ask.asker, number, batch)
    except SHOWN_IN_FORM as error:
        return await _form(ask, sent, error)
    opens_history = bool(sent["opens_history"])
    await preferences.remember_history(
        ask.deps.preferences, ask.me.person, ask.chosen, opens_history, time.time()
    )
    way = f"preprocessing/{number}?tenant={made.runs[0].spec.tenant}"
    if not opens_history:
        way = own_page(sent["back"]) or way
    said_so = N_("It is being submitted for {count} data.")
    return GoTo(way, said_so, {"count": str(len(made.runs))})


async def _form(
    ask: Ask, sent: Mapping[str, str], error: KqiError | None = None
) -> Page:
    number = ask.number("preprocessing_id")
    view = await ask.deps.preprocessings.one(ask.asker, number)
    tenant = view.preprocessing.tenant
    picture, found = await ask.deps.queues.list(ask.me.person, tenant)
    usable = [one for one in found if one.obstacle is None]
    problem = refusal_at_field(ask, error, sent)
    way = f"preprocessing/{number}?tenant={tenant}"
    values = {
        "back": own_page(sent["back"]) or way,
        "preprocessing": view.preprocessing,
        "view": view,
        "sent": sent,
        "problem": problem,
        "faults": faults_of(sent, problem),
        "queues": [queue_card(ask, one) for one in usable],
        "no_queue": next((said(ask, one.obstacle) for one in found), ""),
        "gpu_types": gpu_types(usable),
        "longest_h": hours_of(ask.deps.runs.rules.longest_lifetime_s),
        "most": MOST_AT_ONCE,
        "picture": Aged.of(picture),
    }
    status = error.status if error else 200
    return Page("pages/preprocessings/run.html", values, status)
