"""How much a tenant and its people keep in the store, beside their quotas."""

from collections.abc import Mapping
from typing import Final

from handlers.ask import Ask, Page, Values
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import NotFound
from kqi_hub.i18n import N_
from kqi_hub.services.data_use import Caution, Of, TenantUse

routes = Routes(tag=N_("Data"))
_SENTENCES: Final[Mapping[tuple[Of, str], str]] = {
    (Of.TENANT, "bytes"): N_("{percent} % of the tenant's room are used."),
    (Of.TENANT, "files"): N_("{percent} % of the tenant's files are used."),
    (Of.PERSON, "bytes"): N_("{name} uses {percent} % of a person's room."),
    (Of.PERSON, "files"): N_("{name} uses {percent} % of a person's files."),
}


@routes.get("/storage", Spec(errors=(NotFound,)))
async def show_storage(ask: Ask) -> Page:
    """Show how much your tenant keeps, who keeps it, and how much more may come."""
    use: TenantUse | None = None
    if ask.tenant is not None:
        use = await ask.deps.data_use.of(ask.asker, ask.tenant, with_disk=True)

    def values() -> Values:
        cautions = use.cautions if use else ()
        return {"use": use, "cautions": [_said(ask, one) for one in cautions]}

    return Page("pages/data/storage.html", values)


def _said(ask: Ask, caution: Caution) -> tuple[str, str]:
    """Return how bad it is, and a sentence."""
    sentence = _SENTENCES[caution.whose, caution.what]
    values = {"percent": str(caution.percent), "name": caution.name}
    kind = "bad" if caution.percent >= 100 else "wait"
    return kind, ask.texts.say(sentence, values)
