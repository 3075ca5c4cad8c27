"""Stop and delete a run, spelled out before; change its name, memo and tags."""

from typing import Final, Literal

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page
from handlers.pages.notebooks.picture import Aged
from handlers.pages.runs.detail import Linked, frame_of, run_page
from handlers.pages.runs.kinds import DONE, FREE, LIVE, RunRoutes, run_number, words_of
from handlers.route import Model, Spec
from kqi_hub.domain.datasets import LONGEST_MEMO
from kqi_hub.domain.errors import (
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
)
from kqi_hub.domain.run_states import may_go_later
from kqi_hub.domain.runs import LONGEST_NAME, Run, RunChange
from kqi_hub.i18n import N_

routes = RunRoutes(tag=N_("Runs"))
_LOOSE: Final = 100_000
_REFUSED: Final = (InvalidInput, Conflict)
_OF_ONE: Final = (NotFound, NotPermitted)


class Stopped(Model):
    """How a run is called once it is stopped (KX-16)."""

    called: Literal["stopped", "failed"] = Field("stopped", alias="as")


class Named(Model):
    """Name and memo, as they are to be from now on."""

    name: str = Field("", max_length=_LOOSE)
    memo: str = Field("", max_length=_LOOSE)


class Tagging(Model):
    """One tag to be given or taken."""

    tag: str = Field("", max_length=_LOOSE)
    then: Literal["tag", "untag"] = "tag"


@routes.get(
    "/{run_id}/stop",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=_OF_ONE, example_path=LIVE),
)
async def show_stop_run(ask: Ask) -> Page:
    """Show the two ways to stop a run, what is lost and what stays."""
    return await _stopping(ask)


@routes.post(
    "/{run_id}/stop",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        body=Stopped,
        errors=(*_OF_ONE, Conflict),
        example={"as": "stopped"},
        example_path=LIVE,
    ),
)
async def stop_run(ask: Ask) -> Page | GoTo:
    """Stop a run, as normal or as failed."""
    sent, words, number = ask.body(Stopped), words_of(ask), run_number(ask)
    as_failed = sent.called == "failed"
    try:
        view = await ask.deps.runs.stop(
            ask.asker, words.kind, number, as_failed=as_failed
        )
    except Conflict as error:
        return await _stopping(ask, error)
    return GoTo(_page(view.run), N_("{name} is being stopped."), _name(view.run))


@routes.get(
    "/{run_id}/delete",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=_OF_ONE, example_path=FREE),
)
async def show_delete_run(ask: Ask) -> Page:
    """Show what is lost when a run is deleted, or what keeps it."""
    return await _deleting(ask)


@routes.post(
    "/{run_id}/delete",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        errors=(*_OF_ONE, Conflict),
        example_path=FREE,
    ),
)
async def delete_run(ask: Ask) -> Page | GoTo:
    """Delete a run that nothing is built on, with its folder; its job ends first."""
    words, number = words_of(ask), run_number(ask)
    _, view = await ask.deps.runs.one(ask.asker, words.kind, number)
    try:
        await ask.deps.runs.delete(ask.asker, words.kind, number)
    except Conflict as error:
        return await _deleting(ask, error)
    way = f"{words.folder}?tenant={view.run.spec.tenant}"
    return GoTo(way, said_of_deleted(view.run), _name(view.run))


def said_of_deleted(run: Run) -> str:
    """Return what is said after a run was deleted that stood like this before."""
    if may_go_later(run):
        return N_("{name} is being deleted: its job is ended first.")
    return N_("{name} is deleted.")


@routes.get(
    "/{run_id}/edit",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=_OF_ONE, example_path=DONE),
)
async def show_run_names(ask: Ask) -> Page:
    """Show the form that changes a run's name and memo."""
    _, view = await ask.deps.runs.one(ask.asker, words_of(ask).kind, run_number(ask))
    return await _naming(ask, Named(name=view.run.name, memo=view.run.memo))


@routes.post(
    "/{run_id}/edit",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        body=Named,
        errors=(*_OF_ONE, *_REFUSED),
        example={"name": "renamed", "memo": ""},
        example_path=DONE,
    ),
)
async def change_run(ask: Ask) -> Page | GoTo:
    """Change a run's name and memo, at any time."""
    sent, words, number = ask.body(Named), words_of(ask), run_number(ask)
    try:
        view = await ask.deps.runs.change(
            ask.asker, words.kind, number, RunChange(name=sent.name, memo=sent.memo)
        )
    except _REFUSED as error:
        return await _naming(ask, sent, error)
    return GoTo(_page(view.run), N_("{name} is saved."), _name(view.run))


@routes.post(
    "/{run_id}/tags",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        body=Tagging,
        errors=(*_OF_ONE, InvalidInput),
        example={"tag": "baseline", "then": "tag"},
        example_path=DONE,
    ),
)
async def tag_run(ask: Ask) -> Page | GoTo:
    """Give a run a tag, or take one from it."""
    sent, words, number = ask.body(Tagging), words_of(ask), run_number(ask)
    _, view = await ask.deps.runs.one(ask.asker, words.kind, number)
    try:
        await ask.deps.runs.change(ask.asker, words.kind, number, change_of(sent))
    except InvalidInput as error:
        return await run_page(ask, error)
    return GoTo(f"{_page(view.run)}#tags")


def change_of(sent: Tagging) -> RunChange:
    """Return what giving or taking one tag changes, whatever others do meanwhile."""
    tags = (sent.tag,)
    if sent.then == "untag":
        return RunChange(remove_tags=tags)
    return RunChange(add_tags=tags)


def _page(run: Run) -> str:
    return f"{run.kind.value}/{run.id}?tenant={run.spec.tenant}"


def _name(run: Run) -> dict[str, str]:
    return {"name": run.name}


async def _stopping(ask: Ask, error: KqiError | None = None) -> Page:
    """Return the page of the two choices; only the owner's."""
    words, number = words_of(ask), run_number(ask)
    await ask.deps.runs.consequences(ask.asker, words.kind, number)
    _, view = await ask.deps.runs.one(ask.asker, words.kind, number)
    values = frame_of(ask, words, view, error)
    return Page("pages/runs/stop.html", values, error.status if error else 200)


async def _deleting(ask: Ask, error: KqiError | None = None) -> Page:
    words, number = words_of(ask), run_number(ask)
    found = await ask.deps.runs.consequences(ask.asker, words.kind, number)
    picture, view = await ask.deps.runs.one(ask.asker, words.kind, number)
    values = {
        **frame_of(ask, words, view, error),
        "found": found,
        "picture": Aged.of(picture),
        "dataset_name": view.dataset_name,
        "blockers": [
            Linked(one.kind, one.id, one.name, one.spec.tenant)
            for one in found.blockers
        ],
    }
    return Page("pages/runs/delete.html", values, error.status if error else 200)


async def _naming(ask: Ask, sent: Named, error: KqiError | None = None) -> Page:
    words, number = words_of(ask), run_number(ask)
    await ask.deps.runs.consequences(ask.asker, words.kind, number)
    _, view = await ask.deps.runs.one(ask.asker, words.kind, number)
    values = {
        **frame_of(ask, words, view, error),
        "name": sent.name,
        "memo": sent.memo,
        "longest_name": LONGEST_NAME,
        "longest_memo": LONGEST_MEMO,
    }
    return Page("pages/runs/edit.html", values, error.status if error else 200)
