"""Results of preprocessings that were run elsewhere: opened, uploaded, completed."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.api import run_models
from handlers.api.data_models import Data, data
from handlers.api.upload_models import Upload, upload
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data_errors import NoRoom
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, StoreError
from kqi_hub.domain.outside_runs import NewOutput, OutsideRun
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Preprocessing"))
_LARGEST: Final = 2**63 - 1
_MOST_TAGS: Final = 100
# Of FakeSite: a run that is open.
_OPEN: Final = {"run_id": "10"}


class NewOutsideRun(Model):
    """A preprocessing that was run on a data item elsewhere."""

    preprocessing: int = Field(
        strict=True, ge=1, le=_LARGEST, description="Number of the preprocessing."
    )
    data: int = Field(
        strict=True, ge=1, le=_LARGEST, description="Number of the data item."
    )
    memo: str = Field("", max_length=4000, description="A note.")


class NewResults(Model):
    """A folder of results that will be sent."""

    name: str = Field(max_length=200, description="Its name, which the new data get.")
    files: int = Field(strict=True, ge=0, le=2**53, description="How many files.")
    bytes: int = Field(
        strict=True, ge=0, le=2**60, description="How many bytes they have."
    )
    memo: str = Field("", max_length=4000, description="A note on the new data.")
    tags: tuple[str, ...] = Field(
        (), max_length=_MOST_TAGS, description="Tags beside those that they get."
    )


class Results(Model):
    """A folder of results: the data that it becomes, and where to send its files."""

    data: Data = Field(description="The data item; nobody sees it before it is whole.")
    upload: Upload | None = Field(description="Its upload; none: it is there whole.")


@routes.post(
    "/preprocessing-runs",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=NewOutsideRun,
        answer=run_models.Run,
        status=201,
        errors=(InvalidInput, NotFound, Conflict),
        example={"preprocessing": 2, "data": 1},
    ),
)
async def open_outside_run(ask: Ask) -> run_models.Run:
    """Open a run that was done elsewhere, for its results; once on each data item."""
    sent = ask.body(NewOutsideRun)
    asked = OutsideRun(sent.preprocessing, sent.data, sent.memo)
    return run_models.run(ask, await ask.deps.outside_runs.open(ask.asker, asked))


@routes.post(
    "/preprocessing-runs/{run_id}/data",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        body=NewResults,
        answer=Results,
        status=201,
        errors=(InvalidInput, NotFound, Conflict, NoRoom, StoreError),
        example_path=_OPEN,
        example={"name": "cut", "files": 2, "bytes": 10},
    ),
)
async def add_results(ask: Ask) -> Results:
    """Begin to upload a folder of results of an open run of yours, or go on with it."""
    sent, number = ask.body(NewResults), ask.number("run_id")
    new = NewOutput(sent.name, sent.files, sent.bytes, sent.memo, sent.tags)
    added = await ask.deps.outside_runs.add(ask.asker, number, new)
    way = None if added.sent is None else upload(added.sent)
    return Results(data=data(added.item), upload=way)


@routes.post(
    "/preprocessing-runs/{run_id}/complete",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        answer=run_models.Run,
        errors=(NotFound, Conflict),
        example_path=_OPEN,
    ),
)
async def complete_outside_run(ask: Ask) -> run_models.Run:
    """Complete an open run of yours: its results are all there; again is fine."""
    number = ask.number("run_id")
    view = await ask.deps.outside_runs.complete(ask.asker, number)
    return run_models.run(ask, view)
