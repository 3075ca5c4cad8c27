"""Trainings and inferences: one set of routes for both kinds of runs."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Final

from handlers.access import Who
from handlers.api import run_models as shown
from handlers.api.data_models import ManyDone, OfTenant
from handlers.api.run_choices_models import BODY_LIMIT, NewRun, RunChoices
from handlers.ask import Answer, Ask, Listing, Plain
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    GitUnavailable,
    InvalidInput,
    NotFound,
    RegistryUnavailable,
)
from kqi_hub.domain.run_searches import RunSearch
from kqi_hub.domain.runs import Parent, RunChange, RunKind, RunSpec
from kqi_hub.i18n import N_
from kqi_hub.services.run_bulk import ManyRuns
from kqi_hub.services.run_defaults import lifetime_for

Call = Callable[[Ask, RunKind], Awaitable[Answer]]
_CHOICES: Final = {
    "tenant": "vision",
    "name": "first",
    "queue": "cpu",
    "command": "python train.py",
    "cpus": 2,
    "memory_mb": 4096,
    "lifetime_s": 3600,
}
# Numbers for the examples: one that has ended, one that lives, one to be deleted.
_EXAMPLES: Final = {
    RunKind.TRAINING: {"ended": "1", "live": "2", "free": "3"},
    RunKind.INFERENCE: {"ended": "6", "live": "7", "free": "6"},
    RunKind.PREPROCESSING: {"ended": "8", "live": "9", "free": "8"},
}
_ENDED: Final = {"run_id": "ended"}
_LIVE: Final = {"run_id": "live"}
_FREE: Final = {"run_id": "free"}
_TAGGED: Final = {**_ENDED, "tag": "paper"}


async def list_runs(ask: Ask, kind: RunKind) -> Listing:
    """List the runs of your tenants."""
    wanted = ask.query(shown.Wanted).question()
    found = await ask.deps.runs.search(ask.asker, kind, wanted)
    return Listing(lambda: shown.run_list(ask, found), found.total)


async def submit_run(ask: Ask, kind: RunKind) -> shown.RunNow:
    """Submit a run to Slurm, or only prepare its script."""
    sent = ask.body(NewRun)
    run = await ask.deps.runs.ask(
        ask.asker,
        kind,
        await _spec(ask, sent),
        is_prepared=sent.is_prepared,
        keeps_refused=sent.keeps_refused,
    )
    return await _now(ask, kind, run.id)


async def estimate_run(ask: Ask, kind: RunKind) -> shown.Estimate:
    """Say what a run would cost and meet, before it is submitted; nothing is kept."""
    spec = await _spec(ask, ask.body(RunChoices))
    return shown.estimate(ask, await ask.deps.runs.check(ask.asker, kind, spec))


async def list_tags_of_runs(ask: Ask, _: RunKind) -> shown.TagList:
    """List the tags in use in a tenant's runs."""
    found = await ask.deps.runs.tags(ask.asker, ask.query(OfTenant).tenant)
    return shown.TagList(tags=found)


async def list_searches_of_runs(ask: Ask, kind: RunKind) -> shown.SearchList:
    """List the searches that you keep of this list."""
    found = await ask.deps.searches.list(ask.me.person, kind)
    return shown.SearchList(searches=tuple(map(_search, found)))


async def keep_search_of_runs(ask: Ask, kind: RunKind) -> shown.Search:
    """Keep a search of this list under a name; another of this name is replaced."""
    sent = ask.body(shown.RunConditions)
    search = RunSearch(ask.path["search"], sent.query)
    asked = sent.question()
    return _search(await ask.deps.searches.keep(ask.me.person, kind, search, asked))


async def drop_search_of_runs(ask: Ask, kind: RunKind) -> None:
    """Delete a search that you keep; one that is not there is no error."""
    await ask.deps.searches.drop(ask.me.person, kind, ask.path["search"])


async def change_many_runs(ask: Ask, kind: RunKind) -> ManyDone:
    """Tag, untag, stop or delete many runs; each succeeds or fails for itself."""
    sent = ask.body(shown.ManyRuns)
    many = ManyRuns(ask.deps.runs, ask.asker, kind, sent.action, sent.tag)
    found = await many.do(sent.ids)
    return ManyDone(outcomes=tuple(shown.done(one, ask.texts) for one in found))


async def show_run(ask: Ask, kind: RunKind) -> shown.RunNow:
    """Show a run: its state, why it waits, what was asked for, what came of it."""
    return await _now(ask, kind, ask.number("run_id"))


async def change_run(ask: Ask, kind: RunKind) -> shown.RunNow:
    """Change name, memo, tags or favourite of a run of yours."""
    change, number = ask.body(shown.ChangedRun).change(), ask.number("run_id")
    await ask.deps.runs.change(ask.asker, kind, number, change)
    return await _now(ask, kind, number)


async def delete_run(ask: Ask, kind: RunKind) -> None:
    """Delete a run of yours with its files; one that lives, when its job has ended.

    Its job and its TensorBoard are ended first: until then its status is `deleting`.
    """
    await ask.deps.runs.delete(ask.asker, kind, ask.number("run_id"))


async def list_events_of_run(ask: Ask, kind: RunKind) -> shown.RunEvents:
    """List each change of a run's state with its time and cause."""
    number = ask.number("run_id")
    return shown.events(await ask.deps.runs.events(ask.asker, kind, number))


async def print_run_script(ask: Ask, kind: RunKind) -> Plain:
    """Print exactly the script that was, or is to be, submitted."""
    number = ask.number("run_id")
    return Plain(await ask.deps.runs.script(ask.asker, kind, number))


async def copy_run(ask: Ask, kind: RunKind) -> RunChoices:
    """Return what was chosen for a run, to submit one that is alike or builds on it."""
    number, runs = ask.number("run_id"), ask.deps.runs
    if ask.query(shown.HowToCopy).as_parent:
        return RunChoices.of(await runs.child_of(ask.asker, Parent(kind, number)))
    return RunChoices.of(await runs.copy_of(ask.asker, kind, number))


async def show_run_deletion(ask: Ask, kind: RunKind) -> shown.Deletion:
    """Say what deleting a run of yours would take along, and what is against it."""
    number = ask.number("run_id")
    return shown.deletion(await ask.deps.runs.consequences(ask.asker, kind, number))


async def stop_run(ask: Ask, kind: RunKind) -> shown.RunNow:
    """Stop a run of yours, or cancel its submission; what it has written stays."""
    number, as_failed = ask.number("run_id"), ask.body(shown.Stop).as_failed
    await ask.deps.runs.stop(ask.asker, kind, number, as_failed=as_failed)
    return await _now(ask, kind, number)


async def tag_run(ask: Ask, kind: RunKind) -> None:
    """Tag a run of yours; a tag that it has is no error."""
    change = RunChange(add_tags=(ask.path["tag"],))
    await ask.deps.runs.change(ask.asker, kind, ask.number("run_id"), change)


async def untag_run(ask: Ask, kind: RunKind) -> None:
    """Take a tag off a run of yours; one that it has not is no error."""
    change = RunChange(remove_tags=(ask.path["tag"],))
    await ask.deps.runs.change(ask.asker, kind, ask.number("run_id"), change)


def _search(one: RunSearch) -> shown.Search:
    return shown.Search(name=one.name, query=one.query)


async def _spec(ask: Ask, sent: RunChoices) -> RunSpec:
    lifetime_s = await lifetime_for(
        ask.deps.runs, ask.asker, sent.queue, sent.tenant, sent.lifetime_s
    )
    return sent.spec(lifetime_s)


async def _now(ask: Ask, kind: RunKind, number: int) -> shown.RunNow:
    return shown.run_now(ask, *await ask.deps.runs.with_family(ask.asker, kind, number))


def routes_for(
    kind: RunKind, word: str, tag: str, only: Collection[Call] = ()
) -> Routes:
    """Return the routes of a kind of runs, below /api/v1/WORD; all or only some."""
    routes = Routes(f"/api/v1/{word}", tag=tag)
    for method, path, call, spec in _ROUTES:
        if call in only or not only:
            declare = getattr(routes, method)
            name = call.__name__.replace("run", word.removesuffix("s"))
            answer = _for(kind, call, name.replace("-", "_"))
            declare(path, _with_example(kind, spec))(answer)
    return routes


def _with_example(kind: RunKind, spec: Spec) -> Spec:
    path = dict(spec.example_path)
    if "run_id" in path:
        path["run_id"] = _EXAMPLES[kind][path["run_id"]]
    return replace(spec, example_path=path)


def _for(kind: RunKind, call: Call, name: str) -> Callable[[Ask], Awaitable[Answer]]:
    async def answer(ask: Ask) -> Answer:
        return await call(ask, kind)

    # The document names operations after them, and each needs a name of its own.
    answer.__name__ = name
    answer.__doc__ = call.__doc__
    return answer


def _of_one(spec: Spec) -> Spec:
    """Return what a route of one run needs beside: a reader of its tenant.

    Whether it is the asker's own, the service decides.
    """
    return replace(
        spec,
        who=Who.VIEWER,
        in_its_tenant=True,
        errors=(NotFound, *spec.errors),
        example_path=spec.example_path or _ENDED,
    )


_ROUTES: Final[tuple[tuple[str, str, Call, Spec], ...]] = (
    (
        "get",
        "",
        list_runs,
        Spec(query=shown.Wanted, answer=shown.RunList, errors=(InvalidInput, NotFound)),
    ),
    (
        "post",
        "",
        submit_run,
        Spec(
            who=Who.MEMBER,
            in_its_tenant=True,
            body=NewRun,
            body_limit=BODY_LIMIT,
            answer=shown.RunNow,
            status=201,
            errors=(
                *(InvalidInput, NotFound, Conflict),
                *(ClusterUnreachable, GitUnavailable, RegistryUnavailable),
            ),
            example=_CHOICES,
        ),
    ),
    (
        "post",
        "/estimate",
        estimate_run,
        Spec(
            who=Who.MEMBER,
            in_its_tenant=True,
            body=RunChoices,
            body_limit=BODY_LIMIT,
            answer=shown.Estimate,
            errors=(InvalidInput, NotFound, ClusterUnreachable),
            example=_CHOICES,
        ),
    ),
    (
        "get",
        "/tags",
        list_tags_of_runs,
        Spec(
            who=Who.VIEWER,
            in_its_tenant=True,
            query=OfTenant,
            answer=shown.TagList,
            errors=(NotFound,),
        ),
    ),
    ("get", "/searches", list_searches_of_runs, Spec(answer=shown.SearchList)),
    (
        "put",
        "/searches/{search}",
        keep_search_of_runs,
        Spec(
            body=shown.RunConditions,
            answer=shown.Search,
            errors=(InvalidInput, Conflict),
            example={"state": "failed", "asked_at": ">=2026-11"},
            example_path={"search": "failed lately"},
        ),
    ),
    (
        "delete",
        "/searches/{search}",
        drop_search_of_runs,
        Spec(example_path={"search": "failed lately"}),
    ),
    (
        "post",
        "/bulk",
        change_many_runs,
        Spec(
            body=shown.ManyRuns,
            answer=ManyDone,
            errors=(InvalidInput,),
            example={"ids": [1], "action": "tag", "tag": "paper"},
        ),
    ),
    ("get", "/{run_id}", show_run, _of_one(Spec(answer=shown.RunNow))),
    (
        "patch",
        "/{run_id}",
        change_run,
        _of_one(
            Spec(
                body=shown.ChangedRun,
                answer=shown.RunNow,
                example={"memo": "the one in the paper"},
                errors=(InvalidInput,),
            )
        ),
    ),
    (
        "delete",
        "/{run_id}",
        delete_run,
        _of_one(Spec(example_path=_FREE, errors=(Conflict,))),
    ),
    (
        "get",
        "/{run_id}/events",
        list_events_of_run,
        _of_one(Spec(answer=shown.RunEvents)),
    ),
    (
        "get",
        "/{run_id}/script",
        print_run_script,
        _of_one(Spec(plain=True, errors=(Conflict,))),
    ),
    (
        "get",
        "/{run_id}/copy",
        copy_run,
        _of_one(Spec(query=shown.HowToCopy, answer=RunChoices)),
    ),
    (
        "get",
        "/{run_id}/deletion",
        show_run_deletion,
        _of_one(Spec(answer=shown.Deletion)),
    ),
    (
        "post",
        "/{run_id}/stop",
        stop_run,
        _of_one(
            Spec(
                body=shown.Stop,
                answer=shown.RunNow,
                example={"as_failed": False},
                example_path=_LIVE,
                errors=(Conflict,),
            )
        ),
    ),
    (
        "put",
        "/{run_id}/tags/{tag}",
        tag_run,
        _of_one(Spec(example_path=_TAGGED, errors=(InvalidInput,))),
    ),
    (
        "delete",
        "/{run_id}/tags/{tag}",
        untag_run,
        _of_one(Spec(example_path=_TAGGED, errors=(InvalidInput,))),
    ),
)
trainings: Final = routes_for(RunKind.TRAINING, "training", N_("Training"))
inferences: Final = routes_for(RunKind.INFERENCE, "inference", N_("Inference"))
# The others of their routes are in handlers/api/preprocessings.py.
past_preprocessings: Final = routes_for(
    RunKind.PREPROCESSING,
    "preprocessing-runs",
    N_("Preprocessing"),
    (show_run, list_events_of_run, print_run_script, stop_run),
)
