"""What was made from what, and how much is kept."""

from collections.abc import Mapping
from typing import Any, Final

import click

from kqi_hub.cli.amounts import size
from kqi_hub.cli.notebook_options import tenant_of
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json, show_table
from kqi_hub.sdk.client import Client

KINDS: Final = (
    *("data", "dataset", "preprocessing", "training", "inference"),
    *("notebook", "commit"),
)
_Thing = tuple[str, str]


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("thing_id", metavar="ID")
@click.option(
    "--depth", type=click.IntRange(1, 10), default=2, help="Steps, defaults to 2."
)
@json_option
def lineage(kind: str, thing_id: str, depth: int, as_json: bool) -> None:
    """Show what a thing was made from, and what was made from it."""
    with Client.from_config() as portal:
        found = portal.lineage(kind, thing_id, depth)
    if as_json:
        show_json(found)
        return
    for line in _told(found):
        click.echo(line)


@click.command()
@click.option("--tenant", help="The tenant; the one in use if unsaid.")
@click.option("--disk", "with_disk", is_flag=True, help="Count on the disk, too.")
@json_option
def storage(tenant: str | None, with_disk: bool, as_json: bool) -> None:
    """Show how much a tenant and its people keep, beside their quotas."""
    with Client.from_config() as portal:
        found = portal.storage(tenant_of(portal, tenant), with_disk)
    if as_json:
        show_json(found)
        return
    rows = [("all of it", found["use"]), *((p["person"], p) for p in found["people"])]
    show_table(
        ("Who", "Files", "Size", "Arriving", "Most files", "Most"),
        [(name, *_use(use)) for name, use in rows],
        "",
    )
    disk = found["disk"]
    if disk is not None:
        say(
            f"On the disk: {size(disk['content_bytes'])} in {disk['contents']:,} "
            f"different files, {size(disk['incoming_bytes'])} arriving, "
            f"{size(disk['free_bytes'])} free."
        )
    for one in found["warnings"]:
        say(f"{one['whose']} {one['name']}: {one['percent']} % of the {one['what']}.")


def _use(use: Mapping[str, Any]) -> tuple[object, ...]:
    most = use["most_files"]
    return (
        f"{use['files']:,}",
        size(use["bytes"]),
        size(use["uploading_bytes"]),
        "no limit" if most is None else f"{most:,}",
        "no limit" if use["most_bytes"] is None else size(use["most_bytes"]),
    )


def _told(found: Mapping[str, Any]) -> list[str]:
    """Return the graph as two trees around its thing, each thing once."""
    nodes = {(one["kind"], one["id"]): one for one in found["nodes"]}
    about = _thing(found["about"])
    lines = [_name(nodes[about])]
    for title, start, end in (("made from", "made", "source"),
                              ("used by", "source", "made")):  # fmt: skip
        steps: dict[_Thing, list[_Thing]] = {}
        for edge in found["edges"]:
            steps.setdefault(_thing(edge[start]), []).append(_thing(edge[end]))
        lines.append(f"{title}:" if about in steps else f"{title}: nothing")
        lines += _branch(about, steps, nodes, "  ", {about})
    for one in found["blockers"]:
        lines.append(f"kept by: {one['kind']} {one['id']} {one['name']}".rstrip())
    if found["is_cut"]:
        lines.append("There is more: --depth, or ask about a thing further away.")
    return lines


def _branch(
    at: _Thing,
    steps: Mapping[_Thing, list[_Thing]],
    nodes: Mapping[_Thing, Mapping[str, Any]],
    indent: str,
    seen: set[_Thing],
) -> list[str]:
    lines = []
    for one in steps.get(at, ()):
        if one in seen or one not in nodes:
            continue
        seen.add(one)
        lines.append(indent + _name(nodes[one]))
        lines += _branch(one, steps, nodes, indent + "  ", seen)
    return lines


def _thing(said: Mapping[str, Any]) -> _Thing:
    return said["kind"], said["id"]


def _name(node: Mapping[str, Any]) -> str:
    notes = [
        word
        for word, is_so in (("locked", node["is_locked"]), ("gone", node["is_gone"]))
        if is_so
    ]
    end = f" ({', '.join(notes)})" if notes else ""
    return f"{node['kind']} {node['id']} {node['name']}".rstrip() + end
