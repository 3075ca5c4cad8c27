"""TensorBoard beside a notebook."""

import os
import webbrowser
from pathlib import Path
from urllib.parse import urljoin

import click

from kqi_hub.cli.notebook_options import find
from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, say, show_json, show_table
from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.notebook_server import NotebookServer, TensorBoard


@click.command()
@click.argument("logdir", required=False)
@click.option("--notebook", help="In this notebook; by default the one around you.")
@click.option("--list", "listing", is_flag=True, help="List those that run here.")
@click.option("--stop", type=click.IntRange(1), help="Stop the one of this number.")
@click.option("--browser", is_flag=True, help="Open it in this machine's browser.")
@json_option
def tensorboard(
    logdir: str | None,
    notebook: str | None,
    listing: bool,
    stop: int | None,
    browser: bool,
    as_json: bool,
) -> None:
    """Show a folder of logs in TensorBoard, on the notebook's node, for you alone.

    In a terminal of a notebook LOGDIR is the folder as you see it there, by default the
    one you are in. With --notebook it is below the notebook's files. TensorBoard ends
    with the notebook.
    """
    with _server(notebook) as server:
        if stop is not None:
            server.stop_tensorboard(stop)
            say(f"TensorBoard {stop} is stopped.")
        elif listing:
            _list(server, notebook, as_json)
        else:
            folder = logdir or ""
            folder = folder if notebook else str(Path(folder).absolute())
            _show(server, server.start_tensorboard(folder), notebook, browser, as_json)


def _server(notebook: str | None) -> NotebookServer:
    if notebook is None:
        return NotebookServer.around()
    with Client.from_config() as portal:
        way = portal.open_notebook(find(portal, notebook).id)
        return NotebookServer.at_end_of(way, portal.server)


def _address(server: NotebookServer, board: TensorBoard, notebook: str | None) -> str:
    """Return the whole address, if somebody here knows how it begins."""
    if notebook is not None:
        return server.address(board)
    public = os.environ.get("JUPYTERHUB_PUBLIC_URL", "")
    return urljoin(public or configuration.load().server, board.path)


def _show(
    server: NotebookServer,
    board: TensorBoard,
    notebook: str | None,
    browser: bool,
    as_json: bool,
) -> None:
    if as_json:
        show_json(board)
        return
    address = _address(server, board, notebook)
    click.echo(address)
    if address == board.path:
        say("Put the portal's own address before it, in the browser you work with.")
    if browser and not webbrowser.open(address):
        raise PortalError("There is no browser here.", "Copy the address to one.")


def _list(server: NotebookServer, notebook: str | None, as_json: bool) -> None:
    found = server.tensorboards()
    if as_json:
        show_json(found)
        return
    show_table(
        ("Number", "Folder", "Since", "Address"),
        [
            (
                one.number,
                one.logdir,
                moment(one.began_at),
                _address(server, one, notebook),
            )
            for one in found
        ],
        "No TensorBoard runs here. Start one: kqi tensorboard LOGDIR",
    )
