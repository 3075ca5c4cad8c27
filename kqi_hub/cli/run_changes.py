"""Change, stop and delete trainings and inferences."""

from typing import Any, Final

import click

from kqi_hub.cli.amounts import files
from kqi_hub.cli.data_options import yes_option
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, plain, say, show_json
from kqi_hub.cli.run_options import id_argument, ids_argument
from kqi_hub.cli.run_words import ended
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.data import Outcome
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.run_models import Run, RunDeletion

Kind = type[Run]


class NotAll(PortalError):
    """Some of several could not be done."""

    exit_code = 5


@click.command("update")
@id_argument
@click.option("--name", "-n", help="Its new name.")
@click.option("--memo", "-m", help="Its new memo.")
@click.option("--tag", "-t", "tags", multiple=True, help="All its tags from now on.")
@click.option("--no-tags", is_flag=True, help="No tags from now on.")
@click.option(
    "--favourite/--no-favourite", "is_favourite", default=None, help="Mark it, or not."
)
@json_option
@click.pass_obj
def update_run(
    kind: Kind,
    /,
    run_id: int,
    tags: tuple[str, ...],
    no_tags: bool,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Change name, memo, tags or favourite; what is not named stays."""
    if tags and no_tags:
        raise click.UsageError("--tag and --no-tags say opposite things.")
    if tags or no_tags:
        wanted["tags"] = list(tags)
    changes = {field: value for field, value in wanted.items() if value is not None}
    if not changes:
        raise click.UsageError("Say what is to change: --name, --memo, --tag …")
    with Client.from_config() as portal:
        found = portal.change_run(kind, run_id, **changes)
    if as_json:
        show_json(found)
        return
    say(f"{kind.kind.capitalize()} {found.id} is changed.")


@click.command("stop")
@ids_argument
@click.option(
    "--normal/--failed", "is_normal", default=True,
    help="Call it user-canceled afterwards (the default), or killed.",
)  # fmt: skip
@json_option
@click.pass_obj
def stop_run(
    kind: Kind, /, run_ids: tuple[int, ...], is_normal: bool, as_json: bool
) -> None:
    """Stop them, or cancel their submission; what was written stays."""
    _stop(kind, run_ids, as_failed=not is_normal, as_json=as_json)


@click.command("halt")
@ids_argument
@json_option
@click.pass_obj
def halt_run(kind: Kind, run_ids: tuple[int, ...], as_json: bool) -> None:
    """Stop them as failed: they are called killed afterwards."""
    _stop(kind, run_ids, as_failed=True, as_json=as_json)


@click.command("complete")
@ids_argument
@json_option
@click.pass_obj
def complete_run(kind: Kind, run_ids: tuple[int, ...], as_json: bool) -> None:
    """Stop them as normal: they are called user-canceled afterwards."""
    _stop(kind, run_ids, as_failed=False, as_json=as_json)


@click.command("tag")
@click.argument("tag")
@ids_argument
@click.option("--remove", is_flag=True, help="Take it off instead.")
@json_option
@click.pass_obj
def tag_runs(
    kind: Kind, /, tag: str, run_ids: tuple[int, ...], remove: bool, as_json: bool
) -> None:
    """Tag many at once."""
    _many(kind, run_ids, "untag" if remove else "tag", as_json, tag)


@click.command("delete")
@ids_argument
@yes_option
@json_option
@click.pass_obj
def delete_runs(kind: Kind, run_ids: tuple[int, ...], yes: bool, as_json: bool) -> None:
    """Delete them with their files; jobs end first, and what others read stays."""
    with Client.from_config() as portal:
        if not yes:
            for run_id in run_ids:
                _warn(kind, run_id, portal.run_deletion(kind, run_id))
            click.confirm("Delete for good?", abort=True, err=True)
        if len(run_ids) == 1:
            found = portal.run_deletion(kind, run_ids[0])
            portal.delete_run(kind, run_ids[0])
            later = "being deleted: its job is ended first"
            done = later if found.is_live else "deleted"
            said = f"{kind.kind.capitalize()} {run_ids[0]} is {done}."
            finish(said, as_json, outcomes=plain([Outcome(run_ids[0], True)]))
            return
    _many(kind, run_ids, "delete", as_json)


def _warn(kind: Kind, run_id: int, found: RunDeletion) -> None:
    """Say what would go, and what stands against it."""
    kept = "its files" if found.files is None else files(found.files)
    say(f"{kind.kind} {run_id}: its history and {kept} in {found.folder} go.")
    if found.dataset is not None and found.is_unlocked:
        say(f"  Dataset {found.dataset} stays, and may be changed again.")
    if found.is_going:
        say("  It is being deleted already: it goes when its job has ended.")
    elif found.is_live:
        say("  It has not ended: its job is ended first.")
    for one in found.blockers:
        say(f"  {one['kind']} {one['id']} {one['name']} reads its output: it stays.")


def _stop(
    kind: Kind, run_ids: tuple[int, ...], *, as_failed: bool, as_json: bool
) -> None:
    if len(run_ids) > 1:
        _many(kind, run_ids, "fail" if as_failed else "stop", as_json)
        return
    with Client.from_config() as portal:
        found = portal.stop_run(kind, run_ids[0], as_failed=as_failed)
    if as_json:
        show_json(found)
    elif found.is_live:
        say(f"{kind.kind.capitalize()} {found.id} is being stopped.")
    else:
        say(ended(found))


def _many(
    kind: Kind, run_ids: tuple[int, ...], action: str, as_json: bool, tag: str = ""
) -> None:
    with Client.from_config() as portal:
        done = portal.change_many_runs(kind, run_ids, action, tag)
    failed = [one for one in done if not one.done]
    said = f"{len(done) - len(failed)} of {len(done)} done."
    finish(said, as_json, outcomes=plain(done))
    for one in failed:
        say(f"{kind.kind} {one.id}: {one.detail}")
    if failed:
        raise NotAll(f"{len(failed)} of {len(done)} were refused.", "See above.")


CHANGES: Final = (
    update_run,
    stop_run,
    halt_run,
    complete_run,
    tag_runs,
    delete_runs,
)
