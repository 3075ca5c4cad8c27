"""The types that a tenant's datasets are divided into; its managers choose them."""

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page
from handlers.problem import problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, KqiError
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Datasets"))


class Types(Model):
    """All types, one in a line."""

    types: str = Field("", max_length=10_000)


@routes.get("/datasets/types", Spec(who=Who.MANAGER))
async def show_types(ask: Ask) -> Page:
    """Show the types that the tenant's datasets are divided into."""
    types = await ask.deps.datasets.types(ask.asker, ask.tenant or "-")
    return _page(ask, "\n".join(types))


@routes.post(
    "/datasets/types",
    Spec(
        who=Who.MANAGER,
        body=Types,
        errors=(InvalidInput, Conflict),
        example={"types": "training\ntesting\nvalidation"},
    ),
)
async def change_types(ask: Ask) -> Page | GoTo:
    """Replace the types that the tenant's datasets are divided into."""
    sent = ask.body(Types)
    types = [one.strip() for one in sent.types.splitlines() if one.strip()]
    try:
        await ask.deps.datasets.set_types(ask.asker, ask.tenant or "-", types)
    except (InvalidInput, Conflict) as error:
        return _page(ask, sent.types, error)
    return GoTo(f"datasets?tenant={ask.tenant}", N_("The types are saved."))


def _page(ask: Ask, text: str, error: KqiError | None = None) -> Page:
    problem = problem_of(error, ask.texts, ask.request_id) if error else None
    values = {"text": text, "problem": problem}
    return Page("pages/datasets/types.html", values, error.status if error else 200)
