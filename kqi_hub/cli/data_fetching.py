"""Fetch the files of data and datasets to this machine, through one's agent."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from kqi_hub.cli.amounts import files
from kqi_hub.cli.data_options import destination_option
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import finish, say
from kqi_hub.cli.progress import bar
from kqi_hub.sdk.client import Client


@click.command("download-files")
@click.argument("data_id", metavar="ID", type=click.IntRange(1))
@destination_option
@json_option
def download_data(data_id: int, destination: Path, as_json: bool) -> None:
    """Fetch all files of a data item; what is here already is kept.

    They come through your agent, and each is compared with the hash that the portal
    says. Interrupted? Run the same command again.
    """
    with Client.from_config() as portal:
        count = _interruptible(lambda: _fetch(portal, data_id, destination))
    said = f"{files(count)} of data {data_id} are in {destination}."
    finish(said, as_json, id=data_id, files=count, destination=str(destination))


@click.command("download-files")
@click.argument("dataset_id", metavar="ID", type=click.IntRange(1))
@destination_option
@click.option("--type", "-t", "types", multiple=True, help="Only this type; repeat.")
@json_option
def download_dataset(
    dataset_id: int, destination: Path, types: tuple[str, ...], as_json: bool
) -> None:
    """Fetch all files of a dataset, in the folders that a job would find.

    What is here already is kept. Interrupted? Run the same command again.
    """
    with Client.from_config() as portal:

        def fetch() -> int:
            count = 0
            for one in portal.dataset_items(dataset_id):
                if not types or one.type in types:
                    count += _fetch(portal, one.id, destination / one.folder)
            return count

        count = _interruptible(fetch)
    said = f"{files(count)} of dataset {dataset_id} are in {destination}."
    finish(said, as_json, id=dataset_id, files=count, destination=str(destination))


def _fetch(portal: Client, data_id: int, destination: Path) -> int:
    with bar(f"Data {data_id}") as tell:
        return portal.download_data(data_id, destination, tell)


def _interruptible(fetch: Callable[[], int]) -> int:
    try:
        return fetch()
    except KeyboardInterrupt:
        say("\nWhat is here is kept. Go on: run the same command again.")
        raise click.exceptions.Exit(130) from None


DATA_COMMANDS: Final = (download_data,)
DATASET_COMMANDS: Final = (download_dataset,)
