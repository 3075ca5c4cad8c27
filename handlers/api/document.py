"""The API's own description, for programs that write clients."""

from pydantic import ConfigDict, Field

from handlers.access import Who
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Site"))


class Document(Model):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")

    openapi: str = Field(description="Version of OpenAPI that it is written in.")


@routes.get("/openapi.json", Spec(who=Who.ANYBODY, answer=Document))
async def show_document(ask: Ask) -> Listing:
    """Show the description of this API for programs (OpenAPI 3.1)."""
    return Listing(lambda: Document.model_validate(ask.document))
