"""kqi-hub nodes: the nodes of the stored picture."""

from dataclasses import asdict

import click

from kqi_hub.domain.cluster import Node
from kqi_hub.operator.columns import columns
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.operator.picture import open_picture

_HEAD = ("NODE", "STATE", "QUEUES", "CPUS", "MEMORY", "GPUS", "REASON")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def nodes(invocation: Invocation, as_json: bool) -> None:
    """Show every node and what is used of it, as the worker saw them last.

    Slurm is not asked. Standard error tells how old the picture is.
    """
    picture = open_picture(invocation)
    shown = picture.store.nodes()
    if as_json:
        data = list(map(asdict, shown))
        print_json({"picture": picture.as_json(), "nodes": data})
        return
    picture.say()
    click.echo(columns(_HEAD, list(map(_row, shown))) if shown else "No nodes.")


def _row(node: Node) -> tuple[str, ...]:
    return (
        node.name,
        "+".join([node.state, *(flag.lower() for flag in node.flags)]),
        ",".join(node.partitions),
        f"{node.cpus_used}/{node.cpus}",
        f"{_gib(node.memory_used_mb)}/{_gib(node.memory_mb)} GiB",
        " ".join(f"{gpu.type}:{gpu.used}/{gpu.total}" for gpu in node.gpus),
        node.reason,
    )


def _gib(megabytes: int) -> str:
    return f"{megabytes / 1024:.0f}"
