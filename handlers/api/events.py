"""What changes, as it changes: one stream for everything that a page shows."""

from pydantic import Field

from handlers.ask import Ask, Stream
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services.tenant_rights import listed_tenants

routes = Routes("/api/v1", tag=N_("Queues"))


class Subjects(Model):
    """What to be told of."""

    of: str = Field(
        "queues",
        max_length=200,
        description="Subjects, with commas between them, such as queues.",
    )
    tenant: str = Field(
        "",
        max_length=200,
        description="Runs of this tenant alone; else of all that you see.",
    )


_ERRORS = (InvalidInput, NotFound)


@routes.get("/events", Spec(query=Subjects, streams=True, errors=_ERRORS))
async def follow_events(ask: Ask) -> Stream:
    """Follow what changes (server-sent events); without that type in Accept, once."""
    known = ask.deps.live.sources
    query = ask.query(Subjects)
    wanted = frozenset(query.of.split(","))
    strange = wanted - known.keys()
    if strange:
        raise InvalidInput(
            "There is nothing to be told of {subject}.",
            "Choose from: {subjects}.",
            subject=min(strange)[:64],
            subjects=", ".join(sorted(known)),
        )
    return Stream(wanted, listed_tenants(ask.asker, query.tenant or None))
