"""What changes, as it changes: one stream for everything that a page shows."""

from pydantic import Field

from handlers.ask import Ask, Stream
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Queues"))


class Subjects(Model):
    """What to be told of."""

    of: str = Field(
        "queues",
        max_length=200,
        description="Subjects, with commas between them, such as queues.",
    )


@routes.get("/events", Spec(query=Subjects, streams=True, errors=(InvalidInput,)))
async def follow_events(ask: Ask) -> Stream:
    """Follow what changes (server-sent events); without that type in Accept, once."""
    known = ask.deps.live.sources
    wanted = frozenset(ask.query(Subjects).of.split(","))
    strange = wanted - known.keys()
    if strange:
        raise InvalidInput(
            "There is nothing to be told of {subject}.",
            "Choose from: {subjects}.",
            subject=min(strange)[:64],
            subjects=", ".join(sorted(known)),
        )
    return Stream(wanted)
